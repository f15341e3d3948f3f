package jobs

import "github.com/azureml-go/azureml/internal/wire"

// Distribution says how a job's processes find each other. At most one of its fields is set.
type Distribution struct {
	PyTorch    *PyTorch    `yaml:"pytorch" json:"PyTorch"`
	TensorFlow *TensorFlow `yaml:"tensorflow" json:"TensorFlow"`
	MPI        *MPI        `yaml:"mpi" json:"Mpi"`
	Ray        *Ray        `yaml:"ray" json:"Ray"`
	Other      wire.Raw    `yaml:"-" json:"*"` // a kind that this version does not know
}

var distribution = wire.Union{YAML: "type", REST: "distributionType"}

// WireUnion describes the one-of.
func (Distribution) WireUnion() *wire.Union { return &distribution }

// PyTorch starts the command for torch.distributed.
type PyTorch struct {
	// ProcessCountPerInstance is the number of processes on each node.
	ProcessCountPerInstance int `yaml:"process_count_per_instance" json:"processCountPerInstance"`
}

// MPI starts the command by mpirun.
type MPI struct {
	// ProcessCountPerInstance is the number of processes on each node.
	ProcessCountPerInstance int `yaml:"process_count_per_instance" json:"processCountPerInstance"`
}

// TensorFlow starts the command with TF_CONFIG set.
type TensorFlow struct {
	// WorkerCount defaults to the number of nodes.
	WorkerCount int `yaml:"worker_count" json:"workerCount"`
	// ParameterServerCount defaults to none.
	ParameterServerCount int `yaml:"parameter_server_count" json:"parameterServerCount,keep"`
}

// Ray starts a Ray cluster and the command on its head.
type Ray struct {
	Port                     int    `yaml:"port" json:"port"`
	Address                  string `yaml:"address" json:"address"`
	IncludeDashboard         *bool  `yaml:"include_dashboard" json:"includeDashboard"`
	DashboardPort            int    `yaml:"dashboard_port" json:"dashboardPort"`
	HeadNodeAdditionalArgs   string `yaml:"head_node_additional_args" json:"headNodeAdditionalArgs"`
	WorkerNodeAdditionalArgs string `yaml:"worker_node_additional_args" json:"workerNodeAdditionalArgs"`
}

package jobs

import "github.com/azureml-go/azureml/internal/wire"

// ServiceType is what runs beside a job.
type ServiceType string

// Services that a job can be asked to run, and those that the workspace adds by itself.
const (
	JupyterLab    ServiceType = "jupyter_lab"
	SSH           ServiceType = "ssh"
	TensorBoard   ServiceType = "tensor_board"
	VSCode        ServiceType = "vs_code"
	CustomService ServiceType = "custom"
	Tracking      ServiceType = "Tracking"
	Studio        ServiceType = "Studio"
	RayDashboard  ServiceType = "RayDashboard"
)

var serviceTypes = wire.NewEnum(
	"jupyter_lab", "JupyterLab", "ssh", "SSH", "tensor_board", "TensorBoard", "vs_code", "VSCode",
	"custom", "Custom", "Tracking", "Tracking", "Studio", "Studio", "RayDashboard", "RayDashboard",
)

// WireEnum lists the spellings.
func (ServiceType) WireEnum() *wire.Enum { return serviceTypes }

// Services are the services of a job by name.
type Services map[string]Service

// Service is an interactive endpoint of a job.
type Service struct {
	Type ServiceType `yaml:"type" json:"jobServiceType"`
	// Nodes is "all" to run it on every node; empty is the first.
	Nodes string `yaml:"nodes" json:"-"`
	Port  int    `yaml:"port" json:"port"`
	// SSHPublicKeys are for ssh, LogDir for tensor_board.
	SSHPublicKeys string            `yaml:"ssh_public_keys" json:"-"`
	LogDir        string            `yaml:"log_dir" json:"-"`
	Properties    map[string]string `yaml:"properties" json:"properties"`
	// Endpoint, Status and Message are the service's answer.
	Endpoint string `yaml:"endpoint,ro" json:"endpoint,ro"`
	Status   string `yaml:"status,ro" json:"status,ro"`
	Message  string `yaml:"error_message,ro" json:"errorMessage,ro"`
}

// AfterEncodeWire puts the fields that REST keeps among the properties there.
func (s Service) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	sp := e.Spelling()
	if sp == wire.YAML || sp == wire.Spec {
		return nil
	}
	if s.Nodes != "" {
		m["nodes"] = map[string]any{e.Key("nodesValueType"): "All"}
	}
	for k, v := range map[string]string{"sshPublicKeys": s.SSHPublicKeys, "logDir": s.LogDir} {
		if v == "" {
			continue
		}
		props, _ := m["properties"].(map[string]any)
		if props == nil {
			props = map[string]any{}
			m["properties"] = props
		}
		props[k] = v
	}
	return nil
}

// AfterDecodeWire takes them out again, and says what a service of this type does not have.
func (s *Service) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if sp := d.Spelling(); sp != wire.YAML && sp != wire.Spec {
		if !n.Get("nodes").IsNull() {
			s.Nodes = "all"
		}
		if v, ok := s.Properties["sshPublicKeys"]; ok && s.Type == SSH {
			s.SSHPublicKeys = v
		}
		if v, ok := s.Properties["logDir"]; ok && s.Type == TensorBoard {
			s.LogDir = v
		}
		return
	}
	if f := s.fault(); f != "" {
		d.Fault(n, "%s", f)
	}
}

func (s Service) fault() string {
	switch {
	case s.Nodes != "" && s.Nodes != "all":
		return "nodes is \"all\" or left out"
	case s.SSHPublicKeys != "" && s.Type != SSH:
		return "ssh_public_keys is for a service of type ssh"
	case s.LogDir != "" && s.Type != TensorBoard:
		return "log_dir is for a service of type tensor_board"
	}
	return ""
}

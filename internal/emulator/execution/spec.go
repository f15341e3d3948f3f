package execution

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// commandSpec is what is read of a command job's REST properties. It is not
// the client's type: two readings of the protocol must agree, not one.
type commandSpec struct {
	JobType              string             `json:"jobType"`
	DisplayName          string             `json:"displayName"`
	Description          string             `json:"description"`
	ExperimentName       string             `json:"experimentName"`
	Tags                 map[string]*string `json:"tags"`
	Properties           map[string]*string `json:"properties"`
	ComputeID            string             `json:"computeId"`
	CodeID               string             `json:"codeId"`
	EnvironmentID        string             `json:"environmentId"`
	Command              string             `json:"command"`
	EnvironmentVariables map[string]scalar  `json:"environmentVariables"`
	Inputs               map[string]*input  `json:"inputs"`
	Outputs              map[string]*output `json:"outputs"`
	Limits               *limits            `json:"limits"`
	Resources            *resources         `json:"resources"`
	Distribution         *distribution      `json:"distribution"`
	Services             map[string]service `json:"services"`
	ParentJobName        string             `json:"parentJobName"`

	vars []string // further variables of its processes
}

type input struct {
	Type  string  `json:"jobInputType"`
	URI   string  `json:"uri"`
	Value *scalar `json:"value"`
	Mode  string  `json:"mode"`
	Step  string  `json:"step"` // of a step's input: the step that puts it out, maybe without a file
}

type output struct {
	Type         string `json:"jobOutputType"`
	URI          string `json:"uri"`
	Mode         string `json:"mode"`
	AssetName    string `json:"assetName"`
	AssetVersion string `json:"assetVersion"`
	Description  string `json:"description"`
	// Place is, of a step's output that goes to one of its pipeline, the address as the pipeline's user wrote it; uri is what it came to.
	Place string `json:"place,omitempty"`
}

// ownPlace is the place of an output of a pipeline that has no address.
const ownPlace = "${{name}}"

type limits struct {
	Timeout string `json:"timeout"` // ISO 8601
}

type resources struct {
	InstanceCount int    `json:"instanceCount"`
	InstanceType  string `json:"instanceType"`
	ShmSize       string `json:"shmSize"`
	DockerArgs    string `json:"-"`
	// DockerArgsList is DockerArgs word by word.
	DockerArgsList []string        `json:"dockerArgsList"`
	Properties     json.RawMessage `json:"properties"`
}

type distribution struct {
	Type                    string `json:"distributionType"`
	ProcessCountPerInstance int    `json:"processCountPerInstance"`
	WorkerCount             int    `json:"workerCount"`
	ParameterServerCount    int    `json:"parameterServerCount"`
	ray
}

type service struct {
	Type string `json:"jobServiceType"`
}

// scalar is a value that the service keeps as text, whatever JSON type it came in.
type scalar string

// UnmarshalJSON takes a string, a number, a boolean or null.
func (s *scalar) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
		*s = ""
	case string:
		*s = scalar(v)
	case bool:
		*s = scalar(strconv.FormatBool(v))
	case float64:
		*s = scalar(b)
	default:
		return fmt.Errorf("want a string, a number or a boolean, got %s", b)
	}
	return nil
}

// experiment is the name of the job's experiment.
func (s *commandSpec) experiment() string {
	if s.ExperimentName == "" {
		return "Default"
	}
	return s.ExperimentName
}

// nodes is how many of the compute's nodes the job takes.
func (s *commandSpec) nodes() int {
	if s.Resources == nil || s.Resources.InstanceCount < 1 {
		return 1
	}
	return s.Resources.InstanceCount
}

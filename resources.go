package azureml

import (
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Resources are the machines that a job wants.
type Resources struct {
	// InstanceCount is the number of nodes; zero is 1.
	InstanceCount int `yaml:"instance_count" json:"instanceCount"`
	// InstanceType is the size of a serverless or Kubernetes node.
	InstanceType string `yaml:"instance_type" json:"instanceType"`
	// MaxInstanceCount is what an elastic job may grow to.
	MaxInstanceCount int `yaml:"max_instance_count" json:"maxInstanceCount"`
	// Locations are the regions that may be used.
	Locations []string `yaml:"locations" json:"locations"`
	// ShmSize is the container's shared memory, a number with b, k, m or g behind it: "2g".
	ShmSize string `yaml:"shm_size" json:"shmSize"`
	// DockerArgs are further arguments of docker run.
	DockerArgs DockerArgs `yaml:"docker_args" json:"dockerArgs"`
	// Properties are settings of the compute, by its name.
	Properties map[string]any `yaml:"properties" json:"properties,keep"`
}

var resources = wire.Layout{At: wire.Table{"docker_args": "."}}

// WireLayout says where REST nests differently.
func (Resources) WireLayout() *wire.Layout { return &resources }

// AfterEncodeWire gives the property Singularity the name that the service has for it.
func (r Resources) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	p, ok := m["properties"].(map[string]any)
	if !ok || e.Spelling() == wire.YAML {
		return nil
	}
	for k, v := range p {
		if strings.EqualFold(k, "singularity") {
			delete(p, k)
			p["AISuperComputer"] = v
		}
	}
	return nil
}

// DockerArgs are one line, or a list. At most one field is set.
type DockerArgs struct {
	Line string
	List []string
}

// EncodeWire writes dockerArgs or dockerArgsList in REST.
func (a DockerArgs) EncodeWire(e *wire.Encoding) (any, error) {
	name, v := "dockerArgs", any(a.Line)
	if a.List != nil {
		l := make([]any, len(a.List))
		for i, s := range a.List {
			l[i] = s
		}
		name, v = "dockerArgsList", l
	}
	if a.Line == "" && a.List == nil {
		return wire.Omit, nil
	}
	if e.Spelling() == wire.YAML || e.Spelling() == wire.Spec {
		return v, nil
	}
	return map[string]any{e.Key(name): v}, nil
}

// DecodeWire reads either form.
func (a *DockerArgs) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.YAML && d.Spelling() != wire.Spec {
		a.Line, _ = n.Get(d.Key("dockerArgs")).Str()
		if l := n.Get(d.Key("dockerArgsList")); !l.IsNull() {
			d.Into(l, &a.List)
		}
		return
	}
	if n.Kind == wire.Sequence {
		d.Into(n, &a.List)
		return
	}
	d.Into(n, &a.Line)
}

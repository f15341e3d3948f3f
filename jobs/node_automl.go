package jobs

import (
	"context"
	"maps"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// AutoMLNode is a step that lets the service find a model. Its output best_model is the model.
type AutoMLNode struct {
	// Task is what is learned. Its data may be expressions: "${{parent.jobs.prep.outputs.train}}". Required.
	Task AutoMLTask `yaml:",inline" json:"-"`
	// Outputs: name best_model, with its type, where other steps use it.
	Outputs              Outputs            `yaml:"outputs" json:"-"`
	Compute              string             `yaml:"compute" json:"-"`
	DisplayName          string             `yaml:"display_name" json:"-"`
	Experiment           string             `yaml:"experiment_name" json:"-"`
	Description          string             `yaml:"description" json:"-"`
	Tags                 map[string]string  `yaml:"tags,null" json:"-"`
	Properties           map[string]string  `yaml:"properties,null" json:"-"`
	Resources            *azureml.Resources `yaml:"resources" json:"-"`
	Queue                *Queue             `yaml:"queue_settings" json:"-"`
	Identity             azureml.Identity   `yaml:"identity" json:"-"`
	EnvironmentID        string             `yaml:"environment_id" json:"-"`
	EnvironmentVariables map[string]string  `yaml:"environment_variables" json:"-"`
	Bindings             wire.Bindings      `yaml:"-" json:"-"`
	Extra                map[string]any     `yaml:"-" json:"-" extra:""`
}

var automlNode = wire.Layout{Name: "AutoML step", YAML: wire.Fixed{"type": "automl"}}

// WireLayout places the fields.
func (AutoMLNode) WireLayout() *wire.Layout { return &automlNode }

// EncodeWire writes the step. In a pipeline's body it is what its file says, with ids, and outputs as other steps have them.
func (n AutoMLNode) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		return e.Plain(n)
	}
	m, err := e.As(wire.Spec).Plain(n)
	if err != nil {
		return nil, err
	}
	delete(m, "outputs")
	if len(n.Outputs) > 0 {
		if m["outputs"], err = e.As(wire.Snake).Value(n.Outputs); err != nil {
			return nil, err
		}
	}
	if strings.HasPrefix(n.Compute, "/") {
		m["compute"] = "azureml:" + n.Compute
	}
	if i, ok := m["identity"].(map[string]any); ok && n.Identity.Managed != nil {
		i["type"] = "managed_identity"
	}
	return m, nil
}

// DecodeWire reads the step.
func (n *AutoMLNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = AutoMLNode{}
	at, bound := automlBindings(at)
	if d.Spelling() == wire.YAML {
		d.Plain(at, n)
	} else {
		d.As(wire.Spec).Plain(at.Without("outputs"), n)
		if o := at.Get("outputs"); o != nil {
			d.As(wire.Snake).Into(o, &n.Outputs)
		}
		if id, ok := strings.CutPrefix(n.Compute, "azureml:"); ok && strings.HasPrefix(id, "/") {
			n.Compute = id
		}
	}
	if len(bound) > 0 {
		if n.Bindings == nil {
			n.Bindings = wire.Bindings{}
		}
		maps.Copy(n.Bindings, bound)
	}
}

func (n *AutoMLNode) node() nodeHead {
	h := nodeHead{outputs: &n.Outputs, compute: &n.Compute, bindings: n.Bindings, needsCompute: true, automl: true}
	if n.Task != nil { // what it waits for
		in := Inputs{}
		for _, t := range n.Task.parts().tables() {
			if *t.in != (Input{}) {
				in[t.field] = *t.in
			}
		}
		h.inputs = &in
	}
	return h
}

func (n *AutoMLNode) translate(*translator, *wire.Decoding, *wire.Node) {}

func (n *AutoMLNode) cloneNode() Node {
	c := *n
	if n.Task != nil {
		c.Task = n.Task.clone()
	}
	return &c
}

func (n *AutoMLNode) checkNode(ctx context.Context, c *checker) {
	c.compute(ctx, "compute", n.Compute)
	if n.Task == nil {
		c.add("task", "a task is required: %s", automlTaskNames())
		return
	}
	c.task(n.Task, true)
}

func (n *AutoMLNode) resolveNode(ctx context.Context, r *resolver) error {
	if n.Compute != "" && !isExpression(n.Compute) {
		n.Compute = r.compute(n.Compute)
	}
	return r.tables(ctx, n.Task.parts().tables())
}

package jobs

import (
	"context"
	"strconv"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// ParallelNode is a step that runs a parallel component. In a file it may define its task in place.
type ParallelNode struct {
	Component   ComponentSource    `yaml:"component" json:"-" node:"componentId"`
	Inputs      Inputs             `yaml:"inputs" json:"-"`
	Outputs     Outputs            `yaml:"outputs" json:"-"`
	Compute     string             `yaml:"compute" json:"-" node:"computeId"`
	DisplayName string             `yaml:"display_name" json:"-"`
	Description string             `yaml:"description" json:"-" node:"-"`
	Tags        map[string]string  `yaml:"tags,null" json:"-"`
	Properties  map[string]string  `yaml:"properties,null" json:"-"`
	Comment     string             `yaml:"comment" json:"-"`
	Resources   *azureml.Resources `yaml:"resources" json:"-"`
	Batching
	// Task defaults to the component's.
	Task                 *ParallelTask    `yaml:"task" json:"-" node:",yaml"`
	EnvironmentVariables Variables        `yaml:"environment_variables" json:"-"`
	Identity             azureml.Identity `yaml:"identity" json:"-"`
	Bindings             wire.Bindings    `yaml:"-" json:"-"`
	Extra                map[string]any   `yaml:"-" json:"-" extra:""`

	made   provenance
	inline bool
}

var parallelNode = wire.Layout{Name: "parallel step", YAML: wire.Fixed{"type": "parallel"}}

// WireLayout places the fields.
func (ParallelNode) WireLayout() *wire.Layout { return &parallelNode }

// EncodeWire writes the step; sizes are numbers and keys text in a pipeline's body.
func (n ParallelNode) EncodeWire(e *wire.Encoding) (any, error) {
	n.inherit(e.Spelling())
	m, err := e.Plain(n)
	if err != nil || e.Spelling() == wire.YAML {
		return m, err
	}
	if !isExpression(n.MiniBatchSize) && n.MiniBatchSize != "" {
		size, err := n.size()
		if err != nil {
			return nil, err
		}
		m["mini_batch_size"] = size
	}
	if len(n.PartitionKeys) > 0 {
		m["partition_keys"] = pythonList(n.PartitionKeys)
	}
	return m, nil
}

// inherit takes over what the component says where the step says nothing.
func (n *ParallelNode) inherit(sp wire.Spelling) {
	c, ok := n.Component.(*ParallelComponent)
	if !ok || sp == wire.YAML {
		return
	}
	if n.Resources == nil && c.Resources != nil {
		r := c.Resources.Resources
		n.Resources = &r
	}
	if n.RetrySettings == nil {
		n.RetrySettings = c.RetrySettings
	}
	if n.InputData == "" {
		n.InputData = c.InputData
	}
	if n.MaxConcurrencyPerInstance == nil && n.Bindings["max_concurrency_per_instance"] == "" {
		n.MaxConcurrencyPerInstance = c.MaxConcurrencyPerInstance
	}
	if n.MiniBatchErrorThreshold == nil && n.Bindings["mini_batch_error_threshold"] == "" {
		n.MiniBatchErrorThreshold = c.MiniBatchErrorThreshold
	}
	if n.MiniBatchSize == "" {
		size, err := c.size()
		if err == nil {
			n.MiniBatchSize = strconv.FormatInt(size, 10)
		}
	}
	if n.PartitionKeys == nil {
		n.PartitionKeys = c.PartitionKeys
	}
	if n.Task == nil {
		n.Task = c.Task
	}
}

// DecodeWire reads the step.
func (n *ParallelNode) DecodeWire(d *wire.Decoding, at *wire.Node) {
	*n = ParallelNode{}
	src := at
	if v := at.Get("mini_batch_size"); v.IsScalar() && v.Kind != wire.String && d.Spelling() != wire.YAML {
		src = src.With("mini_batch_size", wire.StringNode(v.Text, v))
	}
	keys := at.Get("partition_keys")
	if keys != nil && keys.Kind == wire.String {
		src = src.Without("partition_keys")
	}
	d.Plain(src, n)
	n.PartitionKeys = partitionKeys(n.PartitionKeys, at)
	if n.Component == nil {
		n.inline = d.Spelling() == wire.YAML
		for _, key := range sortedKeys(n.Extra) { // a job in place is a job: it has no other keys
			if n.inline {
				d.At(key).Fault(at.Get(key), "unknown field; a parallel step with its task in place has none such")
			}
		}
		if n.inline && n.Task == nil {
			d.Fault(at, "a component, or a task, is required")
		}
		return
	}
	settle(n.node(), d, at, "component")
}

func (n *ParallelNode) node() nodeHead {
	return nodeHead{component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, made: &n.made, bindings: n.Bindings, needsCompute: true}
}

func (n *ParallelNode) translate(t *translator, d *wire.Decoding, at *wire.Node) {
	if !n.inline {
		return
	}
	n.inline = false
	c := &ParallelComponent{
		Batching: n.Batching, Task: n.Task, made: t.made,
		Inputs: t.componentInputs(d, at, n.Inputs), Outputs: t.componentOutputs(d, at, n.Outputs),
	}
	if n.Resources != nil {
		c.Resources = &ComponentResources{Resources: *n.Resources}
	}
	// What is bound to the pipeline is the step's alone: a component stands for itself.
	if isExpression(c.MiniBatchSize) {
		c.MiniBatchSize = ""
	}
	if isExpression(c.LoggingLevel) {
		c.LoggingLevel = ""
	}
	for path := range n.Bindings {
		switch {
		case len(path) > 9 && path[:9] == "resources":
			c.Resources = nil
		case len(path) > 14 && path[:14] == "retry_settings":
			c.RetrySettings = nil
		}
	}
	n.Component, n.made = c, t.made
	n.Description, n.DisplayName, n.Tags = "", "", nil // the reference takes none over from a task in place
	n.Task = nil
}

func (n *ParallelNode) cloneNode() Node {
	c := *n
	if n.Task != nil {
		t := *n.Task
		c.Task = &t
	}
	return &c
}

func (n *ParallelNode) checkNode(ctx context.Context, c *checker) {
	c.step(ctx, n.node())
	c.variables("environment_variables", n.EnvironmentVariables)
	if k, ok := n.Component.(*ParallelComponent); ok && k != nil && sameBatching(&k.Batching, &n.Batching) {
		return // the component's check has said it
	}
	n.Batching.check(c)
}

func (n *ParallelNode) resolveNode(ctx context.Context, r *resolver) error {
	n.Component = built(n.Component)
	own := n.Task != nil
	if c, ok := n.Component.(*ParallelComponent); ok && c.ID == "" && c.Task != nil && !own {
		n.inherit(wire.NodeJSON)
		t := *c.Task
		if err := t.resolve(ctx, r); err != nil {
			return err
		}
		n.Task = &t
	} else if own {
		if err := n.Task.resolve(ctx, r); err != nil {
			return err
		}
		n.inherit(wire.NodeJSON)
	}
	return r.step(ctx, n.node())
}

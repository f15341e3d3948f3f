package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// BatchInvocation asks a batch endpoint for a job, again and again: a schedule's action (REST actionType
// InvokeBatchEndpoint). Files have no word for it. The REST API leaves the definition open; what is sent names the endpoint
// and the deployment, and has the properties of an invocation as BatchClient.Invoke sends it.
type BatchInvocation struct {
	// Endpoint is the endpoint's name, or its id. Required.
	Endpoint string
	// Deployment defaults to the endpoint's default one at the time.
	Deployment string
	// Inputs by name: files and folders here are uploaded once, when the schedule is made. Literals may hold
	// ${{creation_context.trigger_time}} and ${{name}}, the job's name.
	Inputs Inputs
	// Outputs by name say where results go; ${{name}} in a path keeps those of one job apart from the next one's.
	Outputs Outputs
	// Experiment defaults to the endpoint's name.
	Experiment string
	// What follows overrides the deployment's own settings; zero leaves them.
	InstanceCount int
	MiniBatchSize int
	OutputFile    string
}

var batchInvocation = wire.Layout{Name: "batch invocation"}

// WireLayout places the fields.
func (BatchInvocation) WireLayout() *wire.Layout { return &batchInvocation }

// invocationTypes are the regional service's words for kinds of data.
var invocationTypes = map[DataType]string{
	TypeURIFile: "UriFile", TypeURIFolder: "UriFolder", TypeMLTable: "MLTable", TypeMLFlowModel: "MLFlowModel", TypeCustomModel: "CustomModel", TypeTritonModel: "TritonModel",
}

// EncodeWire writes the action.
func (i BatchInvocation) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.YAML {
		return nil, fmt.Errorf("a schedule that invokes a batch endpoint cannot be written to a file: files have no word for it")
	}
	inputs, outputs := map[string]any{}, map[string]any{}
	for name, in := range i.Inputs {
		if in.IsLiteral() {
			inputs[name] = map[string]any{"jobInputType": "Literal", "value": in.Value}
			continue
		}
		one := map[string]any{"jobInputType": invocationTypes[in.dataType()], "uri": in.Path}
		if in.Mode != "" {
			one["mode"] = string(in.Mode)
		}
		inputs[name] = one
	}
	for name, out := range i.Outputs {
		t := out.Type
		if t == "" {
			t = TypeURIFolder
		}
		one := map[string]any{"jobOutputType": invocationTypes[t]}
		if out.Path != "" {
			one["uri"] = out.Path
		}
		if out.Mode != "" {
			one["mode"] = string(out.Mode)
		}
		outputs[name] = one
	}
	props := map[string]any{"inputData": inputs}
	for _, f := range []struct {
		key   string
		value any
		is    bool
	}{
		{"outputData", outputs, len(outputs) > 0}, {"properties", map[string]any{"experimentName": i.Experiment}, i.Experiment != ""},
		{"compute", map[string]any{"instanceCount": i.InstanceCount}, i.InstanceCount > 0}, {"miniBatchSize", i.MiniBatchSize, i.MiniBatchSize > 0},
		{"outputFileName", i.OutputFile, i.OutputFile != ""},
	} {
		if f.is {
			props[f.key] = f.value
		}
	}
	def := map[string]any{"properties": props}
	key := "endpointName"
	if strings.Contains(i.Endpoint, "/") {
		key = "endpointId"
	}
	def[key] = strings.TrimPrefix(i.Endpoint, "azureml:")
	if i.Deployment != "" {
		def["deploymentName"] = i.Deployment
	}
	return map[string]any{"actionType": "InvokeBatchEndpoint", "endpointInvocationDefinition": def}, nil
}

// DecodeWire reads the action as the service answers it.
func (i *BatchInvocation) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*i = BatchInvocation{}
	def := n.Get("endpointInvocationDefinition")
	text := func(path ...string) string {
		s, _ := def.Get(path...).Str() // absent: ""
		return s
	}
	i.Endpoint, i.Deployment, i.Experiment, i.OutputFile = text("endpointName"), text("deploymentName"), text("properties", "properties", "experimentName"), text("properties", "outputFileName")
	if i.Endpoint == "" {
		i.Endpoint = text("endpointId")
	}
	number := func(into *int, path ...string) {
		if v := numberOf(def.Get(path...)); v != nil {
			*into = int(*v)
		}
	}
	number(&i.InstanceCount, "properties", "compute", "instanceCount")
	number(&i.MiniBatchSize, "properties", "miniBatchSize")
	kind := func(at *wire.Node, key string) DataType {
		word, _ := at.Get(key).Str()
		for t, w := range invocationTypes {
			if strings.EqualFold(w, word) {
				return t
			}
		}
		return ""
	}
	if at := def.Get("properties", "inputData"); at != nil && at.Kind == wire.Mapping {
		for _, e := range at.Entries {
			in := Input{Type: kind(e.Value, "jobInputType")}
			if in.Type == "" {
				if v := e.Value.Get("value"); v != nil {
					in.Value = v.Value
				}
			}
			in.Path, _ = e.Value.Get("uri").Str()
			mode, _ := e.Value.Get("mode").Str()
			in.Mode = InputMode(mode)
			if i.Inputs == nil {
				i.Inputs = Inputs{}
			}
			i.Inputs[e.Key] = in
		}
	}
	if at := def.Get("properties", "outputData"); at != nil && at.Kind == wire.Mapping {
		for _, e := range at.Entries {
			out := Output{Type: kind(e.Value, "jobOutputType")}
			out.Path, _ = e.Value.Get("uri").Str()
			mode, _ := e.Value.Get("mode").Str()
			out.Mode = OutputMode(mode)
			if i.Outputs == nil {
				i.Outputs = Outputs{}
			}
			i.Outputs[e.Key] = out
		}
	}
}

func (i *BatchInvocation) checkAction(_ context.Context, c *checker, _ *Schedule) {
	if i.Endpoint == "" {
		c.add("invoke_batch_endpoint.endpoint", "the batch endpoint is required: its name, or its id")
	}
	for _, name := range slices.Sorted(maps.Keys(i.Inputs)) {
		switch in := i.Inputs[name]; {
		case in.Value != nil && in.Path != "":
			c.add("invoke_batch_endpoint.inputs."+name, "has both a literal and a path")
		case in.Value == nil && in.Path == "":
			c.add("invoke_batch_endpoint.inputs."+name, "has neither a literal nor a path")
		}
	}
	if i.MiniBatchSize < 0 || i.InstanceCount < 0 {
		c.add("invoke_batch_endpoint.mini_batch_size", "a negative number is none")
	}
}

func (i *BatchInvocation) resolveAction(ctx context.Context, r *resolver, _ *Schedule) (Action, error) {
	out := *i
	in, err := r.references(ctx, i.Inputs)
	if err != nil {
		return nil, fmt.Errorf("invoke_batch_endpoint: %w", err)
	}
	if out.Inputs, err = r.uploads(ctx, in); err != nil {
		return nil, fmt.Errorf("invoke_batch_endpoint: %w", err)
	}
	return &out, nil
}

// Invoke asks a batch endpoint for a job.
func (b *ScheduleBuilder) Invoke(i *BatchInvocation) *ScheduleBuilder {
	if i == nil {
		return b.fault("invoke_batch_endpoint", "the invocation is nil")
	}
	c := *i
	c.Inputs, c.Outputs = maps.Clone(i.Inputs), maps.Clone(i.Outputs)
	return b.do(&c)
}

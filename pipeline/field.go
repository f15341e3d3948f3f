package pipeline

import (
	"maps"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// fields point at what nodes of most kinds have; what a kind does not have is nil.
type fields struct {
	component                              *jobs.ComponentSource
	inputs                                 *jobs.Inputs
	outputs                                *jobs.Outputs
	compute, comment, display, description *string
	tags, properties                       *map[string]string
	variables                              *jobs.Variables
	resources                              **azureml.Resources
	distribution                           *jobs.Distribution
	identity                               *azureml.Identity
	queue                                  **jobs.Queue
	services                               *jobs.Services
	bindings                               *wire.Bindings
}

// copyOf is a copy of a node that shares no map with it but that of the inputs, which are made anew when they are bound.
func copyOf(node jobs.Node) jobs.Node {
	n := jobs.CloneNode(node)
	f := fieldsOf(n)
	own(f.outputs)
	own(f.tags)
	own(f.properties)
	own(f.variables)
	own(f.services)
	own(f.bindings)
	switch n := n.(type) {
	case *jobs.SweepNode:
		own(&n.SearchSpace)
	case *jobs.SparkNode:
		own(&n.Conf)
	}
	return n
}

func own[M ~map[string]V, V any](m *M) {
	if m != nil {
		*m = maps.Clone(*m)
	}
}

func fieldsOf(node jobs.Node) fields {
	switch n := node.(type) {
	case *jobs.CommandNode:
		return fields{
			component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, properties: &n.Properties, variables: &n.EnvironmentVariables, resources: &n.Resources,
			distribution: &n.Distribution, identity: &n.Identity, queue: &n.Queue, services: &n.Services, bindings: &n.Bindings,
		}
	case *jobs.SweepNode:
		return fields{
			component: &n.Trial, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, properties: &n.Properties, resources: &n.Resources, identity: &n.Identity, queue: &n.Queue,
			bindings: &n.Bindings,
		}
	case *jobs.ParallelNode:
		return fields{
			component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, properties: &n.Properties, variables: &n.EnvironmentVariables, resources: &n.Resources,
			identity: &n.Identity, bindings: &n.Bindings,
		}
	case *jobs.SparkNode:
		return fields{
			component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, identity: &n.Identity, bindings: &n.Bindings,
		}
	case *jobs.PipelineNode:
		return fields{
			component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, properties: &n.Properties, bindings: &n.Bindings,
		}
	case *jobs.DataTransferNode:
		return fields{
			component: &n.Component, inputs: &n.Inputs, outputs: &n.Outputs, compute: &n.Compute, comment: &n.Comment, display: &n.DisplayName,
			description: &n.Description, tags: &n.Tags, properties: &n.Properties, bindings: &n.Bindings,
		}
	case *jobs.AutoMLNode:
		f := fields{
			outputs: &n.Outputs, compute: &n.Compute, display: &n.DisplayName, description: &n.Description, tags: &n.Tags, properties: &n.Properties,
			resources: &n.Resources, identity: &n.Identity, queue: &n.Queue, bindings: &n.Bindings,
		}
		return f
	case *jobs.ParallelForNode:
		return fields{outputs: &n.Outputs}
	}
	return fields{}
}

// portsOf are the inputs and outputs that a component declares. known is false for one whose declaration is not here.
func portsOf(c jobs.ComponentSource) (in jobs.ComponentInputs, out jobs.ComponentOutputs, known bool) {
	switch k := c.(type) {
	case *jobs.CommandComponent:
		return k.Inputs, k.Outputs, true
	case *jobs.ParallelComponent:
		return k.Inputs, k.Outputs, true
	case *jobs.SparkComponent:
		return k.Inputs, k.Outputs, true
	case *jobs.PipelineComponent:
		return k.Inputs, k.Outputs, true
	case *jobs.DataTransferComponent:
		return k.Inputs, k.Outputs, true
	case *jobs.ImportComponent:
		return k.Source, jobs.ComponentOutputs{"output": k.Output}, true
	}
	return nil, nil, false
}

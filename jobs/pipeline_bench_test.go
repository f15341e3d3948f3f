package jobs

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
)

// chained is a pipeline of n steps in layers of 50, of one component.
func chained(n int) *PipelineJob {
	component := &CommandComponent{
		Command: "true ${{inputs.a}} ${{outputs.o}}", Environment: azureml.Ref("azureml:e:1"),
		Inputs:  ComponentInputs{"a": {Type: "uri_folder", Optional: ptr(true)}},
		Outputs: ComponentOutputs{"o": {Type: "uri_folder"}},
	}
	j := &PipelineJob{Compute: "cpu", Jobs: make(Nodes, n)}
	for i := range n {
		node := &CommandNode{Component: component}
		if i >= 50 {
			node.Inputs = Inputs{"a": Literal(fmt.Sprintf("${{parent.jobs.s%d.outputs.o}}", i-50))}
		}
		j.Jobs[fmt.Sprintf("s%d", i)] = node
	}
	return j
}

func BenchmarkCheckPipeline(b *testing.B) {
	j := chained(10_000)
	for b.Loop() {
		c := &checker{}
		j.check(b.Context(), c)
		require.NoError(b, c.faults.Err())
	}
}

func BenchmarkSubmitPipeline(b *testing.B) {
	w := newWorld(b)
	w.pipelines()
	c, _ := w.client()
	j := chained(10_000)
	for b.Loop() {
		_, err := c.Submit(b.Context(), j, &SubmitOptions{NoGit: true})
		require.NoError(b, err)
	}
}

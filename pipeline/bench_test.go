package pipeline_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

// layered is a pipeline of n steps in layers of 50, each step needing one or two of the layer before.
func layered(n int) *pipeline.Builder {
	p := pipeline.New("layers").On("cpu")
	j := &jobs.CommandJob{
		Command: "true ${{inputs.a}} ${{inputs.lr}} ${{outputs.o}}", Environment: sklearn,
		Inputs: jobs.Inputs{"a": jobs.URIFolder(""), "lr": jobs.Literal(0.1)}, Outputs: jobs.Outputs{"o": jobs.OutputFolder()},
	}
	first := p.Input("first", jobs.URIFolder("azureml:x:1"))
	steps := make([]*pipeline.Step, n)
	for i := range n {
		from := first
		if i >= 50 {
			from = steps[i-50].Out("o")
		}
		steps[i] = p.Step(fmt.Sprintf("s%d", i), j).In("a", from).Set("lr", float64(i))
	}
	return p
}

// BenchmarkBuild builds and validates a graph of 10,000 steps.
func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		_, err := layered(10_000).Build()
		require.NoError(b, err)
	}
}

// BenchmarkBuildOwn has a definition of its own for each of 10,000 steps.
func BenchmarkBuildOwn(b *testing.B) {
	for b.Loop() {
		p := pipeline.New("own").On("cpu")
		last := p.Input("first", jobs.URIFolder("azureml:x:1"))
		for i := range 10_000 {
			last = p.Step(fmt.Sprintf("s%d", i), jobs.Command(fmt.Sprintf("true %d ${{inputs.a}} ${{outputs.o}}", i)).In(sklearn).
				Input("a", jobs.URIFolder("")).Output("o", jobs.OutputFolder())).In("a", last).Out("o")
		}
		_, err := p.Build()
		require.NoError(b, err)
	}
}

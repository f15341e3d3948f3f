package pipeline_test

import (
	"errors"
	"fmt"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
)

func Example() {
	env := azureml.Ref("azureml:sklearn-1.5@latest")
	prepare := jobs.Command("./prepare ${{inputs.raw}} ${{outputs.clean}}").In(env)
	train := &jobs.CommandJob{
		Command:     "./train --data ${{inputs.data}} --lr ${{inputs.lr}} --out ${{outputs.model}}",
		Environment: env,
		Inputs:      jobs.Inputs{"data": jobs.URIFolder(""), "lr": jobs.Literal(0.1)},
		Outputs:     jobs.Outputs{"model": jobs.OutputModel()},
	}

	p := pipeline.New("train-iris").On("cpu-cluster")
	prep := p.Step("prep", prepare).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris@latest")))
	fit := p.Step("train", train).In("data", prep.Out("clean")).Set("lr", 0.01)
	p.Output("model", fit.Out("model"), jobs.OutputModel().As("iris", ""))
	job, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(pipeline.Draw(job, nil).DOT()[:18], "…\n")
	fmt.Println(job.Jobs["train"].(*jobs.CommandNode).Inputs["data"].Text())
	fmt.Println(job.Outputs["model"].Type, job.Outputs["model"].Name)
	// Output:
	// digraph pipeline {…
	// ${{parent.jobs.prep.outputs.clean}}
	// mlflow_model iris
}

// Everything that is wrong comes out at once.
func ExampleFaults() {
	train := &jobs.CommandComponent{
		Command: "train ${{inputs.data}} ${{inputs.lr}} > ${{outputs.model}}/m", Environment: azureml.Ref("azureml:sklearn:1"),
		Inputs:  jobs.ComponentInputs{"data": {Type: "uri_folder"}, "lr": {Type: jobs.ParameterNumber, Max: 1}},
		Outputs: jobs.ComponentOutputs{"model": {Type: "mlflow_model"}},
	}
	p := pipeline.New("wrong").On("cpu-cluster")
	a := p.Step("first", train).Set("dta", "azureml:iris:1").Set("lr", 2)
	p.Output("model", a.Out("modle"))
	_, err := p.Build()
	for _, f := range pipeline.Faults(err) {
		fmt.Printf("%s: %s\n", f.Kind, f)
	}
	fmt.Println(errors.Is(err, pipeline.Cyclic))
	// Output:
	// unknown port: step "first": inputs.dta: the step has no input "dta"; did you mean "data"?
	// wrong value: step "first": inputs.lr: 2 is above the most, 1
	// missing input: step "first": inputs.data: wants a uri_folder and is given nothing; bind it with In("data", …) or Set("data", …)
	// unknown port: outputs.model: the step "first" has no output "modle"; did you mean "model"?
	// false
}

func ExampleBuilder_DoWhile() {
	turn := &jobs.CommandComponent{
		Command: "turn ${{inputs.rows}} ${{outputs.out}} ${{outputs.more}}", Environment: azureml.Ref("azureml:sklearn:1"),
		Inputs:  jobs.ComponentInputs{"rows": {Type: "uri_folder"}},
		Outputs: jobs.ComponentOutputs{"out": {Type: "uri_folder"}, "more": {Type: jobs.ParameterBoolean}},
	}
	p := pipeline.New("again").On("cpu-cluster")
	body := p.Step("turn", turn).Set("rows", jobs.URIFolder("azureml:rows:1"))
	p.DoWhile("loop", body, body.Out("more"), 10).Next(body.Out("out"), "rows")
	job, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := jobs.Dump(&jobs.PipelineJob{Jobs: jobs.Nodes{"loop": job.Jobs["loop"]}})
	fmt.Print(string(text), err)
	// Output:
	// type: pipeline
	// jobs:
	//   loop:
	//     type: do_while
	//     body: ${{parent.jobs.turn}}
	//     condition: ${{parent.jobs.turn.outputs.more}}
	//     mapping:
	//       out: rows
	//     limits:
	//       max_iteration_count: 10
	// <nil>
}

func ExampleBuilder_ParallelFor() {
	fit := jobs.Command("fit ${{inputs.data}} ${{inputs.lr}} ${{outputs.model}}").In(azureml.Ref("azureml:sklearn:1")).
		Input("lr", jobs.Literal(0.1))
	p := pipeline.New("many").On("cpu-cluster")
	body := p.Step("fit", fit).Set("data", jobs.URIFolder("azureml:rows:1"))
	p.ParallelFor("each", body, jobs.Inputs{"lr": jobs.Literal(0.1)}, jobs.Inputs{"lr": jobs.Literal(0.2)}).AtOnce(2)
	job, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(job.Jobs["each"].(*jobs.ParallelForNode).Items.List))
	// Output: 2
}

func ExampleDraw() {
	ref := azureml.Ref("azureml:work:1")
	p := pipeline.New("drawn").On("cpu-cluster")
	a := p.Step("first", ref)
	p.Step("second", ref).In("in", a.Out("out"))
	job, err := p.Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	d := pipeline.Draw(job, &pipeline.DrawOptions{States: map[string]pipeline.State{"first": {Status: jobs.Completed}, "second": {Status: jobs.Running}}})
	fmt.Print(d.Mermaid())
	// Output:
	// ---
	// title: "drawn"
	// ---
	// flowchart TD
	//   n0["first<br/><small>command · Completed</small>"]:::completed
	//   n1["second<br/><small>command · Running</small>"]:::running
	//   n0 -->|"out"| n1
	//   classDef running fill:#ddf4ff,stroke:#0969da,color:#1f2328
	//   classDef completed fill:#dafbe1,stroke:#1a7f37,color:#1f2328
}

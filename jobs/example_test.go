package jobs_test

import (
	"fmt"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

func ExampleCommand() {
	job, err := jobs.Command("python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --out ${{outputs.model}}").
		Named("iris-1").
		Code("./src").
		In(azureml.Ref("azureml:sklearn-1.5@latest")).
		On("cpu-cluster").
		Input("data", jobs.URIFolder("azureml:iris@latest")).
		Input("lr", jobs.Literal(0.01)).
		Output("model", jobs.OutputModel().As("iris", "")).
		Timeout(time.Hour).
		Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := jobs.Dump(job)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// type: command
	// name: iris-1
	// command: python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --out ${{outputs.model}}
	// code: ./src
	// environment: azureml:sklearn-1.5@latest
	// compute: cpu-cluster
	// inputs:
	//   data:
	//     type: uri_folder
	//     path: azureml:iris@latest
	//   lr: 0.01
	// outputs:
	//   model:
	//     type: mlflow_model
	//     name: iris
	// limits:
	//   timeout: 3600
}

// What is wrong with a job comes out at Build, all of it.
func ExampleCommandBuilder_Build() {
	_, err := jobs.Command("train").Named("my job").Input("1st", jobs.Literal(1)).Build()
	fmt.Println(err)
	// Output:
	// jobs: build: name: "my job" cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most
	// inputs.1st: "1st" cannot be an input's name: letters, digits and '_', not beginning with a digit
}

func ExampleChoice() {
	sweep := &jobs.SweepJob{
		Trial:       jobs.Trial{Command: "python train.py --lr ${{search_space.lr}}", Environment: azureml.Ref("azureml:sklearn-1.5@latest")},
		SearchSpace: jobs.SearchSpace{"lr": jobs.LogUniform(-6, -1), "depth": jobs.Choice(2, 4, 8)},
		Sampling:    jobs.Sampling{Type: jobs.RandomSampling},
		Objective:   jobs.Objective{Goal: jobs.Maximize, PrimaryMetric: "accuracy"},
		Limits:      jobs.SweepLimits{MaxTotalTrials: 20, MaxConcurrentTrials: 4},
	}
	text, err := jobs.Dump(sweep)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// type: sweep
	// trial:
	//   command: python train.py --lr ${{search_space.lr}}
	//   environment: azureml:sklearn-1.5@latest
	// search_space:
	//   depth:
	//     type: choice
	//     values:
	//     - 2
	//     - 4
	//     - 8
	//   lr:
	//     max_value: -1
	//     min_value: -6
	//     type: loguniform
	// sampling_algorithm: random
	// objective:
	//   goal: maximize
	//   primary_metric: accuracy
	// limits:
	//   max_total_trials: 20
	//   max_concurrent_trials: 4
}

// A pipeline's steps are bound to its inputs and to each other by expressions.
func ExamplePipelineJob() {
	prep := &jobs.CommandComponent{
		Command: "python prep.py ${{inputs.raw}} ${{outputs.clean}}", Code: jobs.Folder("./prep"), Environment: azureml.Ref("azureml:sklearn-1.5@latest"),
		Inputs:  jobs.ComponentInputs{"raw": {Type: "uri_folder"}},
		Outputs: jobs.ComponentOutputs{"clean": {Type: "uri_folder"}},
	}
	text, err := jobs.Dump(&jobs.PipelineJob{
		Settings: jobs.PipelineSettings{DefaultCompute: "cpu-cluster"},
		Inputs:   jobs.Inputs{"raw": jobs.URIFolder("azureml:rows@latest")},
		Jobs: jobs.Nodes{
			"prep":  &jobs.CommandNode{Component: prep, Inputs: jobs.Inputs{"raw": jobs.Literal("${{parent.inputs.raw}}")}},
			"train": &jobs.CommandNode{Component: azureml.Ref("azureml:train:3"), Inputs: jobs.Inputs{"data": jobs.Literal("${{parent.jobs.prep.outputs.clean}}")}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// type: pipeline
	// settings:
	//   default_compute: cpu-cluster
	// inputs:
	//   raw:
	//     type: uri_folder
	//     path: azureml:rows@latest
	// jobs:
	//   prep:
	//     type: command
	//     component:
	//       type: command
	//       inputs:
	//         raw:
	//           type: uri_folder
	//       outputs:
	//         clean:
	//           type: uri_folder
	//       command: python prep.py ${{inputs.raw}} ${{outputs.clean}}
	//       code: ./prep
	//       environment: azureml:sklearn-1.5@latest
	//     inputs:
	//       raw: ${{parent.inputs.raw}}
	//   train:
	//     type: command
	//     component: azureml:train:3
	//     inputs:
	//       data: ${{parent.jobs.prep.outputs.clean}}
}

func ExampleEvery() {
	text, err := jobs.DumpSchedule(&jobs.Schedule{
		Name:    "retrain",
		Trigger: jobs.Every(1, jobs.Week).On(jobs.Monday).At(6, 30).In("W. Europe Standard Time"),
		Action:  &jobs.ScheduledJob{Source: "azureml:train_2024"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// name: retrain
	// trigger:
	//   type: recurrence
	//   frequency: week
	//   interval: 1
	//   schedule:
	//     hours:
	//     - 6
	//     minutes:
	//     - 30
	//     week_days:
	//     - monday
	//   time_zone: W. Europe Standard Time
	// create_job: azureml:train_2024
}

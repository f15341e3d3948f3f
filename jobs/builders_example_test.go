package jobs_test

import (
	"fmt"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

func show(text []byte, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
}

// A command that runs alone is swept as it is: the range takes the place of the input.
func ExampleSweep() {
	train := jobs.Command("python train.py --data ${{inputs.data}} --lr ${{inputs.lr}} --depth ${{search_space.depth}}").
		Code("./src").In(azureml.Ref("azureml:sklearn-1.5@latest")).On("cpu-cluster").
		Input("data", jobs.URIFolder("azureml:iris@latest")).Input("lr", jobs.Literal(0.01))
	show(jobs.Dump(jobs.Sweep(train).
		LogUniform("lr", -6, -1).Choice("depth", 2, 4, 8).
		Maximize("accuracy").Random(7).Bandit(jobs.Bandit{SlackFactor: 0.1, EvaluationInterval: 2}).
		Trials(20).Concurrent(4).Timeout(time.Hour).TrialTimeout(10 * time.Minute)))
	// Output:
	// type: sweep
	// trial:
	//   command: python train.py --data ${{inputs.data}} --lr ${{search_space.lr}} --depth
	//     ${{search_space.depth}}
	//   code: ./src
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
	// sampling_algorithm:
	//   type: random
	//   seed: 7
	// objective:
	//   goal: maximize
	//   primary_metric: accuracy
	// early_termination:
	//   type: bandit
	//   slack_factor: 0.1
	//   evaluation_interval: 2
	// limits:
	//   max_total_trials: 20
	//   max_concurrent_trials: 4
	//   timeout: 3600
	//   trial_timeout: 600
	// compute: cpu-cluster
	// inputs:
	//   data:
	//     type: uri_folder
	//     path: azureml:iris@latest
}

// What is wrong with a sweep, and with its trial, comes out at Build, all of it.
func ExampleSweepBuilder_Build() {
	_, err := jobs.Sweep(jobs.Command("train --lr ${{search_space.rate}}").Named("my job")).Uniform("lr", 0, 1).Trials(0).Build()
	fmt.Println(err)
	// Output:
	// jobs: build: trial.name: "my job" cannot be a job's name: letters, digits, '-' and '_', beginning with a letter or digit, 255 at most
	// limits.max_total_trials: 0 trials are none
	// trial.command: ${{search_space.rate}} is not in the search space
	// objective.goal: minimize or maximize is required
	// objective.primary_metric: the name of the metric is required
	// limits.max_total_trials: the number of trials is required
}

func ExampleSpark() {
	show(jobs.Dump(jobs.Spark("./src", "titanic.py").
		Driver(1, "2g").Executor(2, "2g").Executors(2).Conf("spark.sql.shuffle.partitions", 8).
		Serverless("standard_e4s_v3", "3.4").
		Args("--in ${{inputs.rows}} --out ${{outputs.clean}}").
		Input("rows", jobs.URIFile("azureml:titanic@latest")).Output("clean", jobs.OutputFolder())))
	// Output:
	// type: spark
	// code: ./src
	// entry:
	//   file: titanic.py
	// conf:
	//   spark.driver.cores: 1
	//   spark.driver.memory: 2g
	//   spark.executor.cores: 2
	//   spark.executor.instances: 2
	//   spark.executor.memory: 2g
	//   spark.sql.shuffle.partitions: 8
	// args: --in ${{inputs.rows}} --out ${{outputs.clean}}
	// inputs:
	//   rows:
	//     type: uri_file
	//     path: azureml:titanic@latest
	//     mode: direct
	// outputs:
	//   clean:
	//     type: uri_folder
	//     mode: direct
	// resources:
	//   instance_type: standard_e4s_v3
	//   runtime_version: '3.4'
}

func ExampleSparkBuilder_Build() {
	_, err := jobs.Spark("./src", "titanic.py").Driver(0, "2g").Executor(1, "2g").Dynamic(4, 2).Build()
	fmt.Println(err)
	// Output:
	// jobs: build: conf.driver: 0 cores are none
	// conf: spark.dynamicAllocation.minExecutors (4) is above 0 and at most spark.dynamicAllocation.maxExecutors (2)
	// compute: an attached Spark pool, or resources for serverless Spark, is required
}

// A parallel component runs its entry script on each mini-batch of an input.
func ExampleParallel() {
	score := jobs.Parallel("score.py").Code("./src").In(azureml.Ref("azureml:sklearn-1.5@latest")).
		Over("images").MiniBatch("10").AppendRow("scores").Nodes(2).Concurrent(4).Retry(2, time.Minute).ErrorThreshold(5)
	show(jobs.DumpComponent(score))
	// Output:
	// type: parallel
	// inputs:
	//   images:
	//     type: uri_folder
	// outputs:
	//   scores:
	//     type: uri_file
	// resources:
	//   instance_count: 2
	// input_data: ${{inputs.images}}
	// mini_batch_size: '10'
	// max_concurrency_per_instance: 4
	// error_threshold: 5
	// retry_settings:
	//   max_retries: 2
	//   timeout: 60
	// task:
	//   type: run_function
	//   code: ./src
	//   entry_script: score.py
	//   append_row_to: ${{outputs.scores}}
	//   environment: azureml:sklearn-1.5@latest
}

// The step of a pipeline that runs it is made by the same builder.
func ExampleParallelBuilder_Node() {
	_, err := jobs.Parallel("score.py").Over("images").MiniBatch("ten").Node()
	fmt.Println(err)
	node, err := jobs.Parallel("score.py").In(azureml.Ref("azureml:sklearn-1.5@latest")).Over("images").MiniBatch("1").
		Bind("images", jobs.Literal("${{parent.inputs.images}}")).On("cpu-cluster").Node()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(node.Compute, node.Inputs["images"].Text())
	// Output:
	// jobs: build: mini_batch_size: "ten" is no size: a number, which may end in kb, mb or gb
	// task.environment: an environment is required: a reference such as "azureml:NAME@latest", or a definition
	// cpu-cluster ${{parent.inputs.images}}
}

// A schedule starts a job again and again, here one that has run before.
func ExampleOnSchedule() {
	nightly, err := jobs.OnSchedule("nightly", jobs.Cron("0 2 * * *").In("W. Europe Standard Time").From(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC))).
		Rerun("azureml:train_2026").Tag("team", "a").Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	show(jobs.DumpSchedule(nightly))
	// Output:
	// name: nightly
	// tags:
	//   team: a
	// trigger:
	//   type: cron
	//   expression: 0 2 * * *
	//   start_time: '2026-05-01T00:00:00'
	//   time_zone: W. Europe Standard Time
	// create_job: azureml:train_2026
}

// A schedule can watch a model in production.
func ExampleWatchDeployment() {
	s, err := jobs.OnSchedule("drift", jobs.Every(1, jobs.Day).At(3, 15)).
		Watch(jobs.WatchDeployment("azureml:fraud:blue").Spark("standard_e4s_v3", "3.4").Email("ops@example.com")).Build()
	if err != nil {
		fmt.Println(err)
		return
	}
	show(jobs.DumpSchedule(s))
	// Output:
	// name: drift
	// trigger:
	//   type: recurrence
	//   frequency: day
	//   interval: 1
	//   schedule:
	//     hours:
	//     - 3
	//     minutes:
	//     - 15
	// create_monitor:
	//   compute:
	//     instance_type: standard_e4s_v3
	//     runtime_version: '3.4'
	//   monitoring_target:
	//     endpoint_deployment_id: azureml:fraud:blue
	//   alert_notification:
	//     emails:
	//     - ops@example.com
}

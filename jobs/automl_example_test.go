package jobs_test

import (
	"fmt"
	"time"

	"github.com/azureml-go/azureml/jobs"
)

// AutoML tries models for a task within limits.
func ExampleAutoMLClassification() {
	job := jobs.AutoMLClassification(jobs.MLTable("azureml:bank-marketing:1"), "y").Metric("accuracy").
		Trials(20, 4).Timeout(time.Hour).On("cpu-cluster").Output("best_model", jobs.OutputModel())
	text, err := jobs.Dump(job)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// type: automl
	// task: classification
	// training_data:
	//   type: mltable
	//   path: azureml:bank-marketing:1
	// target_column_name: y
	// primary_metric: accuracy
	// limits:
	//   max_trials: 20
	//   max_concurrent_trials: 4
	//   timeout_minutes: 60
	// compute: cpu-cluster
	// outputs:
	//   best_model:
	//     type: mlflow_model
}

// Hyperparameters of models for images can be swept.
func ExampleAutoML() {
	_, err := jobs.AutoML(&jobs.ObjectDetectionTask{
		TrainingData: jobs.MLTable("azureml:fridge:1"), Target: "label",
		Parameters: &jobs.ImageParameters{EarlyStopping: new(true)},
		SearchSpace: []jobs.DetectionSpace{{
			"model_name": jobs.Constant("yolov5"), "learning_rate": jobs.Uniform(0.0001, 0.01), "model_size": jobs.Choice("small", "medium"), "weighted_loss": jobs.Choice(1, 2),
		}},
		Sweep: &jobs.AutoMLSweep{Sampling: jobs.RandomSampling, EarlyTermination: jobs.EarlyTermination{Bandit: &jobs.Bandit{SlackFactor: 0.2, EvaluationInterval: 2}}},
	}).Build()
	fmt.Println(err)
	// Output:
	// jobs: build: search_space.0.weighted_loss: is no parameter of this task; did you mean "weight_decay"?
}

package mlflow_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/azureml-go/azureml/workspace/local"
)

// A run from its start to its end: parameters, values per step, a file, and what is read back.
func Example() {
	ctx := context.Background()
	w, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	tracking := w.Client.Tracking // inside a job: mlflow.FromEnvironment(ctx)

	run, err := tracking.Start(ctx, &mlflow.StartOptions{Experiment: "iris", Name: "first"})
	if err != nil {
		log.Fatal(err)
	}
	if err := run.LogParams(ctx, map[string]any{"rate": 0.1, "depth": 3}); err != nil {
		log.Fatal(err)
	}
	metrics := run.Metrics()
	for step := range 100 {
		metrics.Log("loss", math.Exp(-float64(step)/10), step) // does not wait
	}
	if err := run.Artifacts().Text(ctx, "notes/hello.txt", "hello"); err != nil {
		log.Fatal(err)
	}
	if err := run.End(ctx, mlflow.Finished); err != nil { // says what did not arrive
		log.Fatal(err)
	}

	for r, err := range tracking.Runs.All(ctx, []string{run.Info.ExperimentID}, &mlflow.Search{Filter: "metrics.loss < 0.5 AND params.depth = '3'"}) {
		if err != nil {
			log.Fatal(err)
		}
		last := r.Data.Metrics["loss"]
		fmt.Printf("%s %s: loss %.6f at step %d\n", r.Info.Name, r.Info.Status, last.Value, last.Step)
	}
	// Output: first FINISHED: loss 0.000050 at step 99
}

// A model is logged in MLflow's format and registered; an alias says which version is in use.
func ExampleRun_LogModel() {
	ctx := context.Background()
	w, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	run, err := w.Client.Tracking.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "weights.json"), []byte("[1, 2]"), 0o666); err != nil {
		log.Fatal(err)
	}
	info, err := run.LogModel(ctx, &mlflow.Model{
		Name: "iris", Dir: dir,
		Flavors:   map[string]map[string]any{"go": {"weights": "weights.json"}},
		Signature: &mlflow.Signature{Inputs: []mlflow.Field{mlflow.Column("length", mlflow.Double)}},
	}, &mlflow.LogModelOptions{Register: "iris"})
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Client().Models.SetAlias(ctx, "iris", "champion", info.Version.Version); err != nil {
		log.Fatal(err)
	}
	to := filepath.Join(dir, "download")
	files, err := run.Client().Artifacts("models:/iris@champion").Download(ctx, "", to)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(filepath.Base(f))
	}
	// Output:
	// MLmodel
	// weights.json
}

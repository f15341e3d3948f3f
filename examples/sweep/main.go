// Command sweep looks for a learning rate: it trains a classifier on a real table many times, ends the trials that do badly
// early, and registers the best trial's model. The trial is a Go program.
//
//	go run ./examples/sweep           on a local workspace, which needs nothing but Go
//	go run ./examples/sweep -azure    on the workspace that config.json or AZUREML_ARM_* name
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints/serve"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// program is the package of the trial.
const program = "github.com/azureml-go/azureml/examples/sweep/trial"

func main() {
	azure := flag.Bool("azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	compute := flag.String("compute", "cpu-cluster", "cluster that the trials run on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *azure, *compute); err != nil {
		fmt.Fprintln(os.Stderr, "sweep:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, azure bool, compute string) (err error) {
	ws, closeWorkspace, err := open(ctx, azure)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()
	dir, err := os.MkdirTemp("", "sweep-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	table := filepath.Join(dir, "breast_cancer.csv")
	if err := os.WriteFile(table, breastcancer.CSV, 0o600); err != nil {
		return err
	}

	// The command stands alone, with a rate of its own; the sweep puts its range in that place.
	train := jobs.Command("./trial -table ${{inputs.table}} -rate ${{inputs.rate}} -model ${{outputs.model}}").
		GoCode(program).In(&assets.Environment{Image: serve.DefaultBase}).On(compute).Experiment("sweep").
		Input("table", jobs.URIFile(table)).Input("rate", jobs.Literal(0.01)).Output("model", jobs.OutputFolder())
	sweep := jobs.Sweep(train).
		Choice("rate", 0.01, 0.003, 0.000001, 0.00001).Grid().
		Minimize("loss").Bandit(jobs.Bandit{SlackFactor: 1, EvaluationInterval: 1, DelayEvaluation: 3}).
		Trials(4).Concurrent(2).Timeout(10 * time.Minute)

	plan, err := ws.Jobs.Plan(ctx, sweep, nil)
	if err != nil {
		return err
	}
	if err := plan.Problems.Err(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d uploads, %d problems\n", len(plan.Uploads), len(plan.Problems))

	submitted, err := ws.Jobs.Submit(ctx, sweep, nil)
	if err != nil {
		return err
	}
	if err := follow(ctx, out, ws, submitted.Name); err != nil {
		return err
	}
	done, err := ws.Jobs.Wait(ctx, submitted.Name, nil)
	if err != nil {
		return err
	}
	best, err := ws.Jobs.Best(ctx, done.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the best trial has the loss %.3f, and tells %.3f of the rows right that it has not seen\n", best.Metrics["loss"], best.Metrics["held_out_accuracy"])
	model, err := ws.Jobs.RegisterBest(ctx, done.Name, &assets.Model{Name: "tumours", Description: "the best of a sweep"}, &jobs.RegisterBestOptions{Output: "model"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "registered the %s %s:%s\n", model.Type, model.Name, model.Version)
	return nil
}

// follow watches the sweep and all its trials in one stream.
func follow(ctx context.Context, out io.Writer, ws *workspace.Client, sweep string) error {
	ends, losses := map[jobs.Status]int{}, map[string]int{}
	for e, err := range ws.Jobs.Events(ctx, sweep, nil) {
		if err != nil {
			return err
		}
		switch {
		case e.Kind == jobs.MetricLogged && e.Metric.Key == "loss":
			losses[e.Job]++
		case e.Kind == jobs.StatusChanged && e.Parent == sweep && e.Status.Ended():
			ends[e.Status]++
		}
	}
	whole := 0
	for _, n := range losses {
		if n == 20 {
			whole++
		}
	}
	fmt.Fprintf(out, "%d trials went to their end, %d were ended early; %d logged all 20 losses\n", ends[jobs.Completed], ends[jobs.Canceled], whole)
	return nil
}

// open is the only place where the two worlds differ.
func open(ctx context.Context, azure bool) (*workspace.Client, func() error, error) {
	if azure {
		ws, err := workspace.FromEnvironment(ctx, nil)
		return ws, func() error { return nil }, err
	}
	lw, err := local.Start(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	return lw.Client, lw.Close, nil
}

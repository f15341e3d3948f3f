// Command distributed trains a classifier in four processes on two nodes: a Go
// program whose processes find each other by the variables of a PyTorch
// distribution and average their gradients over TCP.
//
//	go run ./examples/distributed            on a local workspace, which needs nothing but Go
//	go run ./examples/distributed -azure     on the workspace that config.json or AZUREML_ARM_* name
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
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// program is the package of the training program.
const program = "github.com/azureml-go/azureml/examples/distributed/train"

func main() {
	azure := flag.Bool("azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	compute := flag.String("compute", "cpu-cluster", "cluster of two nodes or more")
	environment := flag.String("environment", "azureml:sklearn-1.5@latest", "environment of the job; a Go program needs nothing of it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *azure, *compute, azureml.Ref(*environment)); err != nil {
		fmt.Fprintln(os.Stderr, "distributed:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, azure bool, compute string, environment azureml.Ref) (err error) {
	ws, closeWorkspace, err := open(ctx, azure, compute)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()
	dir, err := os.MkdirTemp("", "distributed-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	table := filepath.Join(dir, "breast_cancer.csv")
	if err := os.WriteFile(table, breastcancer.CSV, 0o600); err != nil {
		return err
	}

	job, err := ws.Jobs.Submit(ctx, jobs.Command("./train -data ${{inputs.table}} -model ${{outputs.model}}").
		GoCode(program).In(environment).On(compute).Experiment("distributed").
		Nodes(2, jobs.Distribution{PyTorch: &jobs.PyTorch{ProcessCountPerInstance: 2}}).
		Input("table", jobs.URIFile(table)).Output("model", jobs.OutputFolder()), nil)
	if err != nil {
		return err
	}
	done, err := ws.Jobs.Wait(ctx, job.Name, nil)
	if err != nil {
		return err // a *jobs.FailedError shows the cause and the end of the log
	}
	tracked, err := ws.Tracking.Runs.Get(ctx, job.Name)
	if err != nil {
		return err
	}
	for rank := range 4 { // each process has its log
		log, err := tracked.Artifacts().Read(ctx, fmt.Sprintf("user_logs/std_log_process_%02d.txt", rank))
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(log)) {
			if strings.HasPrefix(line, "rank ") {
				fmt.Fprint(out, line)
			}
		}
	}
	for _, m := range tracked.Data.Metrics {
		if m.Key == "held_out_accuracy" {
			fmt.Fprintf(out, "%s: held-out accuracy %.3f after %d steps\n", done.Status, m.Value, m.Step)
		}
	}
	return nil
}

// open is the only place where the two worlds differ.
func open(ctx context.Context, azure bool, compute string) (*workspace.Client, func() error, error) {
	if azure {
		ws, err := workspace.FromEnvironment(ctx, nil)
		return ws, func() error { return nil }, err
	}
	lw, err := local.Start(ctx, &local.Options{Computes: []local.Compute{{Name: compute, Nodes: 2}}})
	if err != nil {
		return nil, nil, err
	}
	return lw.Client, lw.Close, nil
}

// Command pipeline trains three classifiers on a real table at the same time and keeps the best: a pipeline of Go programs,
// built step by step, drawn, run, and run again, when nothing that was done before is done once more.
//
//	go run ./examples/pipeline -svg pipeline.svg    on a local workspace, which needs nothing but Go
//	go run ./examples/pipeline -azure               on the workspace that config.json or AZUREML_ARM_* name
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/pipeline"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// program is the package that the steps run.
const program = "github.com/azureml-go/azureml/examples/pipeline/step"

// options are what the flags say.
type options struct {
	azure                     bool
	compute, environment, svg string
}

func main() {
	var o options
	flag.BoolVar(&o.azure, "azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	flag.StringVar(&o.compute, "compute", "cpu-cluster", "cluster that the steps run on")
	flag.StringVar(&o.environment, "environment", "azureml:sklearn-1.5@latest", "environment of the steps; Go programs need nothing of it")
	flag.StringVar(&o.svg, "svg", "", "file to draw the run to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, &o); err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, o *options) (err error) {
	ws, closeWorkspace, err := open(ctx, o.azure)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()
	dir, err := os.MkdirTemp("", "pipeline-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	table := filepath.Join(dir, "breast_cancer.csv")
	if err := os.WriteFile(table, breastcancer.CSV, 0o600); err != nil {
		return err
	}

	job, err := build(table, o)
	if err != nil {
		return err // every fault of the graph at once
	}
	fmt.Fprintln(out, pipeline.Draw(job, nil).Mermaid())
	for _, round := range []string{"first", "second"} {
		began := time.Now()
		submitted, err := ws.Jobs.Submit(ctx, job, nil)
		if err != nil {
			return err
		}
		done, err := ws.Jobs.Wait(ctx, submitted.Name, nil)
		if err != nil {
			return err // a *jobs.FailedError names the step that failed and shows the end of its log
		}
		states, err := pipeline.States(done.Name, ws.Jobs.Children(ctx, done.Name), time.Now())
		if err != nil {
			return err
		}
		reused := 0
		for _, s := range states {
			if s.Reused {
				reused++
			}
		}
		fmt.Fprintf(out, "%s run: %s, %d of %d steps reused\n", round, done.Status, reused, len(states))
		if err := report(ctx, out, ws, done.Name, dir); err != nil {
			return err
		}
		if o.svg != "" && round == "first" {
			picture := pipeline.Draw(job, &pipeline.DrawOptions{Title: fmt.Sprintf("%s, %s", done.DisplayName, time.Since(began).Round(time.Second)), States: states})
			if err := os.WriteFile(o.svg, picture.SVG(), 0o644); err != nil {
				return err
			}
		}
	}
	return registered(ctx, out, ws)
}

// build makes the pipeline: one step prepares the table, three train with different rates at the same time, one compares them.
func build(table string, o *options) (*jobs.PipelineJob, error) {
	step := func(command string) *jobs.CommandBuilder {
		return jobs.Command("./step " + command).GoCode(program).In(azureml.Ref(o.environment))
	}
	p := pipeline.New("tumours").Describe("three classifiers, of which the best is kept").Experiment("pipeline").On(o.compute)
	epochs := p.Input("epochs", jobs.Literal(10))

	prepare := p.Step("prepare", step("prepare -table ${{inputs.table}} -rows ${{outputs.rows}}")).
		In("table", p.Input("table", jobs.URIFile(table)))
	fit := step("train -rows ${{inputs.rows}} -rate ${{inputs.rate}} -epochs ${{inputs.epochs}} -model ${{outputs.model}}")
	slow := p.Step("train_slow", fit).Set("rate", 0.0001)
	steady := p.Step("train_steady", fit).Set("rate", 0.01)
	fast := p.Step("train_fast", fit).Set("rate", 3.0)
	for _, s := range []*pipeline.Step{slow, steady, fast} {
		s.In("rows", prepare.Out("rows")).In("epochs", epochs)
	}
	pick := p.Step("pick", step("evaluate -rows ${{inputs.rows}} -best ${{outputs.best}} -report ${{outputs.report}} ${{inputs.slow}} ${{inputs.steady}} ${{inputs.fast}}")).
		In("rows", prepare.Out("rows")).
		In("slow", slow.Out("model")).In("steady", steady.Out("model")).In("fast", fast.Out("model"))

	p.Output("best", pick.Out("best"), jobs.Output{Type: jobs.TypeCustomModel}.As("tumours", "1"))
	p.Output("report", pick.Out("report"))
	return p.Build()
}

// report shows what the pipeline found.
func report(ctx context.Context, out io.Writer, ws *workspace.Client, job, dir string) error {
	to := filepath.Join(dir, job)
	if _, err := ws.Jobs.Download(ctx, job, to, &jobs.DownloadOptions{Output: "report"}); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(to, "named-outputs", "report", "report.json"))
	if err != nil {
		return err
	}
	type result struct {
		Model    int     `json:"model"`
		Accuracy float64 `json:"accuracy"`
	}
	var r struct {
		Models []result `json:"models"`
		Best   result   `json:"best"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	for _, m := range r.Models {
		fmt.Fprintf(out, "  model %d tells %.3f of the rows right that it has not seen\n", m.Model, m.Accuracy)
	}
	fmt.Fprintf(out, "  model %d is kept\n", r.Best.Model)
	return nil
}

// registered shows the model that the pipeline has registered.
func registered(ctx context.Context, out io.Writer, ws *workspace.Client) error {
	m, err := ws.Models.Get(ctx, "tumours", "1")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "registered the %s %s:%s\n", assets.ModelType(m.Type), m.Name, m.Version)
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

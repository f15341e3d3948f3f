// Command quickstart does the main job of machine learning from end to end: it
// registers a real table, trains a classifier on it in a job, reads the job's
// metrics back, registers the model, serves it, and scores rows that the
// training has not seen.
//
//	go run ./examples/quickstart            on a local workspace, which needs nothing but Go
//	go run ./examples/quickstart -azure     on the workspace that config.json or AZUREML_ARM_* name
//
// Both take the same path: they differ in how the workspace is opened.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/endpoints/serve"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

const (
	here    = "github.com/azureml-go/azureml/examples/quickstart"
	cluster = "cpu-cluster"
)

func main() {
	azure := flag.Bool("azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	dir := flag.String("dir", "", "folder of the local workspace, kept at the end (default a temporary one)")
	compute := flag.String("compute", cluster, "cluster that trains")
	instance := flag.String("instance", "Standard_DS3_v2", "machine size that serves (Azure)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "quickstart: %q: only flags are taken\n", flag.Args())
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *azure, *dir, *compute, *instance); err != nil {
		fmt.Fprintln(os.Stderr, "\nquickstart:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, azure bool, dir, compute, instance string) (err error) {
	began := time.Now()
	ws, closeWorkspace, err := open(ctx, azure, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()

	rows, err := breastcancer.Read(strings.NewReader(string(breastcancer.CSV)))
	if err != nil {
		return err
	}
	_, held := breastcancer.Split(rows)

	data, err := register(ctx, ws)
	if err != nil {
		return err
	}
	job, err := train(ctx, ws, data, compute)
	if err != nil {
		return err
	}
	model, err := ws.Models.Create(ctx, &assets.Model{
		Name: "tumours", Description: "logistic regression on the breast cancer table",
		Path: "azureml://jobs/" + job.Name + "/outputs/model/paths/",
	}, nil)
	if err != nil {
		return err
	}
	step("registered the model %s:%s from the job's output", model.Name, model.Version)
	if err := deploy(ctx, ws, model, instance, held); err != nil {
		return err
	}
	fmt.Printf("\ndone in %s\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// open is the only place where the two worlds differ.
func open(ctx context.Context, azure bool, dir string) (*workspace.Client, func() error, error) {
	if azure {
		ws, err := workspace.FromEnvironment(ctx, nil)
		if err != nil {
			return nil, nil, err
		}
		step("using the workspace %s in Azure", ws.ID().Name)
		return ws, func() error { return nil }, nil
	}
	start := time.Now()
	lw, err := local.Start(ctx, &local.Options{Dir: dir})
	if err != nil {
		return nil, nil, err
	}
	step("started a local workspace in %s (%s)", lw.Dir, time.Since(start).Round(time.Millisecond))
	return lw.Client, lw.Close, nil
}

// register makes the table a data asset.
func register(ctx context.Context, ws *workspace.Client) (*assets.Data, error) {
	tmp, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	table := filepath.Join(tmp, "breast_cancer.csv")
	if err := os.WriteFile(table, breastcancer.CSV, 0o600); err != nil {
		return nil, err
	}
	step("registering the table as data")
	data, err := ws.Data.Create(ctx, &assets.Data{Name: "breast-cancer", Type: assets.URIFile, Path: table}, &assets.CreateOptions{Progress: progress()})
	if err != nil {
		return nil, err
	}
	fmt.Printf("  %s:%s at %s\n", data.Name, data.Version, data.Path)
	return data, nil
}

// train submits the job, shows its log while it runs, and reads back what it logged.
func train(ctx context.Context, ws *workspace.Client, data *assets.Data, compute string) (*jobs.Run, error) {
	step("building and submitting the training program")
	run, err := ws.Jobs.Submit(ctx, jobs.Command("./train -data ${{inputs.table}} -rate ${{inputs.rate}} -epochs ${{inputs.epochs}} -model ${{outputs.model}}").
		GoCode(here+"/train").
		In(&assets.Environment{Image: serve.DefaultBase}).
		On(compute).
		Experiment("quickstart").
		Input("table", jobs.URIFile("azureml:"+data.Name+":"+data.Version)).
		Input("rate", jobs.Literal(0.01)).
		Input("epochs", jobs.Literal(30)).
		Output("model", jobs.OutputFolder()), &jobs.SubmitOptions{Progress: progress()})
	if err != nil {
		return nil, err
	}
	fmt.Println("  job", run.Name)
	for line, err := range ws.Jobs.Logs(ctx, run.Name, nil) {
		if err != nil {
			return nil, err
		}
		fmt.Println("  |", line)
	}
	done, err := ws.Jobs.Wait(ctx, run.Name, nil)
	if err != nil {
		return nil, err // a *jobs.FailedError shows the cause and the end of the log
	}
	step("the job is %s after %s", done.Status, done.Duration(time.Now()).Round(10*time.Millisecond))
	tracked, err := ws.Tracking.Runs.Get(ctx, run.Name)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"loss", "accuracy", "held_out_accuracy"} {
		for _, m := range tracked.Data.Metrics {
			if m.Key == key {
				fmt.Printf("  %-18s %.4f (step %d)\n", m.Key, m.Value, m.Step)
			}
		}
	}
	return done, nil
}

// deploy serves the model, scores rows, and takes the endpoint down again.
func deploy(ctx context.Context, ws *workspace.Client, model *assets.Model, instance string, held []breastcancer.Row) (err error) {
	goos, goarch, err := ws.Platform(ctx)
	if err != nil {
		return err
	}
	step("building the scoring server")
	build, err := serve.Context(ctx, here+"/score", &serve.ContextOptions{GOOS: goos, GOARCH: goarch})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(build.Dir)) }()

	// Endpoint names are unique in a region.
	name := "tumours-" + time.Now().UTC().Format("0102-150405")
	creating, err := ws.Online.BeginCreate(ctx, &endpoints.OnlineEndpoint{Name: name, AuthMode: endpoints.Key}, nil)
	if err != nil {
		return err
	}
	defer func() {
		// Also when something failed: an endpoint costs as long as it is there.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
		defer cancel()
		deleting, derr := ws.Online.BeginDelete(ctx, name, nil)
		if derr == nil {
			_, derr = deleting.PollUntilDone(ctx, nil)
		}
		if err = errors.Join(err, derr); derr == nil {
			step("deleted the endpoint %s", name)
		}
	}()
	endpoint, err := creating.PollUntilDone(ctx, nil)
	if err != nil {
		return err
	}
	step("created the endpoint %s", endpoint.Name)
	deploying, err := ws.Online.BeginCreateDeployment(ctx, &endpoints.OnlineDeployment{
		Name: "blue", Endpoint: name, InstanceType: instance, InstanceCount: 1,
		Model: model.ModelRef(), Environment: endpoints.ServerEnvironment("tumours-server", build),
	}, nil)
	if err != nil {
		return err
	}
	if _, err := deploying.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	routing, err := ws.Online.BeginUpdateTraffic(ctx, name, endpoints.Traffic{"blue": 100}, nil)
	if err != nil {
		return err
	}
	if _, err := routing.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	step("deployed blue; scoring %d rows that the training has not seen at %s", len(held), endpoint.ScoringURI)
	if err := score(ctx, ws, name, held); err != nil {
		log, lerr := ws.Online.Logs(ctx, name, "blue", &endpoints.LogsOptions{Lines: 20})
		if lerr != nil {
			return errors.Join(err, lerr)
		}
		return fmt.Errorf("%w\nthe end of the deployment's log:\n%s", err, log)
	}
	return nil
}

// score sends the rows and holds the predictions against the truth.
func score(ctx context.Context, ws *workspace.Client, endpoint string, held []breastcancer.Row) error {
	var request struct {
		Rows [][]float64 `json:"rows"`
	}
	for _, r := range held {
		request.Rows = append(request.Rows, r.Features)
	}
	answer, err := ws.Online.Score(ctx, endpoint, request, nil)
	if err != nil {
		return err
	}
	var got struct {
		Benign []float64 `json:"benign"`
	}
	if err := answer.Decode(&got); err != nil {
		return err
	}
	if len(got.Benign) != len(held) {
		return fmt.Errorf("sent %d rows, got %d predictions", len(held), len(got.Benign))
	}
	right := 0
	for i, p := range got.Benign {
		predicted := p >= 0.5
		if predicted == held[i].Benign {
			right++
		}
		if i < 8 {
			fmt.Printf("  %-9s predicted (%.3f), %-9s in truth\n", word(predicted), p, word(held[i].Benign))
		}
	}
	fmt.Printf("  … accuracy %.3f (%d of %d)\n", float64(right)/float64(len(held)), right, len(held))
	return nil
}

func word(benign bool) string {
	if benign {
		return "benign"
	}
	return "malignant"
}

// progress shows an upload: on a terminal while it goes on, and everywhere when it is done.
func progress() func(assets.Progress) {
	bar := assets.Bar(os.Stderr)
	return func(p assets.Progress) {
		bar(p)
		if p.Phase == assets.PhaseUpload && p.TotalFiles > 0 && p.Done() {
			fmt.Printf("  uploaded %d of %d files, %.1f of %.1f KB, in %s\n", p.Files, p.TotalFiles, float64(p.Bytes)/1024, float64(p.TotalBytes)/1024, p.Elapsed.Round(time.Millisecond))
		}
	}
}

func step(format string, args ...any) { fmt.Printf("\n"+format+"\n", args...) }

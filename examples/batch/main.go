// Command batch scores a folder of files: it registers a model, makes a batch
// endpoint with a deployment whose scoring program is written in Go, asks it to
// work through the files, and reads the scores.
//
//	go run ./examples/batch            on a local workspace, which needs nothing but Go
//	go run ./examples/batch -azure     on the workspace that config.json or AZUREML_ARM_* name
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// program is the package of the scoring program.
const program = "github.com/azureml-go/azureml/examples/batch/score"

func main() {
	azure := flag.Bool("azure", false, "use the workspace of config.json or AZUREML_ARM_*")
	compute := flag.String("compute", "cpu-cluster", "cluster that scores")
	environment := flag.String("environment", "azureml:sklearn-1.5@latest", "environment with Python, which Azure's driver needs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *azure, azureml.Ref(*compute), azureml.Ref(*environment)); err != nil {
		fmt.Fprintln(os.Stderr, "batch:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, azure bool, compute, environment azureml.Ref) (err error) {
	ws, closeWorkspace, err := open(ctx, azure)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeWorkspace()) }()
	dir, err := os.MkdirTemp("", "batch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	rows, err := breastcancer.Read(strings.NewReader(string(breastcancer.CSV)))
	if err != nil {
		return err
	}
	if err := writeModel(filepath.Join(dir, "model.json"), rows); err != nil {
		return err
	}
	files, err := writeFiles(filepath.Join(dir, "tumours"), rows)
	if err != nil {
		return err
	}

	model, err := ws.Models.Create(ctx, &assets.Model{Name: "tumours", Path: filepath.Join(dir, "model.json")}, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "registered the model %s:%s\n", model.Name, model.Version)

	// Endpoint names are unique in a region.
	name := "tumours-" + time.Now().UTC().Format("0102-150405")
	creating, err := ws.Batch.BeginCreate(ctx, &endpoints.BatchEndpoint{Name: name}, nil)
	if err != nil {
		return err
	}
	if _, err := creating.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Minute)
		defer cancel()
		deleting, derr := ws.Batch.BeginDelete(ctx, name, nil)
		if derr == nil {
			_, derr = deleting.PollUntilDone(ctx, nil)
		}
		err = errors.Join(err, derr)
	}()
	deploying, err := ws.Batch.BeginCreateDeployment(ctx, &endpoints.ModelBatchDeployment{
		Name: "logistic", Endpoint: name, Model: model.ModelRef(), Compute: compute, Environment: environment,
		Code:          &endpoints.CodeConfiguration{Code: jobs.Code{Go: &jobs.GoProgram{Package: program}}},
		MiniBatchSize: 3, MaxConcurrency: 2, OutputFile: "scores.csv", Retry: &endpoints.Retry{MaxRetries: new(2), Timeout: time.Minute},
	}, nil)
	if err != nil {
		return err
	}
	if _, err := deploying.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	routing, err := ws.Batch.BeginSetDefault(ctx, name, "logistic", nil)
	if err != nil {
		return err
	}
	if _, err := routing.PollUntilDone(ctx, nil); err != nil {
		return err
	}
	fmt.Fprintln(out, "deployed the scoring program logistic")

	// The folder is here: it is uploaded first.
	job, err := ws.Batch.Invoke(ctx, name, &endpoints.BatchRequest{Inputs: jobs.Inputs{"tumours": jobs.URIFolder(filepath.Join(dir, "tumours"))}}, nil)
	if err != nil {
		return err
	}
	if _, err := ws.Jobs.Wait(ctx, job.Name, nil); err != nil {
		return err // a *jobs.FailedError shows the cause and the end of the log
	}
	scores := filepath.Join(dir, "scores")
	if _, err := ws.Jobs.Download(ctx, job.Name, scores, nil); err != nil {
		return err
	}
	fmt.Fprintf(out, "scored %d files\n", files)
	return report(out, scores, rows)
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

// writeModel fits a logistic regression to four fifths of the rows.
func writeModel(at string, rows []breastcancer.Row) error {
	seen, _ := breastcancer.Split(rows)
	m := breastcancer.NewModel(seen)
	random := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		m.Epoch(seen, 0.01, random)
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(at, b, 0o600)
}

// writeFiles writes the rows, each with its number, 50 to a file.
func writeFiles(dir string, rows []breastcancer.Row) (files int, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	const each = 50
	for ; files*each < len(rows); files++ {
		var b strings.Builder
		w := csv.NewWriter(&b)
		for i := files * each; i < min((files+1)*each, len(rows)); i++ {
			rec := []string{strconv.Itoa(i)}
			for _, v := range rows[i].Features {
				rec = append(rec, strconv.FormatFloat(v, 'g', -1, 64))
			}
			if err := w.Write(rec); err != nil {
				return files, err
			}
		}
		w.Flush()
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%02d.csv", files)), []byte(b.String()), 0o600); err != nil {
			return files, err
		}
	}
	return files, nil
}

// report reads the scores and holds them against the truth.
func report(out io.Writer, dir string, rows []breastcancer.Row) error {
	var at string
	if err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "scores.csv" {
			at = p
		}
		return err
	}); err != nil {
		return err
	}
	f, err := os.Open(at)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return err
	}
	right := 0
	for i, rec := range all {
		n, err := strconv.Atoi(rec[0])
		if err != nil || n < 0 || n >= len(rows) {
			return fmt.Errorf("score %d is of no row: %q", i, rec)
		}
		p, err := strconv.ParseFloat(rec[1], 64)
		if err != nil {
			return err
		}
		if p >= 0.5 == rows[n].Benign {
			right++
		}
		if i < 3 {
			fmt.Fprintf(out, "  row %d: benign with probability %.2f; in truth %v\n", n, p, rows[n].Benign)
		}
	}
	fmt.Fprintf(out, "%d scores, %.1f %% of them right\n", len(all), 100*float64(right)/float64(len(all)))
	return nil
}

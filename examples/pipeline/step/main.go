// Command step is what the steps of the pipeline run: it prepares the table, trains a classifier, or compares those that were
// trained.
//
//	step prepare  -table FILE -rows FOLDER
//	step train    -rows FOLDER -rate 0.01 -epochs 30 -model FOLDER
//	step evaluate -rows FOLDER -best FOLDER -report FOLDER MODEL…
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

// arguments are those of all steps.
type arguments struct {
	table, rows, model, best, report string
	rate                             float64
	epochs                           int
	models                           []string
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("step: prepare, train or evaluate")
	}
	var a arguments
	f := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	f.StringVar(&a.table, "table", "", "the table")
	f.StringVar(&a.rows, "rows", "", "folder of the prepared rows")
	f.StringVar(&a.model, "model", "", "folder to write a model to")
	f.StringVar(&a.best, "best", "", "folder to write the best model to")
	f.StringVar(&a.report, "report", "", "folder to write the comparison to")
	f.Float64Var(&a.rate, "rate", 0.01, "learning rate")
	f.IntVar(&a.epochs, "epochs", 30, "how often all rows are gone over")
	if err := f.Parse(os.Args[2:]); err != nil {
		log.Fatal("step: ", err)
	}
	a.models = f.Args()
	steps := map[string]func(context.Context, *arguments) error{"prepare": prepare, "train": train, "evaluate": evaluate}
	do := steps[os.Args[1]]
	if do == nil {
		log.Fatalf("step: %q is none of prepare, train and evaluate", os.Args[1])
	}
	if err := do(context.Background(), &a); err != nil {
		log.Fatal(os.Args[1], ": ", err)
	}
}

// The files of the prepared rows.
const (
	learned = "train.json"
	unseen  = "held.json"
)

// prepare splits the table.
func prepare(_ context.Context, a *arguments) error {
	f, err := os.Open(a.table)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := breastcancer.Read(f)
	if err != nil {
		return err
	}
	rows, held := breastcancer.Split(all)
	fmt.Printf("%d rows to learn from, %d held out\n", len(rows), len(held))
	return errors.Join(save(filepath.Join(a.rows, learned), rows), save(filepath.Join(a.rows, unseen), held))
}

// train fits a logistic regression and logs its loss.
func train(ctx context.Context, a *arguments) (err error) {
	var rows []breastcancer.Row
	if err := load(filepath.Join(a.rows, learned), &rows); err != nil {
		return err
	}
	if len(rows) == 0 {
		return errors.New("there are no rows")
	}
	tracking, err := mlflow.FromEnvironment(ctx)
	if err != nil {
		return err
	}
	run, err := tracking.Start(ctx, nil) // inside a job: the step's own run
	if err != nil {
		return err
	}
	metrics := run.Metrics()
	defer func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err = errors.Join(err, metrics.Close(ctx))
	}()
	m := breastcancer.NewModel(rows)
	random := rand.New(rand.NewPCG(1, 1)) // the same model each time
	for epoch := range a.epochs {
		metrics.Log("loss", m.Epoch(rows, a.rate, random), epoch)
	}
	fmt.Printf("accuracy %.3f on what it has seen\n", m.Accuracy(rows))
	return save(filepath.Join(a.model, "model.json"), m)
}

// evaluate tries the models on the rows that were held out, and keeps the best.
func evaluate(_ context.Context, a *arguments) error {
	var held []breastcancer.Row
	if err := load(filepath.Join(a.rows, unseen), &held); err != nil {
		return err
	}
	type result struct {
		Model    int     `json:"model"`
		Accuracy float64 `json:"accuracy"`
	}
	var all []result
	best := 0
	for i, dir := range a.models {
		m := new(breastcancer.Model)
		if err := load(filepath.Join(dir, "model.json"), m); err != nil {
			return err
		}
		all = append(all, result{i + 1, m.Accuracy(held)})
		if all[i].Accuracy > all[best].Accuracy {
			best = i
		}
		fmt.Printf("model %d: accuracy %.3f on what it has not seen\n", i+1, all[i].Accuracy)
	}
	if len(all) == 0 {
		return errors.New("there are no models")
	}
	fmt.Printf("model %d is the best\n", best+1)
	model, err := os.ReadFile(filepath.Join(a.models[best], "model.json"))
	if err != nil {
		return err
	}
	return errors.Join(
		save(filepath.Join(a.report, "report.json"), map[string]any{"models": all, "best": all[best]}),
		os.WriteFile(filepath.Join(a.best, "model.json"), model, 0o644))
}

func save(file string, v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

func load(file string, v any) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

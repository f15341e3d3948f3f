// Command trial is one trial of the sweep: it fits a logistic regression at a learning rate, logs the loss after each epoch to
// the trial's own run, and writes the model.
//
//	trial -table FILE -rate 0.01 -epochs 20 -model FOLDER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

func main() {
	table := flag.String("table", "", "the table")
	rate := flag.Float64("rate", 0.01, "learning rate")
	epochs := flag.Int("epochs", 20, "how often all rows are gone over")
	pause := flag.Duration("pause", 50*time.Millisecond, "what an epoch takes at least: real training is slower than this table's")
	model := flag.String("model", "", "the folder to write the model to")
	flag.Parse()
	if err := trial(context.Background(), *table, *model, *rate, *epochs, *pause); err != nil {
		log.Fatal("trial: ", err)
	}
}

func trial(ctx context.Context, table, folder string, rate float64, epochs int, pause time.Duration) (err error) {
	f, err := os.Open(table)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := breastcancer.Read(f)
	if err != nil {
		return err
	}
	rows, held := breastcancer.Split(all)
	tracking, err := mlflow.FromEnvironment(ctx)
	if err != nil {
		return err
	}
	run, err := tracking.Start(ctx, nil) // inside a job: the trial's own run
	if err != nil {
		return err
	}
	metrics := run.Metrics()
	defer func() { err = errors.Join(err, metrics.Close(ctx)) }()
	m := breastcancer.NewModel(rows)
	random := rand.New(rand.NewPCG(1, 1)) // the same model each time
	for epoch := range epochs {
		loss := m.Epoch(rows, rate, random)
		fmt.Printf("epoch %2d  loss %.4f\n", epoch, loss)
		metrics.Log("loss", loss, epoch)
		if err := metrics.Flush(ctx); err != nil { // at once: the sweep ends trials by it
			return err
		}
		time.Sleep(pause)
	}
	metrics.Log("held_out_accuracy", m.Accuracy(held), epochs-1)
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "model.json"), b, 0o644)
}

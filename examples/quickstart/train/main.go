// Command train is the quickstart's job: it reads the table, fits a logistic
// regression, logs what it sees to the job's own MLflow run, and writes the
// model.
//
//	train -data FILE -rate 0.01 -epochs 30 -model FOLDER
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
	data := flag.String("data", "", "the table")
	rate := flag.Float64("rate", 0.01, "learning rate")
	epochs := flag.Int("epochs", 30, "how often all rows are gone over")
	model := flag.String("model", "", "the folder to write the model to")
	flag.Parse()
	if err := train(context.Background(), *data, *model, *rate, *epochs); err != nil {
		log.Fatal("train: ", err)
	}
}

func train(ctx context.Context, data, folder string, rate float64, epochs int) (err error) {
	f, err := os.Open(data)
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := breastcancer.Read(f)
	if err != nil {
		return err
	}
	rows, held := breastcancer.Split(all)
	fmt.Printf("%d rows to learn from, %d held out, %d measurements\n", len(rows), len(held), len(rows[0].Features))

	tracking, err := mlflow.FromEnvironment(ctx)
	if err != nil {
		return err
	}
	run, err := tracking.Start(ctx, nil) // inside a job: the job's own run
	if err != nil {
		return err
	}
	if err := run.LogParams(ctx, map[string]any{"rate": rate, "epochs": epochs, "rows": len(rows)}); err != nil {
		return err
	}
	metrics := run.Metrics()
	defer func() {
		// Metrics are sent behind the training's back; Close says if any did not arrive.
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		err = errors.Join(err, metrics.Close(ctx))
	}()

	m := breastcancer.NewModel(rows)
	random := rand.New(rand.NewPCG(1, 1)) // the same model each time
	for epoch := range epochs {
		loss := m.Epoch(rows, rate, random)
		accuracy := m.Accuracy(rows)
		metrics.Log("loss", loss, epoch)
		metrics.Log("accuracy", accuracy, epoch)
		if epoch%5 == 0 || epoch == epochs-1 {
			fmt.Printf("epoch %2d  loss %.4f  accuracy %.3f\n", epoch, loss, accuracy)
		}
	}
	metrics.Log("held_out_accuracy", m.Accuracy(held), epochs-1)

	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	at := filepath.Join(folder, "model.json")
	fmt.Println("writing", at)
	return os.WriteFile(at, b, 0o644)
}

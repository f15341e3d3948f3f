// Command train fits a logistic regression in many processes: each has its
// share of the rows, computes the gradient over them, and all add their
// gradients up before they take the same step.
//
//	train -data FILE -rate 0.5 -epochs 60 -model FOLDER
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

func main() {
	data := flag.String("data", "", "the table")
	rate := flag.Float64("rate", 0.5, "learning rate")
	epochs := flag.Int("epochs", 60, "how many steps are taken")
	model := flag.String("model", "", "the folder to write the model to")
	flag.Parse()
	if err := train(context.Background(), *data, *model, *rate, *epochs); err != nil {
		log.Fatal("train: ", err)
	}
}

func train(ctx context.Context, data, folder string, rate float64, epochs int) (err error) {
	joining, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	g, err := join(joining)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
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
	m := breastcancer.NewModel(rows) // the same in all processes
	var mine []breastcancer.Row
	for i := g.rank; i < len(rows); i += g.size {
		mine = append(mine, rows[i])
	}
	fmt.Printf("rank %d of %d on node %s: %d of %d rows\n", g.rank, g.size, os.Getenv("NODE_RANK"), len(mine), len(rows))

	record := func(string, float64, int) {}
	if g.rank == 0 { // one speaks for all
		tracking, err := mlflow.FromEnvironment(ctx)
		if err != nil {
			return err
		}
		run, err := tracking.Start(ctx, nil)
		if err != nil {
			return err
		}
		metrics := run.Metrics()
		defer func() { err = errors.Join(err, metrics.Close(ctx)) }()
		record = func(key string, v float64, step int) { metrics.Log(key, v, step) }
	}
	for epoch := range epochs {
		sums := gradient(m, mine)
		if err := g.sum(sums); err != nil {
			return err
		}
		n := len(m.Weights)
		for k := range m.Weights {
			m.Weights[k] -= rate * sums[k] / sums[n+2]
		}
		m.Bias -= rate * sums[n] / sums[n+2]
		record("loss", sums[n+1]/sums[n+2], epoch)
	}
	if g.rank > 0 {
		return nil
	}
	record("held_out_accuracy", m.Accuracy(held), epochs)
	fmt.Printf("held-out accuracy %.3f\n", m.Accuracy(held))
	b, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "model.json"), b, 0o644)
}

// gradient is, over some rows, the sum of the gradient of each weight, of the
// bias, of the log loss, and their number.
func gradient(m *breastcancer.Model, rows []breastcancer.Row) []float64 {
	n := len(m.Weights)
	sums := make([]float64, n+3)
	for _, r := range rows {
		p, y := m.Benign(r.Features), 0.0
		if r.Benign {
			y = 1
		}
		for k := range m.Weights {
			sums[k] += (p - y) * (r.Features[k] - m.Mean[k]) / m.Std[k]
		}
		sums[n] += p - y
		sums[n+1] -= y*math.Log(max(p, 1e-15)) + (1-y)*math.Log(max(1-p, 1e-15))
		sums[n+2]++
	}
	return sums
}

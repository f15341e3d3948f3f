// Command score is the batch example's scoring program: it tells the tumours of
// each file it is given by the registered model.
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"

	"github.com/azureml-go/azureml/endpoints/serve"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
)

func main() {
	if err := serve.RunBatch(context.Background(), load, nil); err != nil {
		log.Fatal(err)
	}
}

func load(_ context.Context, dir string) (serve.ScoreBatch, error) {
	at, err := serve.FindFile(dir, "model.json")
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(at)
	if err != nil {
		return nil, err
	}
	var m breastcancer.Model
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	return func(_ context.Context, files []string) ([]string, error) {
		var rows []string
		for _, f := range files {
			scored, err := score(&m, f)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(f), err)
			}
			rows = append(rows, scored...)
		}
		return rows, nil
	}, nil
}

// score makes a line of each line of a file: the tumour's number, and the
// probability that it is benign.
func score(m *breastcancer.Model, file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, err
	}
	var out []string
	for line, rec := range all {
		if len(rec) != len(m.Weights)+1 {
			return nil, fmt.Errorf("line %d: want a number and %d measurements, got %d fields", line+1, len(m.Weights), len(rec))
		}
		features := make([]float64, len(rec)-1)
		for i, s := range rec[1:] {
			if features[i], err = strconv.ParseFloat(s, 64); err != nil {
				return nil, fmt.Errorf("line %d: %w", line+1, err)
			}
		}
		out = append(out, fmt.Sprintf("%s,%.4f", rec[0], m.Benign(features)))
	}
	return out, nil
}

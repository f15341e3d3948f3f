// Command score is the quickstart's scoring server: it loads the model that
// the job wrote and tells benign tumours from malignant ones.
package main

import (
	"context"
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/azureml-go/azureml/endpoints/serve"
	"github.com/azureml-go/azureml/examples/quickstart/breastcancer"
)

// Request is the body of a call: one list of 30 measurements for each tumour.
type Request struct {
	Rows [][]float64 `json:"rows"`
}

// Answer is what a call returns, a value for each row.
type Answer struct {
	Benign []float64 `json:"benign"` // probability, 0 to 1
}

func main() {
	if err := serve.Run(context.Background(), load, nil); err != nil {
		log.Fatal(err)
	}
}

func load(_ context.Context, dir string) (http.Handler, error) {
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
	return serve.JSON(func(_ context.Context, in Request) (Answer, error) {
		out := Answer{Benign: []float64{}}
		for i, r := range in.Rows {
			if len(r) != len(m.Weights) {
				return Answer{}, serve.BadInput("row %d: want %d measurements, got %d", i, len(m.Weights), len(r))
			}
			out.Benign = append(out.Benign, m.Benign(r))
		}
		return out, nil
	}), nil
}

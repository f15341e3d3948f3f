package mlflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Dataset describes data that a run read. The data stay where they are.
type Dataset struct {
	Name       string
	Digest     string // at most 36 characters; FileDigest gives one
	SourceType string // "local", "http", "azureml" …
	Source     string // JSON; SourceURI makes it of an address
	Schema     string // JSON, optional
	Profile    string // JSON, optional: {"num_rows": …}
}

// DatasetInput is a dataset and what it was used for.
type DatasetInput struct {
	Dataset Dataset
	Context string // "training", "validation" …: the tag mlflow.data.context
	Tags    map[string]string
}

const tagContext = "mlflow.data.context"

type inputWire struct {
	Tags    []pair      `json:"tags,omitempty"`
	Dataset datasetWire `json:"dataset"`
}

type datasetWire struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	SourceType string `json:"source_type"`
	Source     string `json:"source"`
	Schema     string `json:"schema,omitempty"`
	Profile    string `json:"profile,omitempty"`
}

func (w *inputWire) input() DatasetInput {
	in := DatasetInput{Dataset: Dataset(w.Dataset), Tags: toMap(w.Tags)}
	in.Context = in.Tags[tagContext]
	delete(in.Tags, tagContext)
	return in
}

// SourceURI is the source of data that lie at an address.
func SourceURI(uri string) string {
	b, err := json.Marshal(map[string]string{"uri": uri})
	if err != nil {
		return "{}" // a map of strings has no error
	}
	return string(b)
}

// FileDigest hashes a file's bytes into a digest of the length that MLflow takes.
func FileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("mlflow: digest: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("mlflow: digest %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

// LogInputs notes the datasets that a run reads. POST mlflow/runs/log-inputs.
func (r *Run) LogInputs(ctx context.Context, inputs ...DatasetInput) error {
	op := fmt.Sprintf("log inputs to run %q", r.Info.ID)
	if len(inputs) == 0 {
		return fault(op, "no dataset is given")
	}
	list := make([]inputWire, len(inputs))
	for i, in := range inputs {
		d := in.Dataset
		switch {
		case d.Name == "" || d.Digest == "":
			return fault(op, "dataset %d: a name and a digest are needed", i)
		case len(d.Digest) > 36:
			return fault(op, "dataset %q: its digest is longer than 36 characters", d.Name)
		}
		if d.SourceType == "" {
			d.SourceType = "local"
		}
		if d.Source == "" {
			d.Source = "{}"
		}
		list[i].Dataset = datasetWire(d)
		if in.Context != "" {
			list[i].Tags = append(list[i].Tags, pair{tagContext, in.Context})
		}
		list[i].Tags = append(list[i].Tags, toPairs(in.Tags)...)
	}
	return r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/log-inputs", body: map[string]any{"run_id": r.Info.ID, "datasets": list}})
}

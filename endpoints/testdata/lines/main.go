// Command lines answers each file with the model's word and the number of its
// lines, as a batch deployment's program.
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml/endpoints/serve"
)

func main() {
	if err := serve.RunBatch(context.Background(), load, nil); err != nil {
		log.Fatal(err)
	}
}

func load(_ context.Context, dir string) (serve.ScoreBatch, error) {
	at, err := serve.FindFile(dir, "word.txt")
	if err != nil {
		return nil, err
	}
	word, err := os.ReadFile(at)
	if err != nil {
		return nil, err
	}
	return func(_ context.Context, files []string) ([]string, error) {
		var rows []string
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			if bytes.Contains(b, []byte("bad")) {
				return nil, fmt.Errorf("%s is bad", filepath.Base(f))
			}
			rows = append(rows, fmt.Sprintf("%s,%s,%d", word, filepath.Base(f), bytes.Count(b, []byte("\n"))))
		}
		return rows, nil
	}, nil
}

package assets_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/workspace/local"
)

// A folder becomes a data asset, is found by its label, and comes back.
func ExampleDataClient_Create() {
	ctx := context.Background()
	lw, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer lw.Close()
	ws := lw.Client

	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	rows := filepath.Join(dir, "rows.csv")
	if err := os.WriteFile(rows, []byte("sepal,petal\n5.1,1.4\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	if _, err := ws.Data.Create(ctx, &assets.Data{Name: "iris", Type: assets.URIFile, Path: rows}, nil); err != nil {
		log.Fatal(err)
	}
	data, err := ws.Data.GetByLabel(ctx, "iris", assets.Latest)
	if err != nil {
		log.Fatal(err)
	}
	got, err := ws.Data.Download(ctx, data.Name, data.Version, filepath.Join(dir, "here"), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(data.Name, data.Version, got.Files, got.Bytes, "bytes")

	_, err = ws.Data.Get(ctx, "iris", "2")
	fmt.Println(errors.Is(err, azureml.ErrNotFound))

	// Output:
	// iris 1 [rows.csv] 20 bytes
	// true
}

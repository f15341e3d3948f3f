package workspace_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// A file of `az ml` v2 is loaded, with one value replaced, and applied.
func ExampleLoad() {
	ctx := context.Background()
	lw, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer lw.Close()
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "environment.yml")
	if err := os.WriteFile(file, []byte("name: sklearn\nversion: '1'\nimage: ubuntu:22.04\ntags: {team: a}\n"), 0o600); err != nil {
		log.Fatal(err)
	}

	entity, err := workspace.Load(file, &workspace.LoadOptions{Set: []string{"image=ubuntu:24.04"}})
	if err != nil {
		log.Fatal(err) // every fault of the file, each with line and column
	}
	made, err := lw.Client.Apply(ctx, entity, nil)
	if err != nil {
		log.Fatal(err)
	}
	e := made.(*assets.Environment)
	fmt.Println(e.Name, e.Version, e.Image, e.Tags["team"])
	// Output: sklearn 1 ubuntu:24.04 a
}

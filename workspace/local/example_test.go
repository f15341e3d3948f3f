package local_test

import (
	"context"
	"fmt"
	"log"

	"github.com/azureml-go/azureml/workspace/local"
)

// A workspace in a temporary folder, reached in this process.
func ExampleStart() {
	ctx := context.Background()
	lw, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() {
		if err := lw.Close(); err != nil {
			log.Fatal(err)
		}
	}()
	for d, err := range lw.Client.Datastores.All(ctx, nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(d.DatastoreName())
	}
	// Output:
	// workspaceblobstore
	// workspaceartifactstore
	// workspacefilestore
	// workspaceworkingdirectory
}

package compute_test

import (
	"context"
	"fmt"
	"log"

	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/workspace/local"
)

// A cluster is made and read back.
func ExampleClient_BeginCreate() {
	ctx := context.Background()
	lw, err := local.Start(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer lw.Close()
	ws := lw.Client

	creating, err := ws.Computes.BeginCreate(ctx, &compute.Cluster{Name: "gpu", Size: "Standard_NC6s_v3", MaxInstances: 2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := creating.PollUntilDone(ctx, nil); err != nil {
		log.Fatal(err)
	}
	c, err := ws.Computes.Get(ctx, "gpu")
	if err != nil {
		log.Fatal(err)
	}
	if cluster, ok := c.(*compute.Cluster); ok {
		fmt.Println(cluster.Name, cluster.MaxInstances, cluster.Provision().State)
	}
	// Output: gpu 2 Succeeded
}

// Command weight is a small program that submits a job: .ci/run says how large
// it is and how fast it starts, so that weight is seen when it comes. Without
// arguments it makes the client and the job and ends.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
)

func main() {
	ws, err := workspace.New(workspace.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, workspace.StaticToken("t"), &workspace.Options{Endpoint: "http://127.0.0.1:1"})
	if err != nil {
		log.Fatal(err)
	}
	job, err := jobs.Command("python train.py").Code("./src").In(azureml.Ref("azureml:base@latest")).On("cpu-cluster").Build()
	if err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 1 {
		run, err := ws.Jobs.Submit(context.Background(), job, nil)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(run.Name)
	}
}

// Package azureml is the root of a module that drives Azure Machine Learning
// from Go, and that carries a local workspace which really executes the same
// work on one machine.
//
// This package holds the few words that all others share: references to assets
// (Ref), identities, resources, faults of files, and the errors that calls are
// told apart by (ErrNotFound, HasCode …). The work is done by its neighbours:
//
//	workspace        the door: Client, made by New or FromEnvironment
//	workspace/local  the embedded workspace: Start
//	assets           data, models, environments, code, datastores
//	compute          clusters, instances, attached computes
//	jobs             jobs of every kind, their logs and outputs
//	jobs/mlflow      tracking: runs, metrics, artifacts, registered models
//	endpoints        online endpoints, deployments, scoring
//	endpoints/serve  scoring servers written in Go
//
// # A whole program
//
// This program trains a model in a job and registers it. It needs nothing but
// Go: the workspace is a local one.
//
//	package main
//
//	import (
//		"context"
//		"fmt"
//		"log"
//
//		"github.com/azureml-go/azureml/assets"
//		"github.com/azureml-go/azureml/jobs"
//		"github.com/azureml-go/azureml/workspace/local"
//	)
//
//	func main() {
//		ctx := context.Background()
//		lw, err := local.Start(ctx, nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer lw.Close()
//		ws := lw.Client
//
//		data, err := ws.Data.Create(ctx, &assets.Data{Name: "iris", Type: assets.URIFile, Path: "iris.csv"}, nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		run, err := ws.Jobs.Submit(ctx, jobs.Command("./train -data ${{inputs.data}} -model ${{outputs.model}}").
//			GoCode("./cmd/train").
//			In(&assets.Environment{Image: "mcr.microsoft.com/azurelinux/base/core:3.0"}).
//			On("cpu-cluster").
//			Input("data", jobs.URIFile("azureml:iris:"+data.Version)).
//			Output("model", jobs.OutputFolder()), nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		for line, err := range ws.Jobs.Logs(ctx, run.Name, nil) {
//			if err != nil {
//				log.Fatal(err)
//			}
//			fmt.Println(line)
//		}
//		if _, err := ws.Jobs.Wait(ctx, run.Name, nil); err != nil {
//			log.Fatal(err) // says why the job failed, with the end of its log
//		}
//		model, err := ws.Models.Create(ctx, &assets.Model{Name: "iris", Path: "azureml://jobs/" + run.Name + "/outputs/model/paths/"}, nil)
//		if err != nil {
//			log.Fatal(err)
//		}
//		fmt.Println("registered", model.Name, model.Version)
//	}
//
// To run it on Azure, two lines change: the workspace is opened by
//
//	cred, err := azidentity.NewDefaultAzureCredential(nil)
//	ws, err := workspace.New(workspace.ID{Subscription: "…", ResourceGroup: "…", Name: "…"}, cred, nil)
//
// or, in a job and wherever config.json is, by workspace.FromEnvironment.
//
// # Inside the job
//
// The program that the job runs logs to the job's own run:
//
//	tracking, err := mlflow.FromEnvironment(ctx)
//	run, err := tracking.Start(ctx, nil)
//	m := run.Metrics()
//	m.Log("loss", loss, epoch) // never waits for the network
//	err = m.Close(ctx)         // says what did not arrive
//
// # References
//
// An asset is named as in `az ml`: "azureml:NAME:VERSION", "azureml:NAME@latest",
// "azureml://registries/…", or its resource id. A path that is none of these is
// a file or folder here, which is uploaded. Fields that take either a reference
// or a definition in place take an azureml.Ref or a pointer to the definition:
//
//	Environment: azureml.Ref("azureml:sklearn-1.5@latest")
//	Environment: &assets.Environment{Image: "…", Conda: assets.CondaFile("conda.yml")}
//
// # Files
//
// workspace.Load reads the YAML of `az ml` v2 for any kind, and Client.Apply
// creates or updates what it holds. All faults of a file are reported at once,
// each with line and column (Faults).
//
// # Errors
//
// Errors begin with the call and what it was about. The service's answer is
// always there as *azcore.ResponseError for errors.As; the common causes are
// told apart by errors.Is:
//
//	if errors.Is(err, azureml.ErrNotFound) { … }
//	if azureml.HasCode(err, "ResourceExists") { … }
//
// Bad input is refused before anything is sent or uploaded, by an error that
// names the field, what was wrong and what would be right.
//
// # Lists, long operations, options
//
// Lists are iterators: for m, err := range ws.Models.All(ctx, nil). Operations
// of the resource manager that take time begin with Begin and return a
// *runtime.Poller of azcore. The last parameter of a call is a pointer to its
// options; nil is fine.
package azureml

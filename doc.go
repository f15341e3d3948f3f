// Package azureml is the root of a module that drives Azure Machine Learning
// from Go, and that carries a local workspace which really executes the same
// work on one machine.
//
// This package holds the few words that all others share: references to assets
// (Ref), identities, resources, faults of files, and the errors that calls are
// told apart by (ErrNotFound, HasCode …). The work is done by its neighbours:
//
//	workspace        the door: Client, made by New or FromEnvironment; workspaces, connections, registries
//	workspace/local  the embedded workspace: Start
//	assets           data, models, environments, code, datastores, indexes, feature sets
//	compute          clusters, instances, attached computes
//	jobs             jobs of every kind, components, schedules; logs, events and outputs
//	jobs/mlflow      tracking: runs, metrics, artifacts, registered models
//	pipeline         pipelines built step by step
//	endpoints        online, batch and serverless endpoints, deployments, scoring
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
// or, in a job and wherever config.json is, by workspace.FromEnvironment. The
// examples folder has whole programs: quickstart goes on from here to an endpoint
// and its predictions.
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
// # Pipelines, schedules, endpoints
//
// Steps are wired by ports; what is wrong with the graph comes out at Build:
//
//	p := pipeline.New("train-iris").On("cpu-cluster")
//	prep := p.Step("prep", prepJob).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris@latest")))
//	fit := p.Step("train", trainJob).In("data", prep.Out("clean")).Set("lr", 0.01)
//	p.Output("model", fit.Out("model"))
//	job, err := p.Build() // a *jobs.PipelineJob, for Submit or jobs.OnSchedule
//
// An endpoint answers by its deployments, among which its traffic is shared out:
//
//	creating, err := ws.Online.BeginCreate(ctx, &endpoints.OnlineEndpoint{Name: "iris"}, nil)
//	endpoint, err := creating.PollUntilDone(ctx, nil)
//	answer, err := ws.Online.Score(ctx, endpoint.Name, rows, nil)
//
// # Tests
//
// A local workspace starts in a few milliseconds and needs no port, so that each
// test can have one of its own; local.Options moves its clock and breaks its
// network:
//
//	lw, err := local.Start(t.Context(), &local.Options{
//		Clock:  clock.Now,
//		Faults: []local.Fault{{Method: "PUT", Path: "*/jobs/*", Times: 1, Do: "reset-after"}},
//	})
//
// What it cannot honour, such as a Dockerfile with RUN, it refuses by name when it
// is asked. Programs in other languages reach it by the variables of lw.Environ.
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

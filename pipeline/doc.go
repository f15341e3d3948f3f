// Package pipeline builds pipelines: graphs of steps whose inputs and outputs are typed ports.
//
//	p := pipeline.New("train-iris").On("cpu-cluster")
//	prep := p.Step("prep", prepJob).In("raw", p.Input("raw", jobs.URIFolder("azureml:iris@latest")))
//	fit := p.Step("train", trainJob).In("data", prep.Out("clean")).Set("lr", 0.01)
//	p.Output("model", fit.Out("model"))
//	job, err := p.Build()
//
// [Builder.Build] gives a *jobs.PipelineJob, which is submitted as any other job, written to a file with jobs.Dump, drawn with
// [Draw], or changed by hand. Everything that is wrong with the graph comes out at once, as [Fault] values: ports that are not
// there, inputs that nothing is given to, types that do not fit, names that cannot be, steps that wait for each other.
// What only the workspace or the disk can tell, such as whether a compute or a folder is there, is found by Validate and Submit.
//
// # Types
//
// An input takes what is of its own type. Beyond that, a uri_folder takes tables and models, which are folders; a custom_model
// takes a model of any form; a number takes an integer, and a string any value; an input of the type path takes any data. Ports
// of components that are named by a reference alone are not known here: the service checks them.
//
// # The whole and its parts
//
// A component that is used as a step becomes a part of the pipeline: it is registered without a name, its version being a hash
// of what it says, as azure-ai-ml does it. Steps that are made of the same definition share one. A pipeline can be a step of
// another, or be registered: [Builder.Component].
//
// Control flow is made of steps too: [Builder.If], [Builder.DoWhile], [Builder.ParallelFor]. They are a preview: files that have
// them are read where the variable AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED is true, as in `az ml`.
//
// The package makes no calls.
package pipeline

// Package jobs defines, submits and follows the jobs of an Azure Machine Learning workspace.
//
// A job is a plain struct, *CommandJob or another kind of [Spec], or what [Command] builds step by step:
//
//	run, err := ws.Jobs.Submit(ctx, jobs.Command("./train --lr ${{inputs.lr}}").
//		GoCode("./cmd/train").On("cpu-cluster").In(azureml.Ref("azureml:base@latest")).
//		Input("lr", jobs.Literal(0.01)).Output("model", jobs.OutputModel()), nil)
//
// Submit reports all that is wrong with a job at once, and before anything is uploaded; then it uploads code and local
// inputs that are not there yet, resolves names and labels to ids, and starts the job. [Client.Logs] follows the log
// to the job's end, [Client.Events] the states too, [Client.Wait] waits for a result, and [Client.Download] brings the
// outputs. Get and All give a *Run, whose Spec is what was submitted: switch on its type.
//
// A *PipelineJob is a graph of steps, [Nodes]; each runs a [Component], which is registered by itself
// ([ComponentClient]) or, where a step defines it, by Submit. A [Schedule] starts jobs again and again, watches a model
// in production ([Monitor]) or brings data in ([DataImport]).
//
// [Load] and [Dump] read and write the files of `az ml` v2, [LoadComponent] and [LoadSchedule] those of components and
// schedules.
package jobs

// Package mlflow is a client of MLflow's tracking service and model registry: of Azure Machine Learning,
// of MLflow's own server (2 and 3), of Databricks, and of the local workspace. It is small enough for
// the programs that run inside jobs.
//
// Inside a job everything is in the environment:
//
//	tr, err := mlflow.FromEnvironment(ctx)
//	run, err := tr.Start(ctx, nil) // the job's own run
//	err = run.LogParams(ctx, map[string]any{"lr": 0.01, "depth": 3})
//	m := run.Metrics()
//	for step := range steps {
//		m.Log("loss", train(), step) // never waits for the network
//	}
//	err = run.Artifacts().Upload(ctx, "./report", "")
//	err = run.End(ctx, mlflow.Finished) // delivers what the logger holds, or says what it could not
//
// Outside of one, New and Start take the address and the credential; the workspace's Tracking is a
// Client too. Client.Experiments, Runs, Models, Versions and LoggedModels hold the calls; lists are
// iterators.
//
// # The metric logger
//
// Run.Metrics takes values without waiting and without failing. They are sent in order, a thousand at a
// time; a server that is away or says 429 is asked again, with growing waits. At most
// MetricsOptions.Memory values are held in memory. All are written to a file too, within a tenth of a
// second, so that Replay can deliver what a process that was killed had not. Flush and Close return an
// *UndeliveredError that names what is not acknowledged.
//
// # Errors
//
// A refusal is an *Error with MLflow's code; errors.Is knows ErrNotFound, ErrExists, ErrInvalid,
// ErrUnauthorized, ErrThrottled, ErrUnsupported. A call that would make a second thing when repeated is
// not repeated after its answer was lost: it ends with ErrOutcomeUnknown.
package mlflow

// Package local is a workspace of Azure Machine Learning in this process. It speaks the service's own REST, keeps its state in a folder, and really runs what it is sent:
// jobs as child processes, online deployments as servers on loopback, tracking and storage of its own. Nothing but Go is needed.
//
//	lw, err := local.Start(ctx, nil)
//	if err != nil {
//		return err
//	}
//	defer lw.Close()
//	run, err := lw.Client.Jobs.Submit(ctx, job, nil)
//
// The client in it is the same type that reaches Azure, and goes in without a port. A port on loopback is opened when something needs one: a job, a deployment,
// [Workspace.URL]. Other programs, the stock Python clients among them, come in there with the variables of [Workspace.Environ].
//
// What a local workspace is not: there are no containers unless a mode says so, no other machines, and no identities. What it cannot do it refuses by name.
package local

// Package compute has the machines that jobs run on: clusters, instances, Kubernetes clusters and other attached
// computes, with their sizes, usages and quotas. Its [Client] is the field Computes of a workspace's client.
//
//	creating, err := ws.Computes.BeginCreate(ctx, &compute.Cluster{Name: "cpu-cluster", Size: "Standard_DS3_v2", MaxInstances: 4}, nil)
//	cluster, err := creating.PollUntilDone(ctx, nil)
//
// Each kind is a struct of its own ([Cluster], [Instance] …) and a [Compute]; what was read is told apart by a type
// switch. A local workspace runs the jobs of clusters and instances on this machine, as many at a time as they have nodes.
package compute

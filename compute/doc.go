// Package compute has the machines that jobs run on: clusters, instances, Kubernetes clusters and other attached
// computes, with their sizes, usages and quotas. Its [Client] is the field Computes of a workspace's client.
package compute

// Package rest is the one transport of the module: an azcore pipeline with its policies, the table of api-versions,
// and generic calls, lists and long-running operations over it.
//
// A [Call] names the plane it goes to. ARM is the resource manager; API is the regional host that the workspace's
// discovery document names; Registry is the host that a registry's discovery names; ML goes to API or to a scoring URI
// with a token for the audience of Azure ML; Raw is any other URL and never carries a token of the caller.
//
// Rules that hold here: a bearer token goes only to the configured resource manager and to hosts learned by discovery,
// and so do the links that answers carry; a call that is not idempotent is sent again only when the service said that it
// refused it, or when nothing of it was written; no signature, token or key is in an error, a log record or a trace.
package rest

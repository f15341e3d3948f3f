// Package serving runs online deployments as processes on this machine and
// passes scoring requests on to them.
//
// A deployment is served by, in this order: the command that
// Options.Images gives for its environment's image; the build context of its
// environment, when its Dockerfile only copies files and says what to start;
// a Python scoring script (azureml-inference-server-http, else a small runner
// for init() and run()); `mlflow models serve` for an MLflow model without a
// script. Anything else is refused by name.
package serving

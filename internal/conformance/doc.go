// Package conformance holds what other people's programs prove: the reference
// SDK, MLflow, Azurite and Microsoft's generated client, each against the
// local workspace, and our client against theirs. It is a module of its own,
// so that what only proofs need stays out of the project's go.mod.
//
// A program that is missing is a printed skip, or, when AZUREML_REQUIRE names
// it (python, azurite, mlflow, oracle), a failure.
package conformance

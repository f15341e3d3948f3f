// Package conformance holds what other people's programs prove: the reference
// SDK, MLflow, Azurite and Microsoft's generated client, each against the
// local workspace, and our client against theirs. It is a module of its own,
// so that what only proofs need stays out of the project's go.mod.
//
// A run prints a table of witnesses, and writes it to docs/conformance.md when
// AZUREML_CONFORMANCE_DOC is 1 and every witness was heard, in this run or, where
// AZUREML_CONFORMANCE_WITNESSES names a folder, in those before that wrote to it.
// A run says when that page is not current. An operation that
// fails fails the run; one that the local workspace refuses by name, or that a
// program cannot do by itself, is listed with the reason.
//
// A program that is missing is a printed skip, or, when AZUREML_REQUIRE names
// it (python, azurite, mlflow, oracle), a failure. Where programs are:
//
//	AZUREML_PYTHON            an interpreter with requirements.txt
//	AZUREML_PYTHON_MLFLOW2    one with requirements-mlflow2.txt
//	AZUREML_PYTHON_INFERENCE  one with requirements-inference.txt
//	AZUREML_AZURITE           azurite
//	AZUREML_ORACLE            the folder of the recordings
package conformance

// Package azureml drives Azure Machine Learning from Go. It holds the words that all packages share: references to assets,
// identities, resources, errors. The door is package workspace; package workspace/local starts a workspace of one's own.
package azureml

// Package azureml drives Azure Machine Learning from Go.
package azureml

// Package monitoring computes the signals of model monitors: how far data has drifted from what it is compared with, how much
// of it is bad, how well a model does. It knows tables and numbers, no jobs and no storage. The definitions are those of the
// components of the azureml registry (Azure/azureml-assets, assets/model_monitoring); where they differ from what the
// service's documentation says, the documentation stands.
package monitoring

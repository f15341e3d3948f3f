"""The methods that are not called, each with the reason."""

NOT_CALLED = {
    "DataOperations.mount": "mounts by azureml-dataprep-rslex, a binary that needs FUSE; it asks the service for nothing",
    "DatastoreOperations.mount": "mounts by azureml-dataprep-rslex, a binary that needs FUSE; it asks the service for nothing",
    "VirtualClusterOperations.list": "asks Azure Resource Graph through azure-mgmt-resourcegraph, which azure-ai-ml does not bring",
}

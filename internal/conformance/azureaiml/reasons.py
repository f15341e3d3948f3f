"""The methods that are not called, each with the reason."""

NOT_CALLED = {
    "DataOperations.mount": "mounts by azureml-dataprep-rslex, a binary that needs FUSE; it asks the service for nothing",
    "DatastoreOperations.mount": "mounts by azureml-dataprep-rslex, a binary that needs FUSE; it asks the service for nothing",
    "DataOperations.list_materialization_status": "fails in itself before it sends anything: it hands asset_name on to the transport, which knows no such argument",
    "ModelDataplaneOperations.get_batch_model_uris": "fails in itself before it sends anything: it builds its request with a field that the request does not have",
    "ServerlessEndpointOperations.begin_regenerate_keys": "fails in itself before it sends anything: it passes endpoint_name where its REST client asks for name",
    "VirtualClusterOperations.list": "asks Azure Resource Graph through azure-mgmt-resourcegraph, which azure-ai-ml does not bring",
}

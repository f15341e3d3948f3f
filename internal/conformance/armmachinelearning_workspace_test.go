package conformance

import "github.com/stretchr/testify/require"

func (a *armClient) workspaces() {
	rg := a.rg
	for _, name := range []string{"second", "third"} {
		d := a.do("Workspaces.BeginCreateOrUpdate", rg, name, `{"location":"eastus","tags":{"a":"b"},"identity":{"type":"SystemAssigned"},"sku":{"name":"Basic","tier":"Basic"},"properties":{"friendlyName":"Friendly","description":"d"}}`)[0]
		require.Equal(a, "Succeeded", d.at("properties.provisioningState"))
	}
	require.Equal(a, "Friendly", a.do("Workspaces.Get", rg, "second")[0].at("properties.friendlyName"))
	require.Len(a, a.do("Workspaces.NewListByResourceGroupPager", rg), 3)
	require.Equal(a, 2, a.pages)
	require.Len(a, a.do("Workspaces.NewListBySubscriptionPager"), 3)
	d := a.do("Workspaces.BeginUpdate", rg, "second", `{"tags":{"c":"d"},"properties":{"description":"changed"}}`)[0]
	require.Equal(a, "changed", d.at("properties.description"))
	require.NotEmpty(a, a.in("Workspaces.ListKeys")["userStorageKey"])
	require.NotEmpty(a, a.in("Workspaces.ListStorageAccountKeys")["userStorageKey"])
	a.refuses("NotebooksNotSupported", "Workspaces.ListNotebookAccessToken")
	a.refuses("NotebooksNotSupported", "Workspaces.ListNotebookKeys")
	a.in("Workspaces.ListOutboundNetworkDependenciesEndpoints")
	a.refuses("NotebooksNotSupported", "Workspaces.BeginPrepareNotebook")
	a.in("Workspaces.BeginResyncKeys")
	a.in("Workspaces.BeginDiagnose")
	a.names(1, "WorkspaceFeatures.NewListPager")
	a.do("Workspaces.BeginDelete", rg, "third")
	require.Equal(a, 404, a.status("Workspaces.Get", rg, "third"))
}

func (a *armClient) connections() {
	for name, props := range map[string]string{
		"git":     `{"authType":"PAT","category":"Git","target":"https://github.com/a/b","credentials":{"pat":"p"}}`,
		"feed":    `{"authType":"UsernamePassword","category":"PythonFeed","target":"https://example.org/simple","credentials":{"username":"u","password":"p"}}`,
		"open":    `{"authType":"None","category":"PythonFeed","target":"https://example.org/open"}`,
		"blob":    `{"authType":"SAS","category":"FeatureStore","target":"https://acc.blob.core.windows.net/b","credentials":{"sas":"sig=x"}}`,
		"managed": `{"authType":"ManagedIdentity","category":"ContainerRegistry","target":"https://acr.azurecr.io","credentials":{"clientId":"c","resourceId":"/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i"}}`,
	} {
		require.Equal(a, name, a.in("WorkspaceConnections.Create", name, `{"properties":`+props+`}`)["name"])
	}
	require.Equal(a, "PythonFeed", a.in("WorkspaceConnections.Get", "feed").at("properties.category"))
	require.Equal(a, "p", a.in("WorkspaceConnections.ListSecrets", "git").at("properties.credentials.pat"))
	require.Len(a, a.names(3, "WorkspaceConnections.NewListPager"), 5)
	a.in("WorkspaceConnections.Delete", "git")
	a.fails(404, "ResourceNotFound", "WorkspaceConnections.Get", "git")
}

func (a *armClient) networks() {
	for name, props := range map[string]string{
		"fqdn":     `{"type":"FQDN","category":"UserDefined","destination":"pypi.org"}`,
		"tag":      `{"type":"ServiceTag","category":"UserDefined","destination":{"serviceTag":"DataFactory","protocol":"TCP","portRanges":"80"}}`,
		"endpoint": `{"type":"PrivateEndpoint","category":"UserDefined","destination":{"serviceResourceId":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/x","subresourceTarget":"blob","sparkEnabled":false}}`,
	} {
		a.in("ManagedNetworkSettingsRule.BeginCreateOrUpdate", name, `{"properties":`+props+`}`)
	}
	require.Equal(a, "pypi.org", a.in("ManagedNetworkSettingsRule.Get", "fqdn").at("properties.destination"))
	require.ElementsMatch(a, []string{"fqdn", "tag", "endpoint"}, a.names(2, "ManagedNetworkSettingsRule.NewListPager"))
	a.in("ManagedNetworkSettingsRule.BeginDelete", "fqdn")
	a.fails(404, "ResourceNotFound", "ManagedNetworkSettingsRule.Get", "fqdn")
	a.in("ManagedNetworkProvisions.BeginProvisionManagedNetwork", option(`{"Body":{"includeSpark":false}}`))

	a.in("PrivateEndpointConnections.CreateOrUpdate", "pe", `{"location":"eastus","properties":{"privateLinkServiceConnectionState":{"status":"Approved","description":"d"}}}`)
	a.in("PrivateEndpointConnections.Get", "pe")
	a.names(1, "PrivateEndpointConnections.NewListPager")
	a.in("PrivateEndpointConnections.Delete", "pe")
	a.fails(404, "ResourceNotFound", "PrivateEndpointConnections.Get", "pe")
	a.in("PrivateLinkResources.List")
}

func (a *armClient) computes() {
	for name, props := range map[string]string{
		"cluster":  `{"computeType":"AmlCompute","properties":{"vmSize":"STANDARD_DS3_V2","vmPriority":"Dedicated","scaleSettings":{"minNodeCount":0,"maxNodeCount":2,"nodeIdleTimeBeforeScaleDown":"PT5M"}}}`,
		"instance": `{"computeType":"ComputeInstance","properties":{"vmSize":"STANDARD_DS3_V2"}}`,
		"kube":     `{"computeType":"Kubernetes","resourceId":"/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/k","properties":{"namespace":"ml"}}`,
	} {
		d := a.in("Compute.BeginCreateOrUpdate", name, `{"location":"eastus","tags":{"a":"b"},"properties":`+props+`}`)
		require.Equal(a, "Succeeded", d.at("properties.provisioningState"), name)
	}
	require.EqualValues(a, 2, a.in("Compute.Get", "cluster").at("properties.properties.scaleSettings.maxNodeCount"))
	require.EqualValues(a, 5, a.in("Compute.BeginUpdate", "cluster", `{"properties":{"properties":{"scaleSettings":{"minNodeCount":0,"maxNodeCount":5}}}}`).at("properties.properties.scaleSettings.maxNodeCount"))
	require.Subset(a, a.names(2, "Compute.NewListPager"), []string{"cluster", "instance", "kube", "cpu-cluster"})
	a.in("Compute.BeginStop", "instance")
	require.Equal(a, "Stopped", a.in("Compute.Get", "instance").at("properties.properties.state"))
	a.in("Compute.BeginStart", "instance")
	a.in("Compute.BeginRestart", "instance")
	require.Equal(a, "Running", a.in("Compute.Get", "instance").at("properties.properties.state"))
	a.names(1, "Compute.NewListNodesPager", "cluster")
	a.refuses("UserError", "Compute.ListKeys", "cluster")
	a.in("Compute.BeginDelete", "cluster", "Delete")
	a.in("Compute.BeginDelete", "kube", "Detach")
	a.fails(404, "ResourceNotFound", "Compute.Get", "cluster")
	a.fails(404, "ResourceNotFound", "Compute.BeginStart", "nothing")
}

func (a *armClient) datastores() {
	for name, props := range map[string]string{
		"blobs": `{"datastoreType":"AzureBlob","accountName":"acc","containerName":"box","credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"a2V5"}}}`,
		"files": `{"datastoreType":"AzureFile","accountName":"acc","fileShareName":"share","credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"a2V5"}}}`,
		"lake":  `{"datastoreType":"AzureDataLakeGen2","accountName":"acc","filesystem":"lakefs","credentials":{"credentialsType":"ServicePrincipal","clientId":"c","tenantId":"t","secrets":{"secretsType":"ServicePrincipal","clientSecret":"s"}}}`,
	} {
		require.Equal(a, name, a.in("Datastores.CreateOrUpdate", name, `{"properties":`+props+`}`)["name"])
	}
	require.Equal(a, "lakefs", a.in("Datastores.Get", "lake").at("properties.filesystem"))
	require.Subset(a, a.names(3, "Datastores.NewListPager"), []string{"blobs", "files", "lake", "workspaceblobstore"})
	require.Equal(a, "s", a.in("Datastores.ListSecrets", "lake")["clientSecret"])
	require.Equal(a, "AccountKey", a.in("Datastores.ListSecrets", "workspaceblobstore")["secretsType"])
	a.fails(400, "ValidationError", "Datastores.CreateOrUpdate", "bad", `{"properties":{"datastoreType":"AzureBlob","credentials":{"credentialsType":"None"}}}`)
	a.in("Datastores.Delete", "lake")
	a.fails(404, "ResourceNotFound", "Datastores.Get", "lake")
}

func (a *armClient) locations() {
	require.NotEmpty(a, a.do("VirtualMachineSizes.List", "eastus")[0]["value"])
	require.NotEmpty(a, a.do("Usages.NewListPager", "eastus"))
	a.do("Quotas.Update", "eastus", `{"location":"eastus","value":[{"id":"/subscriptions/s/providers/Microsoft.MachineLearningServices/workspaces/w/quotas/Standard_DSv2_Family_Cluster_Dedicated_vCPUs","type":"Microsoft.MachineLearningServices/workspaces/dedicatedCores/quotas","limit":10,"unit":"Count"}]}`)
	require.NotEmpty(a, a.do("Quotas.NewListPager", "eastus"))
	require.NotEmpty(a, a.do("Operations.NewListPager"))
}

package conformance

import "github.com/stretchr/testify/require"

const registry = `{"location":"eastus","tags":{"a":"b"},"identity":{"type":"SystemAssigned"},"properties":{"publicNetworkAccess":"Enabled","regionDetails":[{"location":"eastus","acrDetails":[{"systemCreatedAcrAccount":{"acrAccountSku":"Premium"}}],"storageAccountDetails":[{"systemCreatedStorageAccount":{"storageAccountHnsEnabled":false,"storageAccountType":"Standard_LRS"}}]}]}}`

func (a *armClient) registries() {
	rg := a.rg
	for _, name := range []string{"second", "third"} {
		a.do("Registries.BeginCreateOrUpdate", rg, name, registry)
	}
	require.Equal(a, "shelf", a.do("Registries.Get", rg, "shelf")[0]["name"])
	require.Len(a, a.do("Registries.NewListPager", rg), 3)
	require.Equal(a, 2, a.pages)
	require.Len(a, a.do("Registries.NewListBySubscriptionPager"), 3)
	require.Equal(a, "d", a.do("Registries.Update", rg, "shelf", `{"tags":{"c":"d"}}`)[0].at("tags.c"))
	a.do("Registries.BeginRemoveRegions", rg, "second", registry)
	a.do("Registries.BeginDelete", rg, "third")
	require.Equal(a, 404, a.status("Registries.Get", rg, "third"))

	at := a.uploaded(a.do("RegistryCodeVersions.CreateOrGetStartPendingUpload", rg, "shelf", "sent", "1", `{"pendingUploadType":"TemporaryBlobReference"}`)[0])
	a.do("RegistryModelVersions.CreateOrGetStartPendingUpload", rg, "shelf", "m", "1", `{"pendingUploadType":"TemporaryBlobReference"}`)
	a.do("RegistryDataVersions.CreateOrGetStartPendingUpload", rg, "shelf", "d", "1", `{"pendingUploadType":"TemporaryBlobReference"}`)
	for _, k := range []assetKind{
		{containers: "RegistryCodeContainers", versions: "RegistryCodeVersions", container: `{"properties":{}}`, version: `{"properties":{"codeUri":"` + at + `"}}`},
		{containers: "RegistryDataContainers", versions: "RegistryDataVersions", container: `{"properties":{"dataType":"uri_folder"}}`, version: `{"properties":{"dataType":"uri_folder","dataUri":"` + at + `"}}`},
		{containers: "RegistryModelContainers", versions: "RegistryModelVersions", container: `{"properties":{}}`, version: `{"properties":{"modelType":"custom_model","modelUri":"` + at + `"}}`},
		{containers: "RegistryEnvironmentContainers", versions: "RegistryEnvironmentVersions", container: `{"properties":{}}`, version: `{"properties":{"image":"mcr.microsoft.com/x:1"}}`},
		{containers: "RegistryComponentContainers", versions: "RegistryComponentVersions", container: `{"properties":{}}`, version: component},
	} {
		a.do(k.containers+".BeginCreateOrUpdate", rg, "shelf", "empty", k.container)
		for _, v := range []string{"1", "2", "3"} {
			a.do(k.versions+".BeginCreateOrUpdate", rg, "shelf", "full", v, k.version)
		}
		require.Equal(a, "3", a.do(k.containers+".Get", rg, "shelf", "full")[0].at("properties.latestVersion"), k.containers)
		require.GreaterOrEqual(a, len(a.do(k.containers+".NewListPager", rg, "shelf")), 2)
		require.Len(a, a.do(k.versions+".NewListPager", rg, "shelf", "full"), 3)
		require.Equal(a, 2, a.pages, k.versions)
		require.Equal(a, "2", a.do(k.versions+".Get", rg, "shelf", "full", "2")[0]["name"])
		a.do(k.versions+".BeginDelete", rg, "shelf", "full", "3")
		require.Equal(a, 404, a.status(k.versions+".Get", rg, "shelf", "full", "3"))
		a.do(k.containers+".BeginDelete", rg, "shelf", "empty")
		require.Equal(a, 404, a.status(k.containers+".Get", rg, "shelf", "empty"))
	}
	a.do("RegistryDataReferences.GetBlobReferenceSAS", rg, "shelf", "full", "1", `{"assetId":"azureml://registries/shelf/data/full/versions/1","blobUri":"`+at+`"}`)
}

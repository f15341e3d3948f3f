package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

const curated = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

// uploaded puts a file where a pending upload says and gives the folder's address.
func (a *armClient) uploaded(answer document) string {
	a.Helper()
	at, _ := answer.at("blobReferenceForConsumption.blobUri").(string)
	sas, _ := answer.at("blobReferenceForConsumption.credential.sasUri").(string)
	base, query, ok := strings.Cut(sas, "?")
	require.True(a, ok, "%v", answer)
	req, err := http.NewRequestWithContext(a.Context(), http.MethodPut, base+"/src/file.txt?"+query, strings.NewReader("content"))
	require.NoError(a, err)
	req.Header.Set("x-ms-blob-type", "BlockBlob")
	req.Header.Set("x-ms-version", "2023-11-03")
	resp, err := a.transport.Do(req)
	require.NoError(a, err)
	require.NoError(a, resp.Body.Close())
	require.Equal(a, http.StatusCreated, resp.StatusCode)
	return at + "/src"
}

// cluster is the id of the compute that is there at birth.
func (a *armClient) cluster() string {
	id, _ := a.in("Compute.Get", "cpu-cluster")["id"].(string)
	return id
}

// published uploads code and shares assets with a registry.
func (a *armClient) published() {
	a.do("Registries.BeginCreateOrUpdate", a.rg, "shelf", registry)
	code := a.uploaded(a.in("CodeVersions.CreateOrGetStartPendingUpload", "sent", "1", `{"pendingUploadType":"TemporaryBlobReference"}`))
	a.in("CodeVersions.CreateOrUpdate", "sent", "1", `{"properties":{"codeUri":"`+code+`"}}`)
	a.in("ModelVersions.CreateOrUpdate", "sent", "1", `{"properties":{"modelUri":"`+code+`","modelType":"custom_model"}}`)
	to := func(name string) string {
		return `{"registryName":"shelf","destinationName":"` + name + `","destinationVersion":"7"}`
	}
	a.in("CodeVersions.BeginPublish", "sent", "1", to("code"))
	a.in("ModelVersions.BeginPublish", "sent", "1", to("model"))
	a.in("DataVersions.BeginPublish", "second", "1", to("data"))
	a.in("EnvironmentVersions.BeginPublish", "second", "1", to("env"))
	a.in("ComponentVersions.BeginPublish", "second", "1", to("component"))
	require.Equal(a, "custom_model", a.do("RegistryModelVersions.Get", a.rg, "shelf", "model", "7")[0].at("properties.modelType"))
	a.fails(404, "ResourceNotFound", "ModelVersions.BeginPublish", "sent", "9", to("x"))
}

func (a *armClient) features() {
	a.in("FeaturestoreEntityContainers.BeginCreateOrUpdate", "empty", `{"properties":{"description":"d"}}`)
	for _, v := range []string{"1", "2", "3"} {
		a.in("FeaturestoreEntityVersions.BeginCreateOrUpdate", "account", v, `{"properties":{"indexColumns":[{"columnName":"id","dataType":"String"}],"tags":{"a":"b"}}}`)
	}
	require.Equal(a, "3", a.in("FeaturestoreEntityContainers.GetEntity", "account").at("properties.latestVersion"))
	require.ElementsMatch(a, []string{"account", "empty"}, a.names(1, "FeaturestoreEntityContainers.NewListPager"))
	require.Len(a, a.names(2, "FeaturestoreEntityVersions.NewListPager", "account"), 3)
	require.NotNil(a, a.in("FeaturestoreEntityVersions.Get", "account", "2").at("properties.indexColumns"))
	a.in("FeaturestoreEntityVersions.BeginDelete", "account", "3")
	a.in("FeaturestoreEntityContainers.BeginDelete", "empty")
	a.fails(404, "ResourceNotFound", "FeaturestoreEntityContainers.GetEntity", "empty")

	a.in("FeaturesetContainers.BeginCreateOrUpdate", "empty", `{"properties":{"description":"d"}}`)
	set := `{"properties":{"entities":["azureml:account:1"],"specification":{"path":"azureml://datastores/workspaceblobstore/paths/spec"},"stage":"Development","properties":{"featuresetPropertiesVersion":"1","featuresetProperties":"{\"features\":[{\"name\":\"f1\",\"type\":\"string\",\"description\":\"one\"},{\"name\":\"f2\",\"type\":\"float\"},{\"name\":\"f3\",\"type\":\"float\"}]}"}}}`
	for _, v := range []string{"1", "2", "3"} {
		a.in("FeaturesetVersions.BeginCreateOrUpdate", "spent", v, set)
	}
	a.in("FeaturesetContainers.GetEntity", "spent")
	require.ElementsMatch(a, []string{"spent", "empty"}, a.names(1, "FeaturesetContainers.NewListPager"))
	require.Len(a, a.names(2, "FeaturesetVersions.NewListPager", "spent"), 3)
	require.Equal(a, "Development", a.in("FeaturesetVersions.Get", "spent", "1").at("properties.stage"))
	require.Len(a, a.names(2, "Features.NewListPager", "spent", "1"), 3)
	require.Equal(a, "one", a.in("Features.Get", "spent", "1", "f1").at("properties.description"))
	a.refuses("MaterializationNotSupported", "FeaturesetVersions.BeginBackfill", "spent", "1", `{"featureWindow":{"featureWindowStart":"2026-01-01T00:00:00Z","featureWindowEnd":"2026-01-02T00:00:00Z"},"dataAvailabilityStatus":["None"]}`)
	a.in("FeaturesetVersions.BeginDelete", "spent", "3")
	a.in("FeaturesetContainers.BeginDelete", "empty")
	a.fails(404, "ResourceNotFound", "FeaturesetContainers.GetEntity", "empty")
}

func (a *armClient) jobs() {
	job := func(command string) string {
		return `{"properties":{"jobType":"Command","command":"` + command + `","environmentId":"` + curated + `","computeId":"` + a.cluster() + `","experimentName":"e","displayName":"d","tags":{"a":"b"},"inputs":{"n":{"jobInputType":"literal","value":"1"}},"outputs":{"o":{"jobOutputType":"uri_folder"}},"limits":{"jobLimitsType":"Command","timeout":"PT1H"}}}`
	}
	for _, name := range []string{"one", "two", "three"} {
		a.in("Jobs.CreateOrUpdate", name, job("echo ${{inputs.n}} > ${{outputs.o}}/x"))
	}
	require.Eventually(a, func() bool { return a.in("Jobs.Get", "one").at("properties.status") == "Completed" }, 30*time.Second, 50*time.Millisecond)
	require.ElementsMatch(a, []string{"one", "two", "three"}, a.names(2, "Jobs.NewListPager"))
	a.in("Jobs.CreateOrUpdate", "slow", job("sleep 600"))
	a.in("Jobs.BeginCancel", "slow")
	require.Eventually(a, func() bool { return a.in("Jobs.Get", "slow").at("properties.status") == "Canceled" }, 30*time.Second, 50*time.Millisecond)
	for name, properties := range map[string]string{
		"sweep":    `{"jobType":"Sweep","objective":{"goal":"Minimize","primaryMetric":"m"},"samplingAlgorithm":{"samplingAlgorithmType":"Grid"},"searchSpace":{"n":["choice",[[1]]]},"trial":{"command":"exit ${{search_space.n}}","environmentId":"` + curated + `"},"limits":{"jobLimitsType":"Sweep","maxTotalTrials":1,"maxConcurrentTrials":1,"trialTimeout":"PT1M"},"computeId":"` + a.cluster() + `"}`,
		"pipeline": `{"jobType":"Pipeline","computeId":"` + a.cluster() + `","jobs":{"a":{"type":"command","componentId":"azureml:second:1"}},"settings":{"continueOnStepFailure":false}}`,
	} {
		a.in("Jobs.CreateOrUpdate", name, `{"properties":`+properties+`}`)
		require.Eventually(a, func() bool {
			s := a.in("Jobs.Get", name).at("properties.status")
			return s == "Completed" || s == "Failed"
		}, 30*time.Second, 50*time.Millisecond, name)
	}
	require.Equal(a, "Completed", a.in("Jobs.Get", "pipeline").at("properties.status"))
	a.in("Jobs.BeginDelete", "two")
	a.fails(404, "ResourceNotFound", "Jobs.Get", "two")
	a.fails(400, "ValidationError", "Jobs.CreateOrUpdate", "bad", `{"properties":{"jobType":"Command","command":"echo ${{inputs.none}}","environmentId":"`+curated+`"}}`)
	a.fails(409, "UserError", "Jobs.CreateOrUpdate", "one", job("echo other"))
}

func (a *armClient) schedules() {
	action := `"action":{"actionType":"CreateJob","jobDefinition":{"jobType":"Command","command":"true","environmentId":"` + curated + `","computeId":"` + a.cluster() + `"}}`
	for name, trigger := range map[string]string{
		"cron": `{"triggerType":"Cron","expression":"0 3 * * *","timeZone":"UTC"}`, "weekly": `{"triggerType":"Recurrence","frequency":"Week","interval":1,"schedule":{"hours":[1],"minutes":[0],"weekDays":["Monday"]}}`,
		"hourly": `{"triggerType":"Recurrence","frequency":"Hour","interval":2}`,
	} {
		a.in("Schedules.BeginCreateOrUpdate", name, `{"properties":{"isEnabled":true,"trigger":`+trigger+`,`+action+`}}`)
	}
	require.Equal(a, "0 3 * * *", a.in("Schedules.Get", "cron").at("properties.trigger.expression"))
	require.ElementsMatch(a, []string{"cron", "weekly", "hourly"}, a.names(2, "Schedules.NewListPager"))

	// An invocation of a batch endpoint, and a monitor; what the local workspace cannot compute is refused here.
	later := `{"properties":{"isEnabled":true,"trigger":{"triggerType":"Cron","expression":"0 3 * * *","startTime":"2099-01-01T00:00:00"},"action":%s}}`
	got := a.in("Schedules.BeginCreateOrUpdate", "score", fmt.Sprintf(later, `{"actionType":"InvokeBatchEndpoint","endpointInvocationDefinition":{"endpointName":"files","properties":{"inputData":{"x":{"jobInputType":"UriFolder","uri":"azureml:x:1"}}}}}`))
	require.Equal(a, "files", got.at("properties.action.endpointInvocationDefinition.endpointName"))
	monitor := `{"actionType":"CreateMonitor","monitorDefinition":{"computeConfiguration":{"computeType":"ServerlessSpark","instanceType":"standard_e4s_v3","runtimeVersion":"3.4","computeIdentity":{"computeIdentityType":"AmlToken"}},
		"alertNotificationSettings":{"emailNotificationSettings":{"emails":["a@example.org"]}},"signals":{"drift":{"signalType":"DataDrift","notificationTypes":["AmlNotification"],
		"features":{"filterType":"TopNByAttribution","top":2},"featureImportanceSettings":{"mode":"Enabled","targetColumn":"y"},"metricThresholds":[%s],
		"productionData":{"inputDataType":"Rolling","windowSize":"P7D","windowOffset":"P0D","jobInputType":"uri_folder","uri":"azureml:x:1"},"referenceData":{"inputDataType":"Fixed","jobInputType":"mltable","uri":"azureml:y:1"}}}}}`
	got = a.in("Schedules.BeginCreateOrUpdate", "watch", fmt.Sprintf(later, fmt.Sprintf(monitor, `{"dataType":"Numerical","metric":"NormalizedWassersteinDistance","threshold":{"value":0.1}}`)))
	require.Equal(a, "DataDrift", got.at("properties.action.monitorDefinition.signals.drift.signalType"))
	a.fails(400, "ValidationError", "Schedules.BeginCreateOrUpdate", "none", fmt.Sprintf(later, fmt.Sprintf(monitor, "")))
	for _, name := range []string{"score", "watch"} {
		a.in("Schedules.BeginDelete", name)
	}
	for _, name := range []string{"cron", "weekly", "hourly"} {
		a.in("Schedules.BeginDelete", name)
	}
	a.fails(404, "ResourceNotFound", "Schedules.Get", "cron")
}

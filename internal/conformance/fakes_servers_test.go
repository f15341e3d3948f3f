package conformance

import (
	"context"
	"net/http"

	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	ml "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4/fake"
)

func fakeWorkspaces() fake.WorkspacesServer {
	ws := func(name string) *ml.Workspace {
		return &ml.Workspace{
			ID: ptr("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/" + name), Name: ptr(name), Location: ptr("eastus"), Kind: ptr("Default"),
			Properties: &ml.WorkspaceProperties{FriendlyName: ptr("Friend"), DiscoveryURL: ptr("https://eastus.api.azureml.ms/discovery"), WorkspaceID: ptr("guid"), ProvisioningState: ptr(ml.ProvisioningStateSucceeded)},
		}
	}
	page := func(names ...string) ml.WorkspacesClientListByResourceGroupResponse {
		var p ml.WorkspacesClientListByResourceGroupResponse
		for _, n := range names {
			p.Value = append(p.Value, ws(n))
		}
		return p
	}
	return fake.WorkspacesServer{
		Get: func(_ context.Context, _, name string, _ *ml.WorkspacesClientGetOptions) (azfake.Responder[ml.WorkspacesClientGetResponse], azfake.ErrorResponder) {
			return one(ml.WorkspacesClientGetResponse{Workspace: *ws(name)})
		},
		NewListByResourceGroupPager: func(string, *ml.WorkspacesClientListByResourceGroupOptions) azfake.PagerResponder[ml.WorkspacesClientListByResourceGroupResponse] {
			return pages(page("a", "b"), page("c"), page("d"))
		},
		ListKeys: func(context.Context, string, string, *ml.WorkspacesClientListKeysOptions) (azfake.Responder[ml.WorkspacesClientListKeysResponse], azfake.ErrorResponder) {
			return one(ml.WorkspacesClientListKeysResponse{ListWorkspaceKeysResult: ml.ListWorkspaceKeysResult{UserStorageKey: ptr("secret")}})
		},
	}
}

func fakeComputes(sent **ml.AmlCompute) fake.ComputeServer {
	cluster := &ml.ComputeResource{Name: ptr("cpu"), Location: ptr("eastus"), ID: ptr(fakeWorkspace + "/computes/cpu"), Properties: &ml.AmlCompute{
		ComputeType: ptr(ml.ComputeTypeAmlCompute), ProvisioningState: ptr(ml.ProvisioningStateSucceeded),
		Properties: &ml.AmlComputeProperties{VMSize: ptr("STANDARD_DS3_V2"), ScaleSettings: &ml.ScaleSettings{MaxNodeCount: ptr[int32](4), MinNodeCount: ptr[int32](0)}},
	}}
	instance := &ml.ComputeResource{Name: ptr("ci"), Location: ptr("eastus"), ID: ptr(fakeWorkspace + "/computes/ci"), Properties: &ml.ComputeInstance{
		ComputeType: ptr(ml.ComputeTypeComputeInstance), Properties: &ml.ComputeInstanceProperties{VMSize: ptr("STANDARD_DS3_V2"), State: ptr(ml.ComputeInstanceStateStopped)},
	}}
	list := func(all ...*ml.ComputeResource) ml.ComputeClientListResponse {
		return ml.ComputeClientListResponse{PaginatedComputeResourcesList: ml.PaginatedComputeResourcesList{Value: all}}
	}
	return fake.ComputeServer{
		Get: func(context.Context, string, string, string, *ml.ComputeClientGetOptions) (azfake.Responder[ml.ComputeClientGetResponse], azfake.ErrorResponder) {
			return one(ml.ComputeClientGetResponse{ComputeResource: *cluster})
		},
		NewListPager: func(string, string, *ml.ComputeClientListOptions) azfake.PagerResponder[ml.ComputeClientListResponse] {
			return pages(list(cluster), list(instance))
		},
		BeginCreateOrUpdate: func(_ context.Context, _, _, _ string, c ml.ComputeResource, _ *ml.ComputeClientBeginCreateOrUpdateOptions) (r azfake.PollerResponder[ml.ComputeClientCreateOrUpdateResponse], e azfake.ErrorResponder) {
			*sent, _ = c.Properties.(*ml.AmlCompute)
			r.AddNonTerminalResponse(http.StatusCreated, nil)
			r.SetTerminalResponse(http.StatusOK, ml.ComputeClientCreateOrUpdateResponse{ComputeResource: *cluster}, nil)
			return r, e
		},
		BeginStart: func(context.Context, string, string, string, *ml.ComputeClientBeginStartOptions) (azfake.PollerResponder[ml.ComputeClientStartResponse], azfake.ErrorResponder) {
			return long(http.StatusAccepted, ml.ComputeClientStartResponse{})
		},
		BeginDelete: func(context.Context, string, string, string, ml.UnderlyingResourceAction, *ml.ComputeClientBeginDeleteOptions) (r azfake.PollerResponder[ml.ComputeClientDeleteResponse], e azfake.ErrorResponder) {
			r.AddNonTerminalResponse(http.StatusAccepted, nil)
			r.SetTerminalError(http.StatusConflict, "Conflict")
			return r, e
		},
	}
}

func fakeJobs(sent **ml.CommandJob) fake.JobsServer {
	base := func(name string, p ml.JobBasePropertiesClassification) *ml.JobBase {
		return &ml.JobBase{ID: ptr(fakeWorkspace + "/jobs/" + name), Name: ptr(name), Properties: p}
	}
	env := ptr(fakeWorkspace + "/environments/e/versions/1")
	command := func() *ml.CommandJob {
		return &ml.CommandJob{JobType: ptr(ml.JobTypeCommand), Command: ptr("echo"), EnvironmentID: env, ExperimentName: ptr("e"), Status: ptr(ml.JobStatusRunning)}
	}
	list := func(all ...*ml.JobBase) ml.JobsClientListResponse {
		return ml.JobsClientListResponse{JobBaseResourceArmPaginatedResult: ml.JobBaseResourceArmPaginatedResult{Value: all}}
	}
	return fake.JobsServer{
		Get: func(_ context.Context, _, _, id string, _ *ml.JobsClientGetOptions) (azfake.Responder[ml.JobsClientGetResponse], azfake.ErrorResponder) {
			if id == "none" {
				return refusal[ml.JobsClientGetResponse](http.StatusNotFound, "NotFound")
			}
			return one(ml.JobsClientGetResponse{JobBase: *base(id, command())})
		},
		NewListPager: func(string, string, *ml.JobsClientListOptions) azfake.PagerResponder[ml.JobsClientListResponse] {
			return pages(
				list(base("a", command()), base("b", &ml.SweepJob{
					JobType: ptr(ml.JobTypeSweep), Objective: &ml.Objective{Goal: ptr(ml.GoalMaximize), PrimaryMetric: ptr("acc")},
					SamplingAlgorithm: &ml.RandomSamplingAlgorithm{SamplingAlgorithmType: ptr(ml.SamplingAlgorithmTypeRandom)},
					SearchSpace:       map[string]any{"lr": []any{"uniform", []any{0.1, 1}}}, Trial: &ml.TrialComponent{Command: ptr("echo"), EnvironmentID: env},
				})),
				list(base("c", &ml.PipelineJob{JobType: ptr(ml.JobTypePipeline), Jobs: map[string]any{"s": map[string]any{"type": "command", "componentId": "x"}}})),
				list(base("d", &ml.SparkJob{JobType: ptr(ml.JobTypeSpark), CodeID: ptr("c"), Entry: &ml.SparkJobPythonEntry{File: ptr("m.py"), SparkJobEntryType: ptr(ml.SparkJobEntryTypeSparkJobPythonEntry)}})),
			)
		},
		CreateOrUpdate: func(_ context.Context, _, _, id string, body ml.JobBase, _ *ml.JobsClientCreateOrUpdateOptions) (azfake.Responder[ml.JobsClientCreateOrUpdateResponse], azfake.ErrorResponder) {
			*sent, _ = body.Properties.(*ml.CommandJob)
			body.ID, body.Name = ptr(fakeWorkspace+"/jobs/"+id), ptr(id)
			return one(ml.JobsClientCreateOrUpdateResponse{JobBase: body})
		},
		BeginCancel: func(context.Context, string, string, string, *ml.JobsClientBeginCancelOptions) (azfake.PollerResponder[ml.JobsClientCancelResponse], azfake.ErrorResponder) {
			return long(http.StatusOK, ml.JobsClientCancelResponse{})
		},
	}
}

func fakeDatastores(sent **ml.AzureBlobDatastore) fake.DatastoresServer {
	list := func(name string, p ml.DatastorePropertiesClassification) ml.DatastoresClientListResponse {
		return ml.DatastoresClientListResponse{DatastoreResourceArmPaginatedResult: ml.DatastoreResourceArmPaginatedResult{Value: []*ml.Datastore{{Name: ptr(name), ID: ptr(fakeWorkspace + "/datastores/" + name), Properties: p}}}}
	}
	none := &ml.NoneDatastoreCredentials{CredentialsType: ptr(ml.CredentialsTypeNone)}
	return fake.DatastoresServer{
		NewListPager: func(string, string, *ml.DatastoresClientListOptions) azfake.PagerResponder[ml.DatastoresClientListResponse] {
			return pages(
				list("b", &ml.AzureBlobDatastore{DatastoreType: ptr(ml.DatastoreTypeAzureBlob), AccountName: ptr("a"), ContainerName: ptr("c"), Credentials: none}),
				list("f", &ml.AzureFileDatastore{DatastoreType: ptr(ml.DatastoreTypeAzureFile), AccountName: ptr("a"), FileShareName: ptr("s"), Credentials: none}),
			)
		},
		CreateOrUpdate: func(_ context.Context, _, _, name string, body ml.Datastore, _ *ml.DatastoresClientCreateOrUpdateOptions) (azfake.Responder[ml.DatastoresClientCreateOrUpdateResponse], azfake.ErrorResponder) {
			*sent, _ = body.Properties.(*ml.AzureBlobDatastore)
			body.ID, body.Name = ptr(fakeWorkspace+"/datastores/"+name), ptr(name)
			return one(ml.DatastoresClientCreateOrUpdateResponse{Datastore: body})
		},
		Delete: func(context.Context, string, string, string, *ml.DatastoresClientDeleteOptions) (azfake.Responder[ml.DatastoresClientDeleteResponse], azfake.ErrorResponder) {
			return one(ml.DatastoresClientDeleteResponse{})
		},
	}
}

func fakeData() fake.DataVersionsServer {
	list := func(version string, p ml.DataVersionBasePropertiesClassification) ml.DataVersionsClientListResponse {
		return ml.DataVersionsClientListResponse{DataVersionBaseResourceArmPaginatedResult: ml.DataVersionBaseResourceArmPaginatedResult{Value: []*ml.DataVersionBase{{Name: ptr(version), ID: ptr(fakeWorkspace + "/data/d/versions/" + version), Properties: p}}}}
	}
	uri := ptr("azureml://datastores/b/paths/x")
	return fake.DataVersionsServer{NewListPager: func(string, string, string, *ml.DataVersionsClientListOptions) azfake.PagerResponder[ml.DataVersionsClientListResponse] {
		return pages(list("2", &ml.URIFolderDataVersion{DataType: ptr(ml.DataTypeURIFolder), DataURI: uri}), list("1", &ml.URIFileDataVersion{DataType: ptr(ml.DataTypeURIFile), DataURI: uri}))
	}}
}

func fakeModels() fake.ModelVersionsServer {
	return fake.ModelVersionsServer{Get: func(_ context.Context, _, _, name, version string, _ *ml.ModelVersionsClientGetOptions) (azfake.Responder[ml.ModelVersionsClientGetResponse], azfake.ErrorResponder) {
		return one(ml.ModelVersionsClientGetResponse{ModelVersion: ml.ModelVersion{Name: ptr(version), ID: ptr(fakeWorkspace + "/models/" + name + "/versions/" + version), Properties: &ml.ModelVersionProperties{
			ModelType: ptr("mlflow_model"), ModelURI: ptr("azureml://jobs/j/outputs/artifacts/paths/model/"),
		}}})
	}}
}

func fakeEnvironments() fake.EnvironmentVersionsServer {
	return fake.EnvironmentVersionsServer{Get: func(_ context.Context, _, _, name, version string, _ *ml.EnvironmentVersionsClientGetOptions) (azfake.Responder[ml.EnvironmentVersionsClientGetResponse], azfake.ErrorResponder) {
		return one(ml.EnvironmentVersionsClientGetResponse{EnvironmentVersion: ml.EnvironmentVersion{Name: ptr(version), ID: ptr(fakeWorkspace + "/environments/" + name + "/versions/" + version), Properties: &ml.EnvironmentVersionProperties{Image: ptr("ubuntu")}}})
	}}
}

func fakeOnline(sent *map[string]*int32) fake.OnlineEndpointsServer {
	endpoint := func(name string) *ml.OnlineEndpoint {
		return &ml.OnlineEndpoint{ID: ptr(fakeWorkspace + "/onlineEndpoints/" + name), Name: ptr(name), Location: ptr("eastus"), Properties: &ml.OnlineEndpointProperties{AuthMode: ptr(ml.EndpointAuthModeKey), ScoringURI: ptr("https://" + name + "/score")}}
	}
	list := func(name string) ml.OnlineEndpointsClientListResponse {
		return ml.OnlineEndpointsClientListResponse{OnlineEndpointTrackedResourceArmPaginatedResult: ml.OnlineEndpointTrackedResourceArmPaginatedResult{Value: []*ml.OnlineEndpoint{endpoint(name)}}}
	}
	return fake.OnlineEndpointsServer{
		Get: func(_ context.Context, _, _, name string, _ *ml.OnlineEndpointsClientGetOptions) (azfake.Responder[ml.OnlineEndpointsClientGetResponse], azfake.ErrorResponder) {
			return one(ml.OnlineEndpointsClientGetResponse{OnlineEndpoint: *endpoint(name)})
		},
		NewListPager: func(string, string, *ml.OnlineEndpointsClientListOptions) azfake.PagerResponder[ml.OnlineEndpointsClientListResponse] {
			return pages(list("ep1"), list("ep2"))
		},
		ListKeys: func(context.Context, string, string, string, *ml.OnlineEndpointsClientListKeysOptions) (azfake.Responder[ml.OnlineEndpointsClientListKeysResponse], azfake.ErrorResponder) {
			return one(ml.OnlineEndpointsClientListKeysResponse{EndpointAuthKeys: ml.EndpointAuthKeys{PrimaryKey: ptr("key1"), SecondaryKey: ptr("key2")}})
		},
		BeginCreateOrUpdate: func(_ context.Context, _, _, name string, body ml.OnlineEndpoint, _ *ml.OnlineEndpointsClientBeginCreateOrUpdateOptions) (r azfake.PollerResponder[ml.OnlineEndpointsClientCreateOrUpdateResponse], e azfake.ErrorResponder) {
			*sent = body.Properties.Traffic
			r.AddNonTerminalResponse(http.StatusCreated, nil)
			r.SetTerminalResponse(http.StatusOK, ml.OnlineEndpointsClientCreateOrUpdateResponse{OnlineEndpoint: *endpoint(name)}, nil)
			return r, e
		},
		BeginDelete: func(context.Context, string, string, string, *ml.OnlineEndpointsClientBeginDeleteOptions) (azfake.PollerResponder[ml.OnlineEndpointsClientDeleteResponse], azfake.ErrorResponder) {
			return long(http.StatusOK, ml.OnlineEndpointsClientDeleteResponse{})
		},
	}
}

func fakeSchedules() fake.SchedulesServer {
	return fake.SchedulesServer{Get: func(_ context.Context, _, _, name string, _ *ml.SchedulesClientGetOptions) (azfake.Responder[ml.SchedulesClientGetResponse], azfake.ErrorResponder) {
		return one(ml.SchedulesClientGetResponse{Schedule: ml.Schedule{Name: ptr(name), ID: ptr(fakeWorkspace + "/schedules/" + name), Properties: &ml.ScheduleProperties{
			Trigger: &ml.CronTrigger{TriggerType: ptr(ml.TriggerTypeCron), Expression: ptr("0 1 * * *")},
			Action: &ml.JobScheduleAction{ActionType: ptr(ml.ScheduleActionTypeCreateJob), JobDefinition: &ml.CommandJob{
				JobType: ptr(ml.JobTypeCommand), Command: ptr("echo"), EnvironmentID: ptr(fakeWorkspace + "/environments/e/versions/1"),
			}},
		}}})
	}}
}

func fakeUsages() fake.UsagesServer {
	list := func(n int64) ml.UsagesClientListResponse {
		return ml.UsagesClientListResponse{ListUsagesResult: ml.ListUsagesResult{Value: []*ml.Usage{{CurrentValue: ptr(n), Limit: ptr[int64](9)}}}}
	}
	return fake.UsagesServer{NewListPager: func(string, *ml.UsagesClientListOptions) azfake.PagerResponder[ml.UsagesClientListResponse] {
		return pages(list(1), list(2))
	}}
}

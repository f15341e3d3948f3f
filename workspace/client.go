package workspace

import (
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/jobs/mlflow"
)

// Client is the door to one workspace. It is safe for use by many goroutines and holds nothing that needs closing.
type Client struct {
	// Workspaces reads this workspace and its neighbours.
	Workspaces *WorkspacesClient
	// Computes are the machines that jobs run on.
	Computes *compute.Client
	// Datastores are the storage accounts that data is in.
	Datastores *assets.DatastoreClient
	// Data, Models, Environments and Code are what jobs and deployments are made of.
	Data         *assets.DataClient
	Models       *assets.ModelClient
	Environments *assets.EnvironmentClient
	Code         *assets.CodeClient
	// Components are the steps that pipelines are made of.
	Components *jobs.ComponentClient
	// Schedules start jobs, monitors and imports by the clock.
	Schedules *jobs.ScheduleClient
	// Jobs run code.
	Jobs *jobs.Client
	// Online endpoints answer requests.
	Online *endpoints.OnlineClient
	// Batch endpoints work through files.
	Batch *endpoints.BatchClient
	// Serverless endpoints are those of the catalogue's models; Marketplace has the subscriptions that some of them need.
	Serverless  *endpoints.ServerlessClient
	Marketplace *endpoints.MarketplaceClient
	// Connections lead to what is outside the workspace.
	Connections *ConnectionsClient
	// CapabilityHosts give agents of a hub or project the connections that they work with.
	CapabilityHosts *CapabilityHostsClient
	// Registries share assets among workspaces.
	Registries *RegistriesClient
	// Templates are deployments of a registry's models with everything set but the model.
	Templates *endpoints.TemplateClient
	// Indexes are for search by meaning.
	Indexes *assets.IndexClient
	// FeatureSets and FeatureEntities are those of a feature store.
	FeatureSets     *assets.FeatureSetClient
	FeatureEntities *assets.FeatureEntityClient
	// Tracking has the experiments, runs, metrics and registered models of MLflow. Its URI names no host until it is first
	// used: TrackingURI gives the whole one.
	Tracking *mlflow.Client

	id   ID
	rest *rest.Client
}

// New makes a client for a workspace. It sends nothing: a workspace that is not there shows at the first call.
func New(id ID, cred azcore.TokenCredential, o *Options) (*Client, error) {
	if o == nil {
		o = &Options{}
	}
	r, err := rest.New(rest.ID(id), cred, o.rest())
	if err != nil {
		return nil, fmt.Errorf("workspace: new: %w", err)
	}
	tracking, err := newTracking(r)
	if err != nil {
		return nil, fmt.Errorf("workspace: new: %w", err)
	}
	return &Client{
		Workspaces:      &WorkspacesClient{rest: r},
		Computes:        compute.NewClient(r),
		Datastores:      assets.NewDatastoreClient(r),
		Data:            assets.NewDataClient(r),
		Models:          assets.NewModelClient(r),
		Environments:    assets.NewEnvironmentClient(r),
		Code:            assets.NewCodeClient(r),
		Components:      jobs.NewComponentClient(r),
		Schedules:       jobs.NewScheduleClient(r),
		Jobs:            jobs.NewClient(r),
		Online:          endpoints.NewOnlineClient(r),
		Batch:           endpoints.NewBatchClient(r),
		Serverless:      endpoints.NewServerlessClient(r),
		Marketplace:     endpoints.NewMarketplaceClient(r),
		Connections:     &ConnectionsClient{rest: r},
		CapabilityHosts: &CapabilityHostsClient{rest: r},
		Registries:      &RegistriesClient{rest: r},
		Templates:       endpoints.NewTemplateClient(r),
		Indexes:         assets.NewIndexClient(r),
		FeatureSets:     assets.NewFeatureSetClient(r),
		FeatureEntities: assets.NewFeatureEntityClient(r),
		Tracking:        tracking,
		id:              id, rest: r,
	}, nil
}

// ID is the workspace's.
func (c *Client) ID() ID { return c.id }

// CloseIdleConnections closes the connections that wait to be used again, if the transport keeps any. The client can be
// used all the same afterwards.
func (c *Client) CloseIdleConnections() { c.rest.CloseIdleConnections() }

package assets

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// FeatureEntityClient makes and finds the entities of a feature store. It is safe for use by many goroutines.
type FeatureEntityClient struct{ collection }

// NewFeatureEntityClient makes the client on the feature store's shared one.
func NewFeatureEntityClient(c *rest.Client) *FeatureEntityClient {
	return &FeatureEntityClient{collection{c, "featurestoreEntities", "feature store entities"}}
}

// BeginCreate makes an entity, or changes one that exists (FeaturestoreEntityVersions_CreateOrUpdate). e is not changed.
func (c *FeatureEntityClient) BeginCreate(ctx context.Context, e *FeatureStoreEntity, o *BeginOptions) (*runtime.Poller[*FeatureStoreEntity], error) {
	if e == nil {
		return nil, errors.New("feature store entities: create: the entity is nil")
	}
	call := c.call(c.op("create", e.Name, e.Version), http.MethodPut, c.path(e.Name, e.Version))
	if call.ResumeToken = o.token(); call.ResumeToken == "" {
		if err := e.Validate(); err != nil {
			return nil, rest.WithOp(call.Op, err)
		}
		call.Body = e
	}
	return rest.Begin(ctx, c.c, call, rest.As[FeatureStoreEntity])
}

// Get reads a version (FeaturestoreEntityVersions_Get).
func (c *FeatureEntityClient) Get(ctx context.Context, name, version string) (*FeatureStoreEntity, error) {
	return getVersion[FeatureStoreEntity](ctx, c.collection, name, version)
}

// All yields the entities, without what their versions say (FeaturestoreEntityContainers_List).
func (c *FeatureEntityClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*FeatureStoreEntity, error] {
	return list[FeatureStoreEntity](ctx, c.collection, "", o)
}

// Versions yields the versions of an entity (FeaturestoreEntityVersions_List).
func (c *FeatureEntityClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*FeatureStoreEntity, error] {
	return list[FeatureStoreEntity](ctx, c.collection, name, o)
}

// BeginDelete removes a version (FeaturestoreEntityVersions_Delete).
func (c *FeatureEntityClient) BeginDelete(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginDelete(ctx, name, version, o)
}

// BeginArchive hides a version from lists, its stage becomes Archived (FeaturestoreEntityVersions_Get,
// FeaturestoreEntityVersions_CreateOrUpdate).
func (c *FeatureEntityClient) BeginArchive(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginStage(ctx, "archive", name, version, o)
}

// BeginRestore undoes BeginArchive; the stage becomes Development (FeaturestoreEntityVersions_Get, _CreateOrUpdate).
func (c *FeatureEntityClient) BeginRestore(ctx context.Context, name, version string, o *BeginOptions) (*runtime.Poller[azureml.Done], error) {
	return c.beginStage(ctx, "restore", name, version, o)
}

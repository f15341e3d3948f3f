package workspace

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/compute"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/jobs"
)

// ApplyOptions are the choices of Apply. Nil is fine.
type ApplyOptions struct {
	// Progress is told how far uploads are.
	Progress func(assets.Progress)
	// Model is what a model package is of, where the package does not say: azureml:NAME:VERSION.
	Model azureml.Ref
	// Registry is where a deployment template goes.
	Registry string
}

// Apply creates or updates any entity, as Load returns it, and waits until that is done. It returns what the service
// answered: a *jobs.Run for a job, else the same kind as entity.
func (c *Client) Apply(ctx context.Context, entity any, o *ApplyOptions) (any, error) {
	if o == nil {
		o = &ApplyOptions{}
	}
	create := &assets.CreateOptions{Progress: o.Progress}
	switch e := entity.(type) {
	case jobs.Spec:
		return c.Jobs.Submit(ctx, e, &jobs.SubmitOptions{Progress: o.Progress})
	case *jobs.Schedule:
		p, err := c.Schedules.BeginCreate(ctx, e, &jobs.ScheduleOptions{Progress: o.Progress})
		return finish(ctx, p, err)
	case jobs.Component:
		return c.Components.Create(ctx, e, &jobs.ComponentOptions{Progress: o.Progress})
	case *assets.Data:
		return c.Data.Create(ctx, e, create)
	case *assets.Model:
		return c.Models.Create(ctx, e, create)
	case *assets.Environment:
		return c.Environments.Create(ctx, e, create)
	case assets.Datastore:
		return c.Datastores.Create(ctx, e, nil)
	case compute.Compute:
		p, err := c.Computes.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *endpoints.OnlineEndpoint:
		p, err := c.Online.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *endpoints.OnlineDeployment:
		p, err := c.Online.BeginCreateDeployment(ctx, e, &endpoints.DeployOptions{Upload: create})
		return finish(ctx, p, err)
	case *endpoints.BatchEndpoint:
		p, err := c.Batch.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case endpoints.BatchDeployment:
		p, err := c.Batch.BeginCreateDeployment(ctx, e, &endpoints.DeployOptions{Upload: create})
		return finish(ctx, p, err)
	case *endpoints.ServerlessEndpoint:
		p, err := c.Serverless.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *endpoints.MarketplaceSubscription:
		p, err := c.Marketplace.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *Connection:
		return c.Connections.Create(ctx, e)
	case *Registry:
		p, err := c.Registries.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *Workspace:
		p, err := c.Workspaces.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *CapabilityHost:
		p, err := c.CapabilityHosts.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	case *assets.Index:
		return c.Indexes.Create(ctx, e, create)
	case *assets.ModelPackage:
		if o.Model != "" && e.Model == "" {
			of := *e
			of.Model, e = o.Model, &of
		}
		p, err := c.Models.BeginPackage(ctx, e, &assets.BeginOptions{Upload: create})
		return finish(ctx, p, err)
	case *endpoints.DeploymentTemplate:
		return c.Templates.Create(ctx, o.Registry, e)
	case *assets.FeatureSet:
		p, err := c.FeatureSets.BeginCreate(ctx, e, &assets.BeginOptions{Upload: create})
		return finish(ctx, p, err)
	case *assets.FeatureStoreEntity:
		p, err := c.FeatureEntities.BeginCreate(ctx, e, nil)
		return finish(ctx, p, err)
	}
	return nil, fmt.Errorf("workspace: apply: a %T cannot be created in a workspace", entity)
}

// finish waits for an operation that has begun.
func finish[T any](ctx context.Context, p *runtime.Poller[T], err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return p.PollUntilDone(ctx, nil)
}

// Dump writes an entity, as Load and Apply return it, as a file of `az ml` v2.
func Dump(entity any) ([]byte, error) {
	if s, ok := entity.(jobs.Spec); ok {
		return jobs.Dump(s)
	}
	if r, ok := entity.(*jobs.Run); ok && r.Spec != nil {
		return jobs.Dump(r.Spec)
	}
	b, err := wire.DumpYAML(entity)
	if err != nil {
		return nil, fmt.Errorf("workspace: dump: %w", err)
	}
	return b, nil
}

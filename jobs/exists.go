package jobs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// environmentRef checks that an environment is there.
func (c *checker) environmentRef(ctx context.Context, field string, ref azureml.Ref) {
	if c.r == nil || isExpression(string(ref)) {
		return
	}
	c.version(ctx, field, "environments", func() (string, error) {
		return once(c.r.refs, "environment "+string(ref), func() (string, error) { return c.r.c.environments.Resolve(ctx, ref, nil) })
	}, string(ref))
}

// componentRef checks that the component of a step is there (ComponentVersions_Get).
func (c *checker) componentRef(ctx context.Context, field string, ref azureml.Ref) {
	if c.r == nil || ref == "" || isExpression(string(ref)) {
		return
	}
	c.version(ctx, field, "components", func() (string, error) {
		return once(c.r.refs, "component "+string(ref), func() (string, error) { return c.r.componentID(ctx, ref) })
	}, "component "+string(ref))
}

// asset checks that what an input names is there.
func (c *checker) asset(field string, in Input) {
	if c.r == nil || strings.Contains(in.Path, "${{") {
		return
	}
	if !strings.HasPrefix(in.Path, "azureml:") || strings.HasPrefix(in.Path, "azureml://") {
		c.datastore(field, in.Path)
		return
	}
	coll := "data"
	if t := in.dataType(); t == TypeCustomModel || t == TypeMLFlowModel {
		coll = "models"
	}
	c.version(c.context(), field, coll, func() (string, error) { return c.r.reference(c.context(), in) }, coll+" "+in.Path)
}

// version checks that a version of an asset of this workspace is there (EnvironmentVersions_Get, DataVersions_Get,
// ModelVersions_Get, ComponentVersions_Get). What other workspaces and registries have is left to the service, and so is what may not be read.
func (c *checker) version(ctx context.Context, field, coll string, resolve func() (string, error), key string) {
	c.found(field, key, func() *azureml.Fault {
		id, err := resolve()
		if err != nil {
			return &azureml.Fault{Message: err.Error(), Cause: err}
		}
		prefix := c.r.c.id(coll, "")
		if len(id) <= len(prefix) || !strings.EqualFold(id[:len(prefix)], prefix) {
			return nil
		}
		name, version, ok := strings.Cut(id[len(prefix):], "/versions/")
		if !ok {
			return nil
		}
		return c.there(ctx, coll, fmt.Sprintf("%s %q", noun(coll), name+":"+version), name, "versions", version)
	})
}

func noun(coll string) string {
	switch coll {
	case "environments":
		return "environment"
	case "models":
		return "model"
	case "components":
		return "component"
	}
	return "data"
}

// datastore checks that the datastore of an address is there (Datastores_Get).
func (c *checker) datastore(field, address string) {
	if c.r == nil || !strings.HasPrefix(address, "azureml://") || strings.Contains(address, "${{") {
		return
	}
	ref, err := wire.ParseReference(address)
	w := c.r.c.rest.ID()
	if err != nil || ref.Kind != wire.DatastoreRef || ref.Datastore == assets.BlobStore || ref.Datastore == assets.ArtifactStore {
		return
	}
	if ref.Workspace != "" && !(strings.EqualFold(ref.Subscription, w.Subscription) && strings.EqualFold(ref.ResourceGroup, w.ResourceGroup) && strings.EqualFold(ref.Workspace, w.Name)) {
		return
	}
	c.found(field, "datastore "+ref.Datastore, func() *azureml.Fault {
		return c.there(c.context(), "datastores", fmt.Sprintf("datastore %q", ref.Datastore), ref.Datastore)
	})
}

// found adds a fault of what was looked up, which is done once for a key.
func (c *checker) found(field, key string, look func() *azureml.Fault) {
	m := c.remembered()
	f, known := m.exists[key]
	if !known {
		f = look()
		m.exists[key] = f
	}
	if f != nil {
		c.fault(&azureml.Fault{Field: field, Message: f.Message, Cause: f.Cause})
	}
}

// there reads a resource. Only that it is not there is a fault.
func (c *checker) there(ctx context.Context, coll, what string, segments ...string) *azureml.Fault {
	err := c.r.c.rest.Do(ctx, &rest.Call{Op: c.r.op, Method: http.MethodGet, Group: coll, Path: c.r.c.rest.Path(append([]string{coll}, segments...)...)})
	if errors.Is(err, azureml.ErrNotFound) {
		return &azureml.Fault{Message: "the workspace has no " + what, Cause: err}
	}
	return nil
}

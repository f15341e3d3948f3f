package assets

import (
	"context"
	"fmt"
	"net/http"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// ShareOptions name the copy. Nil keeps name and version.
type ShareOptions struct {
	Name, Version string
}

// share copies a version to a registry and gives its id there (Registries_Import, of the registry's own host).
func (k collection) share(ctx context.Context, name, version, registry string, o *ShareOptions) (azureml.Ref, error) {
	op := k.op("share", name, version)
	if err := checkID(op, name, version); err != nil {
		return "", err
	}
	if registry == "" {
		return "", fmt.Errorf("%s: the registry is missing", op)
	}
	to := ShareOptions{Name: name, Version: version}
	if o != nil && o.Name != "" {
		to.Name = o.Name
	}
	if o != nil && o.Version != "" {
		to.Version = o.Version
	}
	if err := checkID(op+": the copy", to.Name, to.Version); err != nil {
		return "", err
	}
	w, err := k.c.Workspace(ctx)
	if err != nil {
		return "", rest.WithOp(op, err)
	}
	r, err := k.c.RegistryInfo(ctx, registry)
	if err != nil {
		return "", rest.WithOp(op, err)
	}
	p, err := rest.Begin(ctx, k.c, &rest.Call{
		Op: op, Method: http.MethodPost, Plane: rest.Registry, Registry: registry, Path: r.Path("import"), Group: "registryAssets",
		Body: map[string]string{
			"sourceAssetId":   "azureml://locations/" + w.Location + "/workspaces/" + w.GUID + "/" + k.coll + "/" + name + "/versions/" + version,
			"destinationName": to.Name, "destinationVersion": to.Version,
		},
	}, rest.Nothing)
	if err != nil {
		return "", err
	}
	if _, err := p.PollUntilDone(ctx, nil); err != nil {
		return "", err
	}
	return azureml.Ref("azureml://registries/" + registry + "/" + k.coll + "/" + to.Name + "/versions/" + to.Version), nil
}

// Share copies a version of data, with its files, to a registry and gives its id there. A version that is there already is
// azureml.ErrConflict (Registries_Import).
func (c *DataClient) Share(ctx context.Context, name, version, registry string, o *ShareOptions) (azureml.Ref, error) {
	return c.share(ctx, name, version, registry, o)
}

// Share copies a version of a model, with its files, to a registry and gives its id there. A version that is there already
// is azureml.ErrConflict (Registries_Import).
func (c *ModelClient) Share(ctx context.Context, name, version, registry string, o *ShareOptions) (azureml.Ref, error) {
	return c.share(ctx, name, version, registry, o)
}

// Share copies a version of an environment to a registry and gives its id there. A version that is there already is
// azureml.ErrConflict (Registries_Import).
func (c *EnvironmentClient) Share(ctx context.Context, name, version, registry string, o *ShareOptions) (azureml.Ref, error) {
	return c.share(ctx, name, version, registry, o)
}

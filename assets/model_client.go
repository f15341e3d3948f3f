package assets

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path"
	"path/filepath"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// ModelClient makes and finds models. It is safe for use by many goroutines.
type ModelClient struct {
	collection
	stores *DatastoreClient
}

// NewModelClient makes the client on the workspace's shared one.
func NewModelClient(c *rest.Client) *ModelClient {
	return &ModelClient{collection{c, "models", "models"}, NewDatastoreClient(c)}
}

// Create registers a model (ModelVersions_CreateOrUpdate), after uploading a local path. Without a version it becomes the
// next one; without a name it is anonymous, known by its content's hash. m is not changed. A version that exists keeps its
// content: errors.Is(err, ErrPathFixed).
func (c *ModelClient) Create(ctx context.Context, m *Model, o *CreateOptions) (*Model, error) {
	model := *m
	op := c.op("create", model.Name, model.Version)
	var f faults
	model.check(&f)
	var tree *Tree
	var hash string
	if wire.IsLocalPath(model.Path) {
		tree = f.tree(ctx, "path", localPath(model.Path))
	}
	if err := errors.Join(f.err(op), rest.WithOp(op, ctx.Err())); err != nil {
		return nil, err
	}
	if tree != nil {
		var err error
		if tree, hash, err = hashTree(ctx, c.c, tree, o); err != nil {
			return nil, rest.WithOp(op, err)
		}
	}
	model.ID, model.Anonymous = "", model.Name == ""
	if model.Anonymous {
		model.Name, model.Version = sha(hash), "1"
		op = c.op("create", model.Name, model.Version)
	}
	if model.Version == "" { // before the upload, which is marked with it
		var err error
		if model.Version, err = c.nextVersion(ctx, op, model.Name); err != nil {
			return nil, err
		}
	}
	if tree != nil {
		up, err := c.stores.send(ctx, op, tree, hash, model.Datastore, model.Name, model.Version, o)
		if err != nil {
			return nil, err
		}
		model.Path = up.ShortURI()
	}
	model.Path = longURI(c.c, model.Path)
	return put[Model](ctx, c.collection, op, model.Name, model.Version, &model)
}

// longURI names the workspace in the address of a datastore's path, as services want it of models.
func longURI(c *rest.Client, uri string) string {
	m := shortDatastore.FindStringSubmatch(uri)
	if m == nil {
		return uri
	}
	id := c.ID()
	return fmt.Sprintf("azureml://subscriptions/%s/resourcegroups/%s/workspaces/%s/datastores/%s/paths/%s", id.Subscription, id.ResourceGroup, id.Name, m[1], m[2])
}

// Get reads a version (ModelVersions_Get).
func (c *ModelClient) Get(ctx context.Context, name, version string) (*Model, error) {
	return getVersion[Model](ctx, c.collection, name, version)
}

// GetByLabel reads the version with a label (ModelVersions_List, newest first).
func (c *ModelClient) GetByLabel(ctx context.Context, name, label string) (*Model, error) {
	if err := checkLabel(c.op("get", name, ""), label); err != nil {
		return nil, err
	}
	return newest[Model](ctx, c.collection, name)
}

// All yields the models, without what their versions say (ModelContainers_List).
func (c *ModelClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*Model, error] {
	return list[Model](ctx, c.collection, "", o)
}

// Versions yields the versions of a model (ModelVersions_List).
func (c *ModelClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*Model, error] {
	return list[Model](ctx, c.collection, name, o)
}

// Archive hides a version, or with version "" the model, from lists (ModelVersions_CreateOrUpdate,
// ModelContainers_CreateOrUpdate). It can be used all the same.
func (c *ModelClient) Archive(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, true)
}

// Restore undoes Archive (ModelVersions_Get, ModelVersions_CreateOrUpdate).
func (c *ModelClient) Restore(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, false)
}

// Delete removes a version; the bytes stay (ModelVersions_Delete).
func (c *ModelClient) Delete(ctx context.Context, name, version string) error {
	return c.delete(ctx, name, version)
}

// Download brings a version's content into the folder dir/NAME; a folder into dir/NAME/FOLDER
// (ModelVersions_Get, then the storage).
func (c *ModelClient) Download(ctx context.Context, name, version, dir string, o *DownloadOptions) (*Download, error) {
	m, err := c.Get(ctx, name, version)
	if err != nil {
		return nil, err
	}
	op := c.op("download", name, version)
	if dir == "" || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("%s: %q is no folder to download to", op, filepath.Join(dir, name))
	}
	dir = filepath.Join(dir, name)
	b, at, err := c.stores.locate(ctx, op, m.Path, 0)
	if err != nil {
		return nil, err
	}
	_, single, err := b.find(ctx, at)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if folder := path.Base(strings.TrimRight(at, "/")); !single && filepath.IsLocal(folder) {
		dir = filepath.Join(dir, folder)
	}
	return c.stores.fetchFrom(ctx, op, b, at, dir, o)
}

// Resolve gives the resource id of a model: of a reference by asking for its label where it has one, of an inline definition
// by registering it.
func (c *ModelClient) Resolve(ctx context.Context, s ModelSource, o *CreateOptions) (string, error) {
	switch m := s.(type) {
	case azureml.Ref:
		return c.resolve(ctx, m, func(ctx context.Context, name string) (string, error) {
			v, err := newest[Model](ctx, c.collection, name)
			if err != nil {
				return "", err
			}
			return v.Version, nil
		})
	case *Model:
		if m == nil {
			return "", fmt.Errorf("models: resolve: the model is nil")
		}
		if m.ID != "" {
			return m.ID, nil
		}
		made, err := c.Create(ctx, m, o)
		if err != nil {
			return "", err
		}
		return made.ID, nil
	}
	return "", fmt.Errorf("models: resolve: a %T is no model", s)
}

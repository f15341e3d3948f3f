package assets

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// EnvironmentClient makes and finds environments. It is safe for use by many goroutines.
type EnvironmentClient struct {
	collection
	stores *DatastoreClient
}

// NewEnvironmentClient makes the client on the workspace's shared one.
func NewEnvironmentClient(c *rest.Client) *EnvironmentClient {
	return &EnvironmentClient{collection{c, "environments", "environments"}, NewDatastoreClient(c)}
}

// Create registers an environment (EnvironmentVersions_CreateOrUpdate), after uploading a local build context. Without a name
// it is anonymous. With a name and no version the newest version is updated, or the next one made when it says something
// else. e is not changed.
func (c *EnvironmentClient) Create(ctx context.Context, e *Environment, o *CreateOptions) (*Environment, error) {
	env := *e
	op := c.op("create", env.Name, env.Version)
	tree, err := env.validate(ctx, op)
	if err != nil {
		return nil, err
	}
	hash := ""
	if tree != nil {
		if tree, hash, err = hashTree(ctx, c.c, tree, o); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	env.ID, env.Anonymous = "", env.Name == ""
	if env.Anonymous {
		env.Name = anonymousEnvironment
		if env.Version, err = env.anonymousVersion(hash); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		op = c.op("create", env.Name, env.Version)
	}
	next := ""
	if env.Version == "" {
		s, err := c.shelf(ctx, op, env.Name)
		if err != nil {
			return nil, err
		}
		env.Version = "1"
		if s != nil && s.Properties.LatestVersion != "" {
			env.Version, next = s.Properties.LatestVersion, s.Properties.NextVersion
		}
	}
	if tree != nil {
		up, err := c.stores.send(ctx, op, tree, hash, env.Datastore, env.Name, env.Version, o)
		if err != nil {
			return nil, err
		}
		if env.Anonymous && up.hash != hash { // the version names the content
			return nil, fmt.Errorf("%s: the files of %s changed while they were uploaded", op, tree.Root)
		}
		b := *env.Build
		b.Path = up.URL + "/"
		env.Build = &b
	}
	out, err := put[Environment](ctx, c.collection, op, env.Name, env.Version, &env)
	if next != "" && errors.Is(err, azureml.ErrConflict) {
		return put[Environment](ctx, c.collection, op, env.Name, next, &env)
	}
	return out, err
}

// Validate says what is wrong with the environment, its local build context and conda file included, as azureml.Faults. It
// makes no call.
func (e *Environment) Validate(ctx context.Context) error {
	c := *e // a conda file is read into it
	_, err := c.validate(ctx, "")
	return err
}

// validate gives a local build context; nil when there is none. The conda specification is read.
func (e *Environment) validate(ctx context.Context, op string) (*Tree, error) {
	var f faults
	e.check(&f)
	tree := e.context(ctx, &f)
	conda, err := e.Conda.resolve()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.add("conda_file", "there is no file %s", e.Conda.Path)
	case err != nil:
		f.add("conda_file", "%v", err)
	default:
		e.Conda = conda
	}
	if err := errors.Join(f.err(op), rest.WithOp(op, ctx.Err())); err != nil {
		return nil, err
	}
	return tree, nil
}

// context lists a local build context; nil when there is none.
func (e *Environment) context(ctx context.Context, f *faults) *Tree {
	if e.Build == nil || e.Build.Path == "" || !wire.IsLocalPath(e.Build.Path) {
		return nil
	}
	switch info, err := os.Stat(e.Build.Path); {
	case errors.Is(err, fs.ErrNotExist):
		f.add("build.path", "there is no folder %s; it must be a folder with a Dockerfile", e.Build.Path)
		return nil
	case err != nil:
		f.add("build.path", "%v; it must be a folder with a Dockerfile", err)
		return nil
	case !info.IsDir():
		f.add("build.path", "%s is a file; it must be a folder with a Dockerfile", e.Build.Path)
		return nil
	}
	t := f.tree(ctx, "build.path", e.Build.Path)
	if t == nil {
		return nil
	}
	want := e.Build.Dockerfile
	if want == "" {
		want = "Dockerfile"
	}
	want = filepath.ToSlash(filepath.Clean(want))
	for i := range t.Files {
		if t.Files[i].Name == want {
			return t
		}
	}
	f.add("build.dockerfile_path", "there is no %s in %s, or it is ignored", want, e.Build.Path)
	return t
}

// Get reads a version (EnvironmentVersions_Get).
func (c *EnvironmentClient) Get(ctx context.Context, name, version string) (*Environment, error) {
	return getVersion[Environment](ctx, c.collection, name, version)
}

// GetByLabel reads the version with a label (EnvironmentVersions_List, newest first).
func (c *EnvironmentClient) GetByLabel(ctx context.Context, name, label string) (*Environment, error) {
	if err := checkLabel(c.op("get", name, ""), label); err != nil {
		return nil, err
	}
	return newest[Environment](ctx, c.collection, name)
}

// All yields the environments, without what their versions say (EnvironmentContainers_List).
func (c *EnvironmentClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*Environment, error] {
	return list[Environment](ctx, c.collection, "", o)
}

// Versions yields the versions of an environment (EnvironmentVersions_List).
func (c *EnvironmentClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*Environment, error] {
	return list[Environment](ctx, c.collection, name, o)
}

// Archive hides a version, or with version "" the environment, from lists (EnvironmentVersions_CreateOrUpdate,
// EnvironmentContainers_CreateOrUpdate). It can be used all the same.
func (c *EnvironmentClient) Archive(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, true)
}

// Restore undoes Archive (EnvironmentVersions_Get, EnvironmentVersions_CreateOrUpdate).
func (c *EnvironmentClient) Restore(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, false)
}

// Delete removes a version (EnvironmentVersions_Delete).
func (c *EnvironmentClient) Delete(ctx context.Context, name, version string) error {
	return c.delete(ctx, name, version)
}

// Resolve gives the resource id of an environment: of a reference by asking for its label where it has one, of an inline
// definition by creating it.
func (c *EnvironmentClient) Resolve(ctx context.Context, s EnvironmentSource, o *CreateOptions) (string, error) {
	switch e := s.(type) {
	case azureml.Ref:
		return c.resolve(ctx, e, func(ctx context.Context, name string) (string, error) {
			v, err := newest[Environment](ctx, c.collection, name)
			if err != nil {
				return "", err
			}
			return v.Version, nil
		})
	case *Environment:
		if e == nil {
			return "", fmt.Errorf("environments: resolve: the environment is nil")
		}
		if e.ID != "" {
			return e.ID, nil
		}
		made, err := c.Create(ctx, e, o)
		if err != nil {
			return "", err
		}
		return made.ID, nil
	}
	return "", fmt.Errorf("environments: resolve: a %T is no environment", s)
}

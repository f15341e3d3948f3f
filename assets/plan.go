package assets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// UploadPlan is what an upload would do.
type UploadPlan struct {
	// Root is the file or folder here.
	Root string
	// Hash is the content's, by which it is found again: of code the hash of the snapshot.
	Hash string
	// Datastore is where it would go; "" for code, which goes to an address that the service gives.
	Datastore string
	// Target is where it is, or would be: a path in the datastore, or the id of a snapshot that is there.
	Target string
	// Reused is set when nothing would be sent, because it is there.
	Reused bool
	// Reason says why it is reused, or why not.
	Reason string
	// Files are all files; Bytes is how many of their bytes would be sent.
	Files []FilePlan
	Bytes int64
}

// FilePlan is one file of an UploadPlan.
type FilePlan struct {
	Name string
	Size int64
	// Sent tells whether the file would be sent.
	Sent bool
}

func (t *Tree) plan(hash string) *UploadPlan {
	p := &UploadPlan{Root: t.Root, Hash: hash, Files: make([]FilePlan, len(t.Files))}
	for i, f := range t.Files {
		p.Files[i] = FilePlan{Name: f.Name, Size: f.Size}
	}
	return p
}

func (p *UploadPlan) send(is func(i int) bool) {
	for i := range p.Files {
		if f := &p.Files[i]; is(i) {
			f.Sent = true
			p.Bytes += f.Size
		}
	}
}

// Plan says what Create would do with a folder or file here that is to be an anonymous snapshot, without doing it
// (CodeVersions_List).
func (c *CodeClient) Plan(ctx context.Context, code *Code, o *CodeOptions) (*UploadPlan, error) {
	if o == nil {
		o = &CodeOptions{}
	}
	op := fmt.Sprintf("%s: plan a snapshot of %q", c.noun, code.Path)
	if code.Path == "" || !wire.IsLocalPath(code.Path) {
		return nil, fmt.Errorf("%s: the path is no folder or file here", op)
	}
	var f faults
	tree := f.snapshot(ctx, "path", localPath(code.Path), o)
	if err := errors.Join(f.err(op), rest.WithOp(op, ctx.Err())); err != nil {
		return nil, err
	}
	hash, err := c.hash(ctx, tree, o)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	p := tree.plan(hash)
	// The service goes by the hash alone, whatever the name.
	found, err := c.find(ctx, op, "plan", hash)
	if err != nil {
		return nil, err
	}
	if found != nil {
		p.Target, p.Reused, p.Reason = found.ID, true, "a snapshot of this content is there"
		return p, nil
	}
	p.Reason = "no snapshot of this content is there"
	p.send(func(int) bool { return true })
	return p, nil
}

// Plan says what Upload would do, without doing it: the datastore is read, with its key (Datastores_Get,
// Datastores_ListSecrets), and what is there already is looked at.
func (c *DatastoreClient) Plan(ctx context.Context, path string, o *UploadOptions) (*UploadPlan, error) {
	if o == nil {
		o = &UploadOptions{}
	}
	op := fmt.Sprintf("datastores: plan an upload of %q", path)
	tree, hash, err := scan(ctx, c.c, path, &CreateOptions{Progress: o.Progress, Concurrency: o.Concurrency})
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	return c.plan(ctx, op, tree, hash, o.Datastore)
}

func (c *DatastoreClient) plan(ctx context.Context, op string, tree *Tree, hash, datastore string) (*UploadPlan, error) {
	store, err := storeName(datastore)
	if err != nil {
		return nil, fmt.Errorf("%s: datastore: %w", op, err)
	}
	b, err := c.open(ctx, op, store, "")
	if err != nil {
		return nil, err
	}
	p := tree.plan(hash)
	up, _, dest := b.placed(tree, uploadFolder+"/"+hash, "", "")
	there, err := b.confirmed(ctx, up)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	p.Datastore, p.Target, p.Reused = store, up.Path, up.Reused
	switch {
	case up.Reused:
		p.Reason = "this content was uploaded before"
	case !there:
		p.Reason = "this content is not there"
		p.send(func(int) bool { return true })
	default:
		p.Reason = "an upload of this content was broken off"
		have, err := b.index(ctx, up.Path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		var faulty error
		p.send(func(i int) bool {
			f := &tree.Files[i]
			r, ok := have[dest(f)]
			if !ok || r.size != f.Size || len(r.md5) == 0 {
				return true
			}
			same, err := f.hasMD5(ctx, r.md5)
			faulty = errors.Join(faulty, err)
			return !same
		})
		if faulty != nil {
			return nil, fmt.Errorf("%s: %w", op, faulty)
		}
	}
	return p, nil
}

// hasMD5 tells whether the file's content has a sum.
func (f *File) hasMD5(ctx context.Context, sum []byte) (bool, error) {
	in, err := os.Open(f.Path)
	if err != nil {
		return false, err
	}
	defer in.Close() //nolint:errcheck // read only
	return hasMD5(ctx, in, sum)
}

// EnvironmentPlan is what registering an environment would do.
type EnvironmentPlan struct {
	Name, Version string
	// ID is the version's id when it is there, "" when it would be made.
	ID string
	// Reason says why it is reused, or made.
	Reason string
	// Upload is its local build context; nil when it has none.
	Upload *UploadPlan
}

// Plan says what Create would do, without doing it (EnvironmentContainers_Get, EnvironmentVersions_Get).
func (c *EnvironmentClient) Plan(ctx context.Context, e *Environment) (*EnvironmentPlan, error) {
	env := *e
	op := c.op("plan", env.Name, env.Version)
	tree, err := env.validate(ctx, op)
	if err != nil {
		return nil, err
	}
	hash := ""
	p := &EnvironmentPlan{Name: env.Name, Version: env.Version}
	if tree != nil {
		if hash, err = tree.ObjectHash(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		if p.Upload, err = c.stores.plan(ctx, op, tree, hash, env.Datastore); err != nil {
			return nil, err
		}
	}
	if env.Name == "" {
		p.Name = anonymousEnvironment
		if p.Version, err = env.anonymousVersion(hash); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	next := ""
	if p.Version == "" {
		s, err := c.shelf(ctx, op, p.Name)
		if err != nil {
			return nil, err
		}
		if p.Version = "1"; s != nil && s.Properties.LatestVersion != "" {
			p.Version, next = s.Properties.LatestVersion, s.Properties.NextVersion
		}
	}
	there := new(Environment)
	call := c.call(op, http.MethodGet, c.path(p.Name, p.Version))
	call.Out = there
	switch err := c.c.Do(ctx, call); {
	case errors.Is(err, azureml.ErrNotFound):
		p.Reason = "there is no such version"
	case err != nil:
		return nil, err
	case env.Name != "" && !env.says(there, hash) && next != "":
		p.Reason, p.Version = fmt.Sprintf("the newest version, %s, says something else", p.Version), next
	default:
		p.ID, p.Reason = there.ID, "a version that says the same is there"
		if env.Name != "" && !env.says(there, hash) {
			p.Reason = "the version is there and would be changed, where the service lets it be"
		}
	}
	return p, nil
}

// says tells whether an environment that is there has the same content. hash is that of the local build context.
func (e *Environment) says(there *Environment, hash string) bool {
	switch {
	case (e.Build == nil) != (there.Build == nil):
		return false
	case e.Build != nil && hash != "" && !strings.Contains(there.Build.Path, hash):
		return false
	case e.Build != nil && (hash == "" && e.Build.Path != there.Build.Path || e.Build.Dockerfile != there.Build.Dockerfile):
		return false
	}
	spell := func(e *Environment) ([]byte, error) {
		m, err := wire.ToREST(&Environment{Image: e.Image, Conda: e.Conda, InferenceConfig: e.InferenceConfig})
		if err != nil {
			return nil, err
		}
		return wire.PythonJSON(m)
	}
	mine, err := spell(e)
	theirs, other := spell(there)
	return err == nil && other == nil && bytes.Equal(mine, theirs)
}

package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
)

// CreateOptions are the choices of creating an asset whose content is here.
type CreateOptions struct {
	// Progress is told how far the upload is.
	Progress func(Progress)
	// Concurrency is how many files are in flight. Defaults to 192 where files are small, else 32.
	Concurrency int
}

// UploadOptions are the choices of Upload.
type UploadOptions struct {
	// Datastore is a name or reference. Defaults to the workspace's blob store.
	Datastore string
	// Progress is told how far the upload is.
	Progress func(Progress)
	// Concurrency is how many files are in flight. Defaults to 192 where files are small, else 32.
	Concurrency int
}

// DownloadOptions are the choices of Download.
type DownloadOptions struct {
	// Match are patterns of the files that are wanted, as in an ignore file: *.onnx, checkpoints/**/last.pt, !*.tmp. They are held
	// against the path below the address; the last that matches decides. Defaults to all files.
	Match []string
	// Progress is told how far the download is.
	Progress func(Progress)
	// Concurrency is how many files are in flight. Defaults to 192 where files are small, else 32.
	Concurrency int
}

func (o *CreateOptions) transfer(c *rest.Client) transfer {
	if o == nil {
		o = &CreateOptions{}
	}
	return transfer{o.Concurrency, newProgress(o.Progress, c.Clock().Now)}
}

// Upload sends a file or folder to a datastore, into a folder that its content names, unless it is there already. What
// ignore files exclude stays here. The result's ShortURI is what an input of a job takes.
func (c *DatastoreClient) Upload(ctx context.Context, path string, o *UploadOptions) (*Upload, error) {
	if o == nil {
		o = &UploadOptions{}
	}
	op := fmt.Sprintf("datastores: upload %q", path)
	co := &CreateOptions{Progress: o.Progress, Concurrency: o.Concurrency}
	tree, hash, err := scan(ctx, c.c, path, co)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	return c.send(ctx, op, tree, hash, o.Datastore, uuid.NewString(), uuid.NewString(), co)
}

// scan lists and hashes what is to be uploaded: what cannot be read shows here, before anything is sent.
func scan(ctx context.Context, c *rest.Client, path string, o *CreateOptions) (*Tree, string, error) {
	return scanTree(ctx, c, path, nil, o)
}

func scanTree(ctx context.Context, c *rest.Client, path string, w *WalkOptions, o *CreateOptions) (*Tree, string, error) {
	tree, err := Walk(ctx, path, w)
	if err != nil {
		return nil, "", err
	}
	if len(tree.Files) == 0 {
		return nil, "", emptyFolder(tree)
	}
	return hashTree(ctx, c, tree, o)
}

// tree lists what is to be uploaded; what is wrong with it is a fault of the field. It gives nil when there is one already.
func (f *faults) tree(ctx context.Context, field, path string) *Tree {
	return f.walk(ctx, field, path, nil)
}

func (f *faults) walk(ctx context.Context, field, path string, o *WalkOptions) *Tree {
	if f.has(field) {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		f.local(field, path, err)
		return nil
	}
	switch tree, err := Walk(ctx, path, o); {
	case err != nil:
		f.cause(field, err)
	case len(tree.Files) == 0:
		f.cause(field, emptyFolder(tree))
	default:
		return tree
	}
	return nil
}

func hashTree(ctx context.Context, c *rest.Client, tree *Tree, o *CreateOptions) (*Tree, string, error) {
	hash, err := tree.hashes(ctx, cacheOf(c), o.transfer(c).progress, kindObject)
	if err != nil {
		return nil, "", err
	}
	return tree, hash[0], nil
}

func emptyFolder(t *Tree) error {
	return fmt.Errorf("the folder %s is empty, or all its files are ignored: there is nothing to upload", t.Root)
}

// send uploads a tree to a datastore. name and version go into the confirmation.
func (c *DatastoreClient) send(ctx context.Context, op string, tree *Tree, hash, datastore, name, version string, o *CreateOptions) (*Upload, error) {
	if len(tree.Files) == 0 {
		return nil, rest.WithOp(op, emptyFolder(tree))
	}
	store, err := storeName(datastore)
	if err != nil {
		return nil, fmt.Errorf("%s: datastore: %w", op, err)
	}
	b, err := c.open(ctx, op, store, "")
	if err != nil {
		return nil, err
	}
	tr := o.transfer(c.c)
	for try := 1; ; try++ {
		up, err := b.upload(ctx, tree, uploadFolder+"/"+hash, name, version, tr)
		if err == nil {
			up.Datastore, up.hash = store, hash
			return up, nil
		}
		if !tree.doubtful(err) || try == changedTries {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		if err := tree.again(ctx); err != nil {
			return nil, rest.WithOp(op, err)
		}
		if tree, hash, err = hashTree(ctx, c.c, tree, o); err != nil {
			return nil, rest.WithOp(op, err)
		}
	}
}

// Download brings a file or folder into the folder dir: azureml://datastores/NAME/paths/PATH (short or long),
// azureml://jobs/JOB/outputs/NAME/paths/PATH, runs:/RUN/PATH, or the address of a blob in the workspace's storage. A file
// comes under its own name, a folder's files under their names in it. Files that are there are replaced. Nothing found is an
// error, azureml.ErrNotFound.
func (c *DatastoreClient) Download(ctx context.Context, uri, dir string, o *DownloadOptions) (*Download, error) {
	op := fmt.Sprintf("datastores: download %q", uri)
	return c.fetch(ctx, op, uri, dir, o)
}

func (c *DatastoreClient) fetch(ctx context.Context, op, uri, dir string, o *DownloadOptions) (*Download, error) {
	b, path, err := c.locate(ctx, op, uri, 0)
	if err != nil {
		return nil, err
	}
	return c.fetchFrom(ctx, op, b, path, dir, o)
}

func (c *DatastoreClient) fetchFrom(ctx context.Context, op string, b *box, path, dir string, o *DownloadOptions) (*Download, error) {
	if o == nil {
		o = &DownloadOptions{}
	}
	if dir == "" {
		return nil, fmt.Errorf("%s: the folder to download to is not named", op)
	}
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: %s is a file, not a folder", op, dir)
	}
	var match *Ignore
	if len(o.Match) > 0 {
		a, lerr := newAutomaton(o.Match)
		if lerr != nil {
			return nil, fmt.Errorf("%s: Match: the pattern %q is not valid: %w", op, lerr.text, lerr.err)
		}
		match = &Ignore{a: a}
	}
	d, err := b.download(ctx, path, dir, match, transfer{o.Concurrency, newProgress(o.Progress, c.c.Clock().Now)})
	if errors.Is(err, errNothing) {
		return nil, fmt.Errorf("%s: %w: %w", op, err, azureml.ErrNotFound)
	}
	return d, rest.WithOp(op, err)
}

// maxSteps bounds how often an address may lead to another.
const maxSteps = 4

// locate opens the container that an address points into, and gives the path in it.
func (c *DatastoreClient) locate(ctx context.Context, op, uri string, steps int) (*box, string, error) {
	l, err := parseLocation(uri)
	if err != nil {
		return nil, "", rest.WithOp(op, err)
	}
	if steps > maxSteps {
		return nil, "", fmt.Errorf("%s: the address leads in a circle", op)
	}
	switch {
	case l.datastore != "":
		id := c.c.ID()
		if l.workspace != "" && (!strings.EqualFold(l.subscription, id.Subscription) || !strings.EqualFold(l.resourceGroup, id.ResourceGroup) || !strings.EqualFold(l.workspace, id.Name)) {
			return nil, "", fmt.Errorf("%s: the address is in the workspace %s, not in %s", op, l.workspace, id.Name)
		}
		b, err := c.open(ctx, op, l.datastore, "")
		return b, l.path, err
	case l.run != "":
		b, err := c.open(ctx, op, ArtifactStore, "")
		return b, runPath(l.run, l.path), err
	case l.job != "":
		at, err := c.jobOutput(ctx, op, l)
		if err != nil {
			return nil, "", err
		}
		return c.locate(ctx, op, at, steps+1)
	}
	b, path, err := c.openAddress(ctx, op, l)
	return b, path, rest.WithOp(op, err)
}

// runPath is where a run's artifacts are in the artifact store.
func runPath(run, path string) string { return "ExperimentRun/dcid." + run + "/" + path }

// jobOutput finds where an output of a job is (Jobs_Get).
func (c *DatastoreClient) jobOutput(ctx context.Context, op string, l *location) (string, error) {
	if l.output == "artifacts" {
		return shortURI(ArtifactStore, runPath(l.job, l.path)), nil
	}
	var doc struct {
		Properties struct {
			Outputs map[string]*struct {
				URI string `json:"uri"`
			} `json:"outputs"`
		} `json:"properties"`
	}
	var raw json.RawMessage
	if err := c.c.Do(ctx, &rest.Call{Op: op, Method: http.MethodGet, Path: c.c.Path("jobs", l.job), Group: "jobs", Out: &raw}); err != nil {
		return "", err
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", fmt.Errorf("%s: reading the job: %w", op, err)
	}
	out, declared := doc.Properties.Outputs[l.output]
	switch {
	case declared && out != nil && out.URI != "" && !strings.Contains(out.URI, "${{"):
		return strings.TrimSuffix(out.URI, "/") + "/" + l.path, nil
	case l.output == "default" || declared:
		return shortURI(BlobStore, "azureml/"+l.job+"/"+l.output+"/"+l.path), nil
	}
	return "", fmt.Errorf("%s: the job %q has no output %q: %w", op, l.job, l.output, azureml.ErrNotFound)
}

// openAddress opens the container of a blob's address, with the credentials of the datastore that knows it.
func (c *DatastoreClient) openAddress(ctx context.Context, op string, l *location) (*box, string, error) {
	protocol, account, endpoint, container, path, err := l.blob()
	if err != nil {
		return nil, "", err
	}
	var same Datastore // of the same account: a key of it opens all its containers
	for s, err := range c.All(ctx, nil) {
		if err != nil {
			return nil, "", err
		}
		bs, ok := s.(*BlobStorage)
		if !ok || bs.Account != account || !strings.EqualFold(bs.Endpoint, endpoint) {
			continue
		}
		if bs.Container == container {
			b, err := c.openStore(ctx, op, s, "")
			return b, path, err
		}
		if same == nil || s.DatastoreName() == BlobStore {
			same = s
		}
	}
	if same != nil {
		b, err := c.openStore(ctx, op, same, container)
		return b, path, err
	}
	b, err := openContainer(c.c, protocol, account, endpoint, container, access{})
	return b, path, err
}

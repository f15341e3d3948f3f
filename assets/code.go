package assets

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// MaxSnapshot is how large a code snapshot may be, in bytes: 300 MB, the documented limit of the service.
const MaxSnapshot = 300 << 20

// Code is a snapshot of files that a job or deployment runs.
type Code struct {
	azureml.Meta
	// Name is a random id, and Version 1, when both are missing: the snapshot is anonymous then.
	Name    string `yaml:"name" json:"-"`
	Version string `yaml:"version,text" json:"-"`
	// Path is a folder or file here, or the address of a snapshot.
	Path string `yaml:"path,required,local" json:"codeUri"`

	Anonymous bool `yaml:"-" json:"isAnonymous,keep"`
	// Properties carry the hash by which the snapshot is found again: hash_sha256 and hash_version.
	Properties map[string]any `yaml:"-" json:"properties,keep"`

	doc wire.Document
}

var codeLayout = wire.Layout{Name: "code", Base: "properties"}

// WireLayout says where REST nests differently.
func (Code) WireLayout() *wire.Layout { return &codeLayout }

// WireDocument keeps what was read.
func (c *Code) WireDocument() *wire.Document { return &c.doc }

// AfterDecodeWire takes name and version from the id.
func (c *Code) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	identify(d, n, &c.Name, &c.Version)
}

// CodeOptions are the choices of creating a snapshot.
type CodeOptions struct {
	// Ignore is what to leave out. Defaults to the ignore file in the root of the folder.
	Ignore *Ignore
	// Extra patterns follow those of the ignore file: components leave out __pycache__. Not used with Ignore.
	Extra []string
	// MaxSize bounds the snapshot, in bytes. Defaults to MaxSnapshot; negative is no bound.
	MaxSize int64
	// Progress is told how far the upload is.
	Progress func(Progress)
	// Concurrency is how many files are in flight. Defaults to 192 where files are small, else 32.
	Concurrency int
}

// SizeError says that a snapshot is too large.
type SizeError struct {
	Root         string
	Size, Limit  int64
	Files        int
	LargestFiles []File
}

func (e *SizeError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the snapshot of %s has %s in %d files, and %s is the limit: put data into a data asset, or list what the code does not need in %s; the largest files are",
		e.Root, megabytes(e.Size), e.Files, megabytes(e.Limit), amlIgnore)
	for i, f := range e.LargestFiles {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, " %s (%s)", f.Name, megabytes(f.Size))
	}
	return b.String()
}

func megabytes(n int64) string { return strconv.FormatFloat(float64(n)/(1<<20), 'f', 1, 64) + " MB" }

// CodeClient makes and finds code snapshots. It is safe for use by many goroutines.
type CodeClient struct {
	collection
	stores *DatastoreClient
}

// NewCodeClient makes the client on the workspace's shared one.
func NewCodeClient(c *rest.Client) *CodeClient {
	return &CodeClient{collection{c, "codes", "codes"}, NewDatastoreClient(c)}
}

// Create makes a snapshot (CodeVersions_CreateOrUpdate): the same content that was uploaded before is found by its hash
// (CodeVersions_List) and used again, otherwise it is uploaded to an address that the service gives
// (CodeVersions_CreateOrGetStartPendingUpload). code is not changed.
func (c *CodeClient) Create(ctx context.Context, code *Code, o *CodeOptions) (*Code, error) {
	if o == nil {
		o = &CodeOptions{}
	}
	snap := *code
	op := fmt.Sprintf("%s: create a snapshot of %q", c.noun, snap.Path)
	var f faults
	if snap.Name != "" {
		f.asset(snap.Name, snap.Version)
		if snap.Version == "" {
			f.add("version", "is required with a name")
		}
	} else if snap.Version != "" {
		f.add("name", "is required with a version")
	}
	if snap.Path == "" {
		f.add("path", "is required: a folder or file here")
	} else if strings.HasPrefix(snap.Path, "git+") {
		f.add("path", "code from git is not supported; clone it and name the folder")
	}
	var tree *Tree
	if wire.IsLocalPath(snap.Path) {
		tree = f.snapshot(ctx, "path", localPath(snap.Path), o)
	}
	if err := errors.Join(f.err(op), rest.WithOp(op, ctx.Err())); err != nil {
		return nil, err
	}
	snap.ID = ""
	if snap.Name == "" {
		snap.Name, snap.Version, snap.Anonymous = uuid.NewString(), "1", true
	}
	if tree == nil {
		return put[Code](ctx, c.collection, op, snap.Name, snap.Version, &snap)
	}
	for try := 1; ; try++ {
		made, err := c.create(ctx, op, snap, tree, o)
		if err == nil || !tree.doubtful(err) || try == changedTries {
			return made, err
		}
		if err := tree.again(ctx); err != nil {
			return nil, rest.WithOp(op, err)
		}
		if snap.Anonymous { // what was sent lies under the old name
			snap.Name = uuid.NewString()
		}
	}
}

// create makes a snapshot of a tree, unless there is one of the same content.
func (c *CodeClient) create(ctx context.Context, op string, snap Code, tree *Tree, o *CodeOptions) (*Code, error) {
	hash, err := c.hash(ctx, tree, o)
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	if found, err := c.find(ctx, op, snap.Name, hash); err != nil || found != nil {
		return found, err
	}
	if err := c.upload(ctx, op, &snap, tree, o); err != nil {
		return nil, err
	}
	snap.Properties = map[string]any{"hash_sha256": hash, "hash_version": HashVersion}
	return put[Code](ctx, c.collection, op, snap.Name, snap.Version, &snap)
}

// snapshot lists the files, and refuses what the service would.
func (f *faults) snapshot(ctx context.Context, field, path string, o *CodeOptions) *Tree {
	tree := f.walk(ctx, field, path, &WalkOptions{Ignore: o.Ignore, Extra: o.Extra})
	if tree == nil {
		return nil
	}
	if err := tree.CheckSize(o.MaxSize); err != nil {
		f.cause(field, err)
		return nil
	}
	return tree
}

func (c *CodeClient) hash(ctx context.Context, tree *Tree, o *CodeOptions) (string, error) {
	hash, err := tree.hashes(ctx, cacheOf(c.c), newProgress(o.Progress, c.c.Clock().Now), kindContent)
	if err != nil {
		return "", err
	}
	return hash[0], nil
}

// CheckSize gives a *SizeError when the tree is larger than limit bytes; 0 is MaxSnapshot, negative no bound.
func (t *Tree) CheckSize(limit int64) error {
	if limit == 0 {
		limit = MaxSnapshot
	}
	if limit < 0 || t.Size <= limit {
		return nil
	}
	return &SizeError{Root: t.Root, Size: t.Size, Limit: limit, Files: len(t.Files), LargestFiles: t.Largest(5)}
}

// find looks for a snapshot of the same content. The service goes by the hash alone.
func (c *CodeClient) find(ctx context.Context, op, name, hash string) (*Code, error) {
	call := c.call(op, http.MethodGet, c.c.Path(c.coll, name, "versions"))
	call.Query = url.Values{"hash": {hash}, "hashVersion": {strconv.Itoa(HashVersion)}}
	for v, err := range rest.All(ctx, c.c, call, rest.As[Code]) {
		if err != nil {
			return nil, err
		}
		return c.Get(ctx, v.Name, v.Version)
	}
	return nil, nil
}

// pending asks where a snapshot's files are to go: the container's address, and the same with a signature
// (CodeVersions_CreateOrGetStartPendingUpload).
func (c *CodeClient) pending(ctx context.Context, op string, snap *Code) (address, signed string, err error) {
	var pending struct {
		Blob struct {
			URI        string `json:"blobUri"`
			Credential struct {
				SASURI string `json:"sasUri"`
			} `json:"credential"`
		} `json:"blobReferenceForConsumption"`
	}
	call := c.call(op, http.MethodPost, c.path(snap.Name, snap.Version)+"/startPendingUpload")
	call.Body, call.Out, call.Idempotent = map[string]any{"pendingUploadType": "TemporaryBlobReference"}, &pending, true
	err = c.c.Do(ctx, call)
	return strings.TrimRight(pending.Blob.URI, "/"), pending.Blob.Credential.SASURI, err
}

// upload sends the files to an address that the service gives, and sets the snapshot's path.
func (c *CodeClient) upload(ctx context.Context, op string, snap *Code, tree *Tree, o *CodeOptions) error {
	base, signed, err := c.pending(ctx, op, snap)
	if err != nil {
		return err
	}
	b, err := openSAS(c.c, signed, func(ctx context.Context) (string, error) {
		_, signed, err := c.pending(ctx, op, snap)
		return signed, err
	})
	if err != nil {
		return rest.WithOp(op, err)
	}
	up, err := b.upload(ctx, tree, "", snap.Name, snap.Version, transfer{o.Concurrency, newProgress(o.Progress, c.c.Clock().Now)})
	if err != nil {
		return rest.WithOp(op, err)
	}
	if base == "" {
		base = b.address
	}
	snap.Path = base + "/" // code is a folder: one file alone is in the container's root
	if !up.IsFile {
		snap.Path += up.Path
	}
	if up.Reused && snap.Anonymous && up.Name != "" && up.Version != "" {
		snap.Name, snap.Version = up.Name, up.Version
	}
	return nil
}

// Get reads a snapshot's description (CodeVersions_Get).
func (c *CodeClient) Get(ctx context.Context, name, version string) (*Code, error) {
	return getVersion[Code](ctx, c.collection, name, version)
}

// All yields the code assets (CodeContainers_List).
func (c *CodeClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*Code, error] {
	return list[Code](ctx, c.collection, "", o)
}

// Versions yields the versions of a code asset (CodeVersions_List).
func (c *CodeClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*Code, error] {
	return list[Code](ctx, c.collection, name, o)
}

// Delete removes a version; the bytes stay (CodeVersions_Delete).
func (c *CodeClient) Delete(ctx context.Context, name, version string) error {
	return c.delete(ctx, name, version)
}

// Download brings a snapshot's files into the folder dir (CodeVersions_Get, then the storage).
func (c *CodeClient) Download(ctx context.Context, name, version, dir string, o *DownloadOptions) (*Download, error) {
	code, err := c.Get(ctx, name, version)
	if err != nil {
		return nil, err
	}
	return c.stores.fetch(ctx, c.op("download", name, version), code.Path, dir, o)
}

// Resolve gives the resource id of a reference to a snapshot. There are no labels.
func (c *CodeClient) Resolve(ctx context.Context, ref azureml.Ref) (string, error) {
	return c.resolve(ctx, ref, func(_ context.Context, name string) (string, error) {
		return "", fmt.Errorf("codes: resolve %q: code has no labels, name a version", name)
	})
}

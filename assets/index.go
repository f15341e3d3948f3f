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

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// Index is a folder with an index of documents, for search by meaning, under a name and version.
type Index struct {
	azureml.Meta
	Name string `yaml:"name,required" json:"name,ro"`
	// Version defaults to the next number.
	Version     string            `yaml:"version,text" json:"version,ro"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,typed" json:"tags"`
	Properties  map[string]string `yaml:"properties" json:"properties"`
	// Stage defaults to Development. Any word is taken.
	Stage string `yaml:"stage" json:"stage,default=Development"`
	// Path is a file or folder here, which is uploaded, or an address. Required.
	Path string `yaml:"path,required,local" json:"storageUri"`
	// Datastore is where a local path is uploaded. Defaults to the workspace's blob store.
	Datastore string `yaml:"datastore" json:"-"`
	// AutoDelete is taken from YAML and not sent: the service has no place for it.
	AutoDelete *AutoDelete `yaml:"auto_delete_setting" json:"-"`

	doc wire.Document
}

var indexLayout = wire.Layout{Name: "index"}

// WireLayout names the kind.
func (Index) WireLayout() *wire.Layout { return &indexLayout }

// WireDocument keeps what was read.
func (x *Index) WireDocument() *wire.Document { return &x.doc }

// AfterDecodeWire takes name and version from the id.
func (x *Index) AfterDecodeWire(d *wire.Decoding, n *wire.Node) { identify(d, n, &x.Name, &x.Version) }

// Validate says what is wrong with the index, as azureml.Faults. It makes no call.
func (x *Index) Validate() error {
	var f faults
	x.check(&f)
	return f.err("")
}

func (x *Index) check(f *faults) {
	f.asset(x.Name, x.Version)
	if x.Path == "" {
		f.add("path", "is required: a file or folder here, or an address")
	}
}

// IndexClient registers and finds indexes. It is safe for use by many goroutines.
type IndexClient struct {
	collection
	stores *DatastoreClient
}

// NewIndexClient makes the client on the workspace's shared one.
func NewIndexClient(c *rest.Client) *IndexClient {
	return &IndexClient{collection{c, "indexes", "indexes"}, NewDatastoreClient(c)}
}

// call is one of the generic asset service, in the workspace's region.
func (c *IndexClient) call(op, method string, segs ...string) *rest.Call {
	return &rest.Call{Op: op, Method: method, Plane: rest.ML, Group: c.coll, Path: "/genericasset" + c.c.Path(append([]string{c.coll}, segs...)...)}
}

// Create registers an index (Indexes_CreateOrUpdate), after uploading a local path. Without a version it becomes the next
// one (Indexes_GetNextVersion). x is not changed. A version that exists keeps its content: errors.Is(err, azureml.ErrConflict).
func (c *IndexClient) Create(ctx context.Context, x *Index, o *CreateOptions) (*Index, error) {
	if x == nil {
		return nil, errors.New("indexes: create: the index is nil")
	}
	index := *x
	op := c.op("create", index.Name, index.Version)
	var f faults
	index.check(&f)
	var tree *Tree
	var hash string
	if index.Path != "" && wire.IsLocalPath(index.Path) {
		tree = f.tree(ctx, "path", localPath(index.Path))
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
	if index.Version == "" {
		next := c.call(op, http.MethodPost, index.Name+":getNextVersion")
		next.Idempotent = true
		v, err := rest.Ask[struct {
			Next *int64 `json:"nextVersion"`
		}](ctx, c.c, next)
		if err != nil {
			return nil, err
		}
		if v.Next == nil {
			return nil, fmt.Errorf("%s: version: the service gives none; give one", op)
		}
		index.Version = strconv.FormatInt(*v.Next, 10)
	}
	if tree != nil {
		up, err := c.stores.send(ctx, op, tree, hash, index.Datastore, index.Name, index.Version, o)
		if err != nil {
			return nil, err
		}
		index.Path = longURI(c.c, up.ShortURI())
	}
	body, err := index.body()
	if err != nil {
		return nil, rest.WithOp(op, err)
	}
	call := c.call(op, http.MethodPut, index.Name, "versions", index.Version)
	call.Body = body
	return rest.Ask[Index](ctx, c.c, call)
}

// body is what is sent: on the document that the index was read from if that is of the same version.
func (x *Index) body() (map[string]any, error) {
	id := x.doc.ID()
	if !strings.HasSuffix(id, "/indexes/"+x.Name+"/versions/"+x.Version) {
		id = ""
	}
	return wire.Body(x, id)
}

// Get reads a version (Indexes_Get).
func (c *IndexClient) Get(ctx context.Context, name, version string) (*Index, error) {
	op := c.op("get", name, version)
	if err := checkID(op, name, version); err != nil {
		return nil, err
	}
	return rest.Ask[Index](ctx, c.c, c.call(op, http.MethodGet, name, "versions", version))
}

// GetByLabel reads the version with a label (Indexes_GetLatest).
func (c *IndexClient) GetByLabel(ctx context.Context, name, label string) (*Index, error) {
	op := c.op("get", name, "") + " " + Latest
	if err := checkLabel(op, label); err != nil {
		return nil, err
	}
	return rest.Ask[Index](ctx, c.c, c.call(op, http.MethodGet, name))
}

// All yields the newest version of each index (Indexes_ListLatest).
func (c *IndexClient) All(ctx context.Context) iter.Seq2[*Index, error] {
	return rest.All(ctx, c.c, c.call(c.noun+": list", http.MethodGet), rest.As[Index])
}

// Versions yields the versions of an index (Indexes_List). Of the options, View counts.
func (c *IndexClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*Index, error] {
	call := c.call(c.op("list versions of", name, ""), http.MethodGet, name, "versions")
	call.Query = url.Values{"listViewType": {string(Active)}}
	if o != nil && o.View != "" {
		call.Query.Set("listViewType", string(o.View))
	}
	return rest.All(ctx, c.c, call, rest.As[Index])
}

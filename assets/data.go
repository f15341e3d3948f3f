package assets

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// DataType is what a data asset is.
type DataType string

// The types of data.
const (
	URIFile   DataType = "uri_file"
	URIFolder DataType = "uri_folder"
	MLTable   DataType = "mltable" // a folder with a file MLTable
)

var dataTypes = wire.SameEnum("uri_file", "uri_folder", "mltable")

// WireEnum lists the spellings.
func (DataType) WireEnum() *wire.Enum { return dataTypes }

// Data is a file or folder that the workspace knows by name and version.
type Data struct {
	azureml.Meta
	// Name is required.
	Name string `yaml:"name" json:"-"`
	// Version defaults to the next number.
	Version     string            `yaml:"version,text" json:"-"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,typed" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,ro" json:"properties,keep"`
	// Type defaults to URIFolder.
	Type DataType `yaml:"type" json:"dataType,default=uri_folder"`
	// Path is a file or folder here, which is uploaded, or an address: azureml://datastores/NAME/paths/PATH, https://…
	Path string `yaml:"path,required,local" json:"dataUri"`
	// Datastore is where a local path is uploaded. Defaults to the workspace's blob store.
	Datastore  string      `yaml:"datastore" json:"-"`
	AutoDelete *AutoDelete `yaml:"auto_delete_setting" json:"autoDeleteSetting"`
	// ReferencedURIs are the paths in the file of an MLTable. They are read from it when it is here.
	ReferencedURIs []string `yaml:"-" json:"referencedUris"`

	Anonymous bool `yaml:"-" json:"isAnonymous,keep"`
	Archived  bool `yaml:"-" json:"isArchived,keep"`
	// LatestVersion and NextVersion are set in lists of data.
	LatestVersion string `yaml:"latest_version,ro" json:"latestVersion,ro"`
	NextVersion   string `yaml:"-" json:"nextVersion,ro"`

	doc wire.Document
}

var dataLayout = wire.Layout{Name: "data asset", Base: "properties"}

// WireLayout says where REST nests differently.
func (Data) WireLayout() *wire.Layout { return &dataLayout }

// WireDocument keeps what was read.
func (d *Data) WireDocument() *wire.Document { return &d.doc }

// AfterDecodeWire takes name and version from the id.
func (d *Data) AfterDecodeWire(dec *wire.Decoding, n *wire.Node) {
	identify(dec, n, &d.Name, &d.Version)
}

// kind is the type, or the default one.
func (d *Data) kind() DataType {
	if t, ok := dataTypes.Parse(string(d.Type)); ok {
		return DataType(t)
	}
	if d.Type == "" {
		return URIFolder
	}
	return d.Type
}

// check says what is wrong with the data before anything is sent.
func (d *Data) check(f *faults) {
	f.asset(d.Name, d.Version)
	t := d.kind()
	if _, ok := dataTypes.Parse(string(t)); !ok {
		f.add("type", "%q is none of uri_file, uri_folder, mltable", string(d.Type))
	}
	if d.Path == "" {
		f.add("path", "is required: a file or folder here, or an address such as azureml://datastores/NAME/paths/PATH")
		return
	}
	if !wire.IsLocalPath(d.Path) {
		return
	}
	info, err := os.Stat(localPath(d.Path))
	switch {
	case err != nil:
		f.local("path", d.Path, err)
	case f.has("type"): // what the path is to be is not known
	case t == URIFile && info.IsDir():
		f.add("path", "%s is a folder; the type uri_file wants a file, uri_folder a folder", d.Path)
	case t != URIFile && !info.IsDir():
		f.add("path", "%s is a file; the type %s wants a folder, uri_file a file", d.Path, t)
	case t == MLTable:
		uris, err := tableURIs(localPath(d.Path))
		if err != nil {
			f.add("path", "%v", err)
		} else if d.ReferencedURIs == nil {
			d.ReferencedURIs = uris
		}
	}
}

// Validate says what is wrong with the data, its local path included, as azureml.Faults. It makes no call.
func (d *Data) Validate() error {
	var f faults
	c := *d // an MLTable's paths are noted in it
	c.check(&f)
	return f.err("")
}

// DataClient makes and finds data assets. It is safe for use by many goroutines.
type DataClient struct {
	collection
	stores *DatastoreClient
}

// NewDataClient makes the client on the workspace's shared one.
func NewDataClient(c *rest.Client) *DataClient {
	return &DataClient{collection{c, "data", "data"}, NewDatastoreClient(c)}
}

// Create registers data (DataVersions_CreateOrUpdate), after uploading a local path. Without a version it becomes the next
// one. d is not changed. A version that exists keeps its content: errors.Is(err, ErrPathFixed).
func (c *DataClient) Create(ctx context.Context, d *Data, o *CreateOptions) (*Data, error) {
	data := *d
	op := c.op("create", data.Name, data.Version)
	var f faults
	data.check(&f)
	local := wire.IsLocalPath(data.Path)
	var tree *Tree
	if local {
		tree = f.tree(ctx, "path", localPath(data.Path))
	}
	if err := errors.Join(f.err(op), rest.WithOp(op, ctx.Err())); err != nil {
		return nil, err
	}
	if local {
		tree, hash, err := hashTree(ctx, c.c, tree, o)
		if err != nil {
			return nil, rest.WithOp(op, err)
		}
		version := data.Version
		if version == "" {
			version = "None" // what the reference writes before a version is known
		}
		up, err := c.stores.send(ctx, op, tree, hash, data.Datastore, data.Name, version, o)
		if err != nil {
			return nil, err
		}
		data.Path = up.ShortURI()
	} else if data.kind() == MLTable && data.ReferencedURIs == nil {
		data.ReferencedURIs = c.stores.remoteTableURIs(ctx, op, data.Path)
	}
	if data.Version == "" {
		return putNext[Data](ctx, c.collection, op, data.Name, &data)
	}
	return put[Data](ctx, c.collection, op, data.Name, data.Version, &data)
}

// Get reads a version (DataVersions_Get).
func (c *DataClient) Get(ctx context.Context, name, version string) (*Data, error) {
	return getVersion[Data](ctx, c.collection, name, version)
}

// GetByLabel reads the version with a label (DataContainers_Get, DataVersions_Get).
func (c *DataClient) GetByLabel(ctx context.Context, name, label string) (*Data, error) {
	version, err := c.latest(ctx, name, label)
	if err != nil {
		return nil, err
	}
	return c.Get(ctx, name, version)
}

func (c *DataClient) latest(ctx context.Context, name, label string) (string, error) {
	op := c.op("get", name, "") + " latest"
	if err := checkLabel(op, label); err != nil {
		return "", err
	}
	s, err := c.shelf(ctx, op, name)
	if err != nil {
		return "", err
	}
	if s == nil || s.Properties.LatestVersion == "" {
		return "", fmt.Errorf("%s: it has no versions: %w", op, azureml.ErrNotFound)
	}
	return s.Properties.LatestVersion, nil
}

// All yields the data assets, without what their versions say (DataContainers_List).
func (c *DataClient) All(ctx context.Context, o *ListOptions) iter.Seq2[*Data, error] {
	return list[Data](ctx, c.collection, "", o)
}

// Versions yields the versions of a data asset (DataVersions_List).
func (c *DataClient) Versions(ctx context.Context, name string, o *ListOptions) iter.Seq2[*Data, error] {
	return list[Data](ctx, c.collection, name, o)
}

// Archive hides a version, or with version "" the asset, from lists (DataVersions_CreateOrUpdate,
// DataContainers_CreateOrUpdate). It can be used all the same.
func (c *DataClient) Archive(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, true)
}

// Restore undoes Archive (DataVersions_Get, DataVersions_CreateOrUpdate).
func (c *DataClient) Restore(ctx context.Context, name, version string) error {
	return c.archive(ctx, name, version, false)
}

// Delete removes a version; the bytes stay (DataVersions_Delete).
func (c *DataClient) Delete(ctx context.Context, name, version string) error {
	return c.delete(ctx, name, version)
}

// Download brings a version's content into the folder dir.
func (c *DataClient) Download(ctx context.Context, name, version, dir string, o *DownloadOptions) (*Download, error) {
	d, err := c.Get(ctx, name, version)
	if err != nil {
		return nil, err
	}
	return c.stores.fetch(ctx, c.op("download", name, version), d.Path, dir, o)
}

// Resolve gives the resource id of a reference, asking for its label where it has one.
func (c *DataClient) Resolve(ctx context.Context, ref azureml.Ref) (string, error) {
	return c.resolve(ctx, ref, func(ctx context.Context, name string) (string, error) {
		return c.latest(ctx, name, Latest)
	})
}

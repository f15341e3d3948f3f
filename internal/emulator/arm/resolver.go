package arm

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// Location is where a reference leads.
type Location struct {
	// Account, Container and Path name a blob or a folder of the blob service. Path has no slash at its start and keeps one at its end. Empty for assets without files
	// (environments, components) and for web addresses.
	Account, Container, Path string
	// Type is the asset's or output's own type, "uri_folder", "mlflow_model" …; empty when nothing says it.
	Type string
	// AssetID is the full id, version included, when the reference named an asset.
	AssetID string
	// Datastore is the datastore that the address went through, if any.
	Datastore string
	// URL is a web address outside the workspace's storage.
	URL string
	// Properties are the asset's own, as stored.
	Properties json.RawMessage
}

// Asset gives the name and version of AssetID.
func (l *Location) Asset() (name, version string) {
	id, err := ParseID(l.AssetID)
	if err != nil || len(id.Inner()) < 2 {
		return "", ""
	}
	return id.Inner()[0].Name, id.Inner()[1].Name
}

// Resolver follows references. Safe for concurrent use.
type Resolver struct {
	DB *store.DB
	// Output says where a job's output lies when its engine knows better than the job's document; ok false falls back on the document. May be nil.
	Output func(ctx context.Context, sc Scope, job, output string) (uri, outputType string, ok bool)
	// HasAccount says whether a storage account is one of this workspace's. A blob address in another is a web address. Nil takes every account as ours.
	HasAccount func(account string) bool
}

// maxHops bounds references to references: asset → job output → datastore path is three.
const maxHops = 8

// Resolve follows a reference in any form that ParseURI knows to its place. kind is the collection of a short form that does not say its own ("data", "models", …);
// empty is "data". Errors are *Error.
func (r *Resolver) Resolve(ctx context.Context, sc Scope, uri, kind string) (*Location, error) {
	return r.resolve(ctx, sc, uri, kind, maxHops)
}

func (r *Resolver) resolve(ctx context.Context, sc Scope, uri, kind string, hops int) (*Location, error) {
	if hops == 0 {
		return nil, Invalid("uri", "The reference %q leads in a circle.", uri)
	}
	u, err := ParseURI(uri)
	if err != nil {
		return nil, Invalid("uri", "%s", err)
	}
	if u.Scope.Workspace != "" {
		sc = u.Scope
	}
	switch u.Kind {
	case URIDatastore:
		return r.datastore(ctx, sc, u)
	case URIJobOutput:
		return r.output(ctx, sc, u, hops)
	case URIRun:
		return &Location{Account: sc.Account(), Container: ArtifactContainer, Path: RunPrefix(u.Job) + "/" + u.Path, Datastore: ArtifactStore}, nil
	case URIArtifact:
		return &Location{Account: sc.Account(), Container: ArtifactContainer, Path: u.Container + "/" + u.Path, Datastore: ArtifactStore}, nil
	case URIBlob:
		if r.HasAccount != nil && !r.HasAccount(u.Account) {
			return &Location{URL: uri}, nil
		}
		return &Location{Account: u.Account, Container: u.Container, Path: u.Path}, nil
	case URIWeb:
		return &Location{URL: uri}, nil
	}
	return r.asset(ctx, sc, u, kind, hops)
}

func (r *Resolver) datastore(ctx context.Context, sc Scope, u URI) (*Location, error) {
	var doc struct {
		Properties struct{ DatastoreType, AccountName, ContainerName, FileShareName, Filesystem string }
	}
	if err := r.read(ctx, sc.Child(Datastores, u.Datastore), "datastore", u.Datastore, &doc); err != nil {
		return nil, err
	}
	p := doc.Properties
	l := &Location{Account: p.AccountName, Path: u.Path, Datastore: u.Datastore}
	for _, c := range []string{p.ContainerName, p.FileShareName, p.Filesystem} {
		if c != "" {
			l.Container = c
		}
	}
	if l.Account == "" || l.Container == "" {
		return nil, Invalid("uri", "The datastore %q is of type %s, whose storage a local workspace does not have.", u.Datastore, p.DatastoreType)
	}
	return l, nil
}

func (r *Resolver) output(ctx context.Context, sc Scope, u URI, hops int) (*Location, error) {
	var doc struct {
		Properties struct {
			Outputs map[string]*struct{ JobOutputType, URI string }
		}
	}
	uri, typ, known := "", "", false
	if r.Output != nil {
		uri, typ, known = r.Output(ctx, sc, u.Job, u.Output)
		if !known && u.Output == "artifacts" { // the service's other word for what a run keeps of its own
			u.Output = "default"
			uri, typ, known = r.Output(ctx, sc, u.Job, u.Output)
		}
	}
	if !known {
		if r.Output != nil {
			if _, _, ran := r.Output(ctx, sc, u.Job, "default"); ran { // a child, which has no document
				return nil, NotFound("job output", u.Job+"/outputs/"+u.Output)
			}
		}
		if err := r.read(ctx, sc.Child(Jobs, u.Job), "job", u.Job, &doc); err != nil {
			return nil, err
		}
		o, declared := doc.Properties.Outputs[u.Output]
		if !declared && u.Output != "default" {
			return nil, NotFound("job output", u.Job+"/outputs/"+u.Output)
		}
		if o != nil {
			uri, typ = o.URI, o.JobOutputType
		}
	}
	l := &Location{Account: sc.Account(), Container: sc.BlobContainer(), Path: OutputPrefix(u.Job, u.Output), Datastore: BlobStore}
	switch {
	case uri != "":
		at, err := r.resolve(ctx, sc, ExpandOutput(uri, u.Job, u.Output), Data, hops-1)
		if err != nil {
			return nil, err
		}
		l = at
	case u.Output == "default":
		l.Container, l.Path, l.Datastore = ArtifactContainer, RunPrefix(u.Job)+"/", ArtifactStore
	}
	if l.Type = typ; typ == "" {
		l.Type = "uri_folder"
	}
	l.AssetID = ""
	if u.Path != "" {
		l.Path = strings.TrimSuffix(l.Path, "/") + "/" + u.Path
		l.Type = ""
	}
	return l, nil
}

// ExpandOutput replaces what an output's address may say of its job.
func ExpandOutput(uri, job, output string) string {
	return strings.NewReplacer("${{name}}", job, "${{output_name}}", output, "${{default_datastore}}", BlobStore).Replace(uri)
}

func (r *Resolver) asset(ctx context.Context, sc Scope, u URI, kind string, hops int) (*Location, error) {
	if u.Collection == "" {
		if u.Collection = kind; kind == "" {
			u.Collection = Data
		}
	}
	if u.Registry == "" && u.GUID != "" {
		found, err := r.workspaceByGUID(ctx, u.GUID)
		if err != nil {
			return nil, err
		}
		sc = found
	}
	d, err := r.Asset(ctx, sc, u)
	if err != nil {
		return nil, err
	}
	var doc struct {
		Properties struct{ DataURI, DataType, ModelURI, ModelType, CodeURI, StorageURI string }
	}
	var raw struct{ Properties json.RawMessage }
	if err := errors.Join(json.Unmarshal(d.Body, &doc), json.Unmarshal(d.Body, &raw)); err != nil {
		return nil, As(err)
	}
	p := doc.Properties
	l, next, typ := &Location{}, "", ""
	switch u.Collection {
	case Data:
		next, typ = p.DataURI, p.DataType
	case Models:
		if next, typ = p.ModelURI, p.ModelType; typ == "" {
			typ = "custom_model"
		}
	case Codes:
		next, typ = p.CodeURI, "uri_folder"
	case Indexes:
		next, typ = p.StorageURI, "uri_folder"
	}
	if next != "" {
		if l, err = r.resolve(ctx, sc, next, u.Collection, hops-1); err != nil {
			return nil, err
		}
	}
	l.AssetID, l.Type, l.Properties = d.ID, typ, raw.Properties
	return l, nil
}

// Asset finds the document of one version: by version, by the label latest (or default), or, with neither, the newest.
func (r *Resolver) Asset(ctx context.Context, sc Scope, u URI) (*store.Document, error) {
	base := sc.ID()
	if u.Registry != "" {
		found, err := r.registry(ctx, u.Registry)
		if err != nil {
			return nil, err
		}
		base = found
	}
	container := base + "/" + u.Collection + "/" + u.Name
	word := strings.TrimSuffix(u.Collection, "s")
	if u.Collection == Components && u.Version == DefaultComponentVersion {
		u.Version = ""
	}
	var d *store.Document
	err := r.DB.View(ctx, func(tx *sql.Tx) error {
		var err error
		if u.Version != "" {
			d, err = store.Get(tx, container+"/"+Versions+"/"+u.Version)
			return err
		}
		if l := u.Label; l != "" && l != "latest" && l != "default" {
			return NotFound(word+" label", u.Name+"@"+l)
		}
		d, err = Latest(tx, container)
		return err
	})
	if !errors.Is(err, store.ErrNotFound) {
		return d, err
	}
	curated := u.Collection == Environments && (u.Registry == CuratedRegistry || u.Registry == "" && IsCurated(u.Name))
	if v := u.Version; curated && (v == "" || u.Registry != "" || v == curatedVersion) {
		if v == "" {
			v = curatedVersion
		}
		return CuratedDocument(container, u.Name, v), nil
	}
	name := u.Name
	switch {
	case u.Version != "":
		name += ":" + u.Version
	case u.Label != "":
		name += "@" + u.Label
	}
	return nil, NotFound(word+" version", name)
}

// Latest is the newest version below a container. Errors: store.ErrNotFound.
func Latest(tx *sql.Tx, container string) (*store.Document, error) {
	all, err := store.List(tx, store.Query{Parent: container, Descending: true, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, store.ErrNotFound
	}
	return all[0], nil
}

func (r *Resolver) registry(ctx context.Context, name string) (string, error) {
	id := ""
	err := r.DB.View(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: Provider + "/" + Registries})
		for _, d := range all {
			if strings.EqualFold(d.ID[strings.LastIndexByte(d.ID, '/')+1:], name) {
				id = d.ID
			}
		}
		return err
	})
	if err != nil {
		return "", As(err)
	}
	if id == "" && strings.EqualFold(name, CuratedRegistry) {
		return CuratedRegistryID, nil
	}
	if id == "" {
		return "", NotFound("registry", name)
	}
	return id, nil
}

func (r *Resolver) workspaceByGUID(ctx context.Context, guid string) (Scope, error) {
	var found Scope
	err := r.DB.View(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: Provider + "/" + Workspaces})
		for _, d := range all {
			if id, perr := ParseID(d.ID); perr == nil {
				if sc, ok := id.Scope(); ok && strings.EqualFold(sc.WorkspaceID(), guid) {
					found = sc
				}
			}
		}
		return err
	})
	if err != nil {
		return found, As(err)
	}
	if found.Workspace == "" {
		return found, NotFound("workspace", guid)
	}
	return found, nil
}

// read decodes a document's fields into v, without regard to case.
func (r *Resolver) read(ctx context.Context, id, kind, name string, v any) error {
	return r.DB.View(ctx, func(tx *sql.Tx) error {
		d, err := store.Get(tx, id)
		if errors.Is(err, store.ErrNotFound) {
			return NotFound(kind, name)
		}
		if err != nil {
			return As(err)
		}
		if err := json.Unmarshal(d.Body, v); err != nil {
			return &Error{Status: http.StatusInternalServerError, Code: "InternalServerError", Message: "the document of " + id + " cannot be read: " + err.Error()}
		}
		return nil
	})
}

package assets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// DatastoreClient makes and finds datastores, and moves files into and out of them. It is safe for use by many goroutines.
type DatastoreClient struct{ c *rest.Client }

// NewDatastoreClient makes the client on the workspace's shared one.
func NewDatastoreClient(c *rest.Client) *DatastoreClient { return &DatastoreClient{c} }

func (c *DatastoreClient) call(op, method string, segs ...string) *rest.Call {
	return &rest.Call{Op: op, Method: method, Path: c.c.Path(append([]string{"datastores"}, segs...)...), Group: "datastores"}
}

func storeOp(verb, name string) string { return fmt.Sprintf("datastores: %s %q", verb, name) }

// checkStore checks the name that a call is to read by.
func checkStore(op, name string) error {
	var f faults
	switch {
	case name == "":
		f.add("name", "is required")
	case strings.ContainsAny(name, "/\\?#"):
		f.add("name", "%q is no name of a datastore", name)
	}
	return f.err(op)
}

func decodeStore(raw json.RawMessage) (Datastore, error) {
	var s Datastore
	if err := wire.FromREST(raw, &s); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, errors.New("the service answered no datastore")
	}
	return s, nil
}

// Get reads a datastore, without its secrets (Datastores_Get).
func (c *DatastoreClient) Get(ctx context.Context, name string) (Datastore, error) {
	op := storeOp("get", name)
	if err := checkStore(op, name); err != nil {
		return nil, err
	}
	return c.get(ctx, op, name)
}

func (c *DatastoreClient) get(ctx context.Context, op, name string) (Datastore, error) {
	var raw json.RawMessage
	call := c.call(op, http.MethodGet, name)
	call.Out = &raw
	if err := c.c.Do(ctx, call); err != nil {
		return nil, err
	}
	s, err := decodeStore(raw)
	return s, rest.WithOp(op, err)
}

// Default reads the workspace's default datastore (Datastores_List, isDefault).
func (c *DatastoreClient) Default(ctx context.Context) (Datastore, error) {
	const op = "datastores: get the default"
	call := c.call(op, http.MethodGet)
	call.Query = url.Values{"isDefault": {"true"}}
	for s, err := range rest.All(ctx, c.c, call, decodeStore) {
		return s, err
	}
	return nil, fmt.Errorf("%s: the workspace has none: %w", op, azureml.ErrNotFound)
}

// DatastoreListOptions choose the datastores of a list.
type DatastoreListOptions struct {
	// Count is how many the service puts into a page. Defaults to its own choice.
	Count int
	// Names are the only ones wanted. Search is a part of their names.
	Names  []string
	Search string
}

// All yields the datastores, without their secrets (Datastores_List).
func (c *DatastoreClient) All(ctx context.Context, o *DatastoreListOptions) iter.Seq2[Datastore, error] {
	call := c.call("datastores: list", http.MethodGet)
	call.Query = url.Values{}
	if o != nil {
		if o.Count > 0 {
			call.Query.Set("count", strconv.Itoa(o.Count))
		}
		for _, n := range o.Names {
			call.Query.Add("names", n)
		}
		if o.Search != "" {
			call.Query.Set("searchText", o.Search)
		}
	}
	return rest.All(ctx, c.c, call, decodeStore)
}

// DatastoreOptions are the choices of Create.
type DatastoreOptions struct {
	// Validate makes the service reach for the storage first. Defaults to false, as in the reference.
	Validate bool
}

// Create makes or changes a datastore (Datastores_CreateOrUpdate). The storage itself must be there.
func (c *DatastoreClient) Create(ctx context.Context, s Datastore, o *DatastoreOptions) (Datastore, error) {
	if s == nil {
		return nil, errors.New("datastores: create: the datastore is nil")
	}
	name := s.DatastoreName()
	op := storeOp("create", name)
	if err := checkDatastore(s).err(op); err != nil {
		return nil, err
	}
	var raw json.RawMessage
	call := c.call(op, http.MethodPut, name)
	call.Query = url.Values{"skipValidation": {strconv.FormatBool(o == nil || !o.Validate)}}
	call.Body, call.Out = s, &raw
	if err := c.c.Do(ctx, call); err != nil {
		return nil, err
	}
	made, err := decodeStore(raw)
	return made, rest.WithOp(op, err)
}

// checkDatastore says what is wrong with a datastore before it is sent.
func checkDatastore(s Datastore) *faults {
	f := &faults{}
	fields := s.datastore()
	switch {
	case fields.name == "":
		f.add("name", "is required")
	case !datastoreName.MatchString(fields.name):
		f.add("name", "%q is no name of a datastore: it has up to 255 letters, digits and underscores, and begins with a letter or digit", fields.name)
	}
	need := func(field, value string) {
		if value == "" {
			f.add(field, "is required")
		}
	}
	switch s := s.(type) {
	case *BlobStorage:
		need("account_name", s.Account)
		need("container_name", s.Container)
	case *FileShare:
		need("account_name", s.Account)
		need("file_share_name", s.Share)
	case *DataLakeGen2:
		need("account_name", s.Account)
		need("filesystem", s.FileSystem)
	case *DataLakeGen1:
		need("store_name", s.Store)
	case *OneLake:
		need("one_lake_workspace_name", s.Workspace)
		need("endpoint", s.Endpoint)
		need("artifact.name", s.Artifact.Name)
	case *UnknownDatastore:
		f.add("type", "this kind of datastore is not known; it can be read and deleted, not made")
	}
	f.credentials(fields.credentials)
	return f
}

func (f *faults) credentials(c *Credentials) {
	set := 0
	for _, is := range []bool{c.AccountKey != nil, c.SAS != nil, c.ServicePrincipal != nil, c.Certificate != nil, c.None != nil} {
		if is {
			set++
		}
	}
	if set > 1 {
		f.add("credentials", "give one of account_key, sas_token, a service principal, a certificate")
	}
	if p := c.ServicePrincipal; p != nil && (p.TenantID == "" || p.ClientID == "") {
		f.add("credentials", "a service principal needs tenant_id, client_id and client_secret")
	}
	if p := c.Certificate; p != nil && (p.TenantID == "" || p.ClientID == "" || p.Thumbprint == "") {
		f.add("credentials", "a certificate needs tenant_id, client_id, certificate and thumbprint")
	}
}

// Delete takes a datastore off the workspace; the storage stays (Datastores_Delete).
func (c *DatastoreClient) Delete(ctx context.Context, name string) error {
	op := storeOp("delete", name)
	if err := checkStore(op, name); err != nil {
		return err
	}
	return c.c.Do(ctx, c.call(op, http.MethodDelete, name))
}

// Secrets reads a datastore's secrets: a signature that expires within the hour, or its key (Datastores_ListSecrets).
func (c *DatastoreClient) Secrets(ctx context.Context, name string) (*Credentials, error) {
	op := storeOp("list secrets of", name)
	if err := checkStore(op, name); err != nil {
		return nil, err
	}
	return c.secrets(ctx, op, name, true)
}

// secrets asks for a signature that expires, or for the key.
func (c *DatastoreClient) secrets(ctx context.Context, op, name string, expiring bool) (*Credentials, error) {
	var s struct {
		Type         string `json:"secretsType"`
		Key          string `json:"key"`
		SASToken     string `json:"sasToken"`
		ClientSecret string `json:"clientSecret"`
		Certificate  string `json:"certificate"`
	}
	call := c.call(op, http.MethodPost, name, "listSecrets")
	call.Body = map[string]any{"expirableSecret": false}
	if expiring {
		call.Body = map[string]any{"expirableSecret": true, "expireAfterHours": 1}
	}
	call.Out, call.Idempotent = &s, true
	if err := c.c.Do(ctx, call); err != nil {
		return nil, err
	}
	switch {
	case strings.EqualFold(s.Type, "AccountKey"):
		return &Credentials{AccountKey: &AccountKey{Key: s.Key}}, nil
	case strings.EqualFold(s.Type, "Sas"):
		return &Credentials{SAS: &SAS{Token: s.SASToken}}, nil
	case strings.EqualFold(s.Type, "ServicePrincipal"):
		return &Credentials{ServicePrincipal: &ServicePrincipal{ClientSecret: s.ClientSecret}}, nil
	case strings.EqualFold(s.Type, "Certificate"):
		return &Credentials{Certificate: &Certificate{Certificate: s.Certificate}}, nil
	case strings.EqualFold(s.Type, "None"):
		return &Credentials{None: &NoCredentials{}}, nil
	}
	return nil, fmt.Errorf("%s: secrets of the type %q are not known", op, s.Type)
}

// Resolve gives the resource id of a datastore: of its name, with or without azureml:, or of an id.
func (c *DatastoreClient) Resolve(ref azureml.Ref) (string, error) {
	name, err := storeName(string(ref))
	if err != nil {
		return "", fmt.Errorf("datastores: resolve %q: %w", string(ref), err)
	}
	return c.c.Path("datastores", name), nil
}

// storeName is the name in a reference to a datastore; "" is the workspace's blob store.
func storeName(ref string) (string, error) {
	name := strings.TrimPrefix(ref, "azureml:")
	if name == "" {
		return BlobStore, nil
	}
	if strings.Contains(name, "/") {
		m := workspaceIDs.FindStringSubmatch(name)
		if m == nil || !strings.EqualFold(m[1], "datastores") {
			return "", errors.New("this is no reference to a datastore; write azureml:NAME or an id")
		}
		name = m[2]
	}
	if !datastoreName.MatchString(name) {
		return "", fmt.Errorf("%q is no name of a datastore", name)
	}
	return name, nil
}

// open opens the container behind a datastore, with its own credentials where it has some that may be read, else as the
// caller. container overrides the datastore's own.
func (c *DatastoreClient) open(ctx context.Context, op, name, container string) (*box, error) {
	s, err := c.get(ctx, op, name)
	if err != nil {
		return nil, err
	}
	b, err := c.openStore(ctx, op, s, container)
	return b, rest.WithOp(op, err)
}

func (c *DatastoreClient) openStore(ctx context.Context, op string, s Datastore, container string) (*box, error) {
	var protocol, account, endpoint, own string
	files, lake := false, false
	switch s := s.(type) {
	case *BlobStorage:
		protocol, account, endpoint, own = s.Protocol, s.Account, s.Endpoint, s.Container
	case *DataLakeGen2: // its files are blobs as well
		protocol, account, endpoint, own = s.Protocol, s.Account, s.Endpoint, s.FileSystem
		lake = true
	case *FileShare:
		protocol, account, endpoint, own = s.Protocol, s.Account, s.Endpoint, s.Share
		files = true
	default:
		return nil, fmt.Errorf("the datastore %q is a %s; uploads and downloads work with blob, Data Lake Gen2 and file share datastores", s.DatastoreName(), storeKind(s))
	}
	if container == "" {
		container = own
	}
	var a access
	if cr := s.datastore().credentials; cr.AccountKey != nil || cr.SAS != nil {
		secrets, err := c.secrets(ctx, op, s.DatastoreName(), true)
		if err == nil && container != own && secrets.SAS != nil && secrets.SAS.ofContainer() {
			// Code is uploaded to containers of its own: the account's key opens them.
			secrets, err = c.secrets(ctx, op, s.DatastoreName(), false)
		}
		if _, answered := errors.AsType[*azcore.ResponseError](err); err != nil && !answered {
			return nil, err
		}
		switch {
		case err != nil: // the caller may not read them, but may have rights of their own
			c.c.Logger().Debug("azureml: the datastore's secrets cannot be read, the caller's token is used", "datastore", s.DatastoreName(), "error", err)
		case secrets.SAS != nil:
			a.sas, a.renew = secrets.SAS.Token, c.renew(op, s.DatastoreName())
		case secrets.AccountKey != nil:
			a.key = secrets.AccountKey.Key
		}
	}
	if files {
		return openShare(c.c, protocol, account, endpoint, container, a)
	}
	b, err := openContainer(c.c, protocol, account, endpoint, container, a)
	if err != nil {
		return nil, err
	}
	b.lake = lake
	return b, nil
}

// renew gives what asks for a fresh signature of a datastore: those of the service end within the hour.
func (c *DatastoreClient) renew(op, name string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		secrets, err := c.secrets(ctx, op, name, true)
		if err != nil {
			return "", err
		}
		if secrets.SAS == nil {
			return "", fmt.Errorf("%s: the datastore %q has no signature any more", op, name)
		}
		return secrets.SAS.Token, nil
	}
}

func storeKind(s Datastore) string {
	switch s := s.(type) {
	case *FileShare:
		return "file share"
	case *DataLakeGen1:
		return "Data Lake Gen1 store"
	case *OneLake:
		return "OneLake lakehouse"
	case *UnknownDatastore:
		props, _ := s.Raw["properties"].(map[string]any)
		return fmt.Sprint(props["datastoreType"])
	}
	return "blob container"
}

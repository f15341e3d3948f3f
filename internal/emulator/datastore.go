package emulator

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

var datastoreKind = &kind{
	word:  "datastore",
	check: checkDatastore,
	frozen: func(old, doc document) error {
		return same(old, doc, "UserError", "properties.datastoreType")
	},
	before: func(c *call, ch *change) error {
		a, container := localAccount(ch.doc), containerOf(ch.doc)
		if a == "" || container == "" {
			return nil
		}
		if _, err := c.s.blobs.EnsureAccount(c.ctx(), a); err != nil {
			return err
		}
		c.s.addAccount(a)
		if ch.doc.text("properties", "datastoreType") == "AzureFile" {
			return c.s.blobs.EnsureShare(c.ctx(), a, container)
		}
		return c.s.blobs.EnsureContainer(c.ctx(), a, container)
	},
	stored: oneDefault,
	removing: func(_ *call, id arm.ID, old document) (func(context.Context) error, error) {
		switch n := strings.ToLower(id.Name()); {
		case n == arm.BlobStore || n == arm.ArtifactStore || n == arm.FileStore || n == arm.WorkStore:
			return nil, arm.BadRequest("UserError", "The datastore %s belongs to the workspace and cannot be deleted.", id.Name())
		case old.flag("properties", "isDefault"):
			return nil, arm.BadRequest("UserError", "The datastore %s is the default one and cannot be deleted.", id.Name())
		}
		return nil, nil
	},
	show: func(_ *call, d document) (document, error) {
		if m := d.object("properties", "credentials"); m != nil {
			delete(m, "secrets") // the service never gives them back
		}
		return d, nil
	},
	filter: func(c *call) (func(document) (bool, error), error) {
		def, text := strings.EqualFold(c.query("isDefault"), "true"), strings.ToLower(c.query("searchText"))
		names := map[string]bool{}
		for n := range strings.SplitSeq(c.query("names"), ",") {
			if n = strings.ToLower(strings.TrimSpace(n)); n != "" {
				names[n] = true
			}
		}
		return func(d document) (bool, error) {
			n := strings.ToLower(d.text("name"))
			return (!def || d.flag("properties", "isDefault")) && (len(names) == 0 || names[n]) && strings.Contains(n, text), nil
		}, nil
	},
}

func datastoreRoutes() []route {
	const typ = "workspaces/datastores"
	return append(crud(datastoreKind, typ, "Datastores", pW+"/datastores", "datastore", sinceAssets),
		post(pW+"/datastores/{datastore}/listSecrets", typ, "Datastores_ListSecrets", sinceAssets, styleNone, listSecrets))
}

// fields that a type of datastore needs.
var datastoreFields = map[string][]string{
	"AzureBlob":         {"accountName", "containerName"},
	"AzureDataLakeGen2": {"accountName", "filesystem"},
	"AzureFile":         {"accountName", "fileShareName"},
	"AzureDataLakeGen1": {"storeName"},
	"OneLake":           {"oneLakeWorkspaceName", "artifact"},
	"Hdfs":              {"nameNodeAddress"},
}

func checkDatastore(_ *call, ch *change) error {
	types := []string{"AzureBlob", "AzureDataLakeGen1", "AzureDataLakeGen2", "AzureFile", "Hdfs", "OneLake"}
	t, err := ch.doc.oneOf("properties.datastoreType", types...)
	if err != nil {
		return err
	}
	var need []string
	for _, f := range datastoreFields[t] {
		need = append(need, "properties."+f)
	}
	p := ch.doc.props()
	p["datastoreType"] = t
	if ch.doc.object("properties", "credentials") == nil {
		if old := ch.old.object("properties", "credentials"); old != nil {
			p["credentials"] = old
		}
	}
	if err := ch.doc.missing(append(need, "properties.credentials")...); err != nil {
		return err
	}
	if _, err := ch.doc.oneOf("properties.credentials.credentialsType", "AccountKey", "Certificate", "None", "Sas", "ServicePrincipal", "KerberosKeytab", "KerberosPassword"); err != nil {
		return err
	}
	for k, v := range map[string]any{"isDefault": false, "tags": map[string]any{}, "properties": map[string]any{}, "description": nil} {
		if p[k] == nil {
			p[k] = v
		}
	}
	if p["accountName"] != nil {
		if p["endpoint"] == nil {
			p["endpoint"] = arm.StorageSuffix
		}
		if p["protocol"] == nil {
			p["protocol"] = "https"
		}
	}
	return nil
}

// localAccount is the storage account of a datastore that a local workspace serves: any account at Azure's own address.
func localAccount(d document) string {
	if e := d.text("properties", "endpoint"); e != "" && !strings.EqualFold(e, arm.StorageSuffix) {
		return ""
	}
	return strings.ToLower(d.text("properties", "accountName"))
}

func containerOf(d document) string {
	for _, k := range []string{"containerName", "filesystem", "fileShareName"} {
		if v := d.text("properties", k); v != "" {
			return v
		}
	}
	return ""
}

// oneDefault takes the mark from the old default datastore when a new one has it.
func oneDefault(c *call, tx *sql.Tx, ch *change) error {
	if !ch.doc.flag("properties", "isDefault") {
		return nil
	}
	all, err := store.List(tx, store.Query{Parent: c.sc.ID(), Type: typeDatastore})
	if err != nil {
		return err
	}
	for _, sd := range all {
		d, err := read(sd)
		if err != nil {
			return err
		}
		if strings.EqualFold(sd.ID, ch.id.String()) || !d.flag("properties", "isDefault") {
			continue
		}
		d.props()["isDefault"] = false
		if sd.Body, err = encode(d); err != nil {
			return err
		}
		if _, err := store.Put(tx, sd); err != nil {
			return err
		}
	}
	return nil
}

// listSecrets gives credentials that open the storage here: for an account that this workspace serves they are the local account's, whatever was registered.
func listSecrets(c *call) error {
	var want struct {
		ExpirableSecret  bool
		ExpireAfterHours int
	}
	if err := c.into(&want); err != nil {
		return err
	}
	d, err := c.find(c.sc.Child(arm.Datastores, c.v["datastore"]), "datastore", c.v["datastore"])
	if err != nil {
		return err
	}
	cred := d.object("properties", "credentials")
	kind, _ := cred["credentialsType"].(string)
	if kind == "None" || kind == "" {
		return arm.BadRequest("UserError", "The datastore %s has no credentials: its caller's own identity is used.", c.v["datastore"])
	}
	account := localAccount(d)
	if account == "" || kind != "AccountKey" && kind != "Sas" {
		secrets, _ := cred["secrets"].(map[string]any)
		if secrets == nil {
			return arm.BadRequest("UserError", "The datastore %s has no secrets.", c.v["datastore"])
		}
		out := document{"secretsType": kind}
		for k, v := range secrets {
			out[k] = v
		}
		return c.reply(http.StatusOK, out)
	}
	// The account's key is given for run artifacts even to those who ask for an expiring secret: azure-ai-ml signs the addresses of logs with it.
	if kind == "AccountKey" && (!want.ExpirableSecret || strings.EqualFold(d.text("name"), arm.ArtifactStore)) {
		key, err := c.s.blobs.Key(c.ctx(), account)
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, document{"secretsType": "AccountKey", "key": key})
	}
	hours := want.ExpireAfterHours
	if hours <= 0 || hours > 7*24 {
		hours = 1
	}
	o := blob.SASOptions{Permissions: "racwdl", Expiry: c.now.Add(time.Duration(hours) * time.Hour)}
	switch d.text("properties", "datastoreType") {
	case "AzureFile":
		o.Share, o.Permissions = true, "rcwdl"
	case "AzureDataLakeGen2":
		o.Permissions = "racwdlm"
	}
	sas, err := c.s.blobs.SAS(account, containerOf(d), "", o)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"secretsType": "Sas", "sasToken": sas})
}

// signedURL is a canonical blob address that its bearer may read, or write, for a while.
func (s *Server) signedURL(account, container, name, permissions string, ttl time.Duration) (string, error) {
	q, err := s.blobs.SAS(account, container, name, blob.SASOptions{Permissions: permissions, Expiry: s.opts.Clock().Add(ttl)})
	if err != nil {
		return "", err
	}
	return arm.BlobURL(account, container, escapeName(name)) + "?" + q, nil
}

// escapeName escapes a blob's name for a URL; slashes stay.
func escapeName(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

package emulator

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

var registryKind = &kind{
	word: "registry", envelope: trackedFields, put: styleAsync, patch: styleNone, del: styleLocation,
	check: func(_ *call, ch *change) error {
		if ch.doc.text("location") == "" {
			return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
		}
		completeRegistry(ch.doc, ch.id)
		return nil
	},
	frozen: func(old, doc document) error { return same(old, doc, "UserError", "location") },
	before: func(c *call, ch *change) error {
		account := registryAccount(ch.id.Name())
		if _, err := c.s.blobs.EnsureAccount(c.ctx(), account); err != nil {
			return err
		}
		c.s.addAccount(account)
		return nil
	},
}

func completeRegistry(d document, id arm.ID) {
	p := d.props()
	identified(d, id.String())
	p["discoveryUrl"] = "https://" + arm.APIHost + "/registrymanagement/v1.0/registries/" + id.Name() + "/discovery"
	p["mlFlowRegistryUri"] = "azureml://" + arm.APIHost + "/mlflow/v1.0" + id.String()
	p["managedResourceGroup"] = map[string]any{"resourceId": "/subscriptions/" + id.Subscription + "/resourceGroups/azureml-rg-" + id.Name()}
	if p["publicNetworkAccess"] == nil {
		p["publicNetworkAccess"] = "Enabled"
	}
	if d["tags"] == nil {
		d["tags"] = map[string]any{}
	}
}

func registryRoutes() []route {
	const typ = "registries"
	since := sinceRegistries
	return []route{
		{plane: planeARM, method: http.MethodGet, pattern: pReg, kind: typ, operation: "Registries_Get", since: since, run: true, handle: getRegistry},
		{plane: planeARM, method: http.MethodPut, pattern: pReg, kind: typ, operation: "Registries_CreateOrUpdate", since: since, body: true, lro: styleAsync, handle: registryKind.create},
		{plane: planeARM, method: http.MethodPatch, pattern: pReg, kind: typ, operation: "Registries_Update", since: since, body: true, handle: registryKind.update},
		{plane: planeARM, method: http.MethodDelete, pattern: pReg, kind: typ, operation: "Registries_Delete", since: since, lro: styleLocation, handle: registryKind.remove},
		read1(pGP+"/registries", typ, "Registries_List", since, listRegistries),
		read1(pRP+"/registries", typ, "Registries_ListBySubscription", since, listRegistries),
		post(pReg+"/removeRegions", typ, "Registries_RemoveRegions", since, styleLocation, removeRegions),
		post(pReg+"/import", typ+"/assets", "Registries_Import", since, styleLocation, importAsset),
		{plane: planeARM, method: http.MethodPut, pattern: pReg + "/tempdatarefs/{name}/versions/{version}", kind: typ + "/tempdatarefs", operation: "TemporaryDataReferences_CreateOrGet", since: since, body: true, handle: temporaryReference},
		post(pReg+"/datarefs/{name}/versions/{version}", typ+"/datarefs", "DataReferences_GetBlobReferenceSas", since, styleNone, dataReference),
		post(pReg+"/datareferences/{name}/versions/{version}", typ+"/datareferences", "RegistryDataReferences_GetBlobReferenceSas", since, styleNone, dataReference),
	}
}

// curatedRegistry is the registry that is there without having been made.
func curatedRegistry() document {
	id, err := arm.ParseID(arm.CuratedRegistryID)
	if err != nil {
		return nil
	}
	d := document{"location": arm.Region, "properties": map[string]any{"regionDetails": []any{}}}
	completeRegistry(d, id)
	d.named(id)
	return d
}

func getRegistry(c *call) error {
	if strings.EqualFold(c.path(), arm.CuratedRegistryID) {
		return c.reply(http.StatusOK, curatedRegistry())
	}
	return registryKind.get(c)
}

func listRegistries(c *call) error {
	prefix := strings.ToLower("/subscriptions/" + c.v["sub"] + "/")
	if rg := c.v["rg"]; rg != "" {
		prefix += strings.ToLower("resourcegroups/" + rg + "/")
	}
	return c.list(listing{typ: typeRegistry, keep: func(d document) (bool, error) { return strings.HasPrefix(strings.ToLower(d.text("id")), prefix), nil },
		show: func(d document) (document, error) { return registryKind.present(c, d) }})
}

func removeRegions(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	id, err := versionInPath(c)
	if err != nil {
		return err
	}
	d, err := c.find(id.String(), "registry", id.Name())
	if err != nil {
		return err
	}
	if r := body.at("properties", "regionDetails"); r != nil {
		d.props()["regionDetails"] = r
	}
	if err := c.keep(id.String(), d, nil); err != nil {
		return err
	}
	return c.action(d)
}

// registryID finds a registry by its name, which is unique.
func (s *Server) registryID(ctx context.Context, name string) (string, error) {
	if strings.EqualFold(name, arm.CuratedRegistry) {
		return arm.CuratedRegistryID, nil
	}
	found := ""
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: typeRegistry})
		for _, d := range all {
			if strings.EqualFold(d.ID[strings.LastIndexByte(d.ID, '/')+1:], name) {
				found = d.ID
			}
		}
		return err
	})
	if err == nil && found == "" {
		err = arm.NotFound("registry", name)
	}
	return found, err
}

// importAsset copies a workspace's asset version, which the body names, to the registry.
func importAsset(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	if inner := body.object("properties"); inner != nil {
		body = inner
	}
	source := body.text("sourceAssetId")
	if source == "" {
		source = body.text("assetId")
	}
	u, err := arm.ParseURI(source)
	if err != nil || u.Kind != arm.URIAsset || u.Version == "" {
		return arm.Invalid("sourceAssetId", "The id of an asset version is needed; got %q.", source)
	}
	loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, source, u.Collection)
	if err != nil {
		return err
	}
	name, version := body.text("destinationName"), body.text("destinationVersion")
	if name == "" {
		name = u.Name
	}
	if version == "" {
		version = u.Version
	}
	reg, err := versionInPath(c)
	if err != nil {
		return err
	}
	if _, err := c.share(loc.AssetID, reg.String(), u.Collection, name, version); err != nil {
		return err
	}
	return c.action(nil) // azure-ai-ml reads the asset itself when there is no result
}

// share copies an asset version, with its files, below a registry. Errors: 409 when the version is there.
func (c *call) share(from, registry, collection, name, version string) (document, error) {
	u, err := arm.ParseURI(from)
	if err != nil {
		return nil, arm.Invalid("sourceAssetId", "%s", err)
	}
	asset, err := c.s.resolver.Asset(c.ctx(), u.Scope, u)
	if err != nil {
		return nil, err
	}
	src, err := read(asset)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(registry, arm.CuratedRegistryID) {
		return nil, arm.Forbidden("The registry azureml is Microsoft's.")
	}
	id, err := arm.ParseID(registry + "/" + collection + "/" + name + "/versions/" + version)
	if err != nil {
		return nil, arm.Invalid("destinationName", "%s", err)
	}
	if err := errors.Join(nameOf(id.Inner()[0].Collection, name), nameOf(arm.Versions, version)); err != nil {
		return nil, err
	}
	exists := arm.Conflict("ResourceExists", "The asset %s:%s exists in the registry.", name, version)
	if _, err := c.s.get(c.ctx(), id.String()); err == nil {
		return nil, exists
	}
	d := document{"properties": copyOf(src.props())}
	field := map[string]string{arm.Data: "dataUri", arm.Models: "modelUri", arm.Codes: "codeUri"}[id.Inner()[0].Collection]
	if field != "" {
		loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, from, collection)
		if err != nil {
			return nil, err
		}
		if loc.Account != "" {
			uri, err := c.copyBlobs(loc, id)
			if err != nil {
				return nil, err
			}
			d.props()[field] = uri
		}
	}
	d.named(id)
	d.signed(nil, c.now)
	sd, err := d.stored(id)
	if err != nil {
		return nil, err
	}
	err = c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		if _, err := store.Get(tx, id.String()); err == nil {
			return exists
		}
		if _, err := store.Put(tx, sd); err != nil {
			return err
		}
		return storedVersion(tx, id, d, c.now)
	})
	return d, err
}

// copyBlobs copies a location's files to the container of an asset version and gives their canonical address.
func (c *call) copyBlobs(loc *arm.Location, to arm.ID) (string, error) {
	account, container, err := c.uploadContainer(to)
	if err != nil {
		return "", err
	}
	path := strings.TrimSuffix(loc.Path, "/")
	base := path[strings.LastIndexByte(path, '/')+1:]
	if base == "" {
		base = "asset"
	}
	n := 0
	for item, err := range c.s.blobs.List(c.ctx(), loc.Account, loc.Container, path) {
		if err != nil {
			return "", err
		}
		rest := strings.TrimPrefix(item.Name, path)
		if rest != "" && rest[0] != '/' && path != "" {
			continue // another file whose name begins alike
		}
		if err := c.copyBlob(item, account, container, base+rest); err != nil {
			return "", err
		}
		n++
	}
	if n == 0 {
		return "", arm.BadRequest("UserError", "The asset has no files at %s.", arm.BlobURL(loc.Account, loc.Container, loc.Path))
	}
	return arm.BlobURL(account, container, base), nil
}

func (c *call) copyBlob(item *blob.Item, account, container, name string) error {
	r, err := c.s.blobs.Open(c.ctx(), item.Account, item.Container, item.Name)
	if err != nil {
		return err
	}
	_, err = c.s.blobs.Put(c.ctx(), account, container, name, r, &blob.PutOptions{ContentType: item.ContentType, Metadata: item.Metadata})
	return errors.Join(err, r.Close())
}

// referenced is the asset version that a reference's body names.
func referenced(c *call) (arm.ID, document, error) {
	body, err := c.document()
	if err != nil {
		return arm.ID{}, nil, err
	}
	u, err := arm.ParseURI(body.text("assetId"))
	if err != nil || u.Kind != arm.URIAsset || u.Collection == "" || u.Version == "" {
		return arm.ID{}, nil, arm.Invalid("assetId", "The id of an asset version in a registry is needed; got %q.", body.text("assetId"))
	}
	reg := u.Registry
	if reg == "" {
		reg = c.v["registry"]
	}
	base, err := c.s.registryID(c.ctx(), reg)
	if err != nil {
		return arm.ID{}, nil, err
	}
	id, err := arm.ParseID(base + "/" + u.Collection + "/" + u.Name + "/versions/" + u.Version)
	return id, body, err
}

// temporaryReference gives a place to upload to; 409 when the version is there already.
func temporaryReference(c *call) error {
	id, _, err := referenced(c)
	if err != nil {
		return err
	}
	if _, err := c.s.get(c.ctx(), id.String()); err == nil {
		return arm.Conflict("ResourceExists", "The asset %s exists.", id)
	}
	account, container, err := c.uploadContainer(id)
	if err != nil {
		return err
	}
	ref, err := c.blobReference(account, container, "", "racwdl")
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"blobReferenceForConsumption": ref})
}

// dataReference gives a signature to read an asset's files with.
func dataReference(c *call) error {
	id, body, err := referenced(c)
	if err != nil {
		return err
	}
	if _, err := c.find(id.String(), "asset version", id.Name()); err != nil {
		return err
	}
	loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, id.String(), id.Inner()[0].Collection)
	if err != nil {
		return err
	}
	if loc.Account == "" {
		return arm.BadRequest("UserError", "The asset %s has no files.", id)
	}
	ref, err := c.blobReference(loc.Account, loc.Container, "", "rl")
	if err != nil {
		return err
	}
	if u := body.text("blobUri"); u != "" {
		ref["blobUri"] = u
	}
	return c.reply(http.StatusOK, document{"blobReferenceForConsumption": ref})
}

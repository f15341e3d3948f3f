package emulator

import (
	"database/sql"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

func dataplaneRoutes() []route {
	return []route{
		{plane: planeAPI, method: http.MethodPost, pattern: "/data/v1.0" + pW + "/dataversion/batchGetResolvedUris", kind: "data", operation: "DataVersion_BatchGetResolvedUris", body: true, run: true, handle: func(c *call) error { return resolvedURIs(c, arm.Data, "uri") }},
		{plane: planeAPI, method: http.MethodPost, pattern: "/data/v1.0" + pW + "/dataversion/getByAssetId", kind: "data", operation: "DataVersion_GetByAssetId", body: true, run: true, handle: dataByID},
		{plane: planeAPI, method: http.MethodPost, pattern: "/modelregistry/v1.0" + pW + "/models/batchGetResolvedUris", kind: "models", operation: "Models_BatchGetResolvedUris", body: true, run: true, handle: func(c *call) error { return resolvedURIs(c, arm.Models, "path") }},
		{plane: planeAPI, method: http.MethodPost, pattern: "/ux/v1.0/entities/crossRegion", kind: "entities", operation: "IndexEntities_GetEntitiesCrossRegion", body: true, handle: func(c *call) error {
			return c.reply(http.StatusOK, document{"indexEntitiesResponse": map[string]any{"totalCount": 0, "value": []any{}, "continuationToken": nil}})
		}},
	}
}

// locate follows an asset id of the data plane, also one that names an output which is not registered.
func (c *call) locate(id, collection string) (*arm.Location, error) {
	if job, output, ok := cutOutputAsset(id); ok {
		if loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, "azureml://jobs/"+job+"/outputs/"+output, collection); err == nil {
			return loc, nil
		}
	}
	return c.s.resolver.Resolve(c.ctx(), c.sc, id, collection)
}

// resolvedURIs answers where assets lie, as addresses in datastores where there is one.
func resolvedURIs(c *call, collection, field string) error {
	var want struct{ Values []string }
	if err := c.into(&want); err != nil {
		return err
	}
	out := map[string]any{}
	for _, id := range want.Values {
		loc, err := c.locate(id, collection)
		if err != nil {
			return err
		}
		uri, err := c.longURI(loc)
		if err != nil {
			return err
		}
		out[id] = map[string]any{field: uri, "type": loc.Type}
	}
	return c.reply(http.StatusOK, document{"values": out})
}

// longURI is a location's address through the datastore that holds it, else its URL.
func (c *call) longURI(loc *arm.Location) (string, error) {
	if loc.URL != "" {
		return loc.URL, nil
	}
	if loc.Datastore != "" {
		return c.sc.DatastoreURI(loc.Datastore, loc.Path), nil
	}
	found := ""
	err := c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Parent: c.sc.ID(), Type: typeDatastore})
		if err != nil {
			return err
		}
		for _, sd := range all {
			d, err := read(sd)
			if err != nil {
				return err
			}
			if found == "" && strings.EqualFold(localAccount(d), loc.Account) && containerOf(d) == loc.Container {
				found = d.text("name")
			}
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	if found != "" {
		return c.sc.DatastoreURI(found, loc.Path), nil
	}
	return arm.BlobURL(loc.Account, loc.Container, loc.Path), nil
}

func dataByID(c *call) error {
	var want struct{ Value string }
	if err := c.into(&want); err != nil {
		return err
	}
	loc, err := c.locate(want.Value, arm.Data)
	if err != nil {
		return err
	}
	uri, err := c.longURI(loc)
	if err != nil {
		return err
	}
	name, version := loc.Asset()
	return c.reply(http.StatusOK, document{
		"dataVersion":    map[string]any{"assetId": want.Value, "dataContainerName": name, "dataType": loc.Type, "dataUri": uri, "versionId": version, "mutableProps": map[string]any{"isArchived": false, "tags": map[string]any{}}, "properties": map[string]any{}},
		"entityMetadata": map[string]any{},
	})
}

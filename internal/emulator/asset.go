package emulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// asset is a collection of versioned assets.
type asset struct {
	collection, word string
	ops              string // of the versions, "DataVersions"; the containers' end in Containers
	containers       string
	since            string
	state            [2]bool // provisioningState of container and version
	put              style
	frozen           []string // properties that no second PUT may change
	check            func(c *call, ch *change) error
	search           func(c *call) func(document) (bool, error) // further parameters of the list of versions
}

var assets = []asset{
	{collection: arm.Data, word: "data", ops: "DataVersions", containers: "DataContainers", since: sinceAssets, frozen: []string{"dataUri", "dataType"}, check: checkData, search: byTags},
	{collection: arm.Models, word: "model", ops: "ModelVersions", containers: "ModelContainers", since: sinceAssets, state: [2]bool{true, true}, frozen: []string{"modelUri", "modelType"}, check: checkModel, search: byModel},
	{collection: arm.Codes, word: "code", ops: "CodeVersions", containers: "CodeContainers", since: sinceAssets, state: [2]bool{true, true}, frozen: []string{"codeUri"}, check: checkCode},
	{collection: arm.Environments, word: "environment", ops: "EnvironmentVersions", containers: "EnvironmentContainers", since: sinceAssets, state: [2]bool{true, true}, frozen: []string{"image", "build", "condaFile", "inferenceConfig"}, check: checkEnvironment},
	{collection: arm.Components, word: "component", ops: "ComponentVersions", containers: "ComponentContainers", since: sinceAssets, state: [2]bool{true, true}, check: checkComponent},
	{collection: arm.Featuresets, word: "feature set", ops: "FeaturesetVersions", containers: "FeaturesetContainers", since: sinceFeatures, state: [2]bool{true, true}, put: styleAsync, frozen: []string{"entities"}, check: checkFeatureset, search: byVersionName},
	{collection: arm.FeatureEntities, word: "feature store entity", ops: "FeaturestoreEntityVersions", containers: "FeaturestoreEntityContainers", since: sinceFeatures, state: [2]bool{true, true}, put: styleAsync, frozen: []string{"indexColumns"}, check: checkEntity, search: byVersionName},
}

// versionKind and containerKind are how an asset's two resources are kept; in a registry their PUT takes time.
func (a asset) versionKind(registry bool) *kind {
	k := &kind{
		word: a.word + " version", state: a.state[1], put: a.put, newest: true,
		check: func(c *call, ch *change) error {
			container := ch.id.Parent()
			if err := nameOf(a.collection, container.Name()); err != nil {
				return err
			}
			completeAsset(ch.doc)
			return a.check(c, ch)
		},
		frozen:  a.unchanged,
		stored:  func(c *call, tx *sql.Tx, ch *change) error { return storedVersion(tx, ch.id, ch.doc, c.now) },
		removed: func(c *call, tx *sql.Tx, id arm.ID) error { return removedVersion(tx, id, c.now) },
		filter: func(c *call) (func(document) (bool, error), error) {
			seen, err := c.archived()
			if err != nil {
				return nil, err
			}
			if a.search == nil {
				return seen, nil
			}
			more := a.search(c)
			return func(d document) (bool, error) {
				if seen != nil {
					if ok, err := seen(d); !ok || err != nil {
						return ok, err
					}
				}
				return more(d)
			}, nil
		},
	}
	if a.put != styleNone {
		k.del = styleLocation
	}
	if registry {
		k.put, k.del = styleAsync, styleLocation
	}
	if a.collection == arm.Environments {
		k.absent, k.behind = curatedVersion, curatedVersions
	}
	if a.collection == arm.Components {
		k.absent = defaultComponent
	}
	return k
}

func (a asset) containerKind(registry bool) *kind {
	k := &kind{
		word: a.word, state: a.state[0], put: a.put,
		check: func(_ *call, ch *change) error {
			p := ch.doc.props()
			for _, f := range []string{"latestVersion", "nextVersion"} { // they are the service's to say
				if delete(p, f); ch.old != nil {
					p[f] = ch.old.at("properties", f)
				}
			}
			if ch.old == nil {
				p["latestVersion"], p["nextVersion"] = nil, "1"
			}
			completeContainer(ch.doc)
			if a.collection == arm.Data {
				t, err := ch.doc.oneOf("properties.dataType", dataTypes...)
				if err != nil {
					return err
				}
				p["dataType"] = t
			}
			return nil
		},
		frozen: func(old, doc document) error { return same(old, doc, "UserError", "properties.dataType") },
		filter: func(c *call) (func(document) (bool, error), error) { return c.archived() },
	}
	if a.put != styleNone {
		k.del = styleLocation
	}
	if registry {
		k.put, k.del = styleAsync, styleLocation
	}
	if a.collection == arm.Environments {
		k.absent, k.behind = curatedContainer, curatedContainers
	}
	return k
}

func assetRoutes() []route {
	var rs []route
	for _, a := range assets {
		for _, at := range []struct {
			base, typ string
			registry  bool
		}{{pW, "workspaces/", false}, {pReg, "registries/", true}} {
			if at.registry && (a.collection == arm.Featuresets || a.collection == arm.FeatureEntities) {
				continue
			}
			ops := [2]string{a.containers, a.ops}
			if at.registry {
				ops = [2]string{"Registry" + a.containers, "Registry" + a.ops}
			}
			ck, vk := a.containerKind(at.registry), a.versionKind(at.registry)
			if a.collection == arm.Models && !at.registry {
				ck, vk = joined(ck), joined(vk)
			}
			one := at.base + "/" + a.collection + "/{name}"
			typ := at.typ + a.collection
			rs = append(rs, crud(ck, typ, ops[0], at.base+"/"+a.collection, "name", a.since)...)
			versions := crud(vk, typ+"/versions", ops[1], one+"/versions", "version", a.since)
			if a.collection == arm.Codes {
				list := versions[0].handle
				versions[0].handle = func(c *call) error {
					if c.query("hash") != "" {
						return codesByHash(c)
					}
					return list(c)
				}
			}
			rs = append(rs, versions...)
			rs = append(rs, post(one+"/versions/{version}/startPendingUpload", typ+"/versions", ops[1]+"_CreateOrGetStartPendingUpload", a.since, styleNone, startUpload))
			if !at.registry {
				rs = append(rs, post(one+"/versions/{version}/publish", typ+"/versions", ops[1]+"_Publish", a.since, styleLocation, publish))
			}
		}
	}
	return append(rs,
		post(pW+"/models/{name}/versions/{version}/package", "workspaces/models/versions", "ModelVersions_Package", sinceAssets, styleLocation, noPackages),
		post(pReg+"/models/{name}/versions/{version}/package", "registries/models/versions", "RegistryModelVersions_Package", sinceAssets, styleLocation, noPackages))
}

func noPackages(*call) error {
	return arm.BadRequest("ModelPackageNotSupported", "A model package is a container image, which a local workspace does not build.")
}

func completeContainer(d document) {
	p := d.props()
	for k, v := range map[string]any{"description": nil, "tags": map[string]any{}, "properties": map[string]any{}, "isArchived": false} {
		if p[k] == nil {
			p[k] = v
		}
	}
}

func completeAsset(d document) {
	completeContainer(d)
	if p := d.props(); p["isAnonymous"] == nil {
		p["isAnonymous"] = false
	}
}

// unchanged refuses other content under a version that exists. What neither says is no change.
func (a asset) unchanged(old, doc document) error {
	op, np := old.props(), doc.props()
	for _, f := range a.frozen {
		if nothing(op[f]) && nothing(np[f]) || alike(op[f], np[f]) {
			continue
		}
		if a.collection == arm.Environments {
			return arm.Conflict("Conflict", "The environment version %s exists with another definition (%s). Use another version.", old.text("id"), f)
		}
		if strings.HasSuffix(f, "Uri") {
			return &arm.Error{Status: http.StatusConflict, Code: "UserError", Message: "Asset paths cannot be updated.", Target: "properties." + f}
		}
		return &arm.Error{Status: http.StatusConflict, Code: "UserError", Target: "properties." + f, Message: fmt.Sprintf("%s of an existing version cannot be changed.", f)}
	}
	if a.collection == arm.Components && !sameSpec(op["componentSpec"], np["componentSpec"]) {
		return &arm.Error{Status: http.StatusConflict, Code: "UserError", Target: "properties.componentSpec", Message: "The component version " + old.text("id") + " exists with another definition. Use another version."}
	}
	return nil
}

func nothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// alike compares two values of JSON; addresses with and without a slash at their end are one.
func alike(a, b any) bool {
	x, ok := a.(string)
	y, ok2 := b.(string)
	if ok && ok2 {
		return strings.TrimSuffix(x, "/") == strings.TrimSuffix(y, "/")
	}
	m, err := encode(a)
	n, err2 := encode(b)
	return err == nil && err2 == nil && string(m) == string(n)
}

// sameSpec compares what a component does, not how it is described.
func sameSpec(a, b any) bool {
	clean := func(v any) map[string]any {
		m, _ := v.(map[string]any)
		m = maps.Clone(m)
		for _, k := range []string{"name", "version", "description", "display_name", "tags", "properties", "$schema", "_source", "id", "creation_context", "is_archived", "stage"} {
			delete(m, k)
		}
		maps.DeleteFunc(m, func(_ string, v any) bool { return nothing(v) })
		return m
	}
	x, err := encode(clean(a))
	y, err2 := encode(clean(b))
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}

// storedVersion keeps a version's container: it is made with the first version, and counts.
func storedVersion(tx *sql.Tx, id arm.ID, doc document, now time.Time) error {
	up := id.Parent()
	sd, err := store.Get(tx, up.String())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	c := document{}
	if sd != nil {
		if c, err = read(sd); err != nil {
			return err
		}
	}
	p := c.props()
	typ, _ := doc.props()["dataType"].(string)
	if was, _ := p["dataType"].(string); was != "" && typ != "" && was != typ {
		return &arm.Error{Status: http.StatusBadRequest, Code: "UserError", Target: "properties.dataType", Message: fmt.Sprintf("The data asset %q is of type %s; a version of type %s cannot be added.", up.Name(), was, typ)}
	}
	if typ != "" {
		p["dataType"] = typ
	}
	completeContainer(c)
	if id.Inner()[0].Collection == arm.Codes {
		if err := indexCode(tx, id, doc); err != nil {
			return err
		}
	}
	return writeContainer(tx, up, c, now)
}

func removedVersion(tx *sql.Tx, id arm.ID, now time.Time) error {
	up := id.Parent()
	sd, err := store.Get(tx, up.String())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	c, err := read(sd)
	if err != nil {
		return err
	}
	return writeContainer(tx, up, c, now)
}

// writeContainer counts the versions below a container and writes it.
func writeContainer(tx *sql.Tx, id arm.ID, c document, now time.Time) error {
	p := c.props()
	latest, err := arm.Latest(tx, id.String())
	switch {
	case errors.Is(err, store.ErrNotFound):
		p["latestVersion"] = nil
	case err != nil:
		return err
	default:
		name := latest.ID[strings.LastIndexByte(latest.ID, '/')+1:]
		p["latestVersion"] = name
		next := 1
		if n, err := strconv.Atoi(fmt.Sprint(p["nextVersion"])); err == nil {
			next = max(next, n) // it never goes back, so that a deleted version is not given again
		}
		if n, err := strconv.Atoi(name); err == nil {
			next = max(next, n+1)
		}
		p["nextVersion"] = strconv.Itoa(next)
	}
	if p["nextVersion"] == nil {
		p["nextVersion"] = "1"
	}
	in := id.Inner()[0].Collection
	if in != arm.Data {
		p["provisioningState"] = "Succeeded"
	}
	c.named(id)
	c.signed(c, now)
	if c.text("systemData", "createdAt") == "" {
		c.signed(nil, now)
	}
	sd, err := c.stored(id)
	if err != nil {
		return err
	}
	_, err = store.Put(tx, sd)
	return err
}

// register makes a version outside of a request; version "" takes the next one.
func (s *Server) register(ctx context.Context, sc arm.Scope, collection, name, version string, props map[string]any) (string, error) {
	if err := nameOf(collection, name); err != nil {
		return "", err
	}
	now := s.opts.Clock()
	at := ""
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		v := version
		if v == "" {
			v = "1"
			sd, err := store.Get(tx, sc.Child(collection, name))
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if sd != nil {
				c, err := read(sd)
				if err != nil {
					return err
				}
				if n := c.text("properties", "nextVersion"); n != "" {
					v = n
				}
			}
		}
		id, err := arm.ParseID(sc.AssetID(collection, name, v))
		if err != nil {
			return err
		}
		d := document{"properties": maps.Clone(props)}
		completeAsset(d)
		var old document
		if sd, err := store.Get(tx, id.String()); err == nil {
			if old, err = read(sd); err != nil {
				return err
			}
			for _, a := range assets {
				if a.collection == collection {
					if err := a.unchanged(old, d); err != nil {
						return err
					}
				}
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if collection != arm.Data {
			d.props()["provisioningState"] = "Succeeded"
		}
		d.named(id)
		d.signed(old, now)
		sd, err := d.stored(id)
		if err != nil {
			return err
		}
		if _, err := store.Put(tx, sd); err != nil {
			return err
		}
		at = sd.ID
		if err := storedVersion(tx, id, d, now); err != nil || collection != arm.Models {
			return err
		}
		return s.keepModel(tx, id, d)
	})
	return at, err
}

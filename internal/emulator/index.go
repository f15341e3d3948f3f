package emulator

import (
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// indexRoutes are those of the generic asset service: indexes and prompts of a workspace, deployment templates of a registry. Their documents have no properties envelope.
func indexRoutes() []route {
	var rs []route
	add := func(method, pattern, kind, op string, body bool, handle func(*call) error) {
		rs = append(rs, route{plane: planeAPI, method: method, pattern: pattern, kind: kind, operation: op, body: body, handle: handle})
	}
	for coll, group := range map[string]string{arm.Indexes: "Indexes", "prompts": "Prompts"} {
		all := "/genericasset" + pW + "/" + coll
		one := all + "/{name}"
		add(http.MethodGet, all, coll, group+"_ListLatest", false, listGeneric)
		add(http.MethodGet, one, coll, group+"_GetLatest", false, latestGeneric)
		add(http.MethodGet, one+"/versions", coll, group+"_List", false, listGeneric)
		add(http.MethodGet, one+"/versions/{version}", coll, group+"_Get", false, getGeneric)
		add(http.MethodPut, one+"/versions/{version}", coll, group+"_CreateOrUpdate", true, putGeneric)
		add(http.MethodPost, one+":getNextVersion", coll, group+"_GetNextVersion", false, nextGeneric)
	}
	all := "/genericasset/v2.0" + pReg + "/deploymenttemplates"
	add(http.MethodGet, all, "deploymenttemplates", "DeploymentTemplates_List", false, listGeneric)
	add(http.MethodGet, all+"/{name}", "deploymenttemplates", "DeploymentTemplates_GetLatest", false, latestGeneric)
	add(http.MethodGet, all+"/{name}/versions/{version}", "deploymenttemplates", "DeploymentTemplates_Get", false, getGeneric)
	add(http.MethodPost, all+"/{name}/versions/{version}", "deploymenttemplates", "DeploymentTemplates_Create", true, putGeneric)
	add(http.MethodPut, all+"/{name}/versions/{version}", "deploymenttemplates", "DeploymentTemplates_CreateOrUpdate", true, putGeneric)
	add(http.MethodDelete, all+"/{name}/versions/{version}", "deploymenttemplates", "DeploymentTemplates_Delete", false, deleteGeneric)
	return rs
}

// generic is the asset, or the collection, that the path names: what follows the service's prefix is an id.
func (c *call) generic() (arm.ID, error) {
	p := c.r.URL.Path
	i := strings.Index(strings.ToLower(p), "/subscriptions/")
	p = strings.TrimSuffix(p[i:], ":getNextVersion")
	if j := strings.LastIndexByte(p, ':'); j > strings.LastIndexByte(p, '/') {
		p = p[:j]
	}
	id, err := arm.ParseID(p)
	if err != nil {
		return id, arm.BadRequest("InvalidRequestUri", "%s", err)
	}
	if c.sc.Workspace != "" {
		id.Subscription, id.ResourceGroup, id.Segments[0].Name = c.sc.Subscription, c.sc.ResourceGroup, c.sc.Workspace
	}
	return id, nil
}

func genericType(id arm.ID) string { return "generic/" + strings.ToLower(id.Segments[1].Collection) }

// listGeneric lists the versions of an asset, or the latest of each.
func listGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	view := viewOf(c)
	if view == "" {
		view = "activeonly"
	}
	name, stage := c.query("name"), c.query("stage")
	tags := c.query("tags")
	keep := func(d document) bool {
		archived := strings.EqualFold(d.text("stage"), "Archived") || d.flag("isArchived")
		return (view == "all" || archived == (view == "archivedonly")) && (name == "" || d.text("name") == name) && (stage == "" || strings.EqualFold(stage, d.text("stage"))) && has(d.object("tags"), tags)
	}
	var value []any
	err = c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Type: genericType(id), Descending: true})
		if err != nil {
			return err
		}
		prefix := strings.ToLower(id.String()) + "/"
		seen := map[string]bool{}
		for _, sd := range all {
			if !strings.HasPrefix(strings.ToLower(sd.ID), prefix) {
				continue
			}
			d, err := read(sd)
			if err != nil {
				return err
			}
			one := strings.ToLower(sd.Parent)
			if !keep(d) || len(id.Segments) == 2 && seen[one] {
				continue
			}
			seen[one] = true
			value = append(value, d)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.slice("value", value)
}

func latestGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	var d document
	err = c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		sd, err := arm.Latest(tx, id.String())
		if err != nil {
			return err
		}
		d, err = read(sd)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return arm.NotFound(id.Segments[1].Collection, id.Name())
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

func getGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	d, err := c.find(id.String(), id.Segments[1].Collection+" version", c.v["name"]+":"+c.v["version"])
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

func putGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	d, err := c.document()
	if err != nil {
		return err
	}
	if err := errors.Join(nameOf(id.Segments[1].Collection, c.v["name"]), nameOf(arm.Versions, c.v["version"])); err != nil {
		return err
	}
	if id.Segments[1].Collection == arm.Indexes {
		if err := d.missing("storageUri"); err != nil {
			return err
		}
	}
	old, err := c.s.get(c.ctx(), id.String())
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if old != nil && !alike(old["storageUri"], d["storageUri"]) {
		return &arm.Error{Status: http.StatusConflict, Code: "UserError", Message: "Asset paths cannot be updated.", Target: "storageUri"}
	}
	for k, v := range map[string]any{"tags": map[string]any{}, "properties": map[string]any{}, "stage": "Development"} {
		if d[k] == nil {
			d[k] = v
		}
	}
	d["id"], d["name"], d["version"] = genericID(c, id), c.v["name"], c.v["version"]
	d.signed(old, c.now)
	b, err := encode(d)
	if err != nil {
		return err
	}
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: id.String(), Type: genericType(id), Parent: id.Parent().String(), Body: b})
		return err
	}); err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

// genericID is the id that the service itself gives.
func genericID(c *call, id arm.ID) string {
	if r, ok := id.Registry(); ok {
		return "azureml://registries/" + r + "/deploymenttemplates/" + c.v["name"] + "/versions/" + c.v["version"]
	}
	return "azureml://locations/" + arm.Region + "/workspaces/" + c.sc.WorkspaceID() + "/" + id.Segments[1].Collection + "/" + c.v["name"] + "/versions/" + c.v["version"]
}

func deleteGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	gone := false
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		gone, err = store.Delete(tx, id.String())
		return err
	}); err != nil {
		return err
	}
	if !gone {
		return c.empty(http.StatusNoContent)
	}
	return c.empty(http.StatusOK)
}

func nextGeneric(c *call) error {
	id, err := c.generic()
	if err != nil {
		return err
	}
	next, latest := 1, any(nil)
	names, err := c.s.below(c.ctx(), id.String(), genericType(id))
	if err != nil {
		return err
	}
	for _, n := range names {
		latest = n
		if v, err := strconv.Atoi(n); err == nil && v >= next {
			next = v + 1
		}
	}
	return c.reply(http.StatusOK, document{"nextVersion": next, "latestVersion": latest})
}

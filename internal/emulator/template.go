package emulator

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// templateAt is where a deployment of a template is kept.
func templateAt(c *call) string {
	return groupAt(c.v["sub"], c.v["rg"]) + "/providers/Microsoft.Resources/deployments/" + c.v["deployment"]
}

// putTemplate carries out what a template says of Azure Machine Learning: workspaces, their connections and registries. Resources of other providers (storage accounts,
// vaults, insights) are not made: a local workspace does not need them, and the answer does not list them.
func putTemplate(c *call) error {
	body, err := c.document()
	if err != nil {
		return err
	}
	if err := body.missing("properties.template"); err != nil {
		return err
	}
	t := &template{sub: c.v["sub"], group: c.v["rg"], parameters: map[string]any{}, variables: body.object("properties", "template", "variables")}
	given := body.object("properties", "parameters")
	for name, p := range body.object("properties", "template", "parameters") {
		def, _ := p.(map[string]any)
		value, has := def["defaultValue"]
		for k, g := range given {
			if m, ok := g.(map[string]any); ok && strings.EqualFold(k, name) {
				value, has = m["value"], true
			}
		}
		if !has {
			return arm.BadRequest("InvalidTemplate", "Deployment template validation failed: 'The value for the template parameter '%s' is not provided.'", name)
		}
		t.parameters[name] = value
	}
	var made []any
	list, _ := body.at("properties", "template", "resources").([]any)
	for _, r := range list {
		m, _ := r.(map[string]any)
		ids, err := c.deploy(t, m, "", "")
		if err != nil {
			return err
		}
		for _, id := range ids {
			made = append(made, document{"id": id})
		}
	}
	d := document{
		"id": templateAt(c), "name": c.v["deployment"], "type": "Microsoft.Resources/deployments",
		"properties": map[string]any{
			"provisioningState": "Succeeded", "mode": "Incremental", "timestamp": timestamp(c.now), "duration": "PT1S", "correlationId": guid(templateAt(c)),
			"outputs": map[string]any{}, "outputResources": made, "providers": []any{}, "dependencies": []any{},
		},
	}
	b, err := encode(d)
	if err != nil {
		return err
	}
	o := c.newOperation(templateAt(c), "Running")
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		if _, err := store.Put(tx, &store.Document{ID: templateAt(c), Type: "Microsoft.Resources/deployments", Parent: groupAt(c.v["sub"], c.v["rg"]), Body: b}); err != nil {
			return err
		}
		return o.put(tx)
	}); err != nil {
		return err
	}
	if !o.instant() {
		c.announce(o, styleAsync)
		d.props()["provisioningState"] = "Running"
	}
	return c.reply(http.StatusCreated, d)
}

// deploy makes one resource of a template and those inside it. type and name of an inner one are relative to the outer's.
func (c *call) deploy(t *template, r map[string]any, outerType, outerName string) ([]string, error) {
	if on, has := r["condition"]; has {
		v, err := t.value(on)
		if err != nil {
			return nil, arm.BadRequest("InvalidTemplate", "Deployment template validation failed: '%s'.", err)
		}
		if !truth(v) {
			return nil, nil
		}
	}
	typ, _ := r["type"].(string)
	if outerType != "" && !strings.Contains(typ, "/") {
		typ = outerType + "/" + typ
	}
	k := map[string]*kind{typeWorkspace: workspaceKind, typeRegistry: registryKind, typeWorkspace + "/connections": connectionKind, typeCompute: computeKind, typeDatastore: datastoreKind}
	at := (*kind)(nil)
	for name, kind := range k {
		if strings.EqualFold(name, typ) {
			typ, at = name, kind
		}
	}
	if at == nil {
		if strings.HasPrefix(strings.ToLower(typ), strings.ToLower(arm.Provider)+"/") {
			return nil, arm.BadRequest("TemplateResourceNotSupported", "A local workspace does not deploy %s from a template; PUT it.", typ)
		}
		return nil, nil
	}
	inner, _ := r["resources"].([]any)
	plain := map[string]any{}
	for _, f := range append([]string{"name", "properties"}, trackedFields...) {
		if v, has := r[f]; has {
			plain[f] = v
		}
	}
	v, err := t.value(plain)
	if err != nil {
		return nil, arm.BadRequest("InvalidTemplate", "Deployment template validation failed: '%s'.", err)
	}
	d := document(v.(map[string]any))
	name := d.text("name")
	if outerName != "" && !strings.Contains(name, "/") {
		name = outerName + "/" + name
	}
	base := groupAt(c.v["sub"], c.v["rg"]) + "/providers/" + arm.Provider
	names := strings.Split(name, "/")
	types := strings.Split(typ, "/")[1:]
	if len(names) != len(types) {
		return nil, arm.BadRequest("InvalidTemplate", "The name %q does not fit the type %s.", name, typ)
	}
	for i := range types {
		base += "/" + types[i] + "/" + names[i]
	}
	id, err := arm.ParseID(base)
	if err != nil {
		return nil, arm.BadRequest("InvalidTemplate", "%s", err)
	}
	// The resource is saved as if its own PUT had come, with an answer that nobody reads.
	own := *c
	own.w = &lostWriter{header: http.Header{}}
	own.r = c.r.WithContext(context.WithValue(c.ctx(), delayKey{}, time.Duration(0)))
	if len(names) > 1 {
		sc, _ := id.Scope()
		known, ok := c.s.workspace(sc)
		if !ok {
			return nil, arm.NotFound("workspace", sc.Workspace)
		}
		own.sc = known
	}
	if err := at.save(&own, id, withoutNulls(d), false); err != nil {
		return nil, err
	}
	out := []string{id.String()}
	for _, x := range inner {
		m, _ := x.(map[string]any)
		ids, err := c.deploy(t, m, typ, name)
		if err != nil {
			return nil, err
		}
		out = append(out, ids...)
	}
	return out, nil
}

// withoutNulls drops what a template leaves empty.
func withoutNulls(d document) document {
	var clean func(v any) any
	clean = func(v any) any {
		if m, ok := v.(map[string]any); ok {
			out := map[string]any{}
			for k, x := range m {
				if x = clean(x); x != nil {
					out[k] = x
				}
			}
			return out
		}
		return v
	}
	m, _ := clean(map[string]any(d)).(map[string]any)
	return m
}

func getTemplate(c *call) error {
	d, err := c.find(templateAt(c), "deployment", c.v["deployment"])
	if err != nil {
		return err
	}
	if c.s.running(templateAt(c)) != nil {
		d.props()["provisioningState"] = "Running"
	}
	return c.reply(http.StatusOK, d)
}

// templateOperations lists what a deployment made.
func templateOperations(c *call) error {
	d, err := c.find(templateAt(c), "deployment", c.v["deployment"])
	if err != nil {
		return err
	}
	value := []any{}
	made, _ := d.at("properties", "outputResources").([]any)
	for _, r := range made {
		m, _ := r.(map[string]any)
		id, err := arm.ParseID(wordOf(m["id"]))
		if err != nil {
			return err
		}
		op := guid("operation " + id.String())
		value = append(value, document{
			"id": templateAt(c) + "/operations/" + op, "operationId": op,
			"properties": map[string]any{
				"provisioningOperation": "Create", "provisioningState": "Succeeded", "timestamp": d.at("properties", "timestamp"), "duration": "PT1S", "statusCode": "OK",
				"targetResource": map[string]any{"id": id.String(), "resourceType": id.Type(), "resourceName": id.Name()},
			},
		})
	}
	return c.slice("value", value)
}

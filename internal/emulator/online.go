package emulator

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const (
	typeOnline           = typeWorkspace + "/" + arm.OnlineEndpoints
	typeOnlineDeployment = typeOnline + "/" + arm.Deployments
)

var onlineKind = &kind{
	word: "online endpoint", envelope: trackedFields, state: true, put: styleAsync, patch: styleLocation, del: styleLocation,
	check:  checkOnline,
	frozen: func(old, doc document) error { return same(old, doc, "UserError", "properties.authMode", "location") },
	stored: func(c *call, tx *sql.Tx, ch *change) error { return putKeys(tx, ch.id.String(), ch.secret, c.s.newKey) },
	after:  func(c *call, ch *change) { c.s.addEndpoint(ch.id.Name(), c.sc) },
	removing: func(c *call, id arm.ID, _ document) (func(context.Context) error, error) {
		names, err := c.s.below(c.ctx(), id.String(), typeOnlineDeployment)
		if err != nil || len(names) == 0 {
			return nil, err
		}
		sc := c.sc
		return func(context.Context) error {
			for _, n := range names {
				c.s.online.Remove(sc, id.Name(), n)
			}
			return nil
		}, nil
	},
	removed: func(c *call, _ *sql.Tx, id arm.ID) error { c.s.dropEndpoint(id.Name()); return nil },
	show:    showOnline,
	filter:  endpointFilter,
}

var onlineDeploymentKind = &kind{
	word: "online deployment", parent: "online endpoint", envelope: trackedFields, state: true, put: styleAsync, patch: styleLocation, del: styleLocation,
	check: checkOnlineDeployment,
	frozen: func(old, doc document) error {
		return same(old, doc, "UserError", "properties.endpointComputeType", "location")
	},
	work: func(c *call, ch *change) func(context.Context) error {
		sc, endpoint, name := c.sc, ch.id.Parent().Name(), ch.id.Name()
		props, err := encode(ch.doc.props())
		instances := intOf(ch.doc.at("sku", "capacity"))
		return func(ctx context.Context) error {
			if err != nil {
				return err
			}
			return c.s.online.Apply(ctx, sc, endpoint, name, props, instances)
		}
	},
	removing: func(c *call, id arm.ID, _ document) (func(context.Context) error, error) {
		up := id.Parent()
		e, err := c.find(up.String(), "online endpoint", up.Name())
		if err != nil {
			return nil, err
		}
		for name, percent := range e.object("properties", "traffic") {
			if strings.EqualFold(name, id.Name()) && intOf(percent) > 0 {
				return nil, arm.BadRequest("UserError", "The deployment %s has %d%% of the traffic of the endpoint %s; set it to 0 before it is deleted.", id.Name(), intOf(percent), up.Name())
			}
		}
		sc := c.sc
		return func(context.Context) error {
			c.s.online.Remove(sc, up.Name(), id.Name())
			return nil
		}, nil
	},
}

func onlineRoutes() []route {
	const typ = "workspaces/onlineEndpoints"
	all := pW + "/onlineEndpoints"
	one := all + "/{endpoint}"
	d := one + "/deployments/{deployment}"
	since := sinceAssets
	rs := append(crud(onlineKind, typ, "OnlineEndpoints", all, "endpoint", since), patched(onlineKind, typ, "OnlineEndpoints", one, since),
		post(one+"/listKeys", typ, "OnlineEndpoints_ListKeys", since, styleNone, onlineKeys),
		post(one+"/regenerateKeys", typ, "OnlineEndpoints_RegenerateKeys", since, styleLocation, regenerate),
		post(one+"/token", typ, "OnlineEndpoints_GetToken", since, styleNone, scoringToken))
	rs = append(rs, crud(onlineDeploymentKind, typ+"/deployments", "OnlineDeployments", one+"/deployments", "deployment", since)...)
	return append(rs, patched(onlineDeploymentKind, typ+"/deployments", "OnlineDeployments", d, since),
		post(d+"/getLogs", typ+"/deployments", "OnlineDeployments_GetLogs", since, styleNone, deploymentLogs),
		read1(d+"/skus", typ+"/deployments", "OnlineDeployments_ListSkus", since, deploymentSkus))
}

func checkOnline(c *call, ch *change) error {
	if err := endpointNameFree(c, ch); err != nil {
		return err
	}
	if ch.doc.text("location") == "" {
		return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	mode, err := ch.doc.oneOf("properties.authMode", "Key", "AMLToken", "AADToken")
	if err != nil {
		return err
	}
	p := ch.doc.props()
	p["authMode"] = mode
	if keys, ok := p["keys"].(map[string]any); ok { // they can be given, and are never shown
		ch.secret = keys
	}
	for _, k := range []string{"keys", "scoringUri", "swaggerUri"} {
		delete(p, k)
	}
	for k, v := range map[string]any{"traffic": map[string]any{}, "mirrorTraffic": map[string]any{}, "publicNetworkAccess": "Enabled", "properties": map[string]any{}} {
		if p[k] == nil {
			p[k] = v
		}
	}
	if ch.doc["kind"] == nil {
		ch.doc["kind"] = "Managed"
	}
	if ref := ch.doc.text("properties", "compute"); ref != "" {
		at, err := c.computeAt("properties.compute", ref)
		if err != nil {
			return err
		}
		if t := at.text("properties", "computeType"); t != "Kubernetes" {
			return arm.Invalid("properties.compute", "An endpoint is attached to a Kubernetes compute; %q is of type %s.", at.text("name"), t)
		}
	}
	if ch.doc["tags"] == nil {
		ch.doc["tags"] = map[string]any{}
	}
	identified(ch.doc, ch.id.String())
	names, err := c.s.below(c.ctx(), ch.id.String(), typeOnlineDeployment)
	if err != nil {
		return err
	}
	if err := checkTraffic(ch.doc, "traffic", names, func(sum int) bool { return sum == 0 || sum == 100 }, "0 or 100"); err != nil {
		return err
	}
	return checkTraffic(ch.doc, "mirrorTraffic", names, func(sum int) bool { return sum <= 50 }, "at most 50")
}

// computeAt is the compute that a field names by its id, by azureml:NAME or by its name.
func (c *call) computeAt(field, ref string) (document, error) {
	name := strings.TrimPrefix(ref, "azureml:")
	if u, err := arm.ParseURI(ref); err == nil && u.Collection == arm.Computes {
		name = u.Name
	}
	d, err := c.s.get(c.ctx(), c.sc.Child(arm.Computes, name))
	if errors.Is(err, store.ErrNotFound) {
		return nil, arm.Invalid(field, "The compute %q was not found in the workspace.", name)
	}
	return d, err
}

// endpointNameFree refuses a name that is in use: names are part of scoring addresses.
func endpointNameFree(c *call, ch *change) error {
	if ch.old != nil {
		return nil
	}
	if _, ok := c.s.endpoint(ch.id.Name()); ok {
		return arm.Conflict("UserError", "The endpoint name %q is in use; endpoint names are unique in a region.", ch.id.Name())
	}
	return nil
}

// checkTraffic refuses percentages that are none, of deployments that are not there. Their names are written in lower case, as the service does.
func checkTraffic(d document, field string, deployments []string, fits func(int) bool, words string) error {
	m, ok := d.at("properties", field).(map[string]any)
	if !ok {
		return arm.Invalid("properties."+field, "The field properties.%s maps deployments to percent.", field)
	}
	sum := 0
	out := map[string]any{}
	for name, v := range m {
		n, whole := wholeOf(v)
		if !whole || n < 0 || n > 100 {
			return arm.Invalid("properties."+field+"."+name, "A share of traffic is a whole number from 0 to 100; got %v.", v)
		}
		found := false
		for _, x := range deployments {
			found = found || strings.EqualFold(x, name)
		}
		if !found {
			return arm.Invalid("properties."+field+"."+name, "The endpoint has no deployment %q.", name)
		}
		out[strings.ToLower(name)] = n
		sum += n
	}
	if !fits(sum) {
		return arm.Invalid("properties."+field, "The shares of %s must make %s percent together; they make %d.", field, words, sum)
	}
	d.props()[field] = out
	return nil
}

func wholeOf(v any) (int, bool) {
	switch v := v.(type) {
	case interface{ Int64() (int64, error) }:
		n, err := v.Int64()
		return int(n), err == nil
	case int:
		return v, true
	}
	return 0, false
}

func showOnline(_ *call, d document) (document, error) {
	p := d.props()
	base := "https://" + strings.ToLower(d.text("name")) + "." + arm.InferenceHost
	p["scoringUri"], p["swaggerUri"] = base+"/score", base+"/swagger.json"
	return d, nil
}

// endpointFilter are the parameters of a list of endpoints.
func endpointFilter(c *call) (func(document) (bool, error), error) {
	name, compute, tags, props := c.query("name"), c.query("computeType"), c.query("tags"), c.query("properties")
	return func(d document) (bool, error) {
		k := d.text("kind")
		return (name == "" || strings.EqualFold(name, d.text("name"))) && (compute == "" || k == "" || strings.EqualFold(k, compute)) &&
			has(d.object("tags"), tags) && has(d.object("properties", "properties"), props), nil
	}, nil
}

// below gives the names of the resources of a type right below another.
func (s *Server) below(ctx context.Context, id, typ string) ([]string, error) {
	var out []string
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		all, err := store.List(tx, store.Query{Parent: id, Type: typ})
		for _, d := range all {
			out = append(out, d.ID[strings.LastIndexByte(d.ID, '/')+1:])
		}
		return err
	})
	return out, err
}

func checkOnlineDeployment(c *call, ch *change) error {
	p := ch.doc.props()
	up := ch.id.Parent()
	if err := c.s.errBusy(up.String()); err != nil {
		return err
	}
	e, err := c.find(up.String(), "online endpoint", up.Name())
	if err != nil {
		return err
	}
	if ch.doc.text("location") == "" {
		return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	t, err := ch.doc.oneOf("properties.endpointComputeType", "Managed", "Kubernetes", "AzureMLCompute")
	if err != nil {
		return err
	}
	p["endpointComputeType"] = t
	if ch.doc.object("sku") == nil {
		ch.doc["sku"] = map[string]any{"name": "Default", "capacity": 1}
	}
	sku := ch.doc.object("sku")
	if sku["name"] == nil {
		sku["name"] = "Default"
	}
	if sku["capacity"] == nil {
		sku["capacity"] = 1
	}
	if n, ok := wholeOf(sku["capacity"]); !ok || n < 1 || n > 100 {
		return arm.Invalid("sku.capacity", "The number of instances is a whole number from 1 to 100; got %v.", sku["capacity"])
	}
	if p["codeConfiguration"] != nil {
		if err := ch.doc.missing("properties.codeConfiguration.scoringScript"); err != nil {
			return err
		}
	}
	for field, kind := range map[string]string{"model": arm.Models, "environmentId": arm.Environments} {
		if ref := ch.doc.text("properties", field); ref != "" {
			if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, ref, kind); err != nil {
				return err
			}
		}
	}
	if ref := ch.doc.text("properties", "codeConfiguration", "codeId"); ref != "" {
		if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, ref, arm.Codes); err != nil {
			return err
		}
	}
	for k, v := range map[string]any{
		"appInsightsEnabled": false, "egressPublicNetworkAccess": "Enabled", "environmentVariables": map[string]any{}, "properties": map[string]any{},
		"scaleSettings": map[string]any{"scaleType": "Default"},
	} {
		if p[k] == nil {
			p[k] = v
		}
	}
	if _, err := ch.doc.oneOf("properties.scaleSettings.scaleType", "Default", "TargetUtilization"); err != nil {
		return err
	}
	for _, v := range ch.doc.object("properties", "dataCollector", "collections") { // azure-ai-ml compares the word
		if m, ok := v.(map[string]any); ok {
			switch mode, _ := m["dataCollectionMode"].(string); strings.ToLower(mode) {
			case "enabled":
				m["dataCollectionMode"] = "Enabled"
			case "disabled":
				m["dataCollectionMode"] = "Disabled"
			}
		}
	}
	if ch.doc["kind"] == nil && e["kind"] != nil {
		ch.doc["kind"] = e["kind"]
	}
	if ch.doc["tags"] == nil {
		ch.doc["tags"] = map[string]any{}
	}
	props, err := encode(p)
	if err != nil {
		return err
	}
	return c.s.online.Check(c.ctx(), c.sc, props)
}

func deploymentLogs(c *call) error {
	var want struct {
		ContainerType string
		Tail          int
	}
	if err := c.into(&want); err != nil {
		return err
	}
	id := c.sc.Child(arm.OnlineEndpoints, c.v["endpoint"], arm.Deployments, c.v["deployment"])
	if _, err := c.find(id, "online deployment", c.v["deployment"]); err != nil {
		return err
	}
	text, err := c.s.online.Logs(c.sc, c.v["endpoint"], c.v["deployment"], want.ContainerType, want.Tail)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"content": text})
}

func deploymentSkus(c *call) error {
	id := c.sc.Child(arm.OnlineEndpoints, c.v["endpoint"], arm.Deployments, c.v["deployment"])
	if _, err := c.find(id, "online deployment", c.v["deployment"]); err != nil {
		return err
	}
	return c.slice("value", []any{document{
		"resourceType": typeOnlineDeployment, "sku": map[string]any{"name": "Default", "tier": "Standard"},
		"capacity": map[string]any{"default": 1, "minimum": 1, "maximum": 100, "scaleType": "Manual"},
	}})
}

// restoreDeployments starts again what served when the folder was last open.
func (s *Server) restoreDeployments(ctx context.Context) error {
	type restore struct {
		id arm.ID
		sc arm.Scope
		d  document
	}
	var all []restore
	if err := s.db.View(ctx, func(tx *sql.Tx) error {
		docs, err := store.List(tx, store.Query{Type: typeOnlineDeployment})
		if err != nil {
			return err
		}
		for _, sd := range docs {
			d, err := read(sd)
			if err != nil {
				return err
			}
			id, err := arm.ParseID(sd.ID)
			if err != nil {
				return err
			}
			if sc, ok := id.Scope(); ok && d.text("properties", "provisioningState") == "Succeeded" {
				all = append(all, restore{id, sc, d})
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if len(all) == 0 || !s.begin() {
		return nil
	}
	go func() {
		defer s.end()
		for _, r := range all {
			props, err := encode(r.d.props())
			if err == nil {
				err = s.online.Restore(s.ctx, r.sc, r.id.Parent().Name(), r.id.Name(), props, intOf(r.d.at("sku", "capacity")))
			}
			if err != nil && s.ctx.Err() == nil {
				s.opts.Logger.Error("a deployment could not be started again", "deployment", r.id.String(), "error", err)
			}
		}
	}()
	return nil
}

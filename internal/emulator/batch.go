package emulator

import (
	"context"
	"database/sql"
	"maps"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

const (
	typeBatch           = typeWorkspace + "/" + arm.BatchEndpoints
	typeBatchDeployment = typeBatch + "/" + arm.Deployments
)

var batchKind = &kind{
	word: "batch endpoint", envelope: trackedFields, state: true, put: styleAsync, patch: styleLocation, del: styleLocation,
	check:   checkBatch,
	frozen:  func(old, doc document) error { return same(old, doc, "UserError", "properties.authMode", "location") },
	stored:  func(c *call, tx *sql.Tx, ch *change) error { return putKeys(tx, ch.id.String(), nil, c.s.newKey) },
	after:   func(c *call, ch *change) { c.s.addEndpoint(ch.id.Name(), c.sc) },
	removed: func(c *call, _ *sql.Tx, id arm.ID) error { c.s.dropEndpoint(id.Name()); return nil },
	show: func(_ *call, d document) (document, error) {
		base := "https://" + strings.ToLower(d.text("name")) + "." + arm.InferenceHost
		d.props()["scoringUri"], d.props()["swaggerUri"] = base+"/jobs", base+"/swagger.json"
		return d, nil
	},
	filter: endpointFilter,
}

var batchDeploymentKind = &kind{
	word: "batch deployment", parent: "batch endpoint", envelope: trackedFields, state: true, put: styleAsync, patch: styleLocation, del: styleLocation,
	check: checkBatchDeployment,
	removing: func(c *call, id arm.ID, _ document) (func(context.Context) error, error) {
		up := id.Parent()
		e, err := c.find(up.String(), "batch endpoint", up.Name())
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(e.text("properties", "defaults", "deploymentName"), id.Name()) {
			return nil, arm.BadRequest("UserError", "The deployment %s is the default one of the endpoint %s; make another one the default before it is deleted.", id.Name(), up.Name())
		}
		return nil, nil
	},
}

func batchRoutes() []route {
	const typ = "workspaces/batchEndpoints"
	all := pW + "/batchEndpoints"
	one := all + "/{endpoint}"
	since := sinceAssets
	rs := append(crud(batchKind, typ, "BatchEndpoints", all, "endpoint", since), patched(batchKind, typ, "BatchEndpoints", one, since),
		post(one+"/listkeys", typ, "BatchEndpoints_ListKeys", since, styleNone, func(c *call) error {
			id, _, err := endpointInPath(c, "batch endpoint")
			if err != nil {
				return err
			}
			return replyKeys(c, id)
		}),
		read1(one+"/jobs", typ+"/jobs", "BatchJobEndpoint_List", "2021-01-01", func(c *call) error { return batchJobs(c, "") }),
		read1(one+"/deployments/{deployment}/jobs", typ+"/deployments/jobs", "BatchJobDeployment_List", "2021-01-01", func(c *call) error { return batchJobs(c, c.v["deployment"]) }),
	)
	rs = append(rs, crud(batchDeploymentKind, typ+"/deployments", "BatchDeployments", one+"/deployments", "deployment", since)...)
	return append(rs, patched(batchDeploymentKind, typ+"/deployments", "BatchDeployments", one+"/deployments/{deployment}", since))
}

func checkBatch(c *call, ch *change) error {
	if err := endpointNameFree(c, ch); err != nil {
		return err
	}
	if ch.doc.text("location") == "" {
		return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	p := ch.doc.props()
	if p["authMode"] == nil {
		p["authMode"] = "AADToken"
	}
	mode, err := ch.doc.oneOf("properties.authMode", "AADToken")
	if err != nil {
		return err
	}
	p["authMode"] = mode
	if p["properties"] == nil {
		p["properties"] = map[string]any{}
	}
	if p["defaults"] == nil { // clients set the name in it
		p["defaults"] = map[string]any{"deploymentName": nil}
	}
	if ch.doc["tags"] == nil {
		ch.doc["tags"] = map[string]any{}
	}
	identified(ch.doc, ch.id.String())
	if name := ch.doc.text("properties", "defaults", "deploymentName"); name != "" {
		if _, err := c.find(ch.id.String()+"/deployments/"+name, "batch deployment", name); err != nil {
			return arm.Invalid("properties.defaults.deploymentName", "The endpoint has no deployment %q.", name)
		}
	}
	return nil
}

func checkBatchDeployment(c *call, ch *change) error {
	p := ch.doc.props()
	if ch.doc.text("location") == "" {
		return arm.BadRequest("LocationRequired", "The location property is required for this definition.")
	}
	if id := ch.doc.text("properties", "model", "assetId"); id != "" {
		if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, id, arm.Models); err != nil {
			return err
		}
	}
	if id := ch.doc.text("properties", "environmentId"); id != "" {
		if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, id, arm.Environments); err != nil {
			return err
		}
	}
	if id := ch.doc.text("properties", "codeConfiguration", "codeId"); id != "" {
		if _, err := c.s.resolver.Resolve(c.ctx(), c.sc, id, arm.Codes); err != nil {
			return err
		}
	}
	if id := ch.doc.text("properties", "compute"); id != "" {
		if _, err := c.computeAt("properties.compute", id); err != nil {
			return err
		}
	}
	for k, v := range map[string]any{"errorThreshold": -1, "maxConcurrencyPerInstance": 1, "miniBatchSize": 10, "outputFileName": "predictions.csv", "outputAction": "AppendRow", "loggingLevel": "Info", "environmentVariables": map[string]any{}, "properties": map[string]any{}} {
		if p[k] == nil {
			p[k] = v
		}
	}
	if ch.doc["tags"] == nil {
		ch.doc["tags"] = map[string]any{}
	}
	return checkBatchSettings(c, ch)
}

// batchJobs lists the jobs that invocations made.
func batchJobs(c *call, deployment string) error {
	if _, err := c.find(c.sc.Child(arm.BatchEndpoints, c.v["endpoint"]), "batch endpoint", c.v["endpoint"]); err != nil {
		return err
	}
	return c.list(listing{parent: c.sc.ID(), typ: typeJob, newest: true, keep: func(d document) (bool, error) {
		p := d.object("properties", "properties")
		e, _ := p[batchEndpointMark].(string)
		n, _ := p[batchDeploymentMark].(string)
		return strings.EqualFold(e, c.v["endpoint"]) && (deployment == "" || strings.EqualFold(n, deployment)), nil
	}, show: c.showBatchJob})
}

// showBatchJob is a job as the endpoint that made it says it.
func (c *call) showBatchJob(d document) (document, error) {
	d, err := c.showJob(d)
	if err != nil {
		return nil, err
	}
	p := document(d.props())
	name := d.text("name")
	endpoint := p.text("properties", batchEndpointMark)
	pages := map[string]any{}
	for k, v := range p.object("services") {
		if page, ok := v.(map[string]any); ok && k == "Studio" {
			pages[k] = map[string]any{"jobEndpointType": k, "endpoint": page["endpoint"], "status": page["status"], "errorMessage": nil, "port": nil, "properties": map[string]any{}}
		}
	}
	out := map[string]any{
		"name": name, "status": p["status"], "provisioningState": "Succeeded", "interactionEndpoints": pages, "inputData": batchPorts(p.object("inputs"), "jobInputType"),
		"outputData": batchPorts(p.object("outputs"), "jobOutputType"), "description": p["description"], "tags": p["tags"], "properties": p["properties"],
		"deploymentName": p.text("properties", batchDeploymentMark), "experimentName": p["experimentName"],
	}
	return document{
		"id": c.sc.Child(arm.BatchEndpoints, endpoint) + "/jobs/" + name, "name": name, "type": typeBatch + "/jobs", "properties": out, "systemData": d["systemData"],
	}, nil
}

// batchPorts are a job's inputs or outputs in the words of the regional service.
func batchPorts(ports map[string]any, field string) map[string]any {
	out := map[string]any{}
	for k, v := range ports {
		one, ok := v.(map[string]any)
		if !ok {
			continue
		}
		one = maps.Clone(one)
		if t, ok := one[field].(string); ok {
			one[field] = map[string]string{
				"uri_folder": "UriFolder", "uri_file": "UriFile", "mltable": "MLTable", "mlflow_model": "MLFlowModel", "custom_model": "CustomModel", "triton_model": "TritonModel", "literal": "Literal",
			}[t]
		}
		out[k] = one
	}
	return out
}

package emulator

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// logTime is how long the signed address of a log can be read.
const logTime = 12 * time.Hour

// historyRoutes are the run history's: a run is reached by its id, by its experiment's id, or by its experiment's name.
func historyRoutes() []route {
	h := "/history/v1.0" + pW
	var rs []route
	add := func(method, path, op string, body bool, handle func(*call) error) {
		rs = append(rs, route{plane: planeAPI, method: method, pattern: path, kind: "history/runs", operation: op, body: body, run: true, create: strings.HasSuffix(op, "_Create") && strings.HasPrefix(op, "Runs"), handle: handle})
	}
	for i, family := range []string{h + "/runs", h + "/experimentids/{experiment}/runs", h + "/experiments/{experiment}/runs"} {
		group := []string{"Runs", "RunsByExperimentId", "RunsByExperimentName"}[i]
		one := family + "/{run}"
		add(http.MethodGet, one, group+"_Get", false, getRun)
		add(http.MethodPatch, one, group+"_Modify", true, modifyRun)
		add(http.MethodPost, one, group+"_Create", true, createRun)
		add(http.MethodGet, one+"/details", group+"_GetDetails", false, runDetails)
		add(http.MethodGet, one+"/children", group+"_GetChild", false, runChildren)
		add(http.MethodPost, one+"/cancel", group+"_Cancel", false, cancelRun)
		add(http.MethodPatch, one+"/tags", group+"_ModifyTags", true, modifyTags)
		add(http.MethodDelete, one+"/tags", group+"_DeleteTags", true, deleteTags)
		add(http.MethodGet, one+"/token", group+"_GetToken", false, runToken)
		add(http.MethodPost, one+"/events", group+"_PostEvent", true, func(c *call) error { return c.empty(http.StatusOK) })
	}
	add(http.MethodGet, h+"/runs/{run}/serviceinstances/{node}", "Runs_GetRunServiceInstances", false, serviceInstances)
	add(http.MethodPost, h+"/rundata", "Runs_GetRunData", true, runData)
	add(http.MethodPost, h+"/batchrundata", "Runs_BatchGetRunData", true, batchRunData)
	add(http.MethodPost, h+"/runs/runIds", "Runs_GetByIds", true, runsByID)
	add(http.MethodGet, h+"/experiments/{experiment}", "Experiments_Get", false, getExperiment)
	add(http.MethodPost, h+"/experiments/{experiment}", "Experiments_Create", false, getExperiment)
	add(http.MethodGet, h+"/experimentids/{experiment}", "Experiments_GetById", false, getExperiment)
	return rs
}

// runStatus is Azure's word for MLflow's.
var runStatus = map[string]string{"RUNNING": "Running", "SCHEDULED": "NotStarted", "FINISHED": "Completed", "FAILED": "Failed", "KILLED": "Canceled"}

// trackedStatus is MLflow's word for Azure's.
func trackedStatus(s string) string {
	for m, a := range runStatus {
		if strings.EqualFold(a, s) {
			return m
		}
	}
	switch s {
	case "Queued", "Preparing", "Provisioning", "Starting":
		return "SCHEDULED"
	case "Finalizing", "CancelRequested":
		return "RUNNING"
	}
	return ""
}

// run gathers what is known of a run: tracking always, the engine when it is a job.
type run struct {
	sc         arm.Scope
	t          *tracking.Run
	job        *execution.Record // nil for runs of no job
	experiment string            // its name
	extra      map[string]string // properties
	thin       *thin             // of the job
}

func (c *call) run(name string) (*run, error) {
	t, err := c.s.tracking.Run(c.ctx(), c.sc.Key(), name)
	if err != nil {
		return nil, runError(err, name)
	}
	x := &run{sc: c.sc, t: t, extra: map[string]string{}}
	x.job, err = c.s.jobs.Record(c.ctx(), c.sc, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		x.job = nil
	}
	if x.experiment, err = c.experimentName(t.ExperimentID); err != nil {
		return nil, err
	}
	if x.job != nil {
		if x.thin, err = c.thin(x.job); err != nil {
			return nil, err
		}
		if sent := x.thin.properties; len(sent) > 0 {
			v, err := decode(sent)
			if err != nil {
				return nil, err
			}
			if m, ok := v.(map[string]any); ok {
				for k, v := range m {
					x.extra[k] = wordOf(v)
				}
			}
		}
		for k, v := range x.job.Properties {
			x.extra[k] = v
		}
		return x, nil
	}
	err = c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		sd, err := store.Get(tx, runExtras(c.sc, name))
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return json.Unmarshal(sd.Body, &x.extra)
	})
	return x, err
}

// inPath is the run that the path names, in the experiment that it names, if any.
func (c *call) inPath() (*run, error) {
	x, err := c.run(c.v["run"])
	if err != nil {
		return nil, err
	}
	if e := c.v["experiment"]; e != "" && e != x.t.ExperimentID && !strings.EqualFold(e, x.experiment) && !strings.EqualFold(e, experimentGUID(c.sc, x.t.ExperimentID)) {
		return nil, arm.NotFound("run", e+"/"+c.v["run"])
	}
	return x, nil
}

func experimentGUID(sc arm.Scope, id string) string { return guid("experiment " + sc.Key() + " " + id) }

func (x *run) status() string {
	if x.job != nil {
		return x.job.Status
	}
	return runStatus[x.t.Status]
}

func timeOrNil(t time.Time) any {
	if t.IsZero() || t.UnixMilli() == 0 {
		return nil
	}
	return timestamp(t)
}

// document is the run in run history's words. Both a Run and the details are made of it.
func (x *run) document() document {
	t := x.t
	tags := map[string]string{}
	description := any(nil)
	for k, v := range t.Tags {
		switch k {
		case noteTag:
			description = v
		case "mlflow.runName", "mlflow.user", "mlflow.parentRunId", "mlflow.rootRunId": // fields of their own
		default:
			tags[k] = v
		}
	}
	root, parent := t.ID, any(nil)
	if t.Parent != "" {
		parent, root = t.Parent, t.Parent
	}
	start, end := t.Start, t.End
	params := map[string]any{}
	for k, v := range t.Params {
		params[k] = v
	}
	d := document{
		"runId": t.ID, "runUuid": guid("run " + x.sc.Key() + t.ID), "experimentId": x.experimentID(), "displayName": t.Name, "name": nil, "description": description,
		"dataContainerId": "dcid." + t.ID, "status": x.status(), "createdUtc": timestamp(t.Start), "hidden": t.Deleted, "isVirtual": false,
		"runType": "azureml.scriptrun", "runTypeV2": map[string]any{"orchestrator": nil, "traits": []any{}, "attribution": nil, "computeType": nil},
		"tags": tags, "properties": x.extra, "parameters": params, "settings": map[string]any{}, "inputs": map[string]any{}, "outputs": map[string]any{}, "inputDatasets": []any{}, "outputDatasets": []any{},
		"createdBy": map[string]any{"userObjectId": arm.User, "userTenantId": arm.Tenant, "userName": t.User, "upn": nil}, "userId": arm.User,
		"services": map[string]any{}, "target": nil, "error": nil, "warnings": []any{},
	}
	if x.job == nil {
		d["runType"] = nil
	} else {
		j := x.job
		root = j.Root
		start, end = j.Started, j.Ended
		d["createdUtc"], d["target"] = timestamp(j.Created), j.Compute
		d["runTypeV2"] = map[string]any{"orchestrator": "Execution", "traits": []any{}, "attribution": nil, "computeType": nil}
		if j.Kind == "Pipeline" {
			d["runType"] = "azureml.PipelineRun"
		} else if j.Kind == "Sweep" {
			d["runType"] = "hyperdrive"
		}
		d["compute"] = map[string]any{"target": j.Compute, "targetType": nil, "vmSize": nil, "instanceCount": j.Nodes, "gpuCount": nil, "priority": nil, "region": arm.Region}
		outputs := map[string]any{}
		for name, o := range j.Outputs {
			id := o.AssetID
			if id == "" {
				id = outputAsset(x.sc, j.Name, name)
			}
			outputs[name] = map[string]any{"assetId": id, "type": assetType(o.Type)}
		}
		d["outputs"] = outputs
		if j.Error != nil {
			d["error"] = map[string]any{"error": map[string]any{"code": j.Error.Code, "message": j.Error.Message, "details": []any{}}, "time": timeOrNil(j.Ended), "componentName": "execution"}
		}
		warnings := []any{}
		for _, w := range j.Warnings {
			warnings = append(warnings, map[string]any{"source": "execution", "message": w})
		}
		d["warnings"] = warnings
		d["services"] = map[string]any{
			"Tracking": map[string]any{"type": "Tracking", "endpoint": x.sc.TrackingURI() + "?", "status": nil, "errorMessage": nil},
			"Studio":   map[string]any{"type": "Studio", "endpoint": x.sc.StudioURL(j.Name), "status": nil, "errorMessage": nil},
		}
		if j.Reason != "" {
			d["cancelationReason"] = j.Reason
		}
	}
	if t.Parent == "" && x.job != nil && x.job.Parent != "" {
		parent = x.job.Parent
	}
	d["parentRunId"], d["rootRunId"] = parent, root
	d["startTimeUtc"], d["endTimeUtc"] = timeOrNil(start), timeOrNil(end)
	d["lastStartTimeUtc"] = d["startTimeUtc"]
	if !start.IsZero() && !end.IsZero() && !end.Before(start) {
		d["duration"] = span(end.Sub(start))
		d["computeDuration"] = d["duration"]
	}
	return d
}

// span writes a duration as .NET's TimeSpan.
func span(d time.Duration) string {
	s := int(d / time.Second)
	text := strconv.Itoa(100 + s/3600%24)[1:] + ":" + strconv.Itoa(100 + s/60%60)[1:] + ":" + strconv.Itoa(100 + s%60)[1:] + "." + strconv.Itoa(10000000 + int(d%time.Second)/100)[1:]
	if days := s / 86400; days > 0 {
		text = strconv.Itoa(days) + "." + text
	}
	return text
}

func (x *run) experimentID() string { return experimentGUID(x.sc, x.t.ExperimentID) }

// assetType is an output's type in run history's words.
func assetType(t string) string {
	switch t {
	case "custom_model":
		return "CustomModel"
	case "mlflow_model":
		return "MLFlowModel"
	case "triton_model":
		return "TritonModel"
	}
	return t
}

// outputAsset is the id of an output that is not registered: an asset of no name.
func outputAsset(sc arm.Scope, job, output string) string {
	return "azureml://locations/" + arm.Region + "/workspaces/" + sc.WorkspaceID() + "/data/azureml_" + job + "_output_data_" + output + "/versions/1"
}

// cutOutputAsset reads such an id.
func cutOutputAsset(id string) (job, output string, ok bool) {
	u, err := arm.ParseURI(id)
	if err != nil || u.Collection != arm.Data {
		return "", "", false
	}
	rest, ok := strings.CutPrefix(u.Name, "azureml_")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, "_output_data_")
}

func getRun(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, x.document())
}

// modifyRun changes what is described of a run; tags and properties merge. The status of a job is its engine's.
func modifyRun(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	d, err := c.document()
	if err != nil {
		return err
	}
	if id := d.text("runId"); id != "" && id != c.v["run"] {
		return arm.Invalid("runId", "The run in the body, %q, is not the one in the path.", id)
	}
	change := descriptionOf(document{"properties": map[string]any{"displayName": d["displayName"], "description": d["description"], "tags": d["tags"], "properties": d["properties"], "isArchived": d["hidden"]}}, false)
	if s := d.text("status"); s != "" && x.job == nil {
		m := trackedStatus(s)
		if m == "" {
			return arm.Invalid("status", "The status %q is unknown.", s)
		}
		change.status = &m
		if end, err := time.Parse(time.RFC3339, d.text("endTimeUtc")); err == nil {
			change.ended = &end
		} else if m != "RUNNING" && m != "SCHEDULED" {
			change.ended = &c.now
		}
	}
	if err := c.s.describe(c.ctx(), c.sc, c.v["run"], change); err != nil {
		return err
	}
	return getRun(c)
}

// createRun makes a run of no job, or changes one that is there.
func createRun(c *call) error {
	name := c.v["run"]
	if _, err := c.s.tracking.Run(c.ctx(), c.sc.Key(), name); err == nil {
		if !c.caller.full && !c.s.descends(c.ctx(), c.sc, name, c.caller.run) {
			return arm.Forbidden("The token of the run %q may not change the run %q.", c.caller.run, name)
		}
		return modifyRun(c)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	d, err := c.document()
	if err != nil {
		return err
	}
	if err := nameOf(arm.Jobs, name); err != nil {
		return err
	}
	experiment := c.v["experiment"]
	if experiment == "" {
		experiment = "Default"
	}
	eid, err := c.s.tracking.EnsureExperiment(c.ctx(), c.sc.Key(), experiment)
	if err != nil {
		return err
	}
	n := &tracking.NewRun{ID: name, ExperimentID: eid, Name: d.text("displayName"), Parent: d.text("parentRunId"), User: callerName, Start: c.now, Tags: map[string]string{}}
	if n.Parent == "" && !c.caller.full {
		n.Parent = c.caller.run
	}
	if !c.caller.full && !c.s.descends(c.ctx(), c.sc, n.Parent, c.caller.run) {
		return arm.Forbidden("The token of the run %q may not make a run of another.", c.caller.run)
	}
	for k, v := range d.object("tags") {
		n.Tags[k] = wordOf(v)
	}
	if s := d.text("status"); s != "" {
		n.Status = trackedStatus(s)
	}
	if start, err := time.Parse(time.RFC3339, d.text("startTimeUtc")); err == nil {
		n.Start = start
	}
	if _, err := c.s.tracking.CreateRun(c.ctx(), c.sc.Key(), n); err != nil {
		return err
	}
	change := descriptionOf(document{"properties": map[string]any{"description": d["description"], "properties": d["properties"], "isArchived": d["hidden"]}}, false)
	if err := c.s.describe(c.ctx(), c.sc, name, change); err != nil {
		return err
	}
	return getRun(c)
}

// details adds the logs, with addresses that can be read without a token.
func (c *call) details(x *run) (document, error) {
	d := x.document()
	d["createdTimeUtc"] = d["createdUtc"]
	delete(d, "createdUtc")
	logs := map[string]string{}
	if x.job != nil {
		for _, path := range x.job.Logs {
			u, err := c.s.signedURL(c.sc.Account(), arm.ArtifactContainer, arm.RunPrefix(x.t.ID)+"/"+path, "r", logTime)
			if err != nil {
				return nil, err
			}
			logs[path] = u
		}
		definition, err := c.definition(x.job, x.thin)
		if err != nil {
			return nil, err
		}
		if definition != nil {
			d["runDefinition"] = definition
		}
	}
	d["logFiles"] = logs
	return d, nil
}

func runDetails(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	d, err := c.details(x)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, d)
}

func runChildren(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	children, err := c.s.tracking.Children(c.ctx(), c.sc.Key(), x.t.ID)
	if err != nil {
		return err
	}
	size := len(children)
	if v := c.query("$top"); v != "" {
		if size, err = c.size(); err != nil {
			return err
		}
	}
	at, err := c.token()
	if err != nil {
		return err
	}
	value := []any{}
	i := int(min(at, int64(len(children))))
	for ; i < len(children) && len(value) < size; i++ {
		y, err := c.run(children[i].ID)
		if err != nil {
			return err
		}
		value = append(value, y.document())
	}
	out := document{"value": value, "continuationToken": nil, "nextLink": nil}
	if i < len(children) {
		t := tokenOf(int64(i))
		out["continuationToken"] = t
		out["nextLink"] = c.next(t)
	}
	return c.reply(http.StatusOK, out)
}

func cancelRun(c *call) error {
	if _, err := c.inPath(); err != nil {
		return err
	}
	reason := c.query("CancelationReason")
	if reason == "" {
		reason = "canceled by the caller"
	}
	err := c.s.jobs.Cancel(c.ctx(), c.sc, c.v["run"], reason)
	if errors.Is(err, store.ErrNotFound) {
		killed := "KILLED"
		err = c.s.describe(c.ctx(), c.sc, c.v["run"], &description{status: &killed})
	}
	if err != nil {
		return err
	}
	return getRun(c)
}

func modifyTags(c *call) error {
	var want struct {
		TagsToModify map[string]string
		TagsToDelete []string
	}
	if err := c.into(&want); err != nil {
		return err
	}
	x := &description{tags: map[string]*string{}}
	for k, v := range want.TagsToModify {
		x.tags[k] = &v
	}
	for _, k := range want.TagsToDelete {
		x.tags[k] = nil
	}
	if err := c.s.describe(c.ctx(), c.sc, c.v["run"], x); err != nil {
		return err
	}
	return getRun(c)
}

func deleteTags(c *call) error {
	var names []string
	if err := c.into(&names); err != nil {
		return err
	}
	x := &description{tags: map[string]*string{}}
	for _, k := range names {
		x.tags[k] = nil
	}
	if err := c.s.describe(c.ctx(), c.sc, c.v["run"], x); err != nil {
		return err
	}
	return getRun(c)
}

// refreshTime is how long a token that a run asked for is good.
const refreshTime = 24 * time.Hour

// runToken gives a run that works a new token. Only its own token, or the workspace's, may ask.
func runToken(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	switch x.status() {
	case "Completed", "Failed", "Canceled":
		return arm.Forbidden("The run %q has ended, and its tokens with it.", x.t.ID)
	}
	token, ends, err := c.s.keys.run(c.sc, x.t.ID, refreshTime)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"token": token, "expiryTimeUtc": timestamp(ends)})
}

func serviceInstances(c *call) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	out := map[string]any{}
	for name, s := range x.document().object("services") {
		m, _ := s.(map[string]any)
		out[name] = map[string]any{"type": m["type"], "port": nil, "status": m["status"], "error": nil, "endpoint": m["endpoint"], "properties": map[string]any{}}
	}
	return c.reply(http.StatusOK, document{"instances": out})
}

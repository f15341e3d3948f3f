package emulator

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// queryRoutes are the run history's searches, its changes of many runs and of experiments, and spans.
func queryRoutes() []route {
	h := "/history/v1.0" + pW
	var rs []route
	add := func(method, path, op string, body bool, handle func(*call) error) {
		rs = append(rs, route{plane: planeAPI, method: method, pattern: path, kind: "history/runs", operation: op, body: body, run: true, handle: handle})
	}
	for i, family := range []string{h, h + "/experimentids/{experiment}", h + "/experiments/{experiment}"} {
		group := []string{"Runs", "RunsByExperimentId", "RunsByExperimentName"}[i]
		add(http.MethodPost, family+"/runs:query", group+"_GetByQuery", true, queryRuns)
		add(http.MethodPatch, family+"/batch/runs", group+"_BatchAddOrModify", true, modifyRuns)
		add(http.MethodPost, family+"/batch/events", group+"_BatchPostEvents", true, func(c *call) error { return c.reply(http.StatusOK, document{"errors": document{}}) })
		add(http.MethodDelete, family+"/runs/{run}/services", group+"_DeleteRunServices", true, deleteServices)
		if i > 0 {
			add(http.MethodPost, family+"/runs/runIds", group+"_GetByIds", true, runsByID)
		}
	}
	add(http.MethodGet, h+"/computes/{compute}/runs", "Runs_GetByCompute", false, runsOfCompute)
	add(http.MethodPost, h+"/experiments:query", "Experiments_GetByQuery", true, queryExperiments)
	add(http.MethodPatch, h+"/experimentids/{experiment}", "Experiments_Update", true, modifyExperiment)
	add(http.MethodDelete, h+"/experimentids/{experiment}", "Experiments_Delete", false, deleteExperiment)
	add(http.MethodPost, h+"/experimentids/{experiment}/tags:delete", "Experiments_DeleteTags", true, deleteExperimentTags)
	p := "/history/v1.0/private" + pW + "/runs/{run}/spans"
	add(http.MethodPost, p, "Spans_Post", true, postSpans)
	add(http.MethodGet, p, "Spans_List", false, func(c *call) error { return listSpans(c, false) })
	add(http.MethodGet, p+"/active", "Spans_GetActive", false, func(c *call) error { return listSpans(c, true) })
	return rs
}

// queryParams is what a search asks for.
type queryParams struct {
	ViewType, Filter, ContinuationToken, OrderBy string
	Top                                          int
}

// answer filters, orders and pages documents.
func (q *queryParams) answer(c *call, all []document) error {
	keep, err := parseFilter("filter", q.Filter)
	if err != nil {
		return err
	}
	found := []document{}
	for _, d := range all {
		ok, err := keep(d)
		if err != nil {
			return err
		}
		if ok {
			found = append(found, d)
		}
	}
	less, err := byField("orderBy", q.OrderBy)
	if err != nil {
		return err
	}
	if less != nil {
		slices.SortStableFunc(found, func(a, b document) int {
			n, fault := less(a, b)
			if fault != nil {
				err = fault
			}
			return n
		})
		if err != nil {
			return err
		}
	}
	from := 0
	if q.ContinuationToken != "" {
		n, err := readToken("continuationToken", q.ContinuationToken)
		if err != nil {
			return err
		}
		from = int(min(max(n, 0), int64(len(found))))
	}
	size := c.s.opts.PageSize
	if q.Top > 0 {
		size = min(q.Top, 1000)
	}
	to := min(from+size, len(found))
	out := document{"value": found[from:to], "continuationToken": nil, "nextLink": nil}
	if to < len(found) {
		out["continuationToken"] = tokenOf(int64(to))
	}
	return c.reply(http.StatusOK, out)
}

// experimentsIn are the numbers of the experiment in the path, else of all.
func (c *call) experimentsIn() ([]string, error) {
	if name := c.v["experiment"]; name != "" {
		a, err := c.experiment(name)
		return []string{a.Experiment.ExperimentID}, err
	}
	all, err := c.allExperiments()
	var ids []string
	for _, a := range all {
		ids = append(ids, a.Experiment.ExperimentID)
	}
	return ids, err
}

// allRuns are the runs of the experiment in the path, else of all, the newest first.
func (c *call) allRuns(filter string) ([]document, error) {
	ids, err := c.experimentsIn()
	if err != nil {
		return nil, err
	}
	docs := []document{}
	token := ""
	for {
		var page struct {
			Runs []struct {
				Info struct {
					RunID string `json:"run_id"`
				}
			}
			NextPageToken string `json:"next_page_token"`
		}
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/runs/search", nil, map[string]any{"experiment_ids": ids, "max_results": 1000, "page_token": token, "filter": filter}, &page); err != nil {
			return nil, err
		}
		for _, r := range page.Runs {
			x, err := c.run(r.Info.RunID)
			if errors.Is(err, store.ErrNotFound) {
				continue // it has gone meanwhile
			}
			if err != nil {
				return nil, err
			}
			docs = append(docs, x.document())
		}
		if token = page.NextPageToken; token == "" {
			return docs, nil
		}
	}
}

func queryRuns(c *call) error {
	var q queryParams
	if err := c.into(&q); err != nil {
		return err
	}
	all, err := c.allRuns("")
	if err != nil {
		return err
	}
	return q.answer(c, all)
}

// runsOfCompute lists the runs that a compute has or had.
func runsOfCompute(c *call) error {
	if _, err := c.find(c.sc.Child(arm.Computes, c.v["compute"]), "compute", c.v["compute"]); err != nil {
		return err
	}
	all, err := c.allRuns("")
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(d document) bool { return !strings.EqualFold(d.text("target"), c.v["compute"]) })
	size, err := c.size()
	if err != nil {
		return err
	}
	q := queryParams{Filter: c.query("$filter"), OrderBy: c.query("$orderby"), ContinuationToken: c.query("$continuationtoken"), Top: size}
	return q.answer(c, all)
}

// modifyRuns makes or changes many runs; what fails is told by its run.
func modifyRuns(c *call) error {
	var want struct{ Runs []document }
	if err := c.into(&want); err != nil {
		return err
	}
	runs, faults := []any{}, map[string]any{}
	for i, d := range want.Runs {
		id := d.text("runId")
		if id == "" {
			return arm.Invalid("runs", "The run %d has no runId.", i)
		}
		b, err := encode(d)
		if err != nil {
			return err
		}
		one := &call{s: c.s, r: c.r.Clone(c.ctx()), rt: c.rt, now: c.now, sc: c.sc, caller: c.caller, v: map[string]string{"run": id, "experiment": c.v["experiment"]}}
		one.r.Body, one.r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
		w := &recorder{header: http.Header{}}
		one.w = w
		if err := createRun(one); err != nil {
			faults[id] = arm.As(err).Body()
			continue
		}
		v, err := decode(w.body.Bytes())
		if err != nil {
			return err
		}
		runs = append(runs, v)
	}
	return c.reply(http.StatusOK, document{"runs": runs, "errors": faults})
}

// deleteServices ends interactive services, of which a local run has none.
func deleteServices(c *call) error {
	var want struct{ ServicesToDelete []string }
	if err := c.into(&want); err != nil {
		return err
	}
	x, err := c.inPath()
	if err != nil {
		return err
	}
	d := x.document()
	for _, s := range want.ServicesToDelete {
		if d.object("services")[s] == nil {
			return arm.NotFound("service", s)
		}
	}
	if len(want.ServicesToDelete) > 0 {
		return arm.BadRequest("UserError", "The services Tracking and Studio of a run cannot be deleted.")
	}
	return c.reply(http.StatusOK, d)
}

// allExperiments are the workspace's, the newest first, deleted ones too.
func (c *call) allExperiments() (all []experimentAnswer, err error) {
	token := ""
	for {
		var page struct {
			Experiments   []oneExperiment
			NextPageToken string `json:"next_page_token"`
		}
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/search", nil, map[string]any{"max_results": 1000, "view_type": "ALL", "page_token": token}, &page); err != nil {
			return nil, err
		}
		for _, e := range page.Experiments {
			all = append(all, experimentAnswer{Experiment: e})
		}
		if token = page.NextPageToken; token == "" {
			return all, nil
		}
	}
}

func queryExperiments(c *call) error {
	var q queryParams
	if err := c.into(&q); err != nil {
		return err
	}
	all, err := c.allExperiments()
	if err != nil {
		return err
	}
	docs := []document{}
	for i := range all {
		deleted := all[i].Experiment.LifecycleStage == "deleted"
		switch strings.ToLower(q.ViewType) {
		case "", "default", "activeonly":
			if deleted {
				continue
			}
		case "archivedonly":
			if !deleted {
				continue
			}
		case "all":
		default:
			return arm.Invalid("viewType", "The view %q is none of Default, All, ActiveOnly and ArchivedOnly.", q.ViewType)
		}
		docs = append(docs, all[i].document(c.sc))
	}
	return q.answer(c, docs)
}

// experiment finds an experiment by its name, guid or number, as the route has it.
func (c *call) experiment(name string) (a experimentAnswer, err error) {
	err = c.mlflow(http.MethodGet, "/api/2.0/mlflow/experiments/get-by-name", url.Values{"experiment_name": {name}}, nil, &a)
	if err != nil && strings.Contains(c.rt.pattern, "/experimentids/") {
		err = c.experimentByID(name, &a)
	}
	if err != nil {
		return a, arm.NotFound("experiment", name)
	}
	return a, nil
}

func (a *experimentAnswer) document(sc arm.Scope) document {
	tags := map[string]string{}
	for _, t := range a.Experiment.Tags {
		tags[t.Key] = t.Value
	}
	archived := any(nil)
	if a.Experiment.LifecycleStage == "deleted" {
		archived = timestamp(time.UnixMilli(max(a.Experiment.LastUpdateTime, a.Experiment.CreationTime)))
	}
	return document{
		"experimentId": experimentGUID(sc, a.Experiment.ExperimentID), "name": a.Experiment.Name, "description": tags[noteTag], "createdUtc": timestamp(time.UnixMilli(a.Experiment.CreationTime)),
		"tags": tags, "archivedTime": archived, "retainForLifetimeOfWorkspace": false, "artifactLocation": nil,
	}
}

func modifyExperiment(c *call) error {
	var want struct {
		Name, Description            *string
		Tags                         map[string]string
		Archive                      *bool
		RetainForLifetimeOfWorkspace *bool
	}
	if err := c.into(&want); err != nil {
		return err
	}
	if want.RetainForLifetimeOfWorkspace != nil && *want.RetainForLifetimeOfWorkspace {
		return arm.Invalid("retainForLifetimeOfWorkspace", "A local workspace deletes no experiments by itself: there is nothing to retain them from.")
	}
	a, err := c.experiment(c.v["experiment"])
	if err != nil {
		return err
	}
	id := a.Experiment.ExperimentID
	if !c.caller.full {
		return arm.Forbidden("A run's token may not change experiments.")
	}
	deleted := a.Experiment.LifecycleStage == "deleted"
	if want.Archive != nil && !*want.Archive && deleted {
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/restore", nil, map[string]any{"experiment_id": id}, nil); err != nil {
			return err
		}
	}
	if want.Name != nil && *want.Name != a.Experiment.Name {
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/update", nil, map[string]any{"experiment_id": id, "new_name": *want.Name}, nil); err != nil {
			return err
		}
	}
	if want.Description != nil {
		if want.Tags == nil {
			want.Tags = map[string]string{}
		}
		want.Tags[noteTag] = *want.Description
	}
	for k, v := range want.Tags {
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/set-experiment-tag", nil, map[string]any{"experiment_id": id, "key": k, "value": v}, nil); err != nil {
			return err
		}
	}
	if want.Archive != nil && *want.Archive && !deleted {
		if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/delete", nil, map[string]any{"experiment_id": id}, nil); err != nil {
			return err
		}
	}
	return c.answerExperiment(id)
}

func (c *call) answerExperiment(id string) error {
	var a experimentAnswer
	if err := c.mlflow(http.MethodGet, "/api/2.0/mlflow/experiments/get", url.Values{"experiment_id": {id}}, nil, &a); err != nil {
		return err
	}
	return c.reply(http.StatusOK, a.document(c.sc))
}

// deleteExperiment deletes an experiment that has no runs, as the service does.
func deleteExperiment(c *call) error {
	if !c.caller.full {
		return arm.Forbidden("A run's token may not delete experiments.")
	}
	a, err := c.experiment(c.v["experiment"])
	if err != nil {
		return err
	}
	runs, err := c.allRuns("")
	if err != nil {
		return err
	}
	if len(runs) > 0 {
		return arm.Conflict("UserError", "The experiment %q has %d runs: only an experiment without runs can be deleted; archive it instead.", a.Experiment.Name, len(runs))
	}
	if err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/delete", nil, map[string]any{"experiment_id": a.Experiment.ExperimentID}, nil); err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{})
}

func deleteExperimentTags(c *call) error {
	var want struct{ Tags []string }
	if err := c.into(&want); err != nil {
		return err
	}
	if !c.caller.full {
		return arm.Forbidden("A run's token may not change experiments.")
	}
	a, err := c.experiment(c.v["experiment"])
	if err != nil {
		return err
	}
	faults := map[string]any{}
	for _, k := range want.Tags {
		err := c.mlflow(http.MethodPost, "/api/2.0/mlflow/experiments/delete-experiment-tag", nil, map[string]any{"experiment_id": a.Experiment.ExperimentID, "key": k}, nil)
		if err != nil {
			faults[k] = arm.As(err).Body()
		}
	}
	return c.reply(http.StatusOK, document{"errors": faults})
}

// runSpans are the spans that a run was given.
func runSpans(sc arm.Scope, run string) string { return sc.Child("runSpans", run) }

// postSpans keeps the spans of a run's status. One with the id of an earlier takes its place.
func postSpans(c *call) error {
	var want struct{ Spans []document }
	if err := c.into(&want); err != nil {
		return err
	}
	x, err := c.inPath()
	if err != nil {
		return err
	}
	if !c.caller.full && !c.s.descends(c.ctx(), c.sc, x.t.ID, c.caller.run) {
		return arm.Forbidden("The token of the run %q may not change the run %q.", c.caller.run, x.t.ID)
	}
	id, err := arm.ParseID(runSpans(c.sc, x.t.ID))
	if err != nil {
		return err
	}
	err = c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		d, err := readFor(tx, id)
		if err != nil {
			return err
		}
		list, _ := d["spans"].([]any)
		for _, s := range want.Spans {
			at := s.text("context", "spanId")
			i := slices.IndexFunc(list, func(o any) bool {
				m, _ := o.(map[string]any)
				return at != "" && document(m).text("context", "spanId") == at
			})
			if i >= 0 {
				list[i] = map[string]any(s)
			} else {
				list = append(list, map[string]any(s))
			}
		}
		d["spans"] = list
		sd, err := d.stored(id)
		if err != nil {
			return err
		}
		_, err = store.Put(tx, sd)
		return err
	})
	if err != nil {
		return err
	}
	return c.empty(http.StatusOK)
}

func listSpans(c *call, active bool) error {
	x, err := c.inPath()
	if err != nil {
		return err
	}
	d, err := c.s.get(c.ctx(), runSpans(c.sc, x.t.ID))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	value := []any{}
	list, _ := d["spans"].([]any)
	for _, s := range list {
		m, _ := s.(map[string]any)
		if end := document(m).text("endTimestamp"); !active || end == "" {
			value = append(value, s)
		}
	}
	return c.reply(http.StatusOK, document{"value": value, "continuationToken": nil, "nextLink": nil})
}

package emulator

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

const typeJob = typeWorkspace + "/" + arm.Jobs

var jobTypes = []string{"AutoML", "Command", "Labeling", "Sweep", "Pipeline", "Spark", "FineTuning", "Distillation"}

func jobRoutes() []route {
	const typ = "workspaces/jobs"
	one := pW + "/jobs/{job}"
	since := sinceAssets
	return []route{
		{plane: planeARM, method: http.MethodGet, pattern: pW + "/jobs", kind: typ, operation: "Jobs_List", since: since, handle: listJobs},
		{plane: planeARM, method: http.MethodGet, pattern: one, kind: typ, operation: "Jobs_Get", since: since, run: true, handle: getJob},
		{plane: planeARM, method: http.MethodPut, pattern: one, kind: typ, operation: "Jobs_CreateOrUpdate", since: since, body: true, handle: putJob},
		{plane: planeARM, method: http.MethodPatch, pattern: one, kind: typ, operation: "Jobs_Update", since: since, body: true, handle: patchJob},
		{plane: planeARM, method: http.MethodDelete, pattern: one, kind: typ, operation: "Jobs_Delete", since: since, lro: styleLocation, handle: deleteJob},
		post(one+"/cancel", typ, "Jobs_Cancel", since, styleLocation, cancelJob),
	}
}

func (c *call) jobID(name string) (arm.ID, error) { return arm.ParseID(c.sc.Child(arm.Jobs, name)) }

// submit runs a new job: what the engine refuses is refused, and the job and its document are durable together.
func (s *Server) submit(ctx context.Context, sc arm.Scope, name string, d document) error {
	return s.submitAlso(ctx, sc, name, d, func(*sql.Tx) error { return nil })
}

// submitAlso is submit with more to store in the same transaction.
func (s *Server) submitAlso(ctx context.Context, sc arm.Scope, name string, d document, also func(tx *sql.Tx) error) error {
	p := d.props()
	t, err := d.oneOf("properties.jobType", jobTypes...)
	if err != nil {
		return err
	}
	p["jobType"] = t
	for _, k := range []string{"status", "services"} {
		if k == "status" || nothing(p[k]) {
			delete(p, k)
		}
	}
	for k, v := range map[string]any{"isArchived": false, "tags": map[string]any{}, "properties": map[string]any{}, "experimentName": "Default", "displayName": name} {
		if p[k] == nil || p[k] == "" {
			p[k] = v
		}
	}
	props, err := encodeProps(d)
	if err != nil {
		return err
	}
	ctx = execution.WithReading(ctx)
	if err := s.jobs.Check(ctx, sc, name, props); err != nil {
		return err
	}
	id, err := arm.ParseID(sc.Child(arm.Jobs, name))
	if err != nil {
		return err
	}
	d.named(id)
	d.signed(nil, s.opts.Clock())
	if steps := takeSteps(d); len(steps) < thickJob && steps != nil {
		d.props()[stepsKey] = steps
	} // many steps are in the engine's specification alone
	sd, err := d.stored(id)
	if err != nil {
		return err
	}
	return s.jobs.SubmitWith(ctx, sc, name, props, func(tx *sql.Tx) error {
		if _, err := store.Put(tx, sd); err != nil {
			return err
		}
		return also(tx)
	})
}

func putJob(c *call) error {
	name := c.v["job"]
	d, err := c.jobDocument()
	if err != nil {
		return err
	}
	d.only("properties")
	if d.object("properties") == nil {
		return arm.Invalid("properties", "The field properties is required and must be an object.")
	}
	old, err := c.s.get(c.ctx(), c.sc.Child(arm.Jobs, name))
	switch {
	case errors.Is(err, store.ErrNotFound):
		if err := nameOf(arm.Jobs, name); err != nil {
			return err
		}
		if err := c.s.submit(c.ctx(), c.sc, name, d); err != nil {
			return err
		}
		return c.replyJob(http.StatusCreated, name)
	case err != nil:
		return err
	}
	if err := d.decodeSteps(); err != nil {
		return err
	}
	shown, err := c.showJob(old)
	if err != nil {
		return err
	}
	if f := changedJob(old, shown, d); f != "" {
		return &arm.Error{Status: http.StatusConflict, Code: "UserError", Target: "properties." + f, Message: "A job with this name already exists. If you are trying to submit a new job, use a different name. " +
			"If you are trying to update an existing job, the existing job's " + f + " cannot be changed. Please only change description, tags, displayName, properties, and isArchived."}
	}
	if err := c.s.describe(c.ctx(), c.sc, name, descriptionOf(d, true)); err != nil {
		return err
	}
	return c.replyJob(http.StatusOK, name)
}

// descriptive are the properties of a job that can be changed once it is there; the service itself writes the rest of them.
var descriptive = []string{"description", "tags", "displayName", "properties", "isArchived", "status", "services", "outputs", "error", "parentJobName", "notificationSetting", "creationContext"}

// changedJob names a property that a second PUT changes, "" for none.
func changedJob(old, shown, d document) string {
	for k, v := range d.props() {
		if slices.Contains(descriptive, k) || nothing(v) || alike(pruned(v), pruned(old.props()[k])) || alike(pruned(v), pruned(shown.props()[k])) {
			continue
		}
		return k
	}
	return ""
}

// pruned is a value without what says nothing.
func pruned(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := map[string]any{}
	for k, x := range m {
		if x = pruned(x); !nothing(x) {
			out[k] = x
		}
	}
	return out
}

func patchJob(c *call) error {
	d, err := c.document()
	if err != nil {
		return err
	}
	if _, err := c.find(c.sc.Child(arm.Jobs, c.v["job"]), "job", c.v["job"]); err != nil {
		return err
	}
	if err := c.s.describe(c.ctx(), c.sc, c.v["job"], descriptionOf(d, false)); err != nil {
		return err
	}
	return c.replyJob(http.StatusOK, c.v["job"])
}

// description is what can be changed of a job or run. Nil leaves it as it is.
type description struct {
	name, text *string
	tags       map[string]*string // nil takes a tag away
	allTags    bool               // tags that are not named go
	properties map[string]string
	hidden     *bool
	status     *string // MLflow's word; of runs that no engine drives
	ended      *time.Time
}

func descriptionOf(d document, whole bool) *description {
	x := &description{allTags: whole, properties: map[string]string{}}
	p := d.props()
	if s, ok := p["displayName"].(string); ok && s != "" {
		x.name = &s
	}
	if s, ok := p["description"].(string); ok {
		x.text = &s
	}
	if b, ok := p["isArchived"].(bool); ok {
		x.hidden = &b
	}
	if m, ok := p["tags"].(map[string]any); ok {
		x.tags = map[string]*string{}
		for k, v := range m {
			if v == nil {
				x.tags[k] = nil
				continue
			}
			s := wordOf(v)
			x.tags[k] = &s
		}
	}
	if m, ok := p["properties"].(map[string]any); ok {
		for k, v := range m {
			x.properties[k] = wordOf(v)
		}
	}
	return x
}

func wordOf(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

// describe changes a run and, when it is a job's, the job's document, in one transaction.
func (s *Server) describe(ctx context.Context, sc arm.Scope, name string, x *description) error {
	run, err := s.tracking.Run(ctx, sc.Key(), name)
	if err != nil {
		return runError(err, name)
	}
	u := &tracking.RunUpdate{Name: x.name, Hidden: x.hidden, Status: x.status, End: x.ended, Tags: map[string]*string{}}
	maps.Copy(u.Tags, x.tags)
	if x.allTags && x.tags != nil {
		for k := range run.Tags {
			if _, named := x.tags[k]; !named && !strings.HasPrefix(k, "mlflow.") {
				u.Tags[k] = nil
			}
		}
	}
	if x.text != nil {
		u.Tags[noteTag] = x.text
	}
	now := s.opts.Clock()
	return s.db.Update(ctx, func(tx *sql.Tx) error {
		if err := s.tracking.UpdateRunTx(tx, sc.Key(), name, u); err != nil {
			return runError(err, name)
		}
		sd, err := store.Get(tx, sc.Child(arm.Jobs, name))
		if errors.Is(err, store.ErrNotFound) {
			return s.keepProperties(tx, sc, name, x.properties)
		}
		if err != nil {
			return err
		}
		d, err := read(sd)
		if err != nil {
			return err
		}
		p := d.props()
		if x.hidden != nil {
			p["isArchived"] = *x.hidden
		}
		if x.name != nil {
			p["displayName"] = *x.name
		}
		if x.text != nil {
			p["description"] = *x.text
		}
		if len(x.properties) > 0 {
			m, ok := p["properties"].(map[string]any)
			if !ok {
				m = map[string]any{}
				p["properties"] = m
			}
			for k, v := range x.properties {
				m[k] = v
			}
		}
		d.signed(d, now)
		if sd.Body, err = encode(d); err != nil {
			return err
		}
		_, err = store.Put(tx, sd)
		return err
	})
}

// runExtras are properties of runs that are no jobs.
func runExtras(sc arm.Scope, run string) string { return sc.Child("runExtras", run) }

func (s *Server) keepProperties(tx *sql.Tx, sc arm.Scope, run string, p map[string]string) error {
	if len(p) == 0 {
		return nil
	}
	all := map[string]string{}
	sd, err := store.Get(tx, runExtras(sc, run))
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(sd.Body, &all); err != nil {
			return err
		}
	}
	maps.Copy(all, p)
	b, err := json.Marshal(all)
	if err != nil {
		return err
	}
	_, err = store.Put(tx, &store.Document{ID: runExtras(sc, run), Type: "runExtras", Body: b})
	return err
}

// noteTag holds a run's description.
const noteTag = "mlflow.note.content"

// showJob lays what the engine knows over a job's document.
func (c *call) showJob(d document) (document, error) {
	out, err := c.passJob(d)
	if err != nil {
		return nil, err
	}
	return out, out.decodeSteps()
}

// passJob is showJob with undecoded steps.
func (c *call) passJob(d document) (document, error) {
	name := d.text("name")
	live, err := c.s.jobs.Properties(c.ctx(), c.sc, name)
	if errors.Is(err, store.ErrNotFound) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	steps, pipeline := live[stepsKey]
	delete(live, stepsKey)
	b, err := encode(live)
	if err != nil {
		return nil, err
	}
	v, err := decode(b)
	if err != nil {
		return nil, err
	}
	p, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the properties of the job %q are no object", name)
	}
	if pipeline {
		p[stepsKey] = steps
	}
	kept := d.props()
	p["isArchived"] = kept["isArchived"]
	if mine, ok := kept["properties"].(map[string]any); ok {
		theirs, ok := p["properties"].(map[string]any)
		if !ok {
			theirs = map[string]any{}
			p["properties"] = theirs
		}
		for k, v := range mine {
			if _, engine := theirs[k]; !engine {
				theirs[k] = v
			}
		}
	}
	out := maps.Clone(d)
	out["properties"] = p
	return out, nil
}

func (c *call) replyJob(status int, name string) error {
	sd, err := c.s.stored(c.ctx(), c.sc.Child(arm.Jobs, name))
	if err != nil {
		return err
	}
	d, err := readJob(sd)
	if err != nil {
		return err
	}
	if d, err = c.passJob(d); err != nil {
		return err
	}
	c.w.Header().Set("ETag", sd.ETag)
	return c.reply(status, d)
}

func getJob(c *call) error {
	name := c.v["job"]
	err := c.replyJob(http.StatusOK, name)
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	r, err := c.s.jobs.Record(c.ctx(), c.sc, name)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Parent == "" {
		return arm.NotFound("job", name)
	}
	if err != nil {
		return err
	}
	// A pipeline's child: the null properties are how clients know it.
	id, err := c.jobID(r.Name)
	if err != nil {
		return err
	}
	d := document{"properties": nil}
	d.named(id)
	return c.reply(http.StatusOK, d)
}

func listJobs(c *call) error {
	seen, err := c.archived()
	if err != nil {
		return err
	}
	typ, tag, props, schedule := c.query("jobType"), c.query("tag"), c.query("properties"), c.query("scheduleId")
	scheduled := c.query("scheduled")
	return c.list(listing{parent: c.sc.ID(), typ: typeJob, newest: true,
		keep: func(d document) (bool, error) {
			if seen != nil {
				if ok, err := seen(d); !ok || err != nil {
					return false, err
				}
			}
			p := d.object("properties", "properties")
			switch {
			case typ != "" && !strings.EqualFold(typ, d.text("properties", "jobType")):
				return false, nil
			case props != "" && !has(p, props):
				return false, nil
			case schedule != "" && !strings.EqualFold(wordOf(p[scheduleProperty]), schedule):
				return false, nil
			case strings.EqualFold(scheduled, "true") && p[scheduleProperty] == nil, strings.EqualFold(scheduled, "false") && p[scheduleProperty] != nil:
				return false, nil
			case tag != "":
				run, err := c.s.tracking.Run(c.ctx(), c.sc.Key(), d.text("name"))
				if err != nil {
					return false, err
				}
				k, v, valued := strings.Cut(tag, "=")
				got, ok := run.Tags[k]
				return ok && (!valued || got == v), nil
			}
			return true, nil
		},
		read: readJob, show: c.passJob,
	})
}

// scheduleProperty names the schedule that a job was made by.
const scheduleProperty = "azureml.scheduleid"

func deleteJob(c *call) error {
	name := c.v["job"]
	id, err := c.jobID(name)
	if err != nil {
		return err
	}
	if _, err := c.s.get(c.ctx(), id.String()); errors.Is(err, store.ErrNotFound) {
		return c.empty(http.StatusNoContent)
	} else if err != nil {
		return err
	}
	if err := c.s.jobs.Delete(c.ctx(), c.sc, name); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	o := c.newOperation("", "")
	o.Delete = true
	if err := c.s.db.Update(c.ctx(), func(tx *sql.Tx) error {
		if _, err := store.DeleteTree(tx, id.String()); err != nil {
			return err
		}
		return o.put(tx)
	}); err != nil {
		return err
	}
	if o.instant() {
		return c.empty(http.StatusOK)
	}
	c.announce(o, styleLocation)
	return c.empty(http.StatusAccepted)
}

func cancelJob(c *call) error {
	name := c.v["job"]
	r, err := c.s.jobs.Record(c.ctx(), c.sc, name)
	if errors.Is(err, store.ErrNotFound) {
		return arm.NotFound("job", name)
	}
	if err != nil {
		return err
	}
	if execution.Ended(r.Status) {
		return c.empty(http.StatusOK)
	}
	if err := c.s.jobs.Cancel(c.ctx(), c.sc, name, "canceled by the caller"); err != nil {
		return err
	}
	return c.action(nil)
}

// endJob cancels a job and waits until it has ended.
func (s *Server) endJob(ctx context.Context, sc arm.Scope, name, reason string) error {
	err := s.jobs.Cancel(ctx, sc, name, reason)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.jobs.Wait(ctx, sc, name)
	return err
}

// jobOutput tells the resolver where an output went.
func (s *Server) jobOutput(ctx context.Context, sc arm.Scope, job, output string) (uri, typ string, ok bool) {
	r, err := s.jobs.Record(ctx, sc, job)
	if err != nil {
		return "", "", false
	}
	o, ok := r.Outputs[output]
	return o.URI, o.Type, ok
}

// descends says whether a run is an ancestor's, or is below it.
func (s *Server) descends(ctx context.Context, sc arm.Scope, run, ancestor string) bool {
	for range 32 { // pipelines nest less deeply
		if run == ancestor {
			return true
		}
		r, err := s.tracking.Run(ctx, sc.Key(), run)
		if err != nil || r.Parent == "" {
			return false
		}
		run = r.Parent
	}
	return false
}

// runError says a fault of tracking in the words of the resource manager.
func runError(err error, name string) error {
	if errors.Is(err, store.ErrNotFound) {
		return arm.NotFound("run", name)
	}
	return err
}

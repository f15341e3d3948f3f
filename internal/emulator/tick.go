package emulator

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/recurrence"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const typeSchedule = typeWorkspace + "/" + arm.Schedules

// triggerOf reads a schedule's trigger. Its errors name the field.
func triggerOf(d document) (*recurrence.Trigger, error) {
	b, err := encode(d.at("properties", "trigger"))
	if err != nil {
		return nil, err
	}
	t, err := recurrence.Parse(b)
	if f, ok := errors.AsType[*recurrence.Error](err); ok {
		return nil, arm.Invalid(strings.TrimSuffix("properties.trigger."+f.Field, "."), "%s", f.Message)
	}
	return t, err
}

func enabled(d document) bool {
	b, ok := d.at("properties", "isEnabled").(bool)
	return b || !ok
}

// planSchedule puts a schedule's next tick on the agenda, or takes it off. first is true of a schedule that was just made.
func (s *Server) planSchedule(sc arm.Scope, id string, d document, first bool) {
	key := "schedule " + strings.ToLower(id)
	s.agenda.drop(key)
	if !enabled(d) {
		return
	}
	t, err := triggerOf(d)
	if err != nil {
		s.opts.Logger.Error("a schedule's trigger cannot be read", "schedule", id, "error", err)
		return
	}
	now := s.opts.Clock()
	// Without a start time the first job runs at once, as the service has it.
	if first && !t.Starts() && !t.Over(now) {
		s.agenda.set(key, now, func(at, now time.Time) { s.tick(sc, id, at, now, true) })
	} else if next, ok := t.Next(now, madeAt(d, now)); ok {
		s.agenda.set(key, next, func(at, now time.Time) { s.tick(sc, id, at, now, false) })
	}
}

func madeAt(d document, or time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, d.text("systemData", "createdAt")); err == nil {
		return t
	}
	return or
}

// tick lets a schedule act. Of the ticks that a jump of the clock passed over, the last one counts and the others are missed.
func (s *Server) tick(sc arm.Scope, id string, at, now time.Time, first bool) {
	d, err := s.get(s.ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		s.opts.Logger.Error("a schedule could not be read", "schedule", id, "error", err)
		return
	}
	s.planSchedule(sc, id, d, false)
	t, err := triggerOf(d)
	if err != nil || !enabled(d) {
		return
	}
	made := madeAt(d, now)
	if is, ok := t.Next(at.Add(-time.Nanosecond), made); !first && (!ok || !is.Equal(at)) {
		return // it was changed meanwhile
	}
	missed := 0
	for next, ok := t.Next(at, made); ok && !next.After(now); next, ok = t.Next(at, made) {
		at, missed = next, missed+1
	}
	if missed > 0 {
		s.opts.Logger.Warn("ticks of a schedule were missed", "schedule", d.text("name"), "missed", missed)
	}
	job, err := s.fire(s.ctx, sc, d, at)
	if err == nil {
		s.opts.Logger.Info("a schedule started a job", "schedule", d.text("name"), "job", job)
		return
	}
	if s.ctx.Err() != nil {
		return
	}
	s.opts.Logger.Error("a schedule could not start its job", "schedule", d.text("name"), "at", at, "error", err)
	// Nobody is there to be told: a job that failed keeps the reason.
	if err := s.failTick(s.ctx, sc, d, at, err); err != nil {
		s.opts.Logger.Error("the failure of a schedule could not be stored", "schedule", d.text("name"), "error", err)
	}
}

// fire starts a schedule's job for a time.
func (s *Server) fire(ctx context.Context, sc arm.Scope, d document, at time.Time) (string, error) {
	if d.text("properties", "action", "actionType") == "InvokeBatchEndpoint" {
		return s.fireInvocation(ctx, sc, d, at)
	}
	for tries := 1; ; tries++ {
		job, err := s.scheduled(ctx, sc, d, at)
		if err != nil {
			return "", err
		}
		name := job.text("name")
		if err = s.submit(ctx, sc, name, job); err == nil || tries == 8 || arm.As(err).Status != http.StatusConflict {
			return name, err
		} // another tick, or somebody who triggers, took the name of this second
	}
}

// tickName is the display name of a schedule's jobs, as the service documents it.
func tickName(d document, at time.Time) string {
	return d.text("name") + "-" + at.UTC().Format("20060102T150405Z")
}

// scheduled is the job of a schedule for a time, with its name.
func (s *Server) scheduled(ctx context.Context, sc arm.Scope, d document, at time.Time) (document, error) {
	name, err := s.freeName(ctx, sc, tickName(d, at))
	if err != nil {
		return nil, err
	}
	var def document
	switch a := d.text("properties", "action", "actionType"); a {
	case "CreateJob":
		def = document(d.object("properties", "action", "jobDefinition")).clone()
	case "CreateMonitor":
		if def, err = s.monitorJob(ctx, sc, d, at); err != nil {
			return nil, err
		}
	default:
		return nil, unscheduled(a)
	}
	if source, _ := def["sourceJobId"].(string); source != "" {
		if def, err = s.again(ctx, sc, source, def); err != nil {
			return nil, err
		}
	}
	delete(def, "sourceJobId")
	macro := tickMacro(name, at)
	for _, k := range []string{"inputs", "outputs"} {
		if v, ok := def[k]; ok {
			def[k] = replaced(v, macro)
		}
	}
	def["displayName"] = tickName(d, at)
	own, ok := def["properties"].(map[string]any)
	if !ok {
		own = map[string]any{}
	}
	own[scheduleProperty] = d.text("name")
	def["properties"] = own
	return document{"name": name, "properties": map[string]any(def)}, nil
}

// tickMacro puts a job's name and its time into texts.
func tickMacro(job string, at time.Time) *strings.Replacer {
	return strings.NewReplacer("${{name}}", job, "${{creation_context.trigger_time}}", at.UTC().Format("2006-01-02T15:04:05Z"))
}

// again is a job that has run, with what a schedule changes of it.
func (s *Server) again(ctx context.Context, sc arm.Scope, source string, def document) (document, error) {
	name := source[strings.LastIndexByte(source, '/')+1:]
	old, err := s.wholeJob(ctx, sc, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, arm.Invalid("properties.action.jobDefinition.sourceJobId", "There is no job %q to run again.", name)
	}
	if err != nil {
		return nil, err
	}
	out := document(old.props()).clone()
	for _, k := range []string{"status", "services", "error", "parentJobName", "isArchived", "creationContext", "properties"} {
		delete(out, k)
	}
	for k, v := range def {
		// A bare reference says that it is a pipeline, whatever the job is; what is empty says nothing.
		if k == "jobType" || nothing(v) || v == false {
			delete(def, k)
		}
	}
	merge(out, def)
	return out, nil
}

// replaced puts values into the texts of a tree.
func replaced(v any, r *strings.Replacer) any {
	switch v := v.(type) {
	case string:
		return r.Replace(v)
	case map[string]any:
		for k, x := range v {
			v[k] = replaced(x, r)
		}
	case []any:
		for i, x := range v {
			v[i] = replaced(x, r)
		}
	}
	return v
}

// freeName is a job's name, with a number behind it when it was used before.
func (s *Server) freeName(ctx context.Context, sc arm.Scope, name string) (string, error) {
	for i := 2; ; i++ {
		try := name
		if i > 2 {
			try = fmt.Sprintf("%s-%d", name, i-1)
		}
		_, err := s.jobs.Record(ctx, sc, try)
		if errors.Is(err, store.ErrNotFound) {
			return try, nil
		}
		if err != nil {
			return "", err
		}
	}
}

// unscheduled says why an action does nothing here.
func unscheduled(action string) *arm.Error {
	return arm.BadRequest("ActionNotSupported", "The local workspace does nothing for a schedule of type %s: it reaches no databases or file systems of others.", action)
}

// failTick keeps a job that failed before it began.
func (s *Server) failTick(ctx context.Context, sc arm.Scope, d document, at time.Time, why error) error {
	name, err := s.freeName(ctx, sc, tickName(d, at))
	if err != nil {
		return err
	}
	p := map[string]any{}
	if def := d.object("properties", "action", "jobDefinition"); def != nil {
		p = copyOf(def).(map[string]any)
	}
	if p["jobType"] == nil {
		p["jobType"] = "Pipeline" // monitors and imports are pipelines in Azure
	}
	delete(p, "sourceJobId")
	p["displayName"], p["isArchived"], p["tags"] = tickName(d, at), false, map[string]any{}
	p["properties"] = map[string]any{scheduleProperty: d.text("name")}
	if p["experimentName"] == nil || p["experimentName"] == "" {
		p["experimentName"] = "Default"
	}
	props, err := encode(p)
	if err != nil {
		return err
	}
	job := document{"properties": p}
	jid, err := arm.ParseID(sc.Child(arm.Jobs, name))
	if err != nil {
		return err
	}
	job.named(jid)
	job.signed(nil, s.opts.Clock())
	sd, err := job.stored(jid)
	if err != nil {
		return err
	}
	e := arm.As(why)
	return s.jobs.SubmitFailed(ctx, sc, name, json.RawMessage(props), &execution.JobError{Code: "UserError", Message: e.Message}, func(tx *sql.Tx) error {
		_, err := store.Put(tx, sd)
		return err
	})
}

// planAll puts what the folder holds on the agenda. Ticks that came by while it was closed are missed: the next one counts.
func (s *Server) planAll(ctx context.Context) error {
	var schedules, computes []*store.Document
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		if schedules, err = store.List(tx, store.Query{Type: typeSchedule}); err != nil {
			return err
		}
		computes, err = store.List(tx, store.Query{Type: typeCompute})
		return err
	})
	if err != nil {
		return err
	}
	each := func(all []*store.Document, plan func(sc arm.Scope, id string, d document)) error {
		for _, sd := range all {
			id, err := arm.ParseID(sd.ID)
			if err != nil {
				return err
			}
			d, err := read(sd)
			if err != nil {
				return err
			}
			if sc, ok := id.Scope(); ok {
				plan(sc, sd.ID, d)
			}
		}
		return nil
	}
	if err := each(schedules, func(sc arm.Scope, id string, d document) { s.planSchedule(sc, id, d, false) }); err != nil {
		return err
	}
	return each(computes, s.planCompute)
}

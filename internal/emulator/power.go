package emulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/recurrence"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/wire"
)

// Who let an instance start or stop, in the service's words.
const (
	byUser     = "User"
	bySchedule = "Schedule"
	byIdleness = "IdleShutdown"
)

// computeState starts, stops or restarts a compute instance.
func computeState(c *call, state, operation, meanwhile string) error {
	at := c.sc.Child(arm.Computes, c.v["compute"])
	d, err := c.find(at, "compute", c.v["compute"])
	if err != nil {
		return err
	}
	if t := d.text("properties", "computeType"); t != "ComputeInstance" {
		return arm.BadRequest("UserError", "A compute of type %s cannot be started or stopped.", t)
	}
	if err := c.s.errBusy(at); err != nil {
		return err
	}
	was := d.text("properties", "properties", "state")
	switch {
	case operation == "Start" && was != "Stopped":
		return arm.BadRequest("StartComputeInstanceOnlyAllowedInStoppedState", "Start Azure ML Compute Instance is only allowed when the instance %s is in 'stopped' state", d.text("name"))
	case operation == "Restart" && was == "Stopped":
		return arm.BadRequest("UserError", "The instance %s is stopped; start it.", d.text("name"))
	}
	powered(d, state, operation, byUser, c.now)
	return c.rewrite(at, d, meanwhile, styleAsync, func() {
		c.s.jobs.ComputeChanged(c.sc, c.v["compute"]) // before: what waits must not take the place of what is ended
		if operation != "Start" {
			c.s.jobs.CancelOn(c.sc, c.v["compute"], "The compute instance was "+map[string]string{"Stop": "stopped", "Restart": "restarted"}[operation]+".")
		}
		c.s.planCompute(c.sc, at, d)
	})
}

// powered writes a new state of an instance.
func powered(d document, state, operation, trigger string, now time.Time) {
	inner := d.object("properties", "properties")
	inner["state"] = state
	inner["lastOperation"] = map[string]any{"operationName": operation, "operationTime": timestamp(now), "operationStatus": "Succeeded", "operationTrigger": trigger}
}

// power changes an instance's state when nobody calls. It does nothing when the instance is in that state already.
func (s *Server) power(sc arm.Scope, id, state, operation, trigger string, now time.Time) error {
	var changed document
	err := s.db.Update(s.ctx, func(tx *sql.Tx) error {
		changed = nil
		sd, err := store.Get(tx, id)
		if err != nil {
			return err
		}
		d, err := read(sd)
		if err != nil || d.text("properties", "properties", "state") == state {
			return err
		}
		powered(d, state, operation, trigger, now)
		if sd.Body, err = encode(d); err != nil {
			return err
		}
		changed = d
		_, err = store.Put(tx, sd)
		return err
	})
	if err != nil || changed == nil {
		return err
	}
	s.jobs.ComputeChanged(sc, changed.text("name")) // before: what waits must not take the place of what is ended
	if state == "Stopped" {
		s.jobs.CancelOn(sc, changed.text("name"), "The compute instance was stopped by its schedule.")
	}
	s.planCompute(sc, id, changed)
	return nil
}

// startStop is a schedule of an instance.
type startStop struct {
	ID, Action, Status, TriggerType string
	Cron, Recurrence                map[string]any
}

// trigger of the schedule. An instance's schedules have no end and no days of the month.
func (x startStop) trigger() (*recurrence.Trigger, error) {
	t := map[string]any{"triggerType": x.TriggerType}
	from := x.Recurrence
	if strings.EqualFold(x.TriggerType, "Cron") {
		from = x.Cron
	}
	for k, v := range from {
		if k != "triggerType" && k != "endTime" {
			t[k] = v
		}
	}
	b, err := encode(t)
	if err != nil {
		return nil, err
	}
	return recurrence.Parse(b)
}

func startStops(d document) ([]startStop, error) {
	var p struct {
		Properties struct {
			Properties struct {
				Schedules *struct{ ComputeStartStop []startStop }
			}
		}
	}
	if err := d.into(&p); err != nil || p.Properties.Properties.Schedules == nil {
		return nil, err
	}
	return p.Properties.Properties.Schedules.ComputeStartStop, nil
}

// idleTime of an instance, 0 when it does not stop by itself.
func idleTime(d document) (time.Duration, error) {
	text := d.text("properties", "properties", "idleTimeBeforeShutdown")
	if text == "" {
		return 0, nil
	}
	return wire.ParseDuration(text)
}

// checkPower refuses schedules and idle times that cannot be.
func checkPower(d document) error {
	const at = "properties.properties."
	if idle, err := idleTime(d); err != nil {
		return arm.Invalid(at+"idleTimeBeforeShutdown", "%q is not an ISO 8601 duration such as PT30M.", d.text("properties", "properties", "idleTimeBeforeShutdown"))
	} else if idle != 0 && (idle < 15*time.Minute || idle > 72*time.Hour) {
		return arm.Invalid(at+"idleTimeBeforeShutdown", "The idle time must be from 15 minutes to 3 days, got %s.", idle)
	}
	all, err := startStops(d)
	if err != nil {
		return err
	}
	for i, x := range all {
		field := fmt.Sprintf("%sschedules.computeStartStop[%d].", at, i)
		if !strings.EqualFold(x.Action, "start") && !strings.EqualFold(x.Action, "stop") {
			return arm.Invalid(field+"action", "The action %q is unknown: Start or Stop.", x.Action)
		}
		if _, err := x.trigger(); err != nil {
			f, ok := errors.AsType[*recurrence.Error](err)
			if !ok {
				return err
			}
			return arm.Invalid(strings.TrimSuffix(field+f.Field, "."), "%s", f.Message)
		}
	}
	// The service names the schedules and says that they are set up.
	if list, ok := document(d.object("properties", "properties", "schedules"))["computeStartStop"].([]any); ok {
		for i, v := range list {
			if m, ok := v.(map[string]any); ok {
				m["id"], m["provisioningStatus"] = fmt.Sprintf("%s-schedule-%d", strings.ToLower(d.text("properties", "computeType")), i), "Completed"
				if m["status"] == nil {
					m["status"] = "Enabled"
				}
			}
		}
	}
	return nil
}

// planCompute puts on the agenda when an instance stops because it is idle, and when its schedules act.
func (s *Server) planCompute(sc arm.Scope, id string, d document) {
	key := "power " + strings.ToLower(id) + " "
	s.agenda.dropAll(key)
	if d.text("properties", "computeType") != "ComputeInstance" {
		return
	}
	now := s.opts.Clock()
	if idle, err := idleTime(d); err == nil && idle > 0 && d.text("properties", "properties", "state") == "Running" {
		s.agenda.set(key+"idle", now.Add(idle), func(_, now time.Time) { s.idle(sc, id, now) })
	}
	all, err := startStops(d)
	if err != nil {
		s.opts.Logger.Error("the schedules of a compute instance cannot be read", "compute", id, "error", err)
		return
	}
	for i, x := range all {
		if strings.EqualFold(x.Status, "Disabled") {
			continue
		}
		t, err := x.trigger()
		if err != nil {
			s.opts.Logger.Error("a schedule of a compute instance cannot be read", "compute", id, "error", err)
			continue
		}
		s.planPower(sc, id, fmt.Sprintf("%s%d", key, i), x.Action, t, now, createdOn(d, now))
	}
}

func createdOn(d document, or time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, d.text("properties", "createdOn")); err == nil {
		return t
	}
	return or
}

func (s *Server) planPower(sc arm.Scope, id, key, action string, t *recurrence.Trigger, after, made time.Time) {
	next, ok := t.Next(after, made)
	if !ok {
		return
	}
	s.agenda.set(key, next, func(at, now time.Time) {
		s.planPower(sc, id, key, action, t, now, made)
		state, operation := "Running", "Start"
		if strings.EqualFold(action, "stop") {
			state, operation = "Stopped", "Stop"
		}
		if err := s.power(sc, id, state, operation, bySchedule, at); err != nil && !errors.Is(err, store.ErrNotFound) && s.ctx.Err() == nil {
			s.opts.Logger.Error("a schedule could not change an instance's state", "compute", id, "error", err)
		}
	})
}

// idle stops an instance that has had nothing to do for its idle time, else looks again when it may have.
func (s *Server) idle(sc arm.Scope, id string, now time.Time) {
	d, err := s.get(s.ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, context.Canceled) {
		return
	}
	if err != nil {
		s.opts.Logger.Error("a compute could not be read", "compute", id, "error", err)
		return
	}
	idle, err := idleTime(d)
	if err != nil || idle == 0 || d.text("properties", "properties", "state") != "Running" {
		return
	}
	busy, waiting := s.jobs.Load(sc, d.text("name"))
	due := s.jobs.Freed(sc, d.text("name")).Add(idle)
	if busy > 0 || waiting > 0 {
		due = now.Add(idle)
	}
	if due.After(now) {
		s.agenda.set("power "+strings.ToLower(id)+" idle", due, func(_, now time.Time) { s.idle(sc, id, now) })
		return
	}
	if err := s.power(sc, id, "Stopped", "Stop", byIdleness, now); err != nil && s.ctx.Err() == nil {
		s.opts.Logger.Error("an idle instance could not be stopped", "compute", id, "error", err)
	}
}

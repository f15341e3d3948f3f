package emulator

import (
	"net/http"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

var scheduleKind = &kind{
	word: "schedule", state: true, put: styleAsync, del: styleLocation, newest: true,
	check: checkSchedule,
	after: func(c *call, ch *change) { c.s.planSchedule(c.sc, ch.id.String(), ch.doc, ch.old == nil) },
	filter: func(c *call) (func(document) (bool, error), error) {
		on := func(d document) bool { b, ok := d.at("properties", "isEnabled").(bool); return !ok || b }
		switch v := viewOf(c); v {
		case "", "enabledonly":
			return func(d document) (bool, error) { return on(d), nil }, nil
		case "disabledonly":
			return func(d document) (bool, error) { return !on(d), nil }, nil
		case "all":
			return nil, nil
		default:
			return nil, arm.Invalid("listViewType", "The view %q is unknown: EnabledOnly, DisabledOnly or All.", v)
		}
	},
}

func scheduleRoutes() []route {
	const typ = "workspaces/schedules"
	return append(crud(scheduleKind, typ, "Schedules", pW+"/schedules", "schedule", sinceSchedules),
		post(pW+"/schedules/{schedule}/trigger", typ, "Schedules_Trigger", sinceSchedules, styleNone, triggerSchedule))
}

func checkSchedule(c *call, ch *change) error {
	p := ch.doc.props()
	if err := ch.doc.missing("properties.trigger", "properties.action"); err != nil {
		return err
	}
	t, err := ch.doc.oneOf("properties.trigger.triggerType", "Cron", "Recurrence")
	if err != nil {
		return err
	}
	field := "properties.trigger.expression"
	if t != "Cron" {
		field = "properties.trigger.frequency"
	}
	if err := ch.doc.missing(field); err != nil {
		return err
	}
	if _, err := triggerOf(ch.doc); err != nil {
		return err
	}
	a, err := ch.doc.oneOf("properties.action.actionType", "CreateJob", "InvokeBatchEndpoint", "ImportData", "CreateMonitor")
	if err != nil {
		return err
	}
	switch a {
	case "CreateJob":
		if _, err := ch.doc.oneOf("properties.action.jobDefinition.jobType", jobTypes...); err != nil {
			return err
		}
	case "InvokeBatchEndpoint":
		if err := ch.doc.missing("properties.action.endpointInvocationDefinition"); err != nil {
			return err
		}
		if err := c.s.checkInvocation(c.ctx(), c.sc, ch.doc); err != nil {
			return err
		}
	case "ImportData":
		if err := ch.doc.missing("properties.action.dataImportDefinition"); err != nil {
			return err
		}
		return unscheduled(a)
	case "CreateMonitor":
		if err := ch.doc.missing("properties.action.monitorDefinition"); err != nil {
			return err
		}
		if err := checkMonitor(ch.doc); err != nil {
			return err
		}
	}
	for k, v := range map[string]any{"isEnabled": true, "tags": map[string]any{}, "properties": map[string]any{}} {
		if p[k] == nil {
			p[k] = v
		}
	}
	return nil
}

// triggerSchedule starts a schedule's job now, also while the schedule is disabled. The time that the caller gives is what the job is told.
func triggerSchedule(c *call) error {
	var want struct{ ScheduleTime string }
	if err := c.into(&want); err != nil {
		return err
	}
	at := c.now
	if want.ScheduleTime != "" {
		t, err := time.Parse(time.RFC3339, want.ScheduleTime)
		if err != nil {
			if t, err = time.Parse("2006-01-02T15:04:05", want.ScheduleTime); err != nil {
				return arm.Invalid("scheduleTime", "%q is not a time such as 2024-05-01T08:00:00+00:00.", want.ScheduleTime)
			}
		}
		// Clients say now by the machine's clock; where the workspace has one of its own, that is what they mean.
		if passed := time.Since(t); !c.s.opts.moved || passed.Abs() > time.Minute {
			at = t
		}
	}
	d, err := c.find(c.sc.Child(arm.Schedules, c.v["schedule"]), "schedule", c.v["schedule"])
	if err != nil {
		return err
	}
	job, err := c.s.fire(c.ctx(), c.sc, d, at)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, document{"submissionId": job, "jobName": job, "scheduleActionType": d.text("properties", "action", "actionType")})
}

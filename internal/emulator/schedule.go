package emulator

import (
	"net/http"
	"regexp"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

var scheduleKind = &kind{
	word: "schedule", state: true, put: styleAsync, del: styleLocation, newest: true,
	check: checkSchedule,
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

// cronExpression has five fields of numbers or names, ranges, steps and lists.
var cronExpression = regexp.MustCompile(`^\s*(?:` + cronField + `\s+){4}` + cronField + `\s*$`)

const cronField = `(?i:(?:\*|[0-9]+|[a-z]{3})(?:-(?:[0-9]+|[a-z]{3}))?(?:/[0-9]+)?(?:,(?:\*|[0-9]+|[a-z]{3})(?:-(?:[0-9]+|[a-z]{3}))?(?:/[0-9]+)?)*)`

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
	if t == "Cron" {
		if err := ch.doc.missing("properties.trigger.expression"); err != nil {
			return err
		}
		if x := ch.doc.text("properties", "trigger", "expression"); !cronExpression.MatchString(x) {
			return arm.Invalid("properties.trigger.expression", "The expression %q is not a cron expression of five fields: minute, hour, day of month, month, day of week.", x)
		}
	} else {
		if err := ch.doc.missing("properties.trigger.frequency", "properties.trigger.interval"); err != nil {
			return err
		}
		if _, err := ch.doc.oneOf("properties.trigger.frequency", "Minute", "Hour", "Day", "Week", "Month"); err != nil {
			return err
		}
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
	case "ImportData":
		if err := ch.doc.missing("properties.action.dataImportDefinition"); err != nil {
			return err
		}
	case "CreateMonitor":
		if err := ch.doc.missing("properties.action.monitorDefinition"); err != nil {
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

// triggerSchedule is refused until schedules are run here: it must not answer with a job that nobody made.
func triggerSchedule(c *call) error {
	if _, err := c.find(c.sc.Child(arm.Schedules, c.v["schedule"]), "schedule", c.v["schedule"]); err != nil {
		return err
	}
	return &arm.Error{Status: http.StatusBadRequest, Code: "SchedulesNotSupported", Message: "This local workspace keeps schedules and does not run them."}
}

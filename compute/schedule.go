package compute

import (
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Schedules start and stop an instance.
type Schedules struct {
	StartStop []StartStop `yaml:"compute_start_stop" json:"computeStartStop"`
}

// StartStop is one schedule.
type StartStop struct {
	// Action is start or stop.
	Action Action `yaml:"action,required" json:"action"`
	// State is enabled or disabled. Defaults to enabled.
	State   ScheduleState `yaml:"state" json:"status"`
	Trigger Trigger       `yaml:"trigger" json:"trigger"`
	ID      string        `yaml:"schedule_id,ro" json:"id,ro"`
	// Provisioning is Provisioning, Completed or Failed, as read.
	Provisioning string `yaml:"provisioning_state,ro" json:"provisioningStatus,ro"`
}

var startStop = wire.Layout{At: wire.Table{"trigger": "."}}

// WireLayout says where REST nests differently.
func (StartStop) WireLayout() *wire.Layout { return &startStop }

// AfterEncodeWire writes the default state, capitalised as the reference does.
func (s StartStop) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.REST && s.State == "" {
		m["status"] = "Enabled"
	}
	return nil
}

// Action is what a schedule does.
type Action string

// The actions.
const (
	Start Action = "start"
	Stop  Action = "stop"
)

var actions = wire.SameEnum(string(Start), string(Stop))

// WireEnum is the table of spellings.
func (Action) WireEnum() *wire.Enum { return actions }

// ScheduleState says whether a schedule acts.
type ScheduleState string

// The states.
const (
	ScheduleEnabled  ScheduleState = "enabled"
	ScheduleDisabled ScheduleState = "disabled"
)

var scheduleStates = wire.SameEnum(string(ScheduleEnabled), string(ScheduleDisabled))

// WireEnum is the table of spellings.
func (ScheduleState) WireEnum() *wire.Enum { return scheduleStates }

// Trigger says when. Exactly one field is set.
type Trigger struct {
	Cron       *Cron
	Recurrence *Recurrence
}

// Cron is five fields of cron.
type Cron struct {
	Expression string `yaml:"expression,required" json:"expression"`
	// Start is a time without zone: 2024-05-01T18:00:00.
	Start string `yaml:"start_time" json:"startTime"`
	// TimeZone is a Windows name. Defaults to UTC.
	TimeZone string `yaml:"time_zone" json:"timeZone,default=UTC"`
}

// Recurrence is every so many minutes, hours, days, weeks or months.
type Recurrence struct {
	// Frequency is minute, hour, day, week or month.
	Frequency Frequency `yaml:"frequency,required" json:"frequency"`
	Interval  int       `yaml:"interval" json:"interval"`
	Start     string    `yaml:"start_time" json:"startTime"`
	TimeZone  string    `yaml:"time_zone" json:"timeZone,default=UTC"`
	Pattern   *Pattern  `yaml:"schedule" json:"schedule"`
}

// Pattern are the times within a recurrence.
type Pattern struct {
	Hours    []int     `yaml:"hours" json:"hours"`
	Minutes  []int     `yaml:"minutes" json:"minutes"`
	WeekDays []WeekDay `yaml:"week_days" json:"weekDays"`
}

// Frequency is a unit of time.
type Frequency string

var frequencies = wire.SameEnum("minute", "hour", "day", "week", "month")

// WireEnum is the table of spellings.
func (Frequency) WireEnum() *wire.Enum { return frequencies }

// WeekDay is a day's English name in lower case.
type WeekDay string

var weekDays = wire.SameEnum("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

// WireEnum is the table of spellings.
func (WeekDay) WireEnum() *wire.Enum { return weekDays }

// EncodeWire writes {type: cron, …} in YAML, and in REST the trigger below its own name with its type beside and within.
func (t Trigger) EncodeWire(e *wire.Encoding) (any, error) {
	name, typ, v := "cron", "Cron", any(t.Cron)
	if t.Cron == nil {
		name, typ, v = "recurrence", "Recurrence", any(t.Recurrence)
		if t.Recurrence == nil {
			return wire.Omit, nil
		}
	}
	x, err := e.Value(v)
	if err != nil {
		return nil, err
	}
	m, _ := x.(map[string]any) // both are structs
	if e.Spelling() != wire.REST {
		m["type"] = name
		return m, nil
	}
	m["triggerType"] = typ
	return map[string]any{name: m, "triggerType": typ}, nil
}

// DecodeWire reads either form.
func (t *Trigger) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.REST {
		if c := n.Get("cron"); !c.IsNull() {
			t.Cron = &Cron{}
			d.Into(c.Without("triggerType"), t.Cron)
		}
		if r := n.Get("recurrence"); !r.IsNull() {
			t.Recurrence = &Recurrence{}
			d.Into(r.Without("triggerType"), t.Recurrence)
		}
		return
	}
	typ, _ := n.Get("type").Str()
	switch strings.ToLower(typ) {
	case "cron":
		t.Cron = &Cron{}
		d.Into(n.Without("type"), t.Cron)
	case "recurrence":
		t.Recurrence = &Recurrence{}
		d.Into(n.Without("type"), t.Recurrence)
	default:
		d.At("type").Fault(n.Get("type"), "is %q; cron and recurrence are known", typ)
	}
}

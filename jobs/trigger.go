package jobs

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Trigger says when a schedule acts: *CronTrigger, *RecurrenceTrigger and, of what the service answers, *UnknownTrigger.
type Trigger interface {
	// fault says what is wrong with the trigger, "" when nothing is.
	fault() string
	// window is how many days pass between two runs, 0 when that is not known.
	window() int
}

var _ = wire.RegisterSum[Trigger](&wire.Sum{
	Name: "trigger", YAML: "type", REST: "triggerType",
	Arms: []wire.Arm{
		wire.ArmOf[CronTrigger]("cron", "Cron"),
		wire.ArmOf[RecurrenceTrigger]("recurrence", "Recurrence"),
	},
	Unknown: func() any { return new(UnknownTrigger) },
})

// CronTrigger acts when a cron expression says so.
type CronTrigger struct {
	// Expression has five fields: minute, hour, day of the month, month, day of the week: "15 10 * * 1". The service takes the third and the fourth for stars. Required.
	Expression string `yaml:"expression,required" json:"expression"`
	// StartTime and EndTime are as "2024-05-01T08:00:00", on the clocks of the time zone. Without a start the first job runs at
	// once; with one in the past, at the next time that the trigger names. Without an end there is none.
	StartTime WallTime `yaml:"start_time" json:"startTime"`
	EndTime   WallTime `yaml:"end_time" json:"endTime"`
	// TimeZone is one of Windows' names, such as "Pacific Standard Time"; a local workspace also knows IANA's. Defaults to UTC.
	TimeZone string `yaml:"time_zone" json:"timeZone,default=UTC"`
}

var cronTrigger = wire.Layout{Name: "cron trigger", YAML: wire.Fixed{"type": "cron"}, REST: wire.Fixed{"triggerType": "Cron"}}

// WireLayout places the fields.
func (CronTrigger) WireLayout() *wire.Layout { return &cronTrigger }

func (t *CronTrigger) fault() string {
	if n := len(strings.Fields(t.Expression)); n != 5 {
		return fmt.Sprintf("the expression %q has %d fields; it is five: minute, hour, day of the month, month, day of the week", t.Expression, n)
	}
	return wallFault(t.StartTime, t.EndTime)
}

func (t *CronTrigger) window() int { return 0 }

// RecurrenceTrigger acts at an interval.
type RecurrenceTrigger struct {
	// Frequency is the interval's unit. Required.
	Frequency Frequency `yaml:"frequency,required" json:"frequency"`
	// Interval is how many of them pass between two runs. Required.
	Interval int `yaml:"interval,required" json:"interval"`
	// Schedule is when on a day the schedule acts. Defaults to the start time's.
	Schedule RecurrencePattern `yaml:"schedule" json:"schedule,keep"`
	// StartTime and EndTime are as "2024-05-01T08:00:00", on the clocks of the time zone. Without a start the first job runs at
	// once; with one in the past, at the next time that the trigger names. Without an end there is none.
	StartTime WallTime `yaml:"start_time" json:"startTime"`
	EndTime   WallTime `yaml:"end_time" json:"endTime"`
	// TimeZone is one of Windows' names, such as "Pacific Standard Time"; a local workspace also knows IANA's. Defaults to UTC.
	TimeZone string `yaml:"time_zone" json:"timeZone,default=UTC"`

	asked [][2]int // times given to At that are not all that Schedule says
}

var recurrenceTrigger = wire.Layout{Name: "recurrence trigger", YAML: wire.Fixed{"type": "recurrence"}, REST: wire.Fixed{"triggerType": "Recurrence"}}

// WireLayout places the fields.
func (RecurrenceTrigger) WireLayout() *wire.Layout { return &recurrenceTrigger }

func (t *RecurrenceTrigger) fault() string {
	if t.Interval < 1 {
		return fmt.Sprintf("the interval %d is less than 1", t.Interval)
	}
	if _, ok := frequencies.Parse(string(t.Frequency)); !ok {
		return fmt.Sprintf("the frequency %q is none of %s", t.Frequency, strings.Join(frequencies.Values(), ", "))
	}
	for _, r := range t.Schedule.ranges() {
		for _, v := range r.values {
			if v < r.from || v > r.to {
				return fmt.Sprintf("schedule.%s: %d is not from %d to %d", r.key, v, r.from, r.to)
			}
		}
	}
	if t.asked != nil {
		var asked, all []string
		for _, a := range t.asked {
			asked = append(asked, fmt.Sprintf("%d:%02d", a[0], a[1]))
		}
		for _, h := range t.Schedule.Hours {
			for _, m := range t.Schedule.Minutes {
				all = append(all, fmt.Sprintf("%d:%02d", h, m))
			}
		}
		return fmt.Sprintf("schedule: %s cannot be told by one recurrence, which acts at each of its minutes in each of its hours: %s; use the same minutes in all hours, or two schedules",
			strings.Join(asked, " and "), strings.Join(all, ", "))
	}
	return wallFault(t.StartTime, t.EndTime)
}

func (t *RecurrenceTrigger) window() int {
	switch t.Frequency {
	case Day:
		return t.Interval
	case Week:
		return 7 * t.Interval
	case Month:
		return 30 * t.Interval
	}
	return 1
}

// Frequency is the unit of a recurrence.
type Frequency string

// The frequencies.
const (
	Minute Frequency = "minute"
	Hour   Frequency = "hour"
	Day    Frequency = "day"
	Week   Frequency = "week"
	Month  Frequency = "month"
)

var frequencies = wire.SameEnum("minute", "hour", "day", "week", "month")

// WireEnum lists the spellings.
func (Frequency) WireEnum() *wire.Enum { return frequencies }

// WeekDay is a day of the week.
type WeekDay string

// The days.
const (
	Monday    WeekDay = "monday"
	Tuesday   WeekDay = "tuesday"
	Wednesday WeekDay = "wednesday"
	Thursday  WeekDay = "thursday"
	Friday    WeekDay = "friday"
	Saturday  WeekDay = "saturday"
	Sunday    WeekDay = "sunday"
)

var weekDays = wire.SameEnum("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

// WireEnum lists the spellings.
func (WeekDay) WireEnum() *wire.Enum { return weekDays }

// RecurrencePattern is when on its days a recurrence acts. In a file each may be one value or a list.
type RecurrencePattern struct {
	// Hours (0–23) and Minutes (0–59) are required in a pattern.
	Hours   []int `yaml:"hours,single" json:"hours"`
	Minutes []int `yaml:"minutes,single" json:"minutes"`
	// WeekDays are for weekly, MonthDays for monthly recurrences.
	WeekDays  []WeekDay `yaml:"week_days,single" json:"weekDays"`
	MonthDays []int     `yaml:"month_days,single" json:"monthDays"`
}

// EncodeWire writes the pattern. Services want lists of hours and minutes, even empty ones.
func (p RecurrencePattern) EncodeWire(e *wire.Encoding) (any, error) {
	m, err := e.Plain(p)
	switch {
	case err != nil:
		return nil, err
	case e.Spelling() == wire.YAML && len(m) == 0:
		return wire.Omit, nil
	case m == nil:
		m = map[string]any{}
	}
	for _, k := range []string{"hours", "minutes"} {
		if m[k] == nil {
			m[k] = []any{}
		}
	}
	return m, nil
}

// DecodeWire reads the pattern.
func (p *RecurrencePattern) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*p = RecurrencePattern{}
	d.Plain(n, p)
	if d.Spelling() != wire.YAML || n.IsNull() {
		return
	}
	for _, k := range []string{"hours", "minutes"} {
		if !n.Has(k) {
			d.At(k).Fault(n, "the required field %q is missing", k)
		}
	}
	for _, r := range p.ranges() {
		for _, v := range r.values {
			if v < r.from || v > r.to {
				d.At(r.key).Fault(n.Get(r.key), "%d is not from %d to %d", v, r.from, r.to)
			}
		}
	}
}

// within are values with the least and the most that they can be.
type within struct {
	key      string
	values   []int
	from, to int
}

func (p *RecurrencePattern) ranges() []within {
	return []within{{"hours", p.Hours, 0, 23}, {"minutes", p.Minutes, 0, 59}, {"month_days", p.MonthDays, -1, 31}}
}

// UnknownTrigger is a trigger of a kind that this version does not know, as the service answered it.
type UnknownTrigger struct {
	Raw azureml.Raw `yaml:"-" json:"."`
}

func (t *UnknownTrigger) fault() string { return "" }

func (t *UnknownTrigger) window() int { return 0 }

// WallTime is a date and time on the clocks of a time zone that is said elsewhere: "2024-05-01T08:00:00". An offset is
// of no account.
type WallTime string

var wallTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(:\d{2})?(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)?$`)

// EncodeWire writes the time; services get it without an offset.
func (t WallTime) EncodeWire(e *wire.Encoding) (any, error) {
	if t == "" {
		return wire.Omit, nil
	}
	m := wallTime.FindStringSubmatch(string(t))
	if e.Spelling() == wire.YAML || m == nil {
		return string(t), nil
	}
	if m[3] == "" {
		m[3] = ":00"
	}
	return m[1] + " " + m[2] + m[3], nil
}

// DecodeWire reads the time.
func (t *WallTime) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if n.IsNull() {
		return
	}
	s, ok := n.Str()
	switch {
	case !ok:
		d.Fault(n, "write the time in quotes: \"2024-05-01T08:00:00\"")
	case d.Strict() && !wallTime.MatchString(s):
		d.Fault(n, "%q is no time; write \"2024-05-01T08:00:00\"", s)
	default:
		*t = WallTime(s)
	}
}

func wallFault(times ...WallTime) string {
	for _, t := range times {
		if t != "" && !wallTime.MatchString(string(t)) {
			return fmt.Sprintf("%q is no time; write \"2024-05-01T08:00:00\"", t)
		}
	}
	return ""
}

// Cron is a trigger of a cron expression, on the clocks of UTC.
func Cron(expression string) *CronTrigger { return &CronTrigger{Expression: expression} }

// In is the trigger on the clocks of another time zone, one of Windows' names.
func (t *CronTrigger) In(zone string) *CronTrigger {
	c := *t
	c.TimeZone = zone
	return &c
}

// Every is a trigger of an interval: Every(2, Week).
func Every(interval int, unit Frequency) *RecurrenceTrigger {
	return &RecurrenceTrigger{Frequency: unit, Interval: interval}
}

// At is the trigger at a time of the day. More than one may be given, At(8, 0).At(8, 30), as long as they are all the minutes
// in all the hours: that is what a recurrence says, and what is more than was asked for is a fault.
func (t *RecurrenceTrigger) At(hour, minute int) *RecurrenceTrigger {
	c := *t
	c.asked = slices.Clone(t.asked)
	if c.asked == nil {
		for _, h := range t.Schedule.Hours {
			for _, m := range t.Schedule.Minutes {
				c.asked = append(c.asked, [2]int{h, m})
			}
		}
	}
	if x := [2]int{hour, minute}; !slices.Contains(c.asked, x) {
		c.asked = append(c.asked, x)
	}
	add := func(l []int, v int) []int {
		if slices.Contains(l, v) {
			return l
		}
		return append(slices.Clone(l), v)
	}
	c.Schedule.Hours, c.Schedule.Minutes = add(t.Schedule.Hours, hour), add(t.Schedule.Minutes, minute)
	if len(c.asked) == len(c.Schedule.Hours)*len(c.Schedule.Minutes) {
		c.asked = nil
	}
	return &c
}

// On is the trigger on days of the week.
func (t *RecurrenceTrigger) On(days ...WeekDay) *RecurrenceTrigger {
	c := *t
	c.Schedule.WeekDays = append(slices.Clone(t.Schedule.WeekDays), days...)
	return &c
}

// OnDays is the trigger on days of the month; -1 is its last.
func (t *RecurrenceTrigger) OnDays(days ...int) *RecurrenceTrigger {
	c := *t
	c.Schedule.MonthDays = append(slices.Clone(t.Schedule.MonthDays), days...)
	return &c
}

// In is the trigger on the clocks of another time zone, one of Windows' names.
func (t *RecurrenceTrigger) In(zone string) *RecurrenceTrigger {
	c := *t
	c.TimeZone = zone
	return &c
}

package assets

import (
	"regexp"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

// Recurrence is every so many minutes, hours, days, weeks or months.
type Recurrence struct {
	Frequency Frequency `yaml:"frequency,required" json:"frequency"`
	Interval  int       `yaml:"interval,required" json:"interval,keep"`
	// Pattern are the times within days, weeks and months.
	Pattern RecurrencePattern `yaml:"schedule" json:"schedule,keep"`
	Start   ClockTime         `yaml:"start_time" json:"startTime"`
	End     ClockTime         `yaml:"end_time" json:"endTime"`
	// TimeZone is a name as Windows has it. Defaults to UTC.
	TimeZone string `yaml:"time_zone" json:"timeZone,default=UTC"`
}

var recurrence = wire.Layout{YAML: wire.Fixed{"type": "recurrence"}, REST: wire.Fixed{"triggerType": "Recurrence"}}

// WireLayout says which trigger it is.
func (Recurrence) WireLayout() *wire.Layout { return &recurrence }

// AfterDecodeWire asks for the type.
func (r *Recurrence) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() == wire.YAML && !n.Has("type") {
		d.Fault(n, "the required field %q is missing: recurrence", "type")
	}
}

// RecurrencePattern are the times within a recurrence.
type RecurrencePattern struct {
	Hours   []int `yaml:"hours,required,single" json:"hours,keep"`
	Minutes []int `yaml:"minutes,required,single" json:"minutes,keep"`
	// WeekDays are for weeks, MonthDays for months.
	WeekDays  []WeekDay `yaml:"week_days,single" json:"weekDays"`
	MonthDays []int     `yaml:"month_days,single" json:"monthDays"`
}

// Frequency is a unit of time.
type Frequency string

// The units.
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

// WeekDay is a day's English name in lower case.
type WeekDay string

var weekDays = wire.SameEnum("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

// WireEnum lists the spellings.
func (WeekDay) WireEnum() *wire.Enum { return weekDays }

// ClockTime is a time in the zone that stands beside it: 2024-05-01T08:00:00.
type ClockTime string

// isoTime is what the reference takes for a time; fractions and zones are read over.
var isoTime = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d{1,12})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?$`)

// EncodeWire writes it with a blank between day and time in REST, as services have it.
func (t ClockTime) EncodeWire(e *wire.Encoding) (any, error) {
	s := string(t)
	if e.Spelling() != wire.REST {
		return s, nil
	}
	m := isoTime.FindStringSubmatch(s)
	if m == nil {
		return s, nil
	}
	two := func(s string) string { return strings.Repeat("0", 2-len(s)) + s }
	if m[6] == "" {
		m[6] = "00"
	}
	return m[1] + "-" + two(m[2]) + "-" + two(m[3]) + " " + two(m[4]) + ":" + two(m[5]) + ":" + two(m[6]), nil
}

// DecodeWire reads a string.
func (t *ClockTime) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if n.IsNull() {
		return
	}
	s, ok := d.Text(n)
	if !ok {
		return
	}
	if d.Spelling() == wire.YAML && !isoTime.MatchString(s) {
		d.Fault(n, "%q is no time such as 2024-05-01T08:00:00", s)
		return
	}
	*t = ClockTime(s)
}

// Notification sends mail when jobs end.
type Notification struct {
	On []NotificationEvent `yaml:"email_on,required" json:"emailOn"`
	// Emails are the addresses, 499 characters in all.
	Emails []string `yaml:"emails,required" json:"emails"`
}

// NotificationEvent is a way for a job to end.
type NotificationEvent string

// The ways.
const (
	JobCompleted NotificationEvent = "JobCompleted"
	JobFailed    NotificationEvent = "JobFailed"
	JobCancelled NotificationEvent = "JobCancelled"
)

var notificationEvents = wire.SameEnum(string(JobCompleted), string(JobFailed), string(JobCancelled))

// WireEnum lists the spellings.
func (NotificationEvent) WireEnum() *wire.Enum { return notificationEvents }

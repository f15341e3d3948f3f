// Package recurrence says when the triggers of schedules act: cron expressions and recurrences, on the clocks of a time zone.
//
// What the service documents holds here: the day of the month and the month of a cron expression are of no account; a day that a month does not have is left out;
// times are on the zone's clocks. A time that the clocks skip is as much later as they were put forward; one that they show twice counts once, the first time. What
// acts every hour or minute goes by elapsed time.
package recurrence

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // machines without a database of zones
)

// Error is what is wrong with a trigger.
type Error struct {
	Field   string // below the trigger: "schedule.hours"
	Message string
}

func (e *Error) Error() string { return e.Field + ": " + e.Message }

func fault(field, format string, args ...any) error {
	return &Error{Field: field, Message: fmt.Sprintf(format, args...)}
}

// Trigger is one that was read.
type Trigger struct {
	zone       *time.Location
	start, end time.Time // zero when not given
	cron       string    // "" for recurrences
	everyHour  bool      // the cron expression's hour is a star

	frequency       string
	interval        int
	hours, minutes  []int
	weekDays        []time.Weekday
	monthDays       []int
	hasHours, hasIn bool // hours or minutes were given
}

// Frequencies in the service's words.
const (
	Minute = "Minute"
	Hour   = "Hour"
	Day    = "Day"
	Week   = "Week"
	Month  = "Month"
)

// Parse reads a trigger as REST has it. Its errors are *Error.
func Parse(raw json.RawMessage) (*Trigger, error) {
	var in struct {
		TriggerType, Expression, Frequency, StartTime, EndTime, TimeZone string
		Interval                                                         int
		Schedule                                                         *struct {
			Hours, Minutes, MonthDays []int
			WeekDays                  []string
		}
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, fault("", "The trigger cannot be read: %v.", err)
	}
	t := &Trigger{}
	var err error
	if t.zone, err = Zone(in.TimeZone); err != nil {
		return nil, err
	}
	if t.start, err = t.wallTime("startTime", in.StartTime); err != nil {
		return nil, err
	}
	if t.end, err = t.wallTime("endTime", in.EndTime); err != nil {
		return nil, err
	}
	if !t.start.IsZero() && !t.end.IsZero() && t.end.Before(t.start) {
		return nil, fault("endTime", "The end %s is before the start %s.", in.EndTime, in.StartTime)
	}
	switch strings.ToLower(in.TriggerType) {
	case "cron":
		return t, t.expression(in.Expression)
	case "recurrence":
	default:
		return nil, fault("triggerType", "The type %q is unknown: Cron or Recurrence.", in.TriggerType)
	}
	for _, f := range []string{Minute, Hour, Day, Week, Month} {
		if strings.EqualFold(f, in.Frequency) {
			t.frequency = f
		}
	}
	if t.frequency == "" {
		return nil, fault("frequency", "The frequency %q is unknown: Minute, Hour, Day, Week or Month.", in.Frequency)
	}
	if t.interval = in.Interval; t.interval < 1 || t.interval > 10_000 {
		return nil, fault("interval", "The interval must be from 1 to 10000, got %d.", t.interval)
	}
	if in.Schedule == nil {
		return t, nil
	}
	t.hours, t.minutes, t.monthDays = in.Schedule.Hours, in.Schedule.Minutes, in.Schedule.MonthDays
	for _, r := range []struct {
		field    string
		values   []int
		from, to int
	}{{"hours", t.hours, 0, 23}, {"minutes", t.minutes, 0, 59}, {"monthDays", t.monthDays, -1, 31}} {
		for _, v := range r.values {
			if v < r.from || v > r.to || v == 0 && r.field == "monthDays" {
				return nil, fault("schedule."+r.field, "%d is not from %d to %d.", v, max(r.from, -1), r.to)
			}
		}
	}
	for _, word := range in.Schedule.WeekDays {
		d := slices.IndexFunc(weekDays, func(w string) bool { return strings.EqualFold(w, word) })
		if d < 0 {
			return nil, fault("schedule.weekDays", "%q is not a day of the week: Monday to Sunday.", word)
		}
		t.weekDays = append(t.weekDays, time.Weekday(d))
	}
	t.hours, t.minutes = ordered(t.hours), ordered(t.minutes)
	t.hasHours, t.hasIn = len(t.hours) > 0, len(t.minutes) > 0
	return t, nil
}

var weekDays = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

func ordered(v []int) []int {
	v = slices.Clone(v)
	slices.Sort(v)
	return slices.Compact(v)
}

// Starts says whether the trigger has a start time of its own. Without one a schedule acts first when it is made.
func (t *Trigger) Starts() bool { return !t.start.IsZero() }

// Over says whether nothing comes after a time.
func (t *Trigger) Over(after time.Time) bool { return !t.end.IsZero() && !after.Before(t.end) }

// Next is the first time after another one at which the trigger acts. made is when the schedule was made, from which a trigger without a start time counts. ok is false when there
// is none.
func (t *Trigger) Next(after, made time.Time) (at time.Time, ok bool) {
	from := t.start
	if from.IsZero() {
		from = made.Truncate(time.Second)
	}
	if floor := from.Add(-time.Nanosecond); after.Before(floor) {
		after = floor
	}
	switch {
	case t.cron != "":
		at, ok = t.nextCron(after)
	case t.frequency == Minute || t.frequency == Hour:
		at, ok = t.nextElapsed(after, from)
	default:
		at, ok = t.nextDay(after, from)
	}
	if !ok || !t.end.IsZero() && at.After(t.end) {
		return time.Time{}, false
	}
	return at.UTC(), true
}

package recurrence

import (
	"regexp"
	"strings"
	"time"
)

// Zone finds a time zone by one of Windows' names or by IANA's. Empty is UTC.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if iana, ok := windows[strings.ToLower(name)]; ok {
		return time.LoadLocation(iana)
	}
	if strings.EqualFold(name, "local") { // the machine's own, which nobody meant
		return nil, fault("timeZone", "%q is not a time zone.", name)
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault("timeZone", "%q is not a time zone: neither one of Windows' names, such as W. Europe Standard Time, nor one of IANA's, such as Europe/Berlin.", name)
	}
	return z, nil
}

// An offset behind the time is of no account: the time is on the zone's clocks.
var wallTime = regexp.MustCompile(`^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d+)?(Z|[+-]\d{2}(:?\d{2})?)?$`)

func (t *Trigger) wallTime(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	m := wallTime.FindStringSubmatch(text)
	if m == nil {
		return time.Time{}, fault(field, "%q is not a time such as 2024-05-01T08:00:00.", text)
	}
	if m[3] == "" {
		m[3] = ":00"
	}
	naive, err := time.Parse(time.DateTime, m[1]+" "+m[2]+m[3])
	if err != nil {
		return time.Time{}, fault(field, "%q is not a time such as 2024-05-01T08:00:00.", text)
	}
	return t.instant(naive), nil
}

// wall is what the zone's clocks show, as if it were UTC.
func (t *Trigger) wall(at time.Time) time.Time { return at.UTC().Add(t.offset(at)) }

func (t *Trigger) offset(at time.Time) time.Duration {
	_, s := at.In(t.zone).Zone()
	return time.Duration(s) * time.Second
}

// instant is when the zone's clocks show a time first; what they skip is as much later as they were put forward.
func (t *Trigger) instant(wall time.Time) time.Time {
	before, behind := t.offset(wall.Add(-36*time.Hour)), t.offset(wall.Add(36*time.Hour))
	for _, o := range []time.Duration{max(before, behind), min(before, behind)} { // the greater offset is the earlier instant
		if at := wall.Add(-o); t.offset(at) == o {
			return at
		}
	}
	return wall.Add(-before)
}

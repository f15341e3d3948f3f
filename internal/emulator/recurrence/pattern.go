package recurrence

import (
	"slices"
	"time"
)

// nextElapsed counts minutes or hours from the start; a pattern leaves out what it does not name.
func (t *Trigger) nextElapsed(after, from time.Time) (time.Time, bool) {
	step := time.Duration(t.interval) * time.Minute
	if t.frequency == Hour {
		step = time.Duration(t.interval) * time.Hour
	}
	minutes := []int{-1} // the start's own
	if t.frequency == Hour && t.hasIn {
		minutes = t.minutes
		from = from.Add(-t.wall(from).Sub(t.wall(from).Truncate(time.Hour))) // on the hour
	}
	k := max(int64(after.Sub(from)/step)-1, 0)
	// Within a week all that the pattern can name has come by, unless it never does.
	for end := from.Add(time.Duration(k)*step + 8*24*time.Hour + 2*step); ; k++ {
		base := from.Add(time.Duration(k) * step)
		if base.After(end) {
			return time.Time{}, false
		}
		for _, m := range minutes {
			at := base
			if m >= 0 {
				at = base.Add(time.Duration(m) * time.Minute)
			}
			w := t.wall(at)
			if at.After(after) && (!t.hasHours || slices.Contains(t.hours, w.Hour())) && (!t.hasIn || slices.Contains(t.minutes, w.Minute())) && t.onDay(w) {
				return at, true
			}
		}
	}
}

// onDay is true of days that the pattern names, or that it says nothing of.
func (t *Trigger) onDay(wall time.Time) bool {
	return (len(t.weekDays) == 0 || slices.Contains(t.weekDays, wall.Weekday())) && (len(t.monthDays) == 0 || t.onMonthDay(wall))
}

func (t *Trigger) onMonthDay(wall time.Time) bool {
	return slices.Contains(t.monthDays, wall.Day()) || slices.Contains(t.monthDays, -1) && wall.AddDate(0, 0, 1).Day() == 1
}

// nextDay counts days, weeks (from Monday) or months on the calendar of the zone.
func (t *Trigger) nextDay(after, from time.Time) (time.Time, bool) {
	first := t.wall(from)
	hours, minutes, second := t.hours, t.minutes, 0
	if !t.hasHours && !t.hasIn {
		second = first.Second()
	}
	if !t.hasHours {
		hours = []int{first.Hour()}
	}
	if !t.hasIn {
		minutes = []int{first.Minute()}
	}
	day := midnight(t.wall(after)).AddDate(0, 0, -1) // what the clocks skipped yesterday may come today
	span := map[string]int{Day: t.interval, Week: 7 * t.interval, Month: 31 * t.interval}[t.frequency]
	for range span + 9*366 { // 29 February comes within eight years
		if t.counts(day, midnight(first)) {
			for _, h := range hours {
				for _, m := range minutes {
					if at := t.instant(day.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(second)*time.Second)); at.After(after) && !at.Before(from) {
						return at, true
					}
				}
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// counts says whether the trigger acts on a day, counted from its first.
func (t *Trigger) counts(day, first time.Time) bool {
	days := int(day.Sub(first).Hours() / 24)
	switch t.frequency {
	case Day:
		return days >= 0 && days%t.interval == 0 && t.onDay(day)
	case Week:
		monday := func(d time.Time) time.Time { return d.AddDate(0, 0, -(int(d.Weekday())+6)%7) }
		weeks := int(monday(day).Sub(monday(first)).Hours() / (7 * 24))
		if weeks < 0 || weeks%t.interval != 0 {
			return false
		}
		if len(t.weekDays) == 0 {
			return day.Weekday() == first.Weekday()
		}
		return t.onDay(day)
	}
	months := (day.Year()-first.Year())*12 + int(day.Month()) - int(first.Month())
	if months < 0 || months%t.interval != 0 {
		return false
	}
	if len(t.weekDays) == 0 && len(t.monthDays) == 0 {
		return day.Day() == first.Day()
	}
	return t.onDay(day)
}

func midnight(wall time.Time) time.Time { return wall.Truncate(24 * time.Hour) }

package recurrence

import (
	"regexp"
	"strings"
	"time"

	"github.com/adhocore/gronx"
)

// field of a cron expression: numbers or names, ranges, steps and lists.
var cronField = regexp.MustCompile(`^(?i:(?:\*|[0-9]+|[a-z]{3})(?:-(?:[0-9]+|[a-z]{3}))?(?:/[0-9]+)?(?:,(?:\*|[0-9]+|[a-z]{3})(?:-(?:[0-9]+|[a-z]{3}))?(?:/[0-9]+)?)*)$`)

// expression reads five fields: minute, hour, day of the month, month, day of the week. The service takes the third and fourth for stars, whatever they say.
func (t *Trigger) expression(text string) error {
	f := strings.Fields(text)
	if len(f) != 5 {
		return fault("expression", "The expression %q is not a cron expression of five fields: minute, hour, day of month, month, day of week.", text)
	}
	for _, one := range f {
		if !cronField.MatchString(one) {
			return fault("expression", "The expression %q is not a cron expression of five fields: %q is no field of one.", text, one)
		}
	}
	if !gronx.IsValid(strings.Join(f, " ")) {
		return fault("expression", "The expression %q is not a cron expression of five fields: minute (0-59), hour (0-23), day of month, month, day of week (0-6 or SUN-SAT).", text)
	}
	f[2], f[3] = "*", "*"
	t.cron, t.everyHour = strings.Join(f, " "), strings.HasPrefix(f[1], "*")
	_, err := gronx.NextTickAfter(t.cron, time.Unix(0, 0).UTC(), true)
	if err != nil {
		return fault("expression", "The expression %q never comes true.", text)
	}
	return nil
}

// Ignored says whether a cron expression restricts the day of the month or the month, which changes nothing.
func Ignored(expression string) bool {
	f := strings.Fields(expression)
	return len(f) == 5 && (f[2] != "*" || f[3] != "*")
}

func (t *Trigger) nextCron(after time.Time) (time.Time, bool) {
	if t.everyHour {
		return t.nextHourly(after)
	}
	wall := t.wall(after)
	// What the clocks have skipped shortly before is later by as much, and may still come.
	if skipped := t.offset(after) - t.offset(after.Add(-36*time.Hour)); skipped > 0 {
		wall = wall.Add(-skipped)
	}
	for {
		// Seconds are of no account to the expression.
		next, err := gronx.NextTickAfter(t.cron, wall.Truncate(time.Minute), false)
		if err != nil {
			return time.Time{}, false
		}
		if at := t.instant(next); at.After(after) {
			return at, true
		}
		wall = next
	}
}

// nextHourly goes by what the clocks really show, so that an hour that comes twice counts twice.
func (t *Trigger) nextHourly(after time.Time) (time.Time, bool) {
	offset, from, inclusive := t.offset(after), after, false
	for range 8 {
		start := from.UTC().Add(offset)
		if inclusive && !start.Equal(start.Truncate(time.Minute)) {
			start, inclusive = start.Truncate(time.Minute), false
		}
		next, err := gronx.NextTickAfter(t.cron, start.Truncate(time.Minute), inclusive)
		if err != nil {
			return time.Time{}, false
		}
		at := next.Add(-offset)
		_, change := from.In(t.zone).ZoneBounds()
		if change.IsZero() || at.Before(change) {
			return at, true
		}
		from, offset, inclusive = change, t.offset(change), true
	}
	return time.Time{}, false
}

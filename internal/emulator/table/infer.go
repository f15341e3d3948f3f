package table

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// sampleRows is how many rows of a delimited table are looked at to find its
// columns' types.
const sampleRows = 200

func parseBool(s string) (bool, bool) {
	switch s {
	case "true", "True", "TRUE", "t", "T", "1":
		return true, true
	case "false", "False", "FALSE", "f", "F", "0":
		return false, true
	}
	return false, false
}

func parseInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func parseFloat(s string) (float64, bool) {
	if s == "" || strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && f == 0 {
		return 0, false
	}
	return f, err == nil || f > 1 || f < -1 // too large is infinite
}

var dateZone = regexp.MustCompile(`^(?:Z|[+-]\d{2}:?\d{2})`)

var dateText = regexp.MustCompile(`^(\d{1,4})([-/])(\d{1,2})([-/])(\d{1,4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?: ?([AaPp][Mm]))?(Z|[+-]\d{2}:?\d{2})?)?$`)

// order is how a date's first two numbers stand, where the year is the last.
type order int

const (
	anyOrder order = iota
	dayFirst
	monthFirst
)

// parseDate reads 2020-01-31, 2020/1/31 3:04:05.5, 31/1/2020 and 1/31/2020 with
// or without a time. found is the order that a date can only have.
func parseDate(s string, o order) (t time.Time, found order, ok bool) {
	m := dateText.FindStringSubmatch(s)
	if m == nil || m[2] != m[4] {
		return t, anyOrder, false
	}
	n := func(i int) int {
		v, _ := strconv.Atoi(m[i]) // digits, or nothing, which is 0
		return v
	}
	var y, mo, d int
	switch {
	case len(m[1]) == 4 && len(m[5]) <= 2:
		// A time on such a date has seconds.
		if m[6] != "" && m[8] == "" || m[10] != "" {
			return t, anyOrder, false
		}
		y, mo, d = n(1), n(3), n(5)
	case len(m[1]) <= 2 && len(m[5]) == 4:
		y, d, mo = n(5), n(1), n(3)
		switch {
		case d > 12:
			found = dayFirst
		case mo > 12:
			found = monthFirst
		}
		if found == monthFirst || found == anyOrder && o == monthFirst {
			d, mo = mo, d
		}
		if found != anyOrder && o != anyOrder && found != o {
			return t, found, false
		}
	default:
		return t, anyOrder, false
	}
	hour := n(6)
	if half := strings.ToLower(m[10]); half != "" {
		if hour < 1 || hour > 12 {
			return t, found, false
		}
		hour %= 12
		if half == "pm" {
			hour += 12
		}
	}
	ns := 0
	if m[9] != "" {
		ns, _ = strconv.Atoi((m[9] + "00000000")[:9]) // digits
	}
	if hour > 23 || n(7) > 59 || n(8) > 59 {
		return t, found, false
	}
	zone := zoneOf(m[11])
	t = time.Date(y, time.Month(mo), d, hour, n(7), n(8), ns, zone).UTC()
	if check := time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC); check.Day() != d || int(check.Month()) != mo {
		return t, found, false
	}
	return t, found, true
}

// columnType is the type that a column of texts was found to have.
type columnType struct {
	kind  Kind
	order order
}

// infer finds the type of a column from some of its values.
func infer(values []Cell) columnType {
	bools, ints, floats, dates, some := true, true, true, true, false
	o, uncertain := anyOrder, false
	for _, c := range values {
		s, ok := c.Value.(string)
		if !ok {
			continue
		}
		some = true
		s = strings.TrimSpace(s)
		if bools {
			_, bools = parseBool(s)
		}
		if ints {
			_, ints = parseInt(s)
		}
		if floats {
			_, floats = parseFloat(s)
		}
		if dates {
			_, f, ok := parseDate(s, o)
			dates = ok
			if f != anyOrder {
				o = f
			} else if len(s) < 5 || s[4] != '-' && s[4] != '/' || strings.IndexAny(s, "-/") != 4 {
				uncertain = true
			}
		}
		if !bools && !ints && !floats && !dates {
			break
		}
	}
	switch {
	case !some:
		return columnType{kind: Text}
	case bools:
		return columnType{kind: Bool}
	case ints:
		return columnType{kind: Int}
	case floats:
		return columnType{kind: Float}
	case dates && !(uncertain && o == anyOrder): // 1/2/2020 alone may be either
		return columnType{kind: Time, order: o}
	}
	return columnType{kind: Text}
}

// apply reads a text as the column's type; one that is not of it is null.
func (t columnType) apply(c Cell) Cell {
	s, ok := c.Value.(string)
	if !ok || t.kind == Text || t.kind == "" {
		return c
	}
	s = strings.TrimSpace(s)
	c.Value = nil
	switch t.kind {
	case Bool:
		if b, ok := parseBool(s); ok {
			c.Value = b
		}
	case Int:
		if n, ok := parseInt(s); ok {
			c.Value = n
		} else if f, ok := parseFloat(s); ok && f > -9e18 && f < 9e18 {
			c.Value = int64(f)
		}
	case Float:
		if f, ok := parseFloat(s); ok {
			c.Value = f
		}
	case Time:
		if d, _, ok := parseDate(s, t.order); ok {
			c.Value = d
		}
	}
	return c
}

// zoneOf is the zone that a time is written with: +01:00, -0530, Z or nothing.
func zoneOf(z string) *time.Location {
	if len(z) < 2 {
		return time.UTC
	}
	hours, _ := strconv.Atoi(z[1:3]) // digits
	minutes, _ := strconv.Atoi(z[len(z)-2:])
	off := (hours*60 + minutes) * 60
	if z[0] == '-' {
		off = -off
	}
	return time.FixedZone("", off)
}

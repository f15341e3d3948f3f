package wire

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// FormatDuration writes an ISO 8601 duration as Python's isodate does: components that are zero are left out, days but no
// weeks, at most six decimals of seconds. Zero is P0D.
func FormatDuration(d time.Duration) string {
	if d == 0 {
		return "P0D"
	}
	var b strings.Builder
	us := uint64(d / time.Microsecond)
	if d < 0 {
		b.WriteByte('-')
		us = -us
	}
	b.WriteByte('P')
	const day = 24 * 3600 * 1_000_000
	if n := us / day; n > 0 {
		b.WriteString(strconv.FormatUint(n, 10) + "D")
	}
	us %= day
	if us == 0 {
		if b.Len() <= 2 && !strings.HasSuffix(b.String(), "D") {
			return "P0D" // less than a microsecond
		}
		return b.String()
	}
	b.WriteByte('T')
	if n := us / (3600 * 1_000_000); n > 0 {
		b.WriteString(strconv.FormatUint(n, 10) + "H")
	}
	us %= 3600 * 1_000_000
	if n := us / (60 * 1_000_000); n > 0 {
		b.WriteString(strconv.FormatUint(n, 10) + "M")
	}
	us %= 60 * 1_000_000
	if us > 0 {
		b.WriteString(strconv.FormatUint(us/1_000_000, 10))
		if frac := us % 1_000_000; frac > 0 {
			b.WriteString("." + strings.TrimRight(leftPad(strconv.FormatUint(frac, 10), 6), "0"))
		}
		b.WriteByte('S')
	}
	return b.String()
}

// ParseDuration reads an ISO 8601 duration of weeks, days, hours, minutes and seconds. Years and months have no fixed
// length and are an error.
func ParseDuration(s string) (time.Duration, error) {
	bad := func(why string) (time.Duration, error) {
		return 0, fmt.Errorf("%q is no ISO 8601 duration such as PT1H30M%s", s, why)
	}
	rest, neg := s, false
	if strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		neg = rest[0] == '-'
		rest = rest[1:]
	}
	if len(rest) < 2 || rest[0] != 'P' && rest[0] != 'p' {
		return bad("")
	}
	rest = rest[1:]
	total, inTime, any := 0.0, false, false
	var whole int64
	last := -1
	for rest != "" {
		if c := rest[0]; c == 'T' || c == 't' {
			if inTime || len(rest) == 1 {
				return bad("")
			}
			inTime, rest = true, rest[1:]
			continue
		}
		i := 0
		for i < len(rest) && (rest[i] >= '0' && rest[i] <= '9' || rest[i] == '.' || rest[i] == ',') {
			i++
		}
		if i == 0 || i == len(rest) {
			return bad("")
		}
		num, unit := strings.Replace(rest[:i], ",", ".", 1), rest[i]
		rest = rest[i+1:]
		var u time.Duration
		var rank int
		switch {
		case !inTime && (unit == 'Y' || unit == 'y' || unit == 'M' || unit == 'm'):
			return bad(": years and months have no fixed length")
		case !inTime && (unit == 'W' || unit == 'w'):
			u, rank = 7*24*time.Hour, 0
		case !inTime && (unit == 'D' || unit == 'd'):
			u, rank = 24*time.Hour, 1
		case inTime && (unit == 'H' || unit == 'h'):
			u, rank = time.Hour, 2
		case inTime && (unit == 'M' || unit == 'm'):
			u, rank = time.Minute, 3
		case inTime && (unit == 'S' || unit == 's'):
			u, rank = time.Second, 4
		default:
			return bad("")
		}
		if rank <= last {
			return bad("")
		}
		last, any = rank, true
		if n, err := strconv.ParseInt(num, 10, 64); err == nil {
			if n > math.MaxInt64/int64(u) || whole > math.MaxInt64-n*int64(u) {
				return bad(": it is too long")
			}
			whole += n * int64(u)
			continue
		}
		x, err := strconv.ParseFloat(num, 64)
		if err != nil || math.IsInf(x, 0) {
			return bad("")
		}
		total += math.Round(x * float64(u))
	}
	if !any {
		return bad("")
	}
	if total+float64(whole) >= math.MaxInt64 {
		return bad(": it is too long")
	}
	d := time.Duration(whole) + time.Duration(total)
	if neg {
		d = -d
	}
	return d, nil
}

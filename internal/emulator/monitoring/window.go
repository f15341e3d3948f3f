package monitoring

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/wire"
)

// Span is the time that a signal looks at. The zero value is all of it.
type Span struct{ Start, End time.Time }

var epoch = time.Unix(0, 0).UTC()

// Span is the window of a run at a time.
func (d *Data) Span(at time.Time) (Span, *Error) {
	switch strings.ToLower(d.Window) {
	case "trailing", "rolling":
		size, offset := time.Duration(0), time.Duration(0)
		for field, v := range map[string]struct {
			text string
			into *time.Duration
		}{"windowSize": {d.Size, &size}, "windowOffset": {d.Offset, &offset}} {
			if v.text == "" {
				if field == "windowSize" {
					return Span{}, fault(field, "How long the window is, is required, as in P7D.")
				}
				continue
			}
			n, err := wire.ParseDuration(v.text)
			if err != nil || n < 0 {
				return Span{}, fault(field, "Want an ISO 8601 duration such as P7D, got %q.", v.text)
			}
			*v.into = n
		}
		end := at.UTC().Add(-offset)
		return Span{end.Add(-size), end}, nil
	case "static":
		start, err := moment(d.Start)
		if err != nil {
			return Span{}, fault("windowStart", "%v", err)
		}
		end, err := moment(d.End)
		if err != nil {
			return Span{}, fault("windowEnd", "%v", err)
		}
		return Span{start, end}, nil
	case "", "fixed":
		return Span{}, nil
	}
	return Span{}, fault("inputDataType", "The window %q is unknown: Fixed, Static, Trailing or Rolling.", d.Window)
}

func moment(text string) (time.Time, error) {
	for _, l := range timeLayouts {
		if t, err := time.Parse(l, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("want a time such as 2024-01-31T00:00:00Z, got %q", text)
}

// rolled is where a data collector writes: a folder for each day, hour or minute.
var rolled = regexp.MustCompile(`(?:^|/)(\d{4}/\d{2}/\d{2}(?:/\d{2}){0,2})/[^/]+$`)

// rolledAt is the time that the folder of a file stands for, ok false when its path says none.
func rolledAt(path string) (begin time.Time, length time.Duration, ok bool) {
	m := rolled.FindStringSubmatch(path)
	if m == nil {
		return time.Time{}, 0, false
	}
	for layout, length := range map[string]time.Duration{"2006/01/02": 24 * time.Hour, "2006/01/02/15": time.Hour, "2006/01/02/15/04": time.Minute} {
		if len(layout) == len(m[1]) {
			t, err := time.Parse(layout, m[1])
			return t, length, err == nil
		}
	}
	return time.Time{}, 0, false
}

// Within leaves the files of the span by the day, hour or minute in their paths, both of its ends among them. dated is false
// when no path says one; all files are left then.
func (s Span) Within(files []File) (left []File, dated bool) {
	if s.End.IsZero() {
		return files, true
	}
	for _, f := range files {
		at, length, ok := rolledAt(f.Shown)
		if !ok {
			continue
		}
		dated = true
		if at.Add(length).After(s.Start) && !at.After(s.End) {
			left = append(left, f)
		}
	}
	if !dated {
		return files, false
	}
	return left, true
}

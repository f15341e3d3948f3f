package table

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// partitionFormat is how columns stand in the files' paths:
// {store}/{day:yyyy/MM/dd}/data.csv.
type partitionFormat struct {
	text  string
	re    *regexp.Regexp
	names []string
	times map[string]string // by column: what its groups are, as yMd
	order []string          // of the groups: a column, or a column and a part of a time
}

var (
	partitionColumn = regexp.MustCompile(`\{([^{}:]+)(?::([^{}]*))?\}`)
	timePart        = regexp.MustCompile(`yyyy|MM|dd|HH|mm|ss`)
)

func parsePartition(format string) (*partitionFormat, error) {
	p := &partitionFormat{text: format, times: map[string]string{}}
	var b strings.Builder
	at := 0
	said := false // there is a text that places the format in a path
	literal := func(s string) {
		said = said || strings.Trim(s, "/*") != ""
		b.WriteString(strings.ReplaceAll(regexp.QuoteMeta(s), `\*`, `[^/]*`))
	}
	trimmed := strings.TrimPrefix(format, "/")
	for _, m := range partitionColumn.FindAllStringSubmatchIndex(trimmed, -1) {
		literal(trimmed[at:m[0]])
		at = m[1]
		name := trimmed[m[2]:m[3]]
		if m[4] < 0 {
			if slices.Contains(p.names, name) {
				return nil, fmt.Errorf("the column %q stands twice in %q", name, format)
			}
			b.WriteString(`([^/]+)`)
			p.names, p.order = append(p.names, name), append(p.order, name)
			continue
		}
		inner := trimmed[m[4]:m[5]]
		parts := timePart.FindAllStringIndex(inner, -1)
		if len(parts) == 0 || parts[0][0] != 0 && strings.ContainsAny(inner[:parts[0][0]], "yMdHms") {
			return nil, fmt.Errorf("%s has none of yyyy, MM, dd, HH, mm, ss", trimmed[m[0]:m[1]])
		}
		if !slices.Contains(p.names, name) {
			p.names = append(p.names, name)
		}
		k := 0
		for _, part := range parts {
			if strings.ContainsAny(inner[k:part[0]], "yMdHms") {
				return nil, fmt.Errorf("the local workspace reads times of yyyy, MM, dd, HH, mm, ss only, not %s", trimmed[m[0]:m[1]])
			}
			literal(inner[k:part[0]])
			k = part[1]
			what := inner[part[0]:part[1]]
			fmt.Fprintf(&b, `(\d{%d})`, len(what))
			p.times[name] += what[:1]
			p.order = append(p.order, name+"\x00"+what)
		}
		if strings.ContainsAny(inner[k:], "yMdHms") {
			return nil, fmt.Errorf("the local workspace reads times of yyyy, MM, dd, HH, mm, ss only, not %s", trimmed[m[0]:m[1]])
		}
		literal(inner[k:])
	}
	if len(p.names) == 0 {
		return nil, fmt.Errorf("%q names no column in braces", format)
	}
	literal(trimmed[at:])
	slices.SortStableFunc(p.names, func(a, b string) int { // times come last
		return btoi(p.times[a] != "") - btoi(p.times[b] != "")
	})
	var err error
	expression := b.String()
	if !said { // nothing else tells where in a path it stands: at its end
		expression = `(?:^|/)` + expression + `$`
	}
	p.re, err = regexp.Compile(expression)
	return p, err
}

// values are the texts of a file's columns, in the order of the names; the parts
// of a time make one, as 2020-01-31T00:00:00.
func (p *partitionFormat) values(f File) ([]Cell, error) {
	m := p.re.FindStringSubmatch(strings.TrimPrefix(f.Name, "./"))
	if m == nil {
		return nil, fmt.Errorf("the path %q does not fit %q", f.Name, p.text)
	}
	out := make([]Cell, len(p.names))
	clock := map[string]map[string]int{}
	for i, o := range p.order {
		name, part, timed := strings.Cut(o, "\x00")
		at := slices.Index(p.names, name)
		if !timed {
			out[at] = Cell{Value: m[i+1], raw: m[i+1], from: fromText}
			continue
		}
		if clock[name] == nil {
			clock[name] = map[string]int{"yyyy": 1, "MM": 1, "dd": 1}
		}
		n, err := strconv.Atoi(m[i+1])
		if err != nil {
			return nil, err
		}
		clock[name][part] = n
	}
	for name, c := range clock {
		t := time.Date(c["yyyy"], time.Month(c["MM"]), c["dd"], c["HH"], c["mm"], c["ss"], 0, time.UTC)
		if int(t.Month()) != c["MM"] || t.Day() != c["dd"] || t.Hour() != c["HH"] {
			return nil, fmt.Errorf("the path %q has no time where %q says so", f.Name, p.text)
		}
		out[slices.Index(p.names, name)] = Cell{Value: t}
	}
	return out, nil
}

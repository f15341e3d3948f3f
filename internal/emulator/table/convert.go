package table

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conversion is one entry of convert_column_types.
type conversion struct {
	columns  selector
	to       Kind
	yes, no  []string
	mismatch any // what a text is that is neither; nil is null
	layouts  []string
}

// parseConversion reads {columns: a, column_type: int}.
func parseConversion(v any) (*conversion, error) {
	m, ok := v.(map[string]any)
	if !ok || m["columns"] == nil || m["column_type"] == nil {
		return nil, fmt.Errorf("want columns and column_type, got %v", v)
	}
	if err := onlyKeys(m, "columns", "column_type"); err != nil {
		return nil, err
	}
	s, err := parseSelector(m["columns"])
	if err != nil {
		return nil, err
	}
	c := &conversion{columns: s}
	switch t := m["column_type"].(type) {
	case string:
		switch t {
		case "int", "float", "string":
			c.to = Kind(t)
		case "boolean":
			c.to = Bool
		default:
			return nil, fmt.Errorf("column_type %q is not one of boolean, float, string, int, {boolean: …}, {datetime: {formats: …}} that the local workspace converts to", t)
		}
	case map[string]any:
		if len(t) != 1 {
			return nil, fmt.Errorf("column_type has one type, got %v", t)
		}
		for name, args := range t {
			more, ok := args.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("column_type %s: want its arguments, got %v", name, args)
			}
			if err := c.typed(name, more); err != nil {
				return nil, fmt.Errorf("column_type %s: %w", name, err)
			}
		}
	default:
		return nil, fmt.Errorf("column_type %v is no type", t)
	}
	return c, nil
}

func (c *conversion) typed(name string, args map[string]any) error {
	switch name {
	case "boolean":
		c.to = Bool
		if err := onlyKeys(args, "true_values", "false_values", "mismatch_as"); err != nil {
			return err
		}
		c.yes, c.no = texts(args["true_values"]), texts(args["false_values"])
		switch m := fmt.Sprint(args["mismatch_as"]); m {
		case "<nil>", "error":
		case "true", "false":
			c.mismatch = m == "true"
		default:
			return fmt.Errorf("mismatch_as: %q is not one of true, false, error", m)
		}
		return nil
	case "datetime":
		c.to = Time
		if err := onlyKeys(args, "formats"); err != nil {
			return err
		}
		for _, f := range texts(args["formats"]) {
			if _, err := parseTime("", f); err != nil && strings.HasPrefix(err.Error(), "formats") {
				return err
			}
			c.layouts = append(c.layouts, f)
		}
		if len(c.layouts) == 0 {
			return fmt.Errorf("formats: want at least one, as %%Y-%%m-%%d")
		}
		return nil
	}
	return fmt.Errorf("the local workspace converts to boolean, float, string, int and datetime")
}

// texts are the texts of a list, or of one.
func texts(v any) []string {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, fmt.Sprint(x))
		}
		return out
	}
	return []string{fmt.Sprint(v)}
}

// convert is the value in the new type; what is not of it is null.
func (c *conversion) convert(cell Cell) Cell {
	if cell.Value == nil {
		return Cell{}
	}
	if KindOf(cell.Value) == c.to && c.to != Bool {
		return cell
	}
	text := strings.TrimSpace(Format(cell.Value))
	switch c.to {
	case Text:
		return Cell{Value: Format(cell.Value)}
	case Int, Float:
		if KindOf(cell.Value) == Bool {
			return Cell{}
		}
		if n, ok := parseInt(text); ok && c.to == Int {
			return Cell{Value: n}
		}
		f, ok := parseFloat(text)
		switch {
		case !ok || c.to == Int && !(f > -9.2e18 && f < 9.2e18):
			return Cell{}
		case c.to == Int:
			return Cell{Value: int64(f)}
		}
		return Cell{Value: f}
	case Bool:
		if b, ok := cell.Value.(bool); ok {
			return Cell{Value: b}
		}
		switch {
		case slices.Contains(c.yes, text):
			return Cell{Value: true}
		case slices.Contains(c.no, text):
			return Cell{Value: false}
		}
		if b, ok := parseBool(text); ok && len(c.yes)+len(c.no) == 0 {
			return Cell{Value: b}
		}
		return Cell{Value: c.mismatch}
	case Time:
		for _, f := range c.layouts {
			if t, err := parseTime(text, f); err == nil {
				return Cell{Value: t}
			}
		}
	}
	return Cell{}
}

var months = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}

// parseTime reads a text by a format of strptime.
func parseTime(text, format string) (time.Time, error) {
	y, mo, d, h, mi, s, ns := 1900, 1, 1, 0, 0, 0, 0
	half, zone := "", time.UTC
	rest := text
	var fault error
	digits := func(most int) int {
		n := 0
		for n < len(rest) && n < most && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 0 {
			fault = fmt.Errorf("%q does not fit %q", text, format)
			return 0
		}
		v, _ := strconv.Atoi(rest[:n]) // digits
		rest = rest[n:]
		return v
	}
	named := func(list []string, short bool) int {
		for i, name := range list {
			if short {
				name = name[:3]
			}
			if len(rest) >= len(name) && strings.EqualFold(rest[:len(name)], name) {
				rest = rest[len(name):]
				return i + 1
			}
		}
		fault = fmt.Errorf("%q does not fit %q", text, format)
		return 1
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			if format[i] == ' ' {
				rest = strings.TrimLeft(rest, " ")
			} else if strings.HasPrefix(rest, format[i:i+1]) {
				rest = rest[1:]
			} else if fault == nil {
				fault = fmt.Errorf("%q does not fit %q", text, format)
			}
			continue
		}
		if i++; i == len(format) {
			return time.Time{}, fmt.Errorf("formats: %q ends in %%", format)
		}
		switch format[i] {
		case 'Y':
			y = digits(4)
		case 'y':
			if y = digits(2) + 1900; y < 1969 {
				y += 100
			}
		case 'm':
			mo = digits(2)
		case 'd', 'e':
			d = digits(2)
		case 'H', 'I':
			h = digits(2)
		case 'M':
			mi = digits(2)
		case 'S':
			s = digits(2)
		case 'f':
			before := len(rest)
			v := digits(9)
			for n := before - len(rest); n < 9; n++ {
				v *= 10
			}
			ns = v
		case 'p':
			if len(rest) >= 2 && (strings.EqualFold(rest[:2], "am") || strings.EqualFold(rest[:2], "pm")) {
				half, rest = strings.ToLower(rest[:2]), rest[2:]
			} else if fault == nil {
				fault = fmt.Errorf("%q does not fit %q", text, format)
			}
		case 'b', 'B':
			mo = named(months, format[i] == 'b')
		case 'z':
			if z := dateZone.FindString(rest); z != "" {
				rest = rest[len(z):]
				if z != "Z" {
					zone = zoneOf(z)
				}
			} else if fault == nil {
				fault = fmt.Errorf("%q does not fit %q", text, format)
			}
		case '%':
			if !strings.HasPrefix(rest, "%") && fault == nil {
				fault = fmt.Errorf("%q does not fit %q", text, format)
			}
			rest = strings.TrimPrefix(rest, "%")
		default:
			return time.Time{}, fmt.Errorf("formats: the local workspace does not know %%%c in %q", format[i], format)
		}
	}
	if half != "" {
		if h < 1 || h > 12 {
			fault = fmt.Errorf("%q does not fit %q", text, format)
		}
		h %= 12
		if half == "pm" {
			h += 12
		}
	}
	t := time.Date(y, time.Month(mo), d, h, mi, s, ns, zone)
	if fault == nil && (rest != "" || t.Day() != d || int(t.Month()) != mo || t.Hour() != h || t.Minute() != mi || t.Second() != s) {
		fault = fmt.Errorf("%q does not fit %q", text, format)
	}
	return t.UTC(), fault
}

package wire

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Plain scalars are resolved as PyYAML's SafeLoader does it: YAML 1.1, with its traps (yes is true, 010 is 8, 1:30 is 90,
// 1e-3 is a string, 2024-05-01 is a date). The patterns are PyYAML's own; the switch on the first byte is its table of
// implicit resolvers.

var (
	yamlFloat = regexp.MustCompile(`^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
	yamlInt   = regexp.MustCompile(`^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	yamlDate  = regexp.MustCompile(`^(?:[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]|[0-9][0-9][0-9][0-9]-[0-9][0-9]?-[0-9][0-9]?(?:[Tt]|[ \t]+)[0-9][0-9]?:[0-9][0-9]:[0-9][0-9](?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9][0-9]?(?::[0-9][0-9])?))?)$`)
	yamlTime  = regexp.MustCompile(`^([0-9][0-9][0-9][0-9])-([0-9][0-9]?)-([0-9][0-9]?)(?:(?:[Tt]|[ \t]+)([0-9][0-9]?):([0-9][0-9]):([0-9][0-9])(?:\.([0-9]*))?(?:[ \t]*(Z|([-+])([0-9][0-9]?)(?::([0-9][0-9]))?))?)?$`)
)

// yamlBools are the booleans of YAML 1.1 that PyYAML knows.
var yamlBools = map[string]bool{
	"yes": true, "Yes": true, "YES": true, "no": false, "No": false, "NO": false,
	"true": true, "True": true, "TRUE": true, "false": false, "False": false, "FALSE": false,
	"on": true, "On": true, "ON": true, "off": false, "Off": false, "OFF": false,
}

// A Timestamp is a date or time that YAML resolved without quotes.
type Timestamp struct {
	Time     time.Time
	DateOnly bool
	Zoned    bool // whether a zone was written; without one Time is in UTC
}

// String is Python's str of the date or datetime that PyYAML makes.
func (t Timestamp) String() string {
	if t.DateOnly {
		return t.Time.Format("2006-01-02")
	}
	s := t.Time.Format("2006-01-02 15:04:05")
	if us := t.Time.Nanosecond() / 1000; us != 0 {
		s += "." + leftPad(strconv.Itoa(us), 6)
	}
	if t.Zoned {
		s += t.Time.Format("-07:00")
	}
	return s
}

// JSON is how Azure's encoder for Python writes it in a request: ISO 8601, in UTC where no zone was written.
func (t Timestamp) JSON() string {
	if t.DateOnly {
		return t.Time.Format("2006-01-02")
	}
	s := t.Time.Format("2006-01-02T15:04:05")
	if us := t.Time.Nanosecond() / 1000; us != 0 {
		s += "." + leftPad(strconv.Itoa(us), 6)
	}
	if !t.Zoned {
		return s + "Z"
	}
	return s + t.Time.Format("Z07:00")
}

func leftPad(s string, n int) string {
	if len(s) >= n {
		return s
	}
	return strings.Repeat("0", n-len(s)) + s
}

// resolvePlain gives the kind and the value of a plain scalar. An unreadable date (2024-13-45) is ok false: PyYAML
// raises there.
func resolvePlain(s string) (k NodeKind, v any, ok bool) {
	k = implicitKind(s)
	switch k {
	case String:
		return String, s, s != "=" && s != "<<" // tags of their own in YAML 1.1, which SafeLoader refuses
	case Null:
		return Null, nil, true
	case Bool:
		return Bool, yamlBools[s], true
	case Int:
		if v = parseYAMLInt(s); v == nil {
			return String, s, false
		}
		return Int, v, true
	case Float:
		return Float, parseYAMLFloat(s), true
	case Time:
		t, good := parseYAMLTime(s)
		if !good {
			return String, s, false
		}
		return Time, t, true
	}
	return String, s, true
}

// implicitKind is the tag that PyYAML's resolver gives a plain scalar; `=` and `<<`, which have tags of their own there,
// are strings here.
func implicitKind(s string) NodeKind {
	if s == "" {
		return Null
	}
	switch c := s[0]; {
	case strings.IndexByte("yYnNtTfFoO", c) >= 0:
		if _, ok := yamlBools[s]; ok {
			return Bool
		}
		if c == 'n' || c == 'N' {
			if s == "null" || s == "Null" || s == "NULL" {
				return Null
			}
		}
	case c == '~':
		if s == "~" {
			return Null
		}
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.':
		if yamlFloat.MatchString(s) {
			return Float
		}
		if c != '.' && yamlInt.MatchString(s) {
			return Int
		}
		if c >= '0' && c <= '9' && yamlDate.MatchString(s) {
			return Time
		}
	}
	return String
}

// parseYAMLInt is SafeConstructor.construct_yaml_int: an int64, or a *big.Int beyond it; nil where Python's int() would
// raise (0b_, 0x_, 0_ alone are never numbers).
func parseYAMLInt(s string) any {
	s = strings.ReplaceAll(s, "_", "")
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	n := new(big.Int)
	ok := true
	switch {
	case s == "0":
	case strings.HasPrefix(s, "0b"):
		n, ok = n.SetString(s[2:], 2)
	case strings.HasPrefix(s, "0x"):
		n, ok = n.SetString(s[2:], 16)
	case strings.HasPrefix(s, "0"):
		n, ok = n.SetString(s, 8)
	case strings.Contains(s, ":"):
		for part := range strings.SplitSeq(s, ":") {
			d, err := strconv.Atoi(part)
			if err != nil {
				return nil
			}
			n.Mul(n, big.NewInt(60)).Add(n, big.NewInt(int64(d)))
		}
	default:
		n, ok = n.SetString(s, 10)
	}
	if !ok {
		return nil
	}
	if neg {
		n.Neg(n)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// parseYAMLFloat is SafeConstructor.construct_yaml_float.
func parseYAMLFloat(s string) float64 {
	s = strings.ToLower(strings.ReplaceAll(s, "_", ""))
	sign := 1.0
	if s[0] == '-' {
		sign = -1
	}
	if s[0] == '-' || s[0] == '+' {
		s = s[1:]
	}
	switch {
	case s == ".inf":
		return math.Inf(int(sign))
	case s == ".nan":
		return math.NaN()
	case strings.Contains(s, ":"):
		v := 0.0
		for part := range strings.SplitSeq(s, ":") {
			d, _ := strconv.ParseFloat(part, 64) // the pattern leaves only digits and a point
			v = v*60 + d
		}
		return sign * v
	}
	v, _ := strconv.ParseFloat(s, 64) // out of range is ±Inf, as in Python
	return sign * v
}

// parseYAMLTime is SafeConstructor.construct_yaml_timestamp.
func parseYAMLTime(s string) (Timestamp, bool) {
	m := yamlTime.FindStringSubmatch(s)
	if m == nil {
		return Timestamp{}, false
	}
	num := func(i int) int {
		n, _ := strconv.Atoi(m[i]) // digits by the pattern, "" is 0
		return n
	}
	y, mo, d := num(1), num(2), num(3)
	if y < 1 || mo < 1 || mo > 12 || d < 1 || d > time.Date(y, time.Month(mo)+1, 0, 0, 0, 0, 0, time.UTC).Day() {
		return Timestamp{}, false
	}
	if m[4] == "" {
		return Timestamp{Time: time.Date(y, time.Month(mo), d, 0, 0, 0, 0, time.UTC), DateOnly: true}, true
	}
	if num(4) > 23 || num(5) > 59 || num(6) > 59 {
		return Timestamp{}, false
	}
	frac := m[7]
	if len(frac) > 6 {
		frac = frac[:6]
	}
	us, _ := strconv.Atoi((frac + "000000")[:6]) // digits by the pattern
	t := Timestamp{Zoned: m[8] != ""}
	zone := time.UTC
	if m[9] != "" {
		off := num(10)*3600 + num(11)*60
		if off >= 24*3600 {
			return Timestamp{}, false
		}
		if m[9] == "-" {
			off = -off
		}
		if off != 0 {
			zone = time.FixedZone("", off)
		}
	}
	t.Time = time.Date(y, time.Month(mo), d, num(4), num(5), num(6), us*1000, zone)
	return t, true
}

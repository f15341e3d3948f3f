// Package py holds the few behaviours of Python that MLflow's answers show: how
// values are printed in messages, how numbers are read, how paths are folded.
package py

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Len is the length of a string as Python counts it, in code points.
func Len(s string) int { return utf8.RuneCountInString(s) }

// Truncate cuts a string to n code points.
func Truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// IsWord reports whether the regular expression \w matches r.
func IsWord(r rune) bool {
	if r < utf8.RuneSelf {
		return r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r)
}

// IsSpace reports whether the regular expression \s matches r.
func IsSpace(r rune) bool {
	return r >= 0x1c && r <= 0x1f || unicode.IsSpace(r)
}

// IsDigit reports whether the regular expression \d matches r.
func IsDigit(r rune) bool { return unicode.Is(unicode.Nd, r) }

// Normpath is posixpath.normpath.
func Normpath(p string) string {
	if p == "" {
		return "."
	}
	lead := 0
	if p[0] == '/' {
		lead = 1
		if strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
			lead = 2
		}
	}
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		switch {
		case part == "" || part == ".":
		case part != ".." || lead == 0 && len(parts) == 0 || len(parts) > 0 && parts[len(parts)-1] == "..":
			parts = append(parts, part)
		case len(parts) > 0:
			parts = parts[:len(parts)-1]
		}
	}
	if s := strings.Repeat("/", lead) + strings.Join(parts, "/"); s != "" {
		return s
	}
	return "."
}

// Int reads a string as int(s) does: blanks around it, a sign and single
// underscores between digits are allowed. It reports false when Python would
// raise, or when the number does not fit.
func Int(s string) (int64, bool) {
	s = strings.TrimFunc(s, IsSpace)
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return 0, false
	}
	for _, r := range digits {
		if (r < '0' || r > '9') && r != '_' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s[:len(s)-len(digits)]+strings.ReplaceAll(digits, "_", ""), 10, 64)
	return n, err == nil
}

// Float reads a string as float(s) does.
func Float(s string) (float64, bool) {
	s = strings.TrimFunc(s, IsSpace)
	if s == "" || strings.ContainsAny(s, "xXpP") {
		return 0, false
	}
	if strings.Contains(s, "_") {
		for i := range len(s) {
			if s[i] == '_' && (i == 0 || i == len(s)-1 || s[i-1] < '0' || s[i-1] > '9' || s[i+1] < '0' || s[i+1] > '9') {
				return 0, false
			}
		}
		s = strings.ReplaceAll(s, "_", "")
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && (f == 0 || !math.IsInf(f, 0)) {
		return 0, false
	}
	return f, true
}

// FormatFloat prints a float as repr does: 1.0, 1e-05, nan, inf.
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return string(AppendFloat(nil, f))
}

// AppendFloat appends a finite float in the shortest form that reads back as the
// same, with the point or exponent that tells it from an integer.
func AppendFloat(b []byte, f float64) []byte {
	a := math.Abs(f)
	if a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	if f == math.Trunc(f) {
		b = strconv.AppendInt(b, int64(f), 10)
		if f == 0 && math.Signbit(f) {
			b = append(b[:len(b)-1], "-0"...)
		}
		return append(b, ".0"...)
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

package py

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Repr prints a string as repr(s) does.
func Repr(s string) string { return quoted(s, false) }

// Bytes is repr of bytes, b'…'.
func Bytes(b []byte) string {
	var latin strings.Builder
	for _, c := range b {
		latin.WriteRune(rune(c))
	}
	return "b" + quoted(latin.String(), true)
}

// quoted is a text in quotes; ascii escapes all that is not.
func quoted(s string, ascii bool) string {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	var b strings.Builder
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == ' ' || unicode.IsPrint(r) && (!ascii || r < 0x80):
			b.WriteRune(r)
		case r < 0x100:
			b.WriteString(`\x` + pad(r, 2))
		case r < 0x10000:
			b.WriteString(`\u` + pad(r, 4))
		default:
			b.WriteString(`\U` + pad(r, 8))
		}
	}
	b.WriteRune(quote)
	return b.String()
}

func pad(r rune, width int) string {
	h := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", width-len(h)) + h
}

// Set prints strings as a set, in order: Python's own order is arbitrary.
func Set(items ...string) string {
	if len(items) == 0 {
		return "set()"
	}
	return "{" + join(slices.Sorted(slices.Values(items))) + "}"
}

// List prints strings as a list.
func List(items ...string) string { return "[" + join(items) + "]" }

// Tuple prints strings as a tuple.
func Tuple(items ...string) string {
	if len(items) == 1 {
		return "(" + Repr(items[0]) + ",)"
	}
	return "(" + join(items) + ")"
}

func join(items []string) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = Repr(s)
	}
	return strings.Join(quoted, ", ")
}

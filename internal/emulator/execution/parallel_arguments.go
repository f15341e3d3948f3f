package execution

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// splitArguments cuts the arguments of an entry script as a shell would, without
// running anything: quotes hold words together, a backslash takes the next
// character as it is, and an expression is one piece, whatever blanks it has.
func splitArguments(text string) ([]string, error) {
	return expandArguments(text, nil)
}

// expandArguments is splitArguments with the expressions' values put in. A value
// stays in one argument however many blanks it has. Without values the
// expressions stay.
func expandArguments(text string, values map[string]string) ([]string, error) {
	var missing []string
	var held []string // what the marks in the text stand for
	hold := func(s string) string {
		held = append(held, s)
		return "\x00" + strconv.Itoa(len(held)-1) + "\x00"
	}
	if values == nil {
		text = optional.ReplaceAllString(text, " $1$2 ")
	} else {
		text = optional.ReplaceAllStringFunc(text, func(group string) string {
			m := optional.FindStringSubmatch(group)
			inner := m[1] + m[2]
			for _, r := range reference.FindAllStringSubmatch(inner, -1) {
				if _, ok := values[r[1]+"."+r[2]]; !ok {
					return ""
				}
			}
			return inner
		})
	}
	text = reference.ReplaceAllStringFunc(text, func(e string) string {
		if values == nil {
			return hold(e)
		}
		m := reference.FindStringSubmatch(e)
		v, ok := values[m[1]+"."+m[2]]
		if !ok {
			missing = append(missing, e)
		}
		return hold(v)
	})
	if len(missing) > 0 {
		return nil, fmt.Errorf("%s: no such value", strings.Join(missing, ", "))
	}
	words, err := shellWords(text)
	if err != nil {
		return nil, err
	}
	for i, w := range words {
		parts := strings.Split(w, "\x00")
		for k := 1; k < len(parts); k += 2 {
			n, err := strconv.Atoi(parts[k])
			if err != nil || n >= len(held) {
				return nil, errors.New("a NUL character has no place in arguments")
			}
			parts[k] = held[n]
		}
		words[i] = strings.Join(parts, "")
	}
	return words, nil
}

func shellWords(text string) ([]string, error) {
	var out []string
	var word strings.Builder
	open, quote := false, byte(0)
	escaped := false
	for i := range len(text) { // bytes: what is not UTF-8 stays as it is
		r := text[i]
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' && r != '$' && r != '`' {
				word.WriteByte('\\')
			}
			word.WriteByte(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, open = true, true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteByte(r)
			}
		case r == '"' || r == '\'':
			quote, open = r, true
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if open {
				out = append(out, word.String())
				word.Reset()
				open = false
			}
		default:
			word.WriteByte(r)
			open = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quotation mark %c is not closed in %q", quote, text)
	}
	if escaped {
		return nil, fmt.Errorf("a backslash ends %q", text)
	}
	if open {
		out = append(out, word.String())
	}
	return out, nil
}

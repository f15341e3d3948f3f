package wire

import (
	"strings"
	"unicode"
)

// A Spelling is one of the ways in which an entity is written down.
type Spelling uint8

const (
	// YAML is the file of `az ml` v2.
	YAML Spelling = iota
	// REST is the JSON of Azure's resource manager.
	REST
	// NodeJSON is the JSON of a pipeline's node: YAML names; the values of its fields are spelled Snake.
	NodeJSON
	// Snake is the REST spelling with its names in snake case, for values inside a pipeline's node.
	Snake
	// Spec is YAML as JSON: a component's specification, and the node fields that are marked `node:",yaml"`.
	Spec
)

func (s Spelling) String() string { return [...]string{"YAML", "REST", "node", "snake", "spec"}[s] }

// yamlValues tells whether values (enums, durations, modes) are those of YAML.
func (s Spelling) yamlValues() bool { return s == YAML || s == Spec }

// yamlNames tells whether fields are named and nested as in YAML.
func (s Spelling) yamlNames() bool { return s == YAML || s == Spec || s == NodeJSON }

// SnakeCase turns camelCase into snake_case as azure-ai-ml does it.
func SnakeCase(s string) string {
	rs := []rune(s)
	var b strings.Builder
	for i, r := range rs {
		if i > 0 && unicode.IsUpper(r) && rs[i-1] != '_' {
			prev := rs[i-1]
			nextLower := i+1 < len(rs) && unicode.IsLower(rs[i+1])
			if unicode.IsLower(prev) || unicode.IsDigit(prev) || nextLower {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// CamelCase turns snake_case into camelCase.
func CamelCase(s string) string {
	p := PascalCase(s)
	if p == "" {
		return ""
	}
	return strings.ToLower(p[:1]) + p[1:]
}

// PascalCase turns snake_case into PascalCase.
func PascalCase(s string) string {
	var b strings.Builder
	up := true
	for _, r := range s {
		if r == '_' {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
			up = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fold is what is compared of two enum values: letters and digits without regard to case.
func fold(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 0x80 || c >= 'A' && c <= 'Z' || c == '_' || c == '-' || c == ' ' || c == '.' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '_', '-', ' ', '.':
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

package execution

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// reference is an expression in a command: ${{inputs.x}}, ${{outputs.x}} or ${{search_space.x}}.
var reference = regexp.MustCompile(`\$\{\{\s*(\w+)\.([\w.\-]+)\s*\}\}`)

// optional is a group that goes when an input in it has no value: $[[--flag ${{inputs.x}}]] in components,
// [--flag ${{inputs.x}}] in jobs, where azure-ai-ml knows it by words and one input between the brackets.
// A shell's own [ … ] has a space behind the bracket.
var optional = regexp.MustCompile(`(?s)\$\[\[(.*?)\]\]|\[((?:[\w.\-][\w.\s\-]*)?\$\{\{\s*inputs\.[\w.\-]+\s*\}\})\]`)

// references lists the expressions of a command that stand outside optional groups, as "inputs.x",
// then those inside of one.
func references(command string) (needed, maybe []string) {
	add := func(to *[]string, text string) {
		for _, m := range reference.FindAllStringSubmatch(text, -1) {
			if r := m[1] + "." + m[2]; !slices.Contains(*to, r) {
				*to = append(*to, r)
			}
		}
	}
	add(&needed, optional.ReplaceAllString(command, " "))
	for _, m := range optional.FindAllStringSubmatch(command, -1) {
		add(&maybe, m[1]+" "+m[2])
	}
	return needed, maybe
}

// expand puts values into a command. values is keyed as references lists them; a missing one drops
// its optional group and is an error outside of one.
func expand(command string, values map[string]string) (string, error) {
	command = optional.ReplaceAllStringFunc(command, func(group string) string {
		m := optional.FindStringSubmatch(group)
		text := m[1] + m[2]
		for _, r := range reference.FindAllStringSubmatch(text, -1) {
			if _, ok := values[r[1]+"."+r[2]]; !ok {
				return ""
			}
		}
		if m[2] != "" && m[2][0] != '-' { // echo [${{inputs.x}}] prints brackets
			return group
		}
		return text
	})
	var missing []string
	out := reference.ReplaceAllStringFunc(command, func(e string) string {
		m := reference.FindStringSubmatch(e)
		v, ok := values[m[1]+"."+m[2]]
		if !ok {
			missing = append(missing, e)
			return e
		}
		return v
	})
	if len(missing) > 0 {
		return "", fmt.Errorf("%s: no such value", strings.Join(missing, ", "))
	}
	return out, nil
}

// fill puts values into a text that is no command: an environment variable's. What has no value stays.
func fill(text string, values map[string]string) string {
	return reference.ReplaceAllStringFunc(text, func(e string) string {
		m := reference.FindStringSubmatch(e)
		if v, ok := values[m[1]+"."+m[2]]; ok {
			return v
		}
		return e
	})
}

package jobs

import (
	"regexp"
	"slices"
)

// What stands for values in a command. Names may be grouped by dots.
var (
	reference      = regexp.MustCompile(`\$\{\{(inputs|outputs|search_space)\.([\w.-]+)\}\}`)
	optionalInput  = regexp.MustCompile(`\[[\w.\s-]*\$\{\{inputs\.([\w.-]+)\}\}\]`)
	singleBraces   = regexp.MustCompile(`(^|[^{])\{(inputs|outputs|search_space)\.([^}]*)\}($|[^}])`)
	inputName      = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	inputNameRules = "letters, digits and '_', not beginning with a digit"
)

// references are the names that a command uses of one kind, each once, in order. optional tells those that
// only stand in [brackets].
func references(command, kind string) (names []string, optional map[string]bool) {
	optional = map[string]bool{}
	if kind == "inputs" {
		for _, m := range optionalInput.FindAllStringSubmatch(command, -1) {
			optional[m[1]] = true
		}
	}
	for _, m := range reference.FindAllStringSubmatch(command, -1) {
		if m[1] == kind && !slices.Contains(names, m[2]) {
			names = append(names, m[2])
		}
	}
	return names, optional
}

// doubleBraces rewrites the old form {inputs.x}.
func doubleBraces(command string) string {
	for {
		next := singleBraces.ReplaceAllString(command, "${1}$${{${2}.${3}}}${4}")
		if next == command { // neighbours share the character between them
			return next
		}
		command = next
	}
}

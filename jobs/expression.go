package jobs

import (
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/wire"
)

var (
	singleBraces   = regexp.MustCompile(`(^|[^{])\{(inputs|outputs|search_space)\.([^}]*)\}($|[^}])`)
	inputName      = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)
	inputNameRules = "letters, digits and '_', not beginning with a digit"
)

// isExpression tells whether a text is one expression and nothing else.
func isExpression(s string) bool {
	_, ok := wire.ParseExpression(s)
	return ok
}

// references are the names that a command uses, each once, in order: of inputs, those that must have a value and
// those that stand in optional groups; of outputs; of the search space.
func references(command string) (needed, optional, outputs, space []string) {
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, f := range wire.FindExpressions(command) {
		if name, ok := f.Input(); ok && f.Optional {
			add(&optional, name)
		} else if ok {
			add(&needed, name)
		} else if name, ok := f.Output(); ok {
			add(&outputs, name)
		} else if name, ok := f.SearchSpace(); ok {
			add(&space, name)
		}
	}
	return needed, optional, outputs, space
}

// strayExpressions are those of a command that refer to nothing that a command can refer to, and those that do not end.
func strayExpressions(command string) (stray []string) {
	known := map[int]bool{}
	for _, f := range wire.FindExpressions(command) {
		known[f.Start] = true
		_, in := f.Input()
		_, out := f.Output()
		_, space := f.SearchSpace()
		if !in && !out && !space {
			stray = append(stray, f.String())
		}
	}
	for at := 0; ; {
		n := strings.Index(command[at:], "${{")
		if n < 0 {
			return stray
		}
		if at += n; !known[at] {
			text, _, _ := strings.Cut(command[at:], "\n")
			if end := strings.Index(text, "}}"); end >= 0 {
				text = text[:end+2]
			}
			stray = append(stray, text)
		}
		at += 3
	}
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

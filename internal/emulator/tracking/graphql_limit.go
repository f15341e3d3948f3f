package tracking

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// The limits of queries.
const (
	graphDepth      = 10
	graphSelections = 1000
	graphRoots      = 10
	graphAliases    = 10
)

// graphLimits says which limit a query exceeds, "" for none. It is asked before
// the query is validated.
func graphLimits(doc *ast.QueryDocument) string {
	type level struct {
		set   ast.SelectionSet
		depth int
	}
	roots, aliases, selections := 0, 0, 0
	for _, op := range doc.Operations {
		stack := []level{{op.SelectionSet, 1}}
		for len(stack) > 0 {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if at.depth > graphDepth {
				return fmt.Sprintf("Query exceeds maximum depth of %d", graphDepth)
			}
			fields, named := graphLevel(doc, at.set)
			aliases = max(aliases, named)
			for _, f := range fields {
				if at.depth == 1 {
					roots++
				}
				if len(f.SelectionSet) > 0 {
					stack = append(stack, level{f.SelectionSet, at.depth + 1})
				}
				if selections++; selections > graphSelections {
					return fmt.Sprintf("Query exceeds maximum total selections of %d", graphSelections)
				}
			}
		}
	}
	const words = "GraphQL queries should have at most %d %s, got %d %[2]s. To increase the limit, set the %[4]s environment variable."
	switch {
	case roots > graphRoots:
		return fmt.Sprintf(words, graphRoots, "root fields", roots, "MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS")
	case aliases > graphAliases:
		return fmt.Sprintf(words, graphAliases, "aliases", aliases, "MLFLOW_SERVER_GRAPHQL_MAX_ALIASES")
	}
	return ""
}

// graphLevel are the fields of one level, through its fragments, and how many of
// them have a name of their own.
func graphLevel(doc *ast.QueryDocument, set ast.SelectionSet) (fields []*ast.Field, named int) {
	seen := map[string]bool{}
	for todo := set; len(todo) > 0; {
		s := todo[0]
		todo = todo[1:]
		switch s := s.(type) {
		case *ast.Field:
			fields = append(fields, s)
			if s.Alias != s.Name {
				named++
			}
		case *ast.InlineFragment:
			todo = append(todo[:len(todo):len(todo)], s.SelectionSet...)
		case *ast.FragmentSpread:
			if def := doc.Fragments.ForName(s.Name); def != nil && !seen[s.Name] {
				seen[s.Name] = true
				todo = append(todo[:len(todo):len(todo)], def.SelectionSet...)
			}
		}
	}
	return fields, named
}

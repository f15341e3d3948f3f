// Package search reads MLflow's filter and order_by strings.
//
// MLflow takes them apart with sqlparse, a tolerant SQL parser, and then looks
// at the groups that come out. Which odd strings are taken, and what is said of
// the others, follows from that, so that the tokens (lex.go) and the groups
// (tree.go, group.go) are sqlparse's here too. Above them each kind of search has
// its grammar.
package search

import (
	"fmt"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Error is a fault of a filter, an order or a page token: MLflow's
// INVALID_PARAMETER_VALUE.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

func faultf(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Entity is what a clause speaks of.
type Entity string

const (
	Metric      Entity = "metric"
	Param       Entity = "parameter"
	Tag         Entity = "tag"
	Attribute   Entity = "attribute"
	Dataset     Entity = "dataset"
	Metadata    Entity = "request_metadata"
	Span        Entity = "span"
	Feedback    Entity = "feedback"
	Expectation Entity = "expectation"
	Issue       Entity = "issue"
)

// Clause is one comparison of a filter.
type Clause struct {
	Entity Entity
	Key    string
	// Op is one of = != < <= > >= LIKE ILIKE RLIKE IN, NOT IN, IS NULL, IS NOT NULL.
	Op string
	// Value is a string, an int64, a float64, or []string for IN; nil for IS NULL.
	Value any

	raw string // the operator as it stood
}

// Order is one item of order_by.
type Order struct {
	Entity    Entity
	Key       string
	Ascending bool
}

// quotedWith reports whether s stands between two marks.
func quotedWith(s string, mark byte) bool {
	return len(s) >= 2 && s[0] == mark && s[len(s)-1] == mark
}

func trimBackticks(s string) string {
	if quotedWith(s, '`') {
		return s[1 : len(s)-1]
	}
	return s
}

func stripQuotes(s string) string {
	if quotedWith(s, '\'') || quotedWith(s, '"') {
		return s[1 : len(s)-1]
	}
	return s
}

// unquote takes the quotes off a value that must have them.
func unquote(s string) (string, error) {
	if quotedWith(s, '\'') || quotedWith(s, '"') {
		return s[1 : len(s)-1], nil
	}
	return "", faultf("Parameter value is either not quoted or unidentified quote types used for string value %s. Use either single or double quotes.", s)
}

// statementOf parses a filter that must be one statement.
func statementOf(filter string) (*node, error) {
	statements, err := parse(filter)
	switch {
	case err != nil:
		return nil, faultf("Error on parsing filter '%s'", filter)
	case len(statements) == 0:
		return nil, faultf("Invalid filter '%s'. Could not be parsed.", filter)
	case len(statements) > 1:
		return nil, faultf("Search filter contained multiple expression %s. Provide AND-ed expression list.", py.Repr(filter))
	}
	return statements[0], nil
}

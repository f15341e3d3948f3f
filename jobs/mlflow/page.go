package mlflow

import (
	"context"
	"iter"
)

// pages walks a paged list. fetch gives one page and the token of the next; an empty token ends.
func pages[T any](ctx context.Context, fetch func(ctx context.Context, token string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		for token, first := "", true; first || token != ""; first = false {
			items, next, err := fetch(ctx, token)
			if err != nil {
				yield(zero, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == token && next != "" {
				yield(zero, fault("list", "the server gives the same page again: token %q", next))
				return
			}
			token = next
		}
	}
}

// View tells which lifecycle stages a search sees.
type View string

const (
	Active  View = "ACTIVE_ONLY" // the default
	Deleted View = "DELETED_ONLY"
	All     View = "ALL"
)

// Search narrows and orders a list. Its zero value is everything in the server's order.
type Search struct {
	// Filter is in MLflow's grammar: comparisons joined by AND, as in
	// `metrics.loss < 0.3 AND params.model = 'tree' AND attributes.status = 'FINISHED'`.
	Filter string
	// OrderBy are keys with ASC or DESC, as in "metrics.loss ASC".
	OrderBy []string
	// View concerns experiments and runs.
	View View
	// PageSize is how many are asked for at a time. Defaults to the server's.
	PageSize int
}

func (s *Search) fill(body map[string]any) {
	if s.Filter != "" {
		body["filter"] = s.Filter
	}
	if len(s.OrderBy) > 0 {
		body["order_by"] = s.OrderBy
	}
	if s.PageSize > 0 {
		body["max_results"] = s.PageSize
	}
}

package search

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// corpus is what MLflow 3.17.2 makes of filters and orders: see
// internal/conformance/mlflow/filters.py.
//
//go:embed testdata/filters.json
var corpus []byte

type corpusCase struct {
	Kind, Text string
	OK         []any  // clauses [entity, key, op, value], or one order [entity, key, ascending]
	Error      string // its message
	Crash      string // MLflow answers 500
}

var filters = map[string]func(string) ([]Clause, error){
	"runs": Runs, "experiments": Experiments, "models": Models, "versions": Versions, "traces": Traces, "logged": Logged,
}

var orders = map[string]func([]string) ([]Order, error){
	"runs": RunOrders, "experiments": ExperimentOrders, "models": ModelOrders, "versions": VersionOrders, "traces": TraceOrders,
}

func loadCorpus(t testing.TB) (c struct{ Filters, Orders []corpusCase }) {
	require.NoError(t, json.Unmarshal(corpus, &c))
	return c
}

func TestFiltersAgainstMLflow(t *testing.T) {
	for _, c := range loadCorpus(t).Filters {
		got, err := filters[c.Kind](c.Text)
		name := fmt.Sprintf("%s %q", c.Kind, c.Text)
		switch {
		case c.Crash != "": // anything is better
		case c.OK == nil:
			assert.EqualError(t, err, c.Error, name)
		default:
			assert.NoError(t, err, name)
			shown := []any{}
			for _, x := range got {
				if f, isFloat := x.Value.(float64); isFloat && (math.IsNaN(f) || math.IsInf(f, 0)) {
					x.Value = py.FormatFloat(f)
				}
				shown = append(shown, []any{x.Entity, x.Key, x.Op, x.Value})
			}
			assert.JSONEq(t, show(t, c.OK), show(t, shown), name)
		}
	}
}

// Keys that MLflow finds out to be of no use only when it has the list of all.
var laterFaults = []string{"Invalid order_by entity", "Invalid order by key", "Invalid identifier type"}

func TestOrdersAgainstMLflow(t *testing.T) {
	for _, c := range loadCorpus(t).Orders {
		got, err := orders[c.Kind]([]string{c.Text})
		name := fmt.Sprintf("%s %q", c.Kind, c.Text)
		if c.OK != nil && err != nil {
			later := false
			for _, l := range laterFaults {
				later = later || strings.HasPrefix(err.Error(), l)
			}
			assert.True(t, later, "%s: %v", name, err)
			continue
		}
		switch {
		case c.Crash != "":
			assert.Error(t, err, name)
		case c.OK == nil:
			assert.EqualError(t, err, c.Error, name)
		default:
			assert.NoError(t, err, name)
			want := c.OK
			if c.Kind == "runs" {
				want[1] = RunKey(want[1].(string))
			}
			if c.Kind == "versions" {
				want[0] = "attribute"
			}
			assert.JSONEq(t, show(t, want), show(t, []any{got[0].Entity, got[0].Key, got[0].Ascending}), name)
		}
	}
}

func show(t testing.TB, v any) string {
	b, err := json.Marshal(v)
	assert.NoError(t, err)
	return string(b)
}

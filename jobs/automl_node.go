package jobs

import (
	"maps"

	"github.com/azureml-go/azureml/internal/wire"
)

// Node is the job as a step of a pipeline.
func (j *AutoMLJob) Node() *AutoMLNode {
	n := &AutoMLNode{
		Outputs: maps.Clone(j.Outputs), Compute: j.Compute, DisplayName: j.DisplayName, Description: j.Description, Tags: maps.Clone(j.Tags),
		Properties: maps.Clone(j.Properties), Resources: j.Resources, Queue: j.Queue, Identity: j.Identity, EnvironmentID: j.EnvironmentID,
		EnvironmentVariables: maps.Clone(j.EnvironmentVariables),
	}
	if j.Task != nil {
		n.Task = j.Task.clone()
	}
	return n
}

// automlBindings takes expressions out of the fields whose values spell themselves.
func automlBindings(at *wire.Node) (*wire.Node, wire.Bindings) {
	bound := wire.Bindings{}
	take := func(n *wire.Node, prefix string, keys ...string) *wire.Node {
		if n == nil || n.Kind != wire.Mapping {
			return n
		}
		for _, k := range keys {
			if s, ok := n.Get(k).Str(); ok && isExpression(s) {
				bound[prefix+k] = s
				n = n.Without(k)
			}
		}
		return n
	}
	at = take(at, "", "n_cross_validations", "search_space", "sweep")
	if f := at.Get("forecasting"); f != nil {
		at = at.With("forecasting", take(f, "forecasting.", "forecast_horizon", "seasonality", "target_rolling_window_size", "target_lags"))
	}
	return at, bound
}

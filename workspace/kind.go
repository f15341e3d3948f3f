package workspace

import (
	"slices"

	"github.com/azureml-go/azureml/internal/wire"
)

// componentTypes are the types that a component shares with a job.
var componentTypes = []string{"command", "pipeline", "spark", "sweep", "import", "automl"}

// isComponent tells a component from a job of the same type: jobs have no version, and their inputs are values, not
// declarations.
func isComponent(n *wire.Node) bool {
	t, _ := n.Get("type").Str()
	if !slices.Contains(componentTypes, t) {
		return false
	}
	if n.Has("version") || n.Has("is_deterministic") {
		return true
	}
	inputs := n.Get("inputs")
	if inputs == nil {
		return false
	}
	return slices.ContainsFunc(inputs.Entries, func(e wire.Entry) bool {
		if e.Value.Has("default") || e.Value.Has("optional") {
			return true
		}
		kind, _ := e.Value.Get("type").Str()
		return slices.Contains([]string{"number", "integer", "boolean", "string"}, kind)
	})
}

// isOnlineEndpoint tells an online endpoint from a batch one, which has neither keys nor traffic.
func isOnlineEndpoint(n *wire.Node) bool {
	mode, _ := n.Get("auth_mode").Str()
	return mode == "key" || mode == "aml_token" || n.Has("traffic") || n.Has("mirror_traffic")
}

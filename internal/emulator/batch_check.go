package emulator

import (
	"encoding/json"
	"math"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/wire"
)

// checkBatchSettings refuses settings of a batch deployment that say nothing, and
// gives its words their own spelling. The defaults stand already.
func checkBatchSettings(c *call, ch *change) error {
	p := ch.doc.props()
	for field, words := range map[string][]string{"outputAction": {"AppendRow", "SummaryOnly"}, "loggingLevel": {"Info", "Warning", "Debug"}} {
		w, err := ch.doc.oneOf("properties."+field, words...)
		if err != nil {
			return err
		}
		p[field] = w
	}
	for _, n := range []struct {
		path  []string
		least int64
	}{
		{[]string{"miniBatchSize"}, 1}, {[]string{"maxConcurrencyPerInstance"}, 1}, {[]string{"errorThreshold"}, -1}, {[]string{"resources", "instanceCount"}, 1}, {[]string{"retrySettings", "maxRetries"}, 0},
	} {
		path := append([]string{"properties"}, n.path...)
		v, field := ch.doc.at(path...), ""
		for i, s := range path {
			if i > 0 {
				field += "."
			}
			field += s
		}
		switch v := v.(type) {
		case nil, int:
		case json.Number:
			if i, err := v.Int64(); err != nil || i < n.least || i > math.MaxInt32 {
				return arm.Invalid(field, "The value %s is not a whole number of %d or more.", v, n.least)
			}
		default:
			return arm.Invalid(field, "The value %v is not a whole number.", v)
		}
	}
	if t := ch.doc.text("properties", "retrySettings", "timeout"); t != "" {
		if d, err := wire.ParseDuration(t); err != nil || d < time.Second {
			return arm.Invalid("properties.retrySettings.timeout", "Want an ISO 8601 duration of a second or more such as PT30S, got %q.", t)
		}
	}
	if ch.doc.text("properties", "codeConfiguration", "codeId") != "" && ch.doc.text("properties", "codeConfiguration", "scoringScript") == "" {
		return arm.Invalid("properties.codeConfiguration.scoringScript", "The path of the scoring script in the code is required.")
	}
	if ch.doc.object("properties", "deploymentConfiguration") == nil {
		return nil
	}
	kind, err := ch.doc.oneOf("properties.deploymentConfiguration.deploymentConfigurationType", "Model", "PipelineComponent")
	if err != nil || kind == "Model" {
		return err
	}
	id := ch.doc.text("properties", "deploymentConfiguration", "componentId", "assetId")
	if id == "" {
		return arm.Invalid("properties.deploymentConfiguration.componentId", "The component of a pipeline is required.")
	}
	loc, err := c.s.resolver.Resolve(c.ctx(), c.sc, id, arm.Components)
	if err != nil {
		return err
	}
	var of struct {
		ComponentSpec struct{ Type string }
	}
	if err := json.Unmarshal(loc.Properties, &of); err != nil {
		return err
	}
	if t := of.ComponentSpec.Type; t != "pipeline" {
		return arm.Invalid("properties.deploymentConfiguration.componentId", "The component %s is of type %s, not pipeline.", id, t)
	}
	return nil
}

package serving

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// The collections that the endpoint itself writes: the payloads of scoring calls. All others are the scoring program's.
const (
	requests  = "request"
	responses = "response"
)

// collectorSpec is a deployment's properties.dataCollector.
type collectorSpec struct {
	Collections map[string]*struct {
		DataCollectionMode string   `json:"dataCollectionMode"`
		DataID             string   `json:"dataId"`
		ClientID           string   `json:"clientId"` // of an identity; storage asks for none here
		SamplingRate       *float64 `json:"samplingRate"`
	} `json:"collections"`
	RollingRate    string `json:"rollingRate"`
	RequestLogging *struct {
		CaptureHeaders []string `json:"captureHeaders"`
	} `json:"requestLogging"`
}

// collecting is what a deployment collects, and where to.
type collecting struct {
	collections map[string]*collection // the enabled ones, by their names in lower case
	layout      string                 // of the folders, for time.Format
	headers     []string
}

// collection is one that is enabled.
type collection struct {
	name string
	rate float64
	at   *arm.Location // its folder
}

// rollings are the folders of a rolling rate.
var rollings = map[string]string{"year": "2006", "month": "2006/01", "day": "2006/01/02", "hour": "2006/01/02/15", "minute": "2006/01/02/15/04"}

// custom is true when the scoring program has a collection to write to.
func (c *collecting) custom() bool {
	for name := range c.collections {
		if name != requests && name != responses {
			return true
		}
	}
	return false
}

// planCollector reads what a deployment collects, nil for nothing. Without the deployment's names it checks only.
func (h *Host) planCollector(ctx context.Context, sc arm.Scope, endpoint, deployment string, raw json.RawMessage) (*collecting, error) {
	const field = "properties.dataCollector"
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var s collectorSpec
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return nil, arm.Invalid(field, "The data collector cannot be read: %v.", err)
	}
	c := &collecting{collections: map[string]*collection{}, layout: rollings[strings.ToLower(s.RollingRate)]}
	if s.RollingRate == "" {
		c.layout = rollings["hour"]
	}
	if c.layout == "" {
		return nil, arm.Invalid(field+".rollingRate", "The rolling rate %q is unknown: Minute, Hour, Day, Month or Year.", s.RollingRate)
	}
	if s.RequestLogging != nil {
		c.headers = s.RequestLogging.CaptureHeaders
	}
	for _, name := range slices.Sorted(maps.Keys(s.Collections)) {
		one, at := s.Collections[name], field+".collections."+name
		if one == nil {
			continue
		}
		switch strings.ToLower(one.DataCollectionMode) {
		case "enabled":
		case "", "disabled":
			continue
		default:
			return nil, arm.Invalid(at+".dataCollectionMode", "The mode %q is unknown: Enabled or Disabled.", one.DataCollectionMode)
		}
		col := &collection{name: name, rate: 1}
		if r := one.SamplingRate; r != nil {
			if *r < 0 || *r > 1 {
				return nil, arm.Invalid(at+".samplingRate", "The sampling rate is a share from 0 to 1; got %v.", *r)
			}
			col.rate = *r
		}
		uri := one.DataID
		if uri == "" {
			uri = "azureml://datastores/workspaceblobstore/paths/" + path.Join("modelDataCollector", endpoint, deployment, name)
		}
		var err error
		if col.at, err = h.Resolver.Resolve(ctx, sc, uri, arm.Data); err != nil {
			return nil, under(at+".dataId", err)
		}
		switch {
		case col.at.URL != "":
			return nil, arm.Invalid(at+".dataId", "The data %s is not in the workspace's storage; the local workspace collects to nowhere else.", col.at.URL)
		case col.at.Type == "uri_file":
			return nil, arm.Invalid(at+".dataId", "The data %s is of type uri_file; a collection is a folder of files (uri_folder).", one.DataID)
		}
		if c.collections[strings.ToLower(name)] != nil {
			return nil, arm.Invalid(at, "There are two collections %q.", strings.ToLower(name))
		}
		c.collections[strings.ToLower(name)] = col
	}
	if len(c.collections) == 0 {
		return nil, nil
	}
	return c, nil
}

// checkCollector refuses collections that nobody would write.
func (p *plan) checkCollector() error {
	if p.collect == nil || !p.mlflow {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.collect.collections)) {
		switch name {
		case requests, responses, modelInputs, modelOutputs:
			continue
		}
		return arm.Invalid("properties.dataCollector.collections."+name, "Of an MLflow model without a scoring script there are the collections request, response, model_inputs and model_outputs; nobody would write %q. Give a scoring script that uses azureml-ai-monitoring.", name)
	}
	return nil
}

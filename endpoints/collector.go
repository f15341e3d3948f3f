package endpoints

import (
	"maps"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// DataCollector keeps what a deployment is asked and answers.
type DataCollector struct {
	// Collections by name: model_inputs, model_outputs, request, response, or names that the scoring script uses.
	Collections map[string]Collection `yaml:"collections" json:"collections"`
	// RollingRate is how often a new folder is begun: minute, hour or day.
	RollingRate RollingRate `yaml:"rolling_rate" json:"rollingRate"`
	// SamplingRate is the share of requests that is kept, 0 to 1. Defaults to all.
	SamplingRate *float64        `yaml:"sampling_rate" json:"-"`
	Requests     *RequestLogging `yaml:"request_logging" json:"requestLogging"`
}

// RequestLogging says which headers are kept.
type RequestLogging struct {
	CaptureHeaders []string `yaml:"capture_headers" json:"captureHeaders"`
}

// RollingRate is how often a new folder is begun.
type RollingRate string

var rollingRates = wire.SameEnum("minute", "hour", "day")

// WireEnum is the table of spellings.
func (RollingRate) WireEnum() *wire.Enum { return rollingRates }

// Collection is one kind of collected data.
type Collection struct {
	Enabled Switch `yaml:"enabled,required" json:"dataCollectionMode,keep"`
	// Data is where it is kept. Defaults to a data asset ENDPOINT-DEPLOYMENT-COLLECTION in the workspace's blob store,
	// which is registered when the deployment is made.
	Data     *CollectionData `yaml:"data" json:"dataId"`
	ClientID string          `yaml:"client_id" json:"clientId"`
}

// CollectionData is a data asset, which exists (ID) or is registered when the deployment is made.
type CollectionData struct {
	Name    string
	Version string
	// Path is an azureml://datastores/… address.
	Path string
	// ID is a resource id, or a reference such as azureml:NAME:VERSION.
	ID azureml.Ref
}

// EncodeWire writes the id in REST.
func (c CollectionData) EncodeWire(e *wire.Encoding) (any, error) {
	if e.Spelling() == wire.REST {
		if c.ID == "" {
			return wire.Omit, nil
		}
		return c.ID.EncodeWire(e)
	}
	m := map[string]any{}
	for k, v := range map[string]string{"name": c.Name, "version": c.Version, "path": c.Path, "data_id": string(c.ID)} {
		if v != "" {
			m[k] = v
		}
	}
	return m, nil
}

// DecodeWire reads a reference, or a mapping.
func (c *CollectionData) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if s, ok := n.Str(); ok {
		c.ID = azureml.Ref(s)
		return
	}
	var m struct {
		Name    string      `yaml:"name" json:"name"`
		Version string      `yaml:"version,text" json:"version"`
		Path    string      `yaml:"path" json:"path"`
		ID      azureml.Ref `yaml:"data_id" json:"dataId"`
	}
	d.Into(n, &m)
	*c = CollectionData{Name: m.Name, Version: m.Version, Path: m.Path, ID: m.ID}
}

// Switch is on or off. YAML has true, false, and both as text.
type Switch bool

// EncodeWire writes a word.
func (s Switch) EncodeWire(e *wire.Encoding) (any, error) {
	switch {
	case e.Spelling() == wire.REST && bool(s):
		return "enabled", nil
	case e.Spelling() == wire.REST:
		return "disabled", nil
	}
	return bool(s), nil
}

// DecodeWire reads a boolean or a word.
func (s *Switch) DecodeWire(d *wire.Decoding, n *wire.Node) {
	if text, ok := n.Str(); ok {
		switch strings.ToLower(text) {
		case "true", "enabled":
			*s = true
		case "false", "disabled":
			*s = false
		default:
			d.Fault(n, "is %q; true and false are known", text)
		}
		return
	}
	d.Into(n, (*bool)(s))
}

// AfterEncodeWire writes the sampling rate into each collection, where the service looks for it.
func (c DataCollector) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() != wire.REST || c.SamplingRate == nil {
		return nil
	}
	collections, _ := m["collections"].(map[string]any)
	for _, v := range collections {
		if one, ok := v.(map[string]any); ok {
			one["samplingRate"] = *c.SamplingRate
		}
	}
	return nil
}

// AfterDecodeWire takes it from there.
func (c *DataCollector) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if d.Spelling() != wire.REST {
		return
	}
	if all := n.Get("collections"); all != nil {
		for _, e := range all.Entries {
			if r := e.Value.Get("samplingRate"); !r.IsNull() {
				d.Into(r, &c.SamplingRate)
				return
			}
		}
	}
}

func (c *DataCollector) check(f *faults) {
	if c == nil {
		return
	}
	if r := c.SamplingRate; r != nil && (*r < 0 || *r > 1) {
		f.add("data_collector.sampling_rate", "is %v; a share between 0 and 1 is wanted", *r)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Collections)) {
		if name == "" {
			f.add("data_collector.collections", "a collection has no name")
		}
	}
}

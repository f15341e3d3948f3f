package jobs

import (
	"strings"
	"time"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// MonitorContext says what data of a monitor is.
type MonitorContext string

// The contexts.
const (
	ModelInputs  MonitorContext = "model_inputs"
	ModelOutputs MonitorContext = "model_outputs"
	TrainingData MonitorContext = "training"
	TestData     MonitorContext = "test"
	Validation   MonitorContext = "validation"
	GroundTruth  MonitorContext = "ground_truth"
)

var monitorContexts = wire.SameEnum("model_inputs", "model_outputs", "training", "test", "validation", "ground_truth")

// WireEnum lists the spellings.
func (MonitorContext) WireEnum() *wire.Enum { return monitorContexts }

// MonitorData is data that a signal is computed of.
type MonitorData struct {
	// InputData is the data: an asset or an address. Required.
	InputData Input `yaml:"input_data" json:"-"`
	// Context says what it is.
	Context MonitorContext `yaml:"data_context" json:"dataContext"`
	// Columns are names of columns by what they hold: "target", "prediction", "correlation_id".
	Columns map[string]string `yaml:"data_column_names" json:"columns"`
	// Preprocessing is a component that turns it into a table.
	Preprocessing azureml.Ref `yaml:"pre_processing_component" json:"-"`
	// Window is the part of it that is looked at. Data of production defaults to what came since the last run, other data
	// to all of it.
	Window *DataWindow `yaml:"data_window" json:"-"`
}

// DataWindow is a span of time: one that moves with each run, or one that stays.
type DataWindow struct {
	// Size and Offset (ISO 8601 durations such as "P7D") are how long it is and how long before the run it ends. "default"
	// follows from how often the monitor runs.
	Size   string `yaml:"lookback_window_size" json:"-"`
	Offset string `yaml:"lookback_window_offset" json:"-"`
	// Start and End are days ("2024-01-01") of a span that stays.
	Start string `yaml:"window_start" json:"-"`
	End   string `yaml:"window_end" json:"-"`
}

// EncodeWire writes the data; how it is looked at decides its type.
func (m MonitorData) EncodeWire(e *wire.Encoding) (any, error) {
	v, err := e.Plain(m)
	if err != nil || e.Spelling() == wire.YAML {
		return v, err
	}
	if v == nil {
		v = map[string]any{}
	}
	v["inputDataType"], v["jobInputType"], v["uri"] = "Fixed", string(m.InputData.dataType()), m.InputData.Path
	w := m.Window
	if w == nil {
		return v, nil
	}
	switch {
	case w.Size != "":
		offset := w.Offset
		if offset == "" {
			offset = "P0D"
		}
		v["inputDataType"], v["windowSize"], v["windowOffset"] = "Trailing", w.Size, offset
	case w.Start != "" && w.End != "":
		v["inputDataType"], v["windowStart"], v["windowEnd"] = "Static", dayStart(w.Start), dayStart(w.End)
	default:
		return v, nil
	}
	if m.Preprocessing != "" {
		v["preprocessingComponentId"] = string(m.Preprocessing)
	}
	return v, nil
}

// dayStart is the moment at which a day begins.
func dayStart(day string) string {
	if t, err := time.Parse(time.DateOnly, day); err == nil {
		return t.Format("2006-01-02T15:04:05.000Z")
	}
	return day
}

// DecodeWire reads the data.
func (m *MonitorData) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*m = MonitorData{}
	d.Plain(n, m)
	if d.Spelling() == wire.YAML {
		if w := m.Window; w != nil && (w.Start == "") != (w.End == "") {
			d.At("data_window").Fault(n.Get("data_window"), "window_start and window_end go together")
		}
		if in := m.InputData; n.Has("input_data") && in.IsLiteral() {
			d.At("input_data").Fault(n.Get("input_data"), "wants data: a mapping with path and type")
		}
		return
	}
	text := func(key string) string {
		s, _ := n.Get(key).Str() // absent: ""
		return s
	}
	m.InputData = Input{Type: DataType(text("jobInputType")), Path: text("uri")}
	m.Preprocessing = azureml.Ref(text("preprocessingComponentId"))
	day := func(s string) string { s, _, _ = strings.Cut(s, "T"); return s }
	switch text("inputDataType") {
	case "Trailing", "Rolling":
		m.Window = &DataWindow{Size: text("windowSize"), Offset: text("windowOffset")}
	case "Static":
		m.Window = &DataWindow{Start: day(text("windowStart")), End: day(text("windowEnd"))}
	}
}

// production checks data of production, whose window moves.
func (c *checker) production(field string, m *MonitorData) {
	if m == nil {
		return
	}
	c.monitorData(field, m)
	if w := m.Window; w != nil && (w.Start != "" || w.End != "") {
		c.add(field+".data_window", "data of production moves on: give lookback_window_size and lookback_window_offset")
	}
}

// monitorData checks data.
func (c *checker) monitorData(field string, m *MonitorData) {
	if m == nil {
		return
	}
	if m.InputData.Path == "" {
		c.add(field+".input_data", "data is required: an asset or an address")
	}
	w := m.Window
	if w == nil {
		return
	}
	for key, s := range map[string]string{"window_start": w.Start, "window_end": w.End} {
		if _, err := time.Parse(time.DateOnly, s); s != "" && err != nil {
			c.add(field+".data_window."+key, "%q is no day; write 2024-01-31", s)
		}
	}
	for key, s := range map[string]string{"lookback_window_size": w.Size, "lookback_window_offset": w.Offset} {
		if s == "" || s == "default" {
			continue
		}
		if _, err := wire.ParseDuration(s); err != nil {
			c.add(field+".data_window."+key, "%v", err)
		}
	}
}

package monitoring

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Value is one of a report's.
type Value struct {
	Value      *float64          `json:"value,omitempty"`
	Threshold  *float64          `json:"threshold,omitempty"`
	Timeseries *Timeseries       `json:"timeseries,omitempty"`
	Groups     map[string]*Value `json:"groups,omitempty"`
}

// Timeseries is the run that holds the values of a metric of all runs of the monitor.
type Timeseries struct {
	Run   string            `json:"runId"`
	Names map[string]string `json:"metricNames"`
}

// Report writes a signal's metrics as the service does, to signals/NAME.json of the signal's output. run gives the run of a
// metric's values over time.
func Report(name, kind string, metrics []Metric, run func(m Metric) string) ([]byte, error) {
	all := map[string]*Value{}
	for _, m := range metrics {
		v := &Value{Threshold: finite(m.Threshold), Value: finite(&m.Value)}
		if id := run(m); id != "" {
			v.Timeseries = &Timeseries{Run: id, Names: map[string]string{"value": "value", "threshold": "threshold"}}
		}
		of := all[m.Name]
		if of == nil {
			of = &Value{}
			all[m.Name] = of
		}
		if m.Group == "" {
			of.Value, of.Threshold, of.Timeseries = v.Value, v.Threshold, v.Timeseries
			continue
		}
		if of.Groups == nil {
			of.Groups = map[string]*Value{}
		}
		of.Groups[m.Group] = v
	}
	return json.MarshalIndent(map[string]any{"signalName": name, "signalType": kind, "version": "1.0.0", "metrics": all}, "", "    ")
}

// finite leaves out what JSON has no number for.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

// String writes the metric with its threshold.
func (m Metric) String() string {
	text := m.Name
	if m.Group != "" {
		text += " of " + m.Group
	}
	text += fmt.Sprintf(" is %s", number(m.Value))
	if m.Threshold != nil {
		text += fmt.Sprintf(", its threshold %s", number(*m.Threshold))
	}
	return text
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

package mlflow

import (
	"encoding/json"
	"strconv"
	"time"
)

// Metric is one value of a run's metric.
type Metric struct {
	Key   string
	Value float64 // NaN and the infinities are values too; servers may give infinities back as ±1.797e308
	Time  time.Time
	Step  int64

	// The model and the dataset that the value was measured on, where the server knows these (MLflow 3).
	ModelID       string
	DatasetName   string
	DatasetDigest string
}

// appendJSON writes the metric as log-batch takes it.
func (m *Metric) appendJSON(b []byte) []byte {
	b = append(b, `{"key":`...)
	b = appendString(b, m.Key)
	b = append(b, `,"value":`...)
	b = appendDouble(b, m.Value)
	b = append(b, `,"timestamp":`...)
	b = strconv.AppendInt(b, millis(m.Time), 10)
	b = append(b, `,"step":`...)
	b = strconv.AppendInt(b, m.Step, 10)
	for _, f := range [...]struct{ name, value string }{{"model_id", m.ModelID}, {"dataset_name", m.DatasetName}, {"dataset_digest", m.DatasetDigest}} {
		if f.value != "" {
			b = append(b, `,"`...)
			b = append(b, f.name...)
			b = append(b, `":`...)
			b = appendString(b, f.value)
		}
	}
	return append(b, '}')
}

// MarshalJSON writes the metric as MLflow's REST API does.
func (m Metric) MarshalJSON() ([]byte, error) { return m.appendJSON(nil), nil }

// UnmarshalJSON reads a metric of MLflow's REST API.
func (m *Metric) UnmarshalJSON(b []byte) error {
	var w struct {
		Key           string  `json:"key"`
		Value         double  `json:"value"`
		Timestamp     integer `json:"timestamp"`
		Step          integer `json:"step"`
		ModelID       string  `json:"model_id"`
		DatasetName   string  `json:"dataset_name"`
		DatasetDigest string  `json:"dataset_digest"`
	}
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*m = Metric{
		Key: w.Key, Value: float64(w.Value), Time: time.UnixMilli(int64(w.Timestamp)).UTC(), Step: int64(w.Step),
		ModelID: w.ModelID, DatasetName: w.DatasetName, DatasetDigest: w.DatasetDigest,
	}
	return nil
}

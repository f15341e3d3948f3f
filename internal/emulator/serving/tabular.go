package serving

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// The collections that Azure writes of an MLflow model that has no scoring script.
const (
	modelInputs  = "model_inputs"
	modelOutputs = "model_outputs"
)

// inputRows are the rows of a request to an MLflow model, as pandas writes records. What is no data frame is collected
// by nobody, on Azure neither.
func inputRows(body []byte) ([]byte, error) {
	type split struct {
		Columns []any
		Data    [][]json.RawMessage
	}
	var in struct {
		InputData json.RawMessage              `json:"input_data"`
		Split     *split                       `json:"dataframe_split"`
		Records   []map[string]json.RawMessage `json:"dataframe_records"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	if in.Records != nil {
		return json.Marshal(in.Records)
	}
	if in.Split == nil && len(in.InputData) > 0 {
		if err := json.Unmarshal(in.InputData, &in.Split); err != nil || in.Split == nil {
			return nil, errors.New("the request is no data frame (columns and data)")
		}
	}
	if in.Split == nil || in.Split.Columns == nil {
		return nil, errors.New("the request is no data frame (columns and data)")
	}
	names := make([]string, len(in.Split.Columns))
	for i, c := range in.Split.Columns {
		names[i] = fmt.Sprint(c)
	}
	return records(names, in.Split.Data)
}

// outputRows are the rows of an MLflow model's answer: named columns, or their numbers as pandas has them.
func outputRows(body []byte) ([]byte, error) {
	var out struct{ Predictions []json.RawMessage }
	if err := json.Unmarshal(body, &out); err != nil || out.Predictions == nil {
		return nil, errors.New("the answer has no list of predictions")
	}
	var rows [][]json.RawMessage
	var names []string
	objects := 0
	for _, p := range out.Predictions {
		var row []json.RawMessage
		switch p[0] {
		case '{':
			objects++
		case '[':
			if err := json.Unmarshal(p, &row); err != nil {
				return nil, err
			}
		default:
			row = []json.RawMessage{p}
		}
		for len(names) < len(row) {
			names = append(names, strconv.Itoa(len(names)))
		}
		rows = append(rows, row)
	}
	switch objects {
	case 0:
		return records(names, rows)
	case len(out.Predictions):
		return json.Marshal(out.Predictions)
	}
	return nil, errors.New("the predictions are rows and values at once")
}

// records writes rows as a list of objects.
func records(names []string, rows [][]json.RawMessage) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('[')
	for i, row := range rows {
		if len(row) != len(names) {
			return nil, fmt.Errorf("row %d has %d values for %d columns", i, len(row), len(names))
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		for j, v := range row {
			if j > 0 {
				b.WriteByte(',')
			}
			b.Write(quote(names[j]))
			b.WriteByte(':')
			b.Write(v)
		}
		b.WriteByte('}')
	}
	b.WriteByte(']')
	return b.Bytes(), nil
}

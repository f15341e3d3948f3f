package serving

import "encoding/json"

// mlflowBody turns the body that Azure's own server for MLflow models takes,
// {"input_data": …}, into the one that `mlflow models serve` takes. Any other
// body is passed on.
func mlflowBody(body []byte) []byte {
	var in map[string]json.RawMessage
	if json.Unmarshal(body, &in) != nil {
		return body
	}
	data, ok := in["input_data"]
	if !ok {
		return body
	}
	key := "inputs"
	var split struct{ Columns, Data json.RawMessage }
	if json.Unmarshal(data, &split) == nil && split.Columns != nil && split.Data != nil {
		key = "dataframe_split"
	}
	out := map[string]json.RawMessage{key: data}
	if p, ok := in["params"]; ok {
		out["params"] = p
	}
	b, err := json.Marshal(out)
	if err != nil {
		return body
	}
	return b
}

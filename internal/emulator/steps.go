package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// The steps of a pipeline may be tens of thousands. What only passes a job's
// document on leaves them as the bytes that they are (json.RawMessage): decoded
// they take ten times the memory.
const stepsKey = "jobs"

// readJob is read with undecoded steps.
func readJob(d *store.Document) (document, error) {
	var top, props map[string]json.RawMessage
	if err := json.Unmarshal(d.Body, &top); err != nil {
		return nil, fmt.Errorf("the document of %s cannot be read: %w", d.ID, err)
	}
	if json.Unmarshal(top["properties"], &props) != nil || len(props[stepsKey]) == 0 {
		return read(d)
	}
	steps := props[stepsKey]
	delete(props, stepsKey)
	delete(top, "properties")
	out, inside := document{}, map[string]any{stepsKey: steps}
	for _, part := range []struct {
		from map[string]json.RawMessage
		to   map[string]any
	}{{top, out}, {props, inside}} {
		for k, raw := range part.from {
			v, err := decode(raw)
			if err != nil {
				return nil, fmt.Errorf("the document of %s cannot be read: %s: %w", d.ID, k, err)
			}
			part.to[k] = v
		}
	}
	out["properties"] = inside
	return out, nil
}

// takeSteps takes undecoded steps out of a job's document, or its properties;
// nil when there are none.
func takeSteps(v any) json.RawMessage {
	d, ok := v.(document)
	if !ok {
		return nil
	}
	props, ok := d["properties"].(map[string]any)
	if !ok {
		return nil
	}
	steps, ok := props[stepsKey].(json.RawMessage)
	if ok {
		delete(props, stepsKey)
	}
	return steps
}

// outRaw is out for what was not decoded.
func (e *edge) outRaw(raw json.RawMessage) (any, error) {
	if !bytes.Contains(raw, []byte(`"https://`)) && !bytes.Contains(raw, []byte(`"azureml://`+arm.APIHost)) && !bytes.Contains(raw, []byte(`"endpoint"`)) {
		return raw, nil
	}
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return e.out(v), nil
}

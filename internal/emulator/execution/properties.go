package execution

import (
	"context"
	"encoding/json"
	"maps"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// Properties is a job's document as the service answers it: what was sent, and
// over it what became known since. The steps of a pipeline, "jobs", are a
// json.RawMessage.
func (e *Engine) Properties(ctx context.Context, sc arm.Scope, name string) (map[string]any, error) {
	r, err := e.Record(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	run, err := e.Tracking.Run(ctx, sc.Key(), name)
	if err != nil {
		return nil, err
	}
	p := map[string]any{}
	var spec map[string]arm.Part
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		return nil, err
	}
	for k, raw := range spec {
		if k == "jobs" {
			p[k] = json.RawMessage(raw)
			continue
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, err
		}
		p[k] = v
	}
	p["status"] = r.Status
	p["displayName"] = run.Name
	tags := map[string]string{}
	for k, v := range run.Tags {
		switch k {
		case "mlflow.note.content":
			p["description"] = v
		case "mlflow.runName", "mlflow.user", "mlflow.parentRunId", rootTag:
		default:
			tags[k] = v
		}
	}
	p["tags"] = tags
	props := map[string]string{}
	sent, _ := p["properties"].(map[string]any) // absent is empty
	for k, v := range sent {
		if s, ok := v.(string); ok {
			props[k] = s
		}
	}
	maps.Copy(props, r.Properties)
	p["properties"] = props
	p["services"] = map[string]any{
		"Tracking": map[string]any{"jobServiceType": "Tracking", "endpoint": sc.TrackingURI() + "?", "port": nil, "status": nil, "errorMessage": nil, "properties": nil},
		"Studio":   map[string]any{"jobServiceType": "Studio", "endpoint": sc.StudioURL(name), "port": nil, "status": nil, "errorMessage": nil, "properties": nil},
	}
	p["outputs"] = r.outputs(p["outputs"])
	return p, nil // why a job failed is run history's to say
}

// outputs puts the destinations into what was declared.
func (r *Record) outputs(declared any) map[string]any {
	out := map[string]any{}
	if m, ok := declared.(map[string]any); ok {
		for k, v := range m {
			o, ok := v.(map[string]any)
			if !ok {
				o = map[string]any{"jobOutputType": "uri_folder"}
			}
			o = maps.Clone(o)
			delete(o, "place") // the engine's own
			out[k] = o
		}
	}
	for k, d := range r.Outputs {
		o, ok := out[k].(map[string]any)
		if !ok {
			o = map[string]any{"jobOutputType": d.Type, "mode": "ReadWriteMount"}
			out[k] = o
		}
		o["uri"] = d.URI
		if d.AssetID != "" {
			if id, err := arm.ParseID(d.AssetID); err == nil && len(id.Inner()) == 2 {
				o["assetName"], o["assetVersion"] = id.Inner()[0].Name, id.Inner()[1].Name
			}
		}
	}
	return out
}

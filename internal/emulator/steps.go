package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// The steps of a pipeline may be tens of thousands. What only passes a job's
// document on leaves them as the bytes that they are (json.RawMessage): decoded
// they take ten times the memory.
const stepsKey = "jobs"

// readJob is read with undecoded steps.
func readJob(d *store.Document) (document, error) {
	out, err := decodeJob(d.Body)
	if err != nil {
		return nil, fmt.Errorf("the document of %s cannot be read: %w", d.ID, err)
	}
	if out == nil {
		return read(d)
	}
	return out, nil
}

// jobDocument is document with undecoded steps.
func (c *call) jobDocument() (document, error) {
	b, err := c.raw()
	if err != nil {
		return nil, err
	}
	d, err := decodeJob(b)
	if err != nil || d == nil { // it has no steps, or is not what it should be
		return c.documentOf(b)
	}
	steps := takeSteps(d)
	if c.edge != nil {
		c.edge.in(map[string]any(d))
	}
	d.props()[stepsKey] = steps
	if c.edge != nil && addressed(steps) {
		if err := d.decodeSteps(); err != nil {
			return nil, arm.BadRequest("InvalidRequestContent", "The request content was invalid and could not be deserialized: '%s'.", err)
		}
		d.props()[stepsKey] = c.edge.in(d.props()[stepsKey])
	}
	return d, nil
}

// wholeJob is a job's document with its steps. Errors: store.ErrNotFound.
func (s *Server) wholeJob(ctx context.Context, sc arm.Scope, name string) (document, error) {
	d, err := s.get(ctx, sc.Child(arm.Jobs, name))
	if err != nil || d.at("properties", stepsKey) != nil || d.text("properties", "jobType") != "Pipeline" {
		return d, err
	}
	r, err := s.jobs.Record(ctx, sc, name)
	if err != nil {
		return nil, err
	}
	var spec struct{ Jobs arm.Part }
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		return nil, fmt.Errorf("the specification of job %q cannot be read: %w", name, err)
	}
	if len(spec.Jobs) > 0 {
		d.props()[stepsKey] = json.RawMessage(spec.Jobs)
	}
	return d, d.decodeSteps()
}

// addressed says that undecoded steps may have an address of this listener.
func addressed(steps json.RawMessage) bool {
	for _, s := range []string{`http:`, `"endpoint"`, `:\/`, `\u002f`, `\u002F`, `\u003a`, `\u003A`, `\u006`, `\u007`} {
		if bytes.Contains(steps, []byte(s)) {
			return true
		}
	}
	return false
}

// decodeSteps decodes the steps that are not.
func (d document) decodeSteps() error {
	steps := takeSteps(d)
	if steps == nil {
		return nil
	}
	all, err := decode(steps)
	if err == nil {
		d.props()[stepsKey] = all
	}
	return err
}

// decodeJob decodes a job's document but for its steps; nil when it has none.
func decodeJob(b []byte) (document, error) {
	var top, props map[string]arm.Part
	if err := json.Unmarshal(b, &top); err != nil {
		return nil, err
	}
	if json.Unmarshal(top["properties"], &props) != nil || len(props[stepsKey]) == 0 {
		return nil, nil
	}
	steps := props[stepsKey]
	delete(props, stepsKey)
	delete(top, "properties")
	out, inside := document{}, map[string]any{stepsKey: json.RawMessage(steps)}
	for _, half := range []struct {
		from map[string]arm.Part
		to   map[string]any
	}{{top, out}, {props, inside}} {
		for k, raw := range half.from {
			v, err := decode(raw)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k, err)
			}
			half.to[k] = v
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

// parts encodes an answer, addresses rewritten for the caller; steps that were
// not decoded stay apart, those of a page's items too.
func (c *call) parts(v any) ([][]byte, error) {
	page, ok := v.(document)
	items, ok2 := page["value"].([]any)
	if !ok || !ok2 || !slices.ContainsFunc(items, hasSteps) {
		return c.whole(v)
	}
	top := maps.Clone(page)
	delete(top, "value")
	last, err := c.whole(top)
	if err != nil {
		return nil, err
	}
	out := [][]byte{[]byte(`{"value":[`)}
	for i, item := range items {
		if i > 0 {
			out = append(out, []byte(","))
		}
		parts, err := c.whole(item)
		if err != nil {
			return nil, err
		}
		out = append(out, parts...)
	}
	return append(out, []byte("]"), rest(bytes.Join(last, nil))), nil
}

func hasSteps(v any) bool {
	d, ok := v.(document)
	if !ok {
		return false
	}
	props, ok := d["properties"].(map[string]any)
	_, raw := props[stepsKey].(json.RawMessage)
	return ok && raw
}

// whole is parts of one document.
func (c *call) whole(v any) ([][]byte, error) {
	steps := takeSteps(v)
	if c.edge != nil {
		b, err := encode(v)
		if err != nil {
			return nil, err
		}
		if v, err = decode(b); err != nil {
			return nil, err
		}
		v = c.edge.out(v)
		if steps, err = c.edge.outRaw(steps); err != nil {
			return nil, err
		}
	}
	switch m := v.(type) {
	case map[string]any:
		return around(m, steps)
	case document:
		return around(m, steps)
	}
	b, err := encode(v)
	return [][]byte{b}, err
}

// encodeProps is encode of the properties of a job's document.
func encodeProps(d document) (json.RawMessage, error) {
	steps := takeSteps(d)
	inside, err := encode(d.props())
	if err != nil || steps == nil {
		return inside, err
	}
	d.props()[stepsKey] = steps
	return bytes.Join(withSteps(inside, steps), nil), nil
}

// around encodes a document around steps, which stay the bytes that they are;
// nil are none.
func around(d map[string]any, steps json.RawMessage) ([][]byte, error) {
	props, ok := d["properties"].(map[string]any)
	if !ok || steps == nil {
		b, err := encode(d)
		return [][]byte{b}, err
	}
	top := maps.Clone(d)
	delete(top, "properties")
	inside, err := encode(props)
	if err != nil {
		return nil, err
	}
	outside, err := encode(top)
	if err != nil {
		return nil, err
	}
	parts := append([][]byte{[]byte(`{"properties":`)}, withSteps(inside, steps)...)
	return append(parts, rest(outside)), nil
}

// withSteps is an object's text, of properties, with steps among its members.
func withSteps(inside []byte, steps json.RawMessage) [][]byte {
	return [][]byte{[]byte(`{"` + stepsKey + `":`), steps, rest(inside)}
}

// rest is an object's text after members that come before its own.
func rest(object []byte) []byte {
	if string(object) == "{}" {
		return object[1:]
	}
	return append([]byte(","), object[1:]...)
}

// outRaw is out for what was not decoded.
func (e *edge) outRaw(raw json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(raw, []byte(`"https://`)) && !bytes.Contains(raw, []byte(`"azureml://`+arm.APIHost)) && !bytes.Contains(raw, []byte(`"endpoint"`)) {
		return raw, nil
	}
	v, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return encode(e.out(v))
}

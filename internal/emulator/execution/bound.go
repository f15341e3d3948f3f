package execution

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// bound is a step whose own fields, such as limits.timeout, have the values of
// the pipeline's inputs that they are bound to. Inputs, outputs and environment
// variables are followed where they are used.
func (g *graph) bound(s *step) (*step, error) {
	if !s.binds() {
		return s, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(s.raw, &fields); err != nil {
		return nil, err
	}
	var changed bool
	for k, raw := range fields {
		switch k {
		case "inputs", "outputs", "environment_variables", "componentId", "computeId", "component":
			continue
		}
		if !bytes.Contains(raw, inputBinding) {
			continue
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		b, err := json.Marshal(g.boundValue(v))
		if err != nil {
			return nil, err
		}
		fields[k], changed = b, true
	}
	if !changed {
		return s, nil
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	out := *s
	for k, to := range map[string]*json.RawMessage{
		"resources": &out.Resources, "distribution": &out.Distribution, "limits": &out.Limits, "identity": &out.Identity,
		"sampling_algorithm": &out.SamplingAlgorithm, "objective": &out.Objective, "early_termination": &out.EarlyTermination,
	} {
		if v, ok := fields[k]; ok {
			*to = v
		}
	}
	if v, ok := fields["search_space"]; ok {
		out.SearchSpace = nil
		if err := json.Unmarshal(v, &out.SearchSpace); err != nil {
			return nil, fmt.Errorf("search_space: %w", err)
		}
	}
	out.DisplayName = g.bind(s.DisplayName)
	out.raw = raw
	return &out, nil
}

var inputBinding = []byte("${{parent.inputs.")

// binds tells that a field of the step's own may be bound; most steps need not be
// read again to know that none is.
func (s *step) binds() bool {
	if !bytes.Contains(s.raw, inputBinding) {
		return false
	}
	switch s.Type {
	case "", "command", "pipeline":
		return strings.Contains(s.DisplayName, string(inputBinding)) || bytes.Contains(s.Limits, inputBinding) || bytes.Contains(s.Resources, inputBinding) ||
			bytes.Contains(s.Distribution, inputBinding) || bytes.Contains(s.Identity, inputBinding)
	}
	return true
}

// boundValue puts inputs into all texts below v. A text that is nothing but a
// binding becomes a number or boolean where the input is one.
func (g *graph) boundValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if text, ok := x.(string); ok && g.unset(text) {
				delete(v, k)
				continue
			}
			v[k] = g.boundValue(x)
		}
	case []any:
		for i, x := range v {
			v[i] = g.boundValue(x)
		}
	case string:
		text := g.bind(v)
		if text == v || !fromInput.MatchString(v) {
			return text
		}
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
		if strings.EqualFold(text, "true") || strings.EqualFold(text, "false") {
			return strings.EqualFold(text, "true")
		}
		return text
	}
	return v
}

// seconds gives the durations of limits that are numbers, as steps have them, the
// form of a job's.
func seconds(limits map[string]any) {
	for _, k := range []string{"timeout", "trialTimeout"} {
		if n, ok := limits[k].(float64); ok {
			limits[k] = "PT" + strconv.FormatFloat(n, 'f', -1, 64) + "S"
		}
	}
}

// unset tells of a text that is bound to an optional input without a value:
// what has it is left out, as if the file had not said it.
func (g *graph) unset(text string) bool {
	m := fromInput.FindStringSubmatch(text)
	if m == nil {
		return false
	}
	in, ok := g.spec.Inputs[m[1]]
	return ok && (in == nil || in.Type == "literal" && in.Value == nil)
}

// variables adds the environment variables of a step to those of its component.
func (g *graph) variables(to map[string]scalar, s *step) {
	for k, v := range s.EnvironmentVariables {
		if g.unset(string(v)) {
			delete(to, k)
			continue
		}
		to[k] = scalar(g.bind(string(v)))
	}
}

package execution

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/wire"
)

// job is the job that a step runs as.
func (g *graph) job(sc arm.Scope, pipeline string, s *step, from source) (json.RawMessage, error) {
	s, err := g.bound(s)
	if err != nil {
		return nil, err
	}
	c := s.component
	if c == nil {
		c = &component{}
	}
	inputs := map[string]any{}
	for _, k := range sorted(c.Inputs) {
		v, err := g.input(s, k, c.Inputs[k], from)
		if err != nil {
			return nil, err
		}
		if v != nil {
			inputs[k] = v
		}
	}
	outputs := map[string]any{}
	for _, k := range sorted(c.Outputs) {
		outputs[k] = g.output(sc, pipeline, s, k, c.Outputs[k])
	}
	display := s.DisplayName
	if display == "" {
		display = s.name
	}
	p := map[string]any{"displayName": display, "experimentName": g.spec.experiment(), "inputs": inputs, "outputs": outputs}
	if s.Description != "" {
		p["description"] = s.Description
	}
	if len(s.Tags) > 0 {
		p["tags"] = s.Tags
	}
	if len(s.Properties) > 0 {
		p["properties"] = s.Properties
	}
	if id := g.compute(s); id != "" {
		p["computeId"] = id
	}
	if err := s.kindOf().job(g, s, p); err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// command is what a step's command component runs, in REST's words.
func (g *graph) command(s *step) (map[string]any, error) {
	c := s.component
	vars := maps.Clone(c.EnvironmentVariables)
	if vars == nil {
		vars = map[string]scalar{}
	}
	g.variables(vars, s)
	run := map[string]any{"command": c.Command, "codeId": assetID(c.Code), "environmentId": assetID(c.Environment), "environmentVariables": vars}
	for k, of := range map[string][2]json.RawMessage{"resources": {s.Resources, c.Resources}, "distribution": {s.Distribution, c.Distribution}} {
		m, err := firstCamel(of[0], of[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		if m == nil {
			continue
		}
		if k == "distribution" {
			distributionWords(m)
		}
		run[k] = m
	}
	return run, nil
}

func firstCamel(of ...json.RawMessage) (map[string]any, error) {
	for _, raw := range of {
		if m, err := camel(raw); m != nil || err != nil {
			return m, err
		}
	}
	return nil, nil
}

// distributionWords gives a component's distribution the words of REST.
func distributionWords(m map[string]any) {
	if t, ok := m["type"].(string); ok && m["distributionType"] == nil {
		m["distributionType"] = t
	}
	for _, w := range []string{"PyTorch", "Mpi", "TensorFlow", "Ray"} {
		if t, ok := m["distributionType"].(string); ok && strings.EqualFold(t, w) {
			m["distributionType"] = w
		}
	}
}

// sweep is the sweep job of a step. A hyperparameter is an input of the
// trial's component of the same name.
func (s *step) sweep(p, trial map[string]any) error {
	line, ok := trial["command"].(string)
	if !ok {
		return fmt.Errorf("the trial has no command")
	}
	for k := range s.SearchSpace {
		line = reference.ReplaceAllStringFunc(line, func(m string) string {
			if r := reference.FindStringSubmatch(m); r[1] == "inputs" && r[2] == k {
				return "${{search_space." + k + "}}"
			}
			return m
		})
	}
	trial["command"] = line
	p["jobType"], p["trial"], p["searchSpace"], p["samplingAlgorithm"] = "Sweep", trial, s.SearchSpace, s.SamplingAlgorithm
	for k, raw := range map[string]json.RawMessage{"objective": s.Objective, "earlyTermination": s.EarlyTermination, "limits": s.Limits} {
		m, err := camel(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		if m == nil {
			continue
		}
		seconds(m)
		if t, ok := m["type"].(string); ok && k == "earlyTermination" && m["policyType"] == nil {
			m["policyType"] = t
		}
		p[k] = m
	}
	return nil
}

// input is a step's input with its bindings followed; nil for an optional one
// that has no value.
func (g *graph) input(s *step, k string, port *componentPort, from source) (map[string]any, error) {
	in := s.Inputs[k]
	mode := func(m map[string]any) map[string]any {
		if in != nil && in.Mode != "" {
			m["mode"] = in.Mode
		} else if w := modeWord(port.Mode); w != "" && m["jobInputType"] != "literal" {
			m["mode"] = w
		}
		return m
	}
	literal := func(v *scalar) map[string]any {
		if literalType(port.Type) || v == nil {
			return map[string]any{"jobInputType": "literal", "value": v}
		}
		return mode(map[string]any{"jobInputType": portType(port.Type), "uri": *v})
	}
	if in == nil || in.Value == nil && in.URI == "" {
		if port.Default != nil {
			return literal(port.Default), nil
		}
		return map[string]any{"jobInputType": "literal"}, nil
	}
	if in.Value == nil {
		out := map[string]any{"jobInputType": in.Type, "uri": in.URI}
		if in.step != "" {
			out["step"] = in.step
		}
		return mode(out), nil
	}
	text := string(*in.Value)
	if m := fromStep.FindStringSubmatch(text); m != nil {
		if literalType(port.Type) {
			v, err := from.value(m[1], m[2])
			if err != nil {
				return nil, err
			}
			value := scalar(v)
			return literal(&value), nil
		}
		o, err := from.output(m[1], m[2])
		if err != nil {
			return nil, err
		}
		return mode(map[string]any{"jobInputType": portType(port.Type), "uri": o.URI, "step": m[1]}), nil
	}
	if m := fromInput.FindStringSubmatch(text); m != nil {
		p := g.spec.Inputs[m[1]]
		switch {
		case p == nil, p.Type == "literal" && p.Value == nil:
			if port.Default != nil {
				return literal(port.Default), nil
			}
			return map[string]any{"jobInputType": "literal"}, nil
		case p.Type == "literal":
			return literal(p.Value), nil
		}
		out := map[string]any{"jobInputType": p.Type, "uri": p.URI}
		if p.Mode != "" {
			out["mode"] = p.Mode
		}
		if p.Step != "" { // of a pipeline in a pipeline
			out["step"] = p.Step
		}
		return mode(out), nil
	}
	bound := scalar(g.bind(text))
	return literal(&bound), nil
}

// modeWord is a component's mode in the words of REST.
func modeWord(yaml string) string {
	switch yaml {
	case "ro_mount", "mount":
		return "ReadOnlyMount"
	case "rw_mount":
		return "ReadWriteMount"
	case "download", "upload", "direct":
		return wire.PascalCase(yaml)
	}
	return ""
}

// portType: path is an old word for any file or folder, and an output that is a
// value is written to a file.
func portType(t string) string {
	if literalType(t) {
		return "uri_file"
	}
	if t == "path" || t == "" {
		return "uri_folder"
	}
	return t
}

// defaultPlace is where outputs go that name no address, when the pipeline names a datastore.
func (g *graph) defaultPlace(sc arm.Scope, outputType string) string {
	ds := g.spec.Settings.DefaultDatastore
	if ds == "" {
		return ""
	}
	uri := sc.DatastoreURI(computeName(g.bind(assetID(ds))), "azureml/${{name}}/${{output_name}}/")
	if outputType == "uri_file" {
		uri = strings.TrimSuffix(uri, "/")
	}
	return uri
}

// placeOutputs gives the pipeline's own outputs the place that its steps' have.
func (g *graph) placeOutputs(sc arm.Scope) {
	for k, o := range g.spec.Outputs {
		if o == nil {
			o = &output{Type: "uri_folder"}
			g.spec.Outputs[k] = o
		}
		if o.URI == "" {
			o.URI = g.defaultPlace(sc, o.Type)
		}
	}
}

// output is where a step's output goes: to the pipeline's own when it is bound
// to one.
func (g *graph) output(sc arm.Scope, pipeline string, s *step, k string, port *componentPort) map[string]any {
	out := map[string]any{"jobOutputType": portType(port.Type)}
	if uri := g.defaultPlace(sc, portType(port.Type)); uri != "" {
		out["uri"] = uri
	}
	o := s.Outputs[k]
	if o == nil {
		return out
	}
	if m := toOutput.FindStringSubmatch(o.Value); m != nil {
		if p := g.spec.Outputs[m[1]]; p != nil {
			out["uri"] = destinations(sc, pipeline, &commandSpec{Outputs: map[string]*output{m[1]: p}})[m[1]].URI
			out["assetName"], out["assetVersion"], out["place"] = p.AssetName, p.AssetVersion, strings.ReplaceAll(cmp.Or(p.Place, p.URI, ownPlace), "${{output_name}}", m[1])
			if p.Mode != "" {
				out["mode"] = p.Mode
			}
		}
	}
	for field, v := range map[string]string{"uri": o.URI, "mode": o.Mode, "assetName": o.Name, "assetVersion": string(o.Version)} {
		if v != "" {
			out[field] = v
		}
	}
	if o.URI != "" {
		delete(out, "place")
	}
	return out
}

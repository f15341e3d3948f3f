package emulator

import (
	"context"
	"encoding/json"

	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/wire"
)

// batchWork makes the job of an invocation: a pipeline with one parallel step, or
// the pipeline of the deployment's component.
type batchWork struct {
	s                    *Server
	sc                   arm.Scope
	endpoint, deployment document
	props                map[string]any // of the request
}

// Marks of the jobs that batch endpoints make.
const (
	batchEndpointMark   = "azureml.batchendpoint"
	batchDeploymentMark = "azureml.batchdeployment"
)

// batchStep is the name of the parallel step, and scoreOutput that of its output,
// under which clients look for the results.
const (
	batchStep   = "batchscoring"
	scoreOutput = "score"
)

// batchTypes are the regional service's words for kinds of inputs and outputs.
var batchTypes = map[string]string{
	"urifolder": "uri_folder", "urifile": "uri_file", "mltable": "mltable", "mlflowmodel": "mlflow_model", "custommodel": "custom_model", "tritonmodel": "triton_model", "literal": "literal",
}

func batchType(word string) (string, bool) {
	t, ok := batchTypes[strings.ReplaceAll(strings.ToLower(word), "_", "")]
	return t, ok
}

func (w *batchWork) job(ctx context.Context) (document, error) {
	inputs, err := w.inputs()
	if err != nil {
		return nil, err
	}
	outputs, err := w.outputs()
	if err != nil {
		return nil, err
	}
	p := map[string]any{
		"jobType": "Pipeline", "inputs": inputs, "outputs": outputs, "displayName": w.deployment.text("name"), "experimentName": w.endpoint.text("name"),
		"properties": map[string]any{batchEndpointMark: w.endpoint.text("name"), batchDeploymentMark: w.deployment.text("name")},
	}
	for k, to := range map[string]string{"experimentName": "experimentName", "displayName": "displayName"} {
		if v := document(w.props).text("properties", k); v != "" {
			p[to] = v
		}
	}
	if v := document(w.props).text("description"); v != "" {
		p["description"] = v
	}
	tags := map[string]any{"azureml.batchrun": "true", "azureml.deploymentname": w.deployment.text("name"), "azureml.jobtype": "azureml.batchjob"}
	switch kind := w.deployment.text("properties", "deploymentConfiguration", "deploymentConfigurationType"); strings.ToLower(kind) {
	case "", "model":
		err = w.model(ctx, p)
	case "pipelinecomponent":
		tags["azureml.jobtype"] = "azureml.pipelinejob"
		err = w.pipeline(p)
	default:
		err = arm.Invalid("properties.deploymentConfiguration.deploymentConfigurationType", "The local workspace runs batch deployments of models and of pipeline components, not %q.", kind)
	}
	if err != nil {
		return nil, err
	}
	if more, ok := w.props["tags"].(map[string]any); ok {
		maps.Copy(tags, more)
	}
	p["tags"] = tags
	return document{"properties": p}, nil
}

// inputs are the request's, in the words of the resource manager.
func (w *batchWork) inputs() (map[string]any, error) {
	out := map[string]any{}
	all, ok := w.props["inputData"].(map[string]any)
	if !ok && !nothing(w.props["inputData"]) {
		return nil, arm.Invalid("properties.inputData", "The inputs must be an object.")
	}
	if !nothing(w.props["dataset"]) {
		return nil, arm.Invalid("properties.dataset", "The local workspace knows no datasets of version 1; give the data as inputData.")
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		at := "properties.inputData." + k
		in, ok := all[k].(map[string]any)
		if !ok {
			return nil, arm.Invalid(at, "An input must be an object.")
		}
		word := document(in).text("jobInputType")
		t, ok := batchType(word)
		if !ok {
			return nil, arm.Invalid(at+".jobInputType", "The input type %q is unknown: UriFolder, UriFile, MLTable, MLFlowModel, CustomModel, TritonModel or Literal.", word)
		}
		if t == "literal" {
			if in["value"] == nil {
				return nil, arm.Invalid(at+".value", "A value is required.")
			}
			out[k] = map[string]any{"jobInputType": t, "value": literalText(in["value"])}
			continue
		}
		uri := document(in).text("uri")
		if uri == "" {
			return nil, arm.Invalid(at+".uri", "An address is required.")
		}
		one := map[string]any{"jobInputType": t, "uri": uri}
		if m := document(in).text("mode"); m != "" {
			one["mode"] = inputMode(m)
		}
		out[k] = one
	}
	return out, nil
}

// inputMode takes the words of YAML, which azure-ai-ml passes on, for REST's.
func inputMode(m string) string {
	switch strings.ToLower(m) {
	case "ro_mount":
		return "ReadOnlyMount"
	case "rw_mount":
		return "ReadWriteMount"
	case "download", "direct", "upload":
		return wire.PascalCase(strings.ToLower(m))
	}
	return m
}

// literalText is a literal as jobs have it, text, with Python's words for truth.
func literalText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}

func (w *batchWork) outputs() (map[string]any, error) {
	out := map[string]any{}
	all, ok := w.props["outputData"].(map[string]any)
	if !ok && !nothing(w.props["outputData"]) {
		return nil, arm.Invalid("properties.outputData", "The outputs must be an object.")
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		at := "properties.outputData." + k
		o, ok := all[k].(map[string]any)
		if !ok {
			return nil, arm.Invalid(at, "An output must be an object.")
		}
		word := document(o).text("jobOutputType")
		t, ok := batchType(word)
		if !ok || t == "literal" {
			return nil, arm.Invalid(at+".jobOutputType", "The output type %q is unknown: UriFolder, UriFile, MLTable, MLFlowModel, CustomModel or TritonModel.", word)
		}
		one := map[string]any{"jobOutputType": t}
		if uri := document(o).text("uri"); uri != "" {
			one["uri"] = uri
		}
		if m := document(o).text("mode"); m != "" {
			one["mode"] = inputMode(m)
		}
		out[k] = one
	}
	if d, ok := w.props["outputDataset"].(map[string]any); ok && !nothing(d["datastoreId"]) {
		store := document(d).text("datastoreId")
		store = store[strings.LastIndexByte(store, '/')+1:]
		at := strings.Trim(document(d).text("path"), "/")
		if at != "" {
			at += "/"
		}
		out[scoreOutput] = map[string]any{"jobOutputType": "uri_folder", "uri": w.sc.DatastoreURI(strings.TrimPrefix(store, "azureml:"), at)}
	}
	return out, nil
}

// pipeline fills the job of a deployment of a pipeline component.
func (w *batchWork) pipeline(p map[string]any) error {
	cfg := document(w.deployment.object("properties", "deploymentConfiguration"))
	id := cfg.text("componentId", "assetId")
	if id == "" {
		id = cfg.text("componentId")
	}
	if id == "" {
		return arm.Invalid("properties.deploymentConfiguration.componentId", "The deployment %s names no component.", w.deployment.text("name"))
	}
	if strings.HasPrefix(id, "azureml:/subscriptions/") {
		id = strings.TrimPrefix(id, "azureml:")
	}
	p["componentId"] = id
	settings := map[string]any{}
	for k, v := range cfg.object("settings") {
		settings[snake(k)] = v
	}
	if t := document(w.props).text("compute", "target"); t != "" {
		p["computeId"] = t
	}
	p["settings"] = settings
	return nil
}

// snake is a key in YAML's spelling.
func snake(k string) string {
	var b strings.Builder
	for i, r := range k {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// numberOf reads the first of some values that is given.
func numberOf(field string, of ...any) (string, error) {
	for _, v := range of {
		switch v := v.(type) {
		case nil:
		case json.Number:
			return v.String(), nil
		case int:
			return strconv.Itoa(v), nil
		default:
			return "", arm.Invalid(field, "A number is wanted, got %v.", v)
		}
	}
	return "", nil
}

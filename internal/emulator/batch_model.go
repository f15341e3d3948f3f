package emulator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/wire"
)

// mlflowEnvironment is what MLflow models are scored in that name no environment.
const mlflowEnvironment = arm.CuratedRegistryID + "/environments/mlflow-model-inference/versions/1"

// What a batch deployment does that does not say: three more tries, of 30 seconds each.
const (
	batchRetries = "3"
	batchTimeout = 30 * time.Second
)

// model fills the job of a deployment of a model: one parallel step, whose
// component is made for it.
func (w *batchWork) model(ctx context.Context, p map[string]any) error {
	d := document(w.deployment.props())
	inputs, outputs := document(p).object("inputs"), document(p).object("outputs")
	names := slices.Sorted(maps.Keys(inputs))
	if len(names) != 1 {
		return arm.Invalid("properties.inputData", "The deployment %s of a model takes one input, a file or a folder; the request has %d: %s.", w.deployment.text("name"), len(names), strings.Join(names, ", "))
	}
	input := names[0]
	kind := document(inputs).text(input, "jobInputType")
	if kind != "uri_file" && kind != "uri_folder" {
		return arm.Invalid("properties.inputData."+input+".jobInputType", "A deployment of a model takes UriFile and UriFolder, not %s.", document(w.props).text("inputData", input, "jobInputType"))
	}
	for k := range outputs {
		if k != scoreOutput {
			return arm.Invalid("properties.outputData."+k, "A deployment of a model has the output %s alone.", scoreOutput)
		}
	}
	if outputs[scoreOutput] == nil {
		outputs[scoreOutput] = map[string]any{"jobOutputType": "uri_folder"}
	}
	outKind := document(outputs).text(scoreOutput, "jobOutputType")
	if outKind != "uri_file" && outKind != "uri_folder" {
		return arm.Invalid("properties.outputData.score.jobOutputType", "The output %s is UriFile or UriFolder, not %s.", scoreOutput, outKind)
	}
	task, err := w.task(ctx, d)
	if err != nil {
		return err
	}
	node, err := w.node(d)
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.ReplaceAll(d.text("outputAction"), "_", ""), "SummaryOnly") {
		task["append_row_to"] = "${{outputs." + scoreOutput + "}}"
		file := document(w.props).text("outputFileName")
		if file == "" {
			file = d.text("outputFileName")
		}
		if file != "" && outKind == "uri_folder" {
			task["program_arguments"] = "--append_row_file_name " + quoted(file)
		}
		if err := w.outputFree(ctx, document(outputs).text(scoreOutput, "uri"), file, outKind); err != nil {
			return err
		}
	}
	node["task"] = task
	spec := map[string]any{
		"name": wire.AnonymousComponent, "version": "1", "type": "parallel", "is_deterministic": false, "input_data": "${{inputs." + input + "}}", "task": task,
		"inputs": map[string]any{input: map[string]any{"type": kind}}, "outputs": map[string]any{scoreOutput: map[string]any{"type": outKind}},
	}
	if node["componentId"], err = w.component(ctx, spec); err != nil {
		return err
	}
	node["type"], node["display_name"], node["input_data"] = "parallel", batchStep, spec["input_data"]
	node["inputs"] = map[string]any{input: map[string]any{"job_input_type": "literal", "value": "${{parent.inputs." + input + "}}"}}
	node["outputs"] = map[string]any{scoreOutput: map[string]any{"job_output_type": outKind, "type": "literal", "value": "${{parent.outputs." + scoreOutput + "}}"}}
	p["jobs"] = map[string]any{batchStep: node}
	p["settings"] = map[string]any{"force_rerun": true}
	compute := document(w.props).text("compute", "target")
	if compute == "" {
		compute = d.text("compute")
	}
	if compute != "" {
		p["computeId"] = compute
	}
	return nil
}

// outputFree refuses to write over a file: on Azure such a job fails when it has
// scored everything.
func (w *batchWork) outputFree(ctx context.Context, uri, file, kind string) error {
	if uri == "" || strings.Contains(uri, "${{") {
		return nil
	}
	loc, err := w.s.resolver.Resolve(ctx, w.sc, uri, arm.Data)
	if err != nil || loc.Container == "" {
		return nil // the job's own check says what is wrong with it
	}
	name := strings.TrimSuffix(loc.Path, "/")
	if kind == "uri_folder" {
		name = strings.TrimPrefix(name+"/"+file, "/")
	}
	_, err = w.s.blobs.Stat(ctx, loc.Account, loc.Container, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return arm.Invalid("properties.outputData."+scoreOutput+".uri", "Output already exists: there is a file %s. Give an output location where there is none.", uri)
}

// component makes the step's component, the same one for the same deployment.
func (w *batchWork) component(ctx context.Context, spec map[string]any) (string, error) {
	version, err := wire.HashID(spec)
	if err != nil {
		return "", err
	}
	return w.s.register(ctx, w.sc, arm.Components, wire.AnonymousComponent, version, map[string]any{
		"componentSpec": spec, "isAnonymous": true, "isArchived": false, "tags": map[string]any{}, "properties": map[string]any{}, "description": nil,
	})
}

// task is what the deployment runs on each mini-batch.
func (w *batchWork) task(ctx context.Context, d document) (map[string]any, error) {
	name := w.deployment.text("name")
	task := map[string]any{"type": "run_function"}
	model := d.text("model", "assetId")
	kind := ""
	if model != "" {
		loc, err := w.s.resolver.Resolve(ctx, w.sc, model, arm.Models)
		if err != nil {
			return nil, err
		}
		if kind = loc.Type; loc.AssetID != "" {
			model = loc.AssetID
		}
		task["model"] = model
	}
	environment := d.text("environmentId")
	code, script := d.text("codeConfiguration", "codeId"), d.text("codeConfiguration", "scoringScript")
	switch {
	case code != "" && script == "":
		return nil, arm.Invalid("properties.codeConfiguration.scoringScript", "The deployment %s has code and names no scoring script in it.", name)
	case code != "":
		task["code"], task["entry_script"] = code, script
	case strings.EqualFold(strings.ReplaceAll(kind, "_", ""), "mlflowmodel"):
		task["type"] = "model"
		if environment == "" {
			environment = mlflowEnvironment
		}
	case model == "":
		return nil, arm.Invalid("properties.model", "The deployment %s has neither a model nor a scoring script.", name)
	default:
		return nil, arm.Invalid("properties.codeConfiguration", "The deployment %s has no scoring script; only MLflow models are scored without one, and the model is a %s.", name, kind)
	}
	if environment == "" {
		return nil, arm.Invalid("properties.environmentId", "The deployment %s has no environment.", name)
	}
	task["environment"] = environment
	return task, nil
}

// node is how the step works: the deployment's settings, and over them those of the request.
func (w *batchWork) node(d document) (map[string]any, error) {
	node := map[string]any{}
	for _, f := range []struct{ from, to string }{{"miniBatchSize", "mini_batch_size"}, {"errorThreshold", "error_threshold"}, {"maxConcurrencyPerInstance", "max_concurrency_per_instance"}} {
		v, err := numberOf("properties."+f.from, w.props[f.from], d[f.from])
		if err != nil {
			return nil, err
		}
		if v != "" {
			node[f.to] = v
		}
	}
	retry := map[string]any{"max_retries": batchRetries, "timeout": int(batchTimeout / time.Second)}
	for _, from := range []document{d, w.props} {
		r := document(from.object("retrySettings"))
		if n, err := numberOf("properties.retrySettings.maxRetries", r["maxRetries"]); err != nil {
			return nil, err
		} else if n != "" {
			retry["max_retries"] = n
		}
		if t := r.text("timeout"); t != "" {
			limit, err := wire.ParseDuration(t)
			if err != nil || limit < time.Second {
				return nil, arm.Invalid("properties.retrySettings.timeout", "Want an ISO 8601 duration of a second or more such as PT30S, got %q.", t)
			}
			retry["timeout"] = int(limit / time.Second)
		}
	}
	node["retry_settings"] = retry
	if l := d.text("loggingLevel"); l != "" {
		node["logging_level"] = strings.ToUpper(l)
	}
	if v := d.object("environmentVariables"); len(v) > 0 {
		node["environment_variables"] = v
	}
	resources := map[string]any{}
	for k, v := range d.object("resources") {
		if !nothing(v) {
			resources[snake(k)] = v
		}
	}
	c := document(document(w.props).object("compute"))
	for _, k := range []string{"instanceCount", "instanceType"} {
		if !nothing(c[k]) {
			resources[snake(k)] = c[k]
		}
	}
	node["resources"] = resources
	return node, nil
}

// quoted is one argument, whatever characters it has.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

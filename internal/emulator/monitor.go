package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/monitoring"
)

const monitorField = "properties.action.monitorDefinition"

// checkMonitor refuses a monitor of which the local workspace can compute a signal not at all. Whether its data and components are
// there is known at each tick.
func checkMonitor(d document) error {
	if _, err := signalsOf(d); err != nil {
		return err
	}
	for _, s := range d.object("properties", "action", "monitorDefinition", "signals") {
		if signal, ok := s.(map[string]any); ok {
			sayContexts(signal)
		}
	}
	return nil
}

// sayContexts writes that data has no context where it says none: azure-ai-ml does not read a document without the word.
func sayContexts(signal map[string]any) {
	all := []any{signal["referenceData"], signal["productionData"]}
	if list, ok := signal["productionData"].([]any); ok {
		all = append(all, list...)
	}
	if m, ok := signal["inputAssets"].(map[string]any); ok {
		for _, v := range m {
			all = append(all, v)
		}
	}
	for _, v := range all {
		if m, ok := v.(map[string]any); ok {
			if _, said := m["dataContext"]; !said {
				m["dataContext"] = nil
			}
		}
	}
}

// signalsOf reads a monitor's signals. Their errors name the field.
func signalsOf(d document) (map[string]*monitoring.Signal, error) {
	signals := d.object("properties", "action", "monitorDefinition", "signals")
	if len(signals) == 0 {
		return nil, arm.Invalid(monitorField+".signals", "The local workspace adds no signals to a monitor that has none; name those that are to be computed.")
	}
	out := map[string]*monitoring.Signal{}
	for _, name := range slices.Sorted(maps.Keys(signals)) {
		raw, err := encode(signals[name])
		if err != nil {
			return nil, err
		}
		s, err := monitoring.Parse(raw)
		if f, ok := errors.AsType[*monitoring.Error](err); ok {
			return nil, arm.Invalid(strings.TrimSuffix(monitorField+".signals."+name+"."+f.Field, "."), "%s", f.Message)
		}
		if err != nil {
			return nil, err
		}
		out[name] = s
	}
	return out, nil
}

// monitorWork makes the job of a monitor's tick: a pipeline with a step for each signal, and before it those of components that
// preprocess its data or compute it.
type monitorWork struct {
	s       *Server
	sc      arm.Scope
	monitor string // the schedule's name
	at      time.Time
	def     document // the monitor's definition
	nodes   map[string]any
	inputs  map[string]any
	outputs map[string]any
}

// monitorJob is a monitor's job for a time, without its names.
func (s *Server) monitorJob(ctx context.Context, sc arm.Scope, d document, at time.Time) (document, error) {
	signals, err := signalsOf(d)
	if err != nil {
		return nil, err
	}
	w := &monitorWork{s: s, sc: sc, monitor: d.text("name"), at: at.UTC(), def: document(d.object("properties", "action", "monitorDefinition")), nodes: map[string]any{}, inputs: map[string]any{}, outputs: map[string]any{}}
	for _, name := range slices.Sorted(maps.Keys(signals)) {
		if err := w.signal(ctx, name, signals[name]); err != nil {
			e := arm.As(err)
			return nil, arm.Invalid(monitorField+".signals."+name, "%s", e.Message)
		}
	}
	return document{
		"jobType": "Pipeline", "experimentName": d.text("name"), "jobs": w.nodes, "inputs": w.inputs, "outputs": w.outputs,
		"settings": map[string]any{"force_rerun": true, "continue_on_step_failure": true},
	}, nil
}

var notWord = regexp.MustCompile(`[^a-z0-9_]+`)

// node is a name of a step that is not used yet.
func (w *monitorWork) node(name string) string {
	name = notWord.ReplaceAllString(strings.ToLower(name), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "signal_" + name
	}
	for i, try := 2, name; ; i++ {
		if w.nodes[try] == nil {
			return try
		}
		try = fmt.Sprintf("%s_%d", name, i)
	}
}

// signal adds the steps of a signal.
func (w *monitorWork) signal(ctx context.Context, name string, s *monitoring.Signal) error {
	raw, err := encode(document(w.def.object("signals"))[name])
	if err != nil {
		return err
	}
	step := w.node(name)
	task := w.def.text("monitoringTarget", "taskType")
	if task == "" {
		task = "classification"
	}
	inputs := map[string]any{}
	for k, v := range map[string]string{"monitor_name": w.monitor, "signal_name": name, "signal": string(raw), "task_type": task, "monitor_current_time": w.at.Format(time.RFC3339), "notification_emails": strings.Join(w.emails(), ",")} {
		if v != "" {
			inputs[k] = nodeLiteral(v)
		}
	}
	w.nodes[step] = map[string]any{} // its name is taken
	data := map[string]*monitoring.Data{}
	for i, d := range s.Production {
		data[[]string{"production_data", "production_data_2"}[i]] = d
	}
	if s.Reference != nil {
		data["reference_data"] = s.Reference
	}
	for _, port := range slices.Sorted(maps.Keys(data)) {
		if inputs[port], err = w.data(ctx, step+"_"+port, data[port]); err != nil {
			return fmt.Errorf("%s: %s", port, arm.As(err).Message)
		}
	}
	if s.Kind == monitoring.Custom {
		if inputs["signal_metrics"], err = w.custom(ctx, step+"_compute_metrics", s); err != nil {
			return err
		}
	}
	w.outputs[step] = map[string]any{"jobOutputType": "uri_folder"}
	w.nodes[step] = map[string]any{
		"type": "pipeline", "componentId": execution.SignalComponent(s.Kind), "display_name": name, "inputs": inputs,
		"outputs": map[string]any{execution.SignalOutput: map[string]any{"type": "literal", "job_output_type": "uri_folder", "value": "${{parent.outputs." + step + "}}"}},
	}
	return nil
}

func nodeLiteral(v any) map[string]any {
	return map[string]any{"job_input_type": "literal", "value": v}
}

// bareAsset is an asset as a custom signal's document names it, NAME:VERSION.
var bareAsset = regexp.MustCompile(`^[A-Za-z0-9][\w.\-]*[:@][\w.\-]+$`)

func assetOf(ref string) string {
	if bareAsset.MatchString(ref) {
		return "azureml:" + ref
	}
	return ref
}

// data is the input of a step, or what a component makes of it before.
func (w *monitorWork) data(ctx context.Context, step string, d *monitoring.Data) (map[string]any, error) {
	kind := d.Type
	if kind == "" {
		kind = "uri_folder"
	}
	in := map[string]any{"job_input_type": kind, "uri": assetOf(d.URI)}
	if d.Preprocessing == "" {
		return in, nil
	}
	c, err := w.component(ctx, d.Preprocessing)
	if err != nil {
		return nil, err
	}
	span, fault := d.Span(w.at)
	if fault != nil {
		return nil, fault
	}
	if span.End.IsZero() { // all of it, up to now
		span = monitoring.Span{Start: time.Unix(0, 0).UTC(), End: w.at}
	}
	name := w.node(step)
	const preprocessed = "preprocessed_input_data"
	w.nodes[name] = map[string]any{"type": c.kind, "componentId": c.id, "inputs": map[string]any{
		"input_data": in, "data_window_start": nodeLiteral(span.Start.Format("2006-01-02T15:04:05Z")), "data_window_end": nodeLiteral(span.End.Format("2006-01-02T15:04:05Z")),
	}}
	return bound(name, preprocessed), nil
}

func bound(step, output string) map[string]any {
	return nodeLiteral("${{parent.jobs." + step + ".outputs." + output + "}}")
}

// scheduledComponent is what a monitor's steps need to know of a component.
type scheduledComponent struct {
	id, kind        string
	inputs, outputs map[string]any
}

func (w *monitorWork) component(ctx context.Context, ref string) (*scheduledComponent, error) {
	loc, err := w.s.resolver.Resolve(ctx, w.sc, assetOf(ref), arm.Components)
	if err != nil {
		return nil, err
	}
	var p struct {
		Spec struct {
			Type            string
			Inputs, Outputs map[string]any
		} `json:"componentSpec"`
	}
	if err := json.Unmarshal(loc.Properties, &p); err != nil {
		return nil, err
	}
	c := &scheduledComponent{id: loc.AssetID, kind: p.Spec.Type, inputs: p.Spec.Inputs, outputs: p.Spec.Outputs}
	if c.kind == "" {
		c.kind = "command"
	}
	return c, nil
}

// custom adds the step of a component that computes a signal, and gives where its metrics are. Thresholds are inputs of it that are
// called METRIC_threshold, where it has such.
func (w *monitorWork) custom(ctx context.Context, step string, s *monitoring.Signal) (map[string]any, error) {
	c, err := w.component(ctx, s.Component)
	if err != nil {
		return nil, err
	}
	const out = "signal_metrics"
	if c.outputs[out] == nil {
		return nil, arm.Invalid("componentId", "The component %s has no output %s, the table of the metrics that it computes; it has: %s.", s.Component, out, strings.Join(slices.Sorted(maps.Keys(c.outputs)), ", "))
	}
	inputs := map[string]any{}
	for _, t := range s.Thresholds {
		if k := t.Metric + "_threshold"; c.inputs[k] != nil && t.Threshold.Value != nil {
			inputs[k] = nodeLiteral(fmt.Sprint(*t.Threshold.Value))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.Inputs)) {
		var in struct {
			Type  string `json:"jobInputType"`
			URI   string `json:"uri"`
			Mode  string `json:"mode"`
			Value any    `json:"value"`
		}
		if err := json.Unmarshal(s.Inputs[k], &in); err != nil {
			return nil, arm.Invalid("inputs."+k, "%v", err)
		}
		if strings.EqualFold(in.Type, "literal") || in.URI == "" {
			inputs[k] = nodeLiteral(in.Value)
			continue
		}
		one := map[string]any{"job_input_type": in.Type, "uri": assetOf(in.URI)}
		if in.Mode != "" {
			one["mode"] = in.Mode
		}
		inputs[k] = one
	}
	for _, k := range slices.Sorted(maps.Keys(s.Assets)) {
		if inputs[k], err = w.data(ctx, step+"_"+k, s.Assets[k]); err != nil {
			return nil, err
		}
	}
	name := w.node(step)
	n := map[string]any{"type": c.kind, "componentId": c.id, "inputs": inputs}
	if len(s.Connection.Variables) > 0 {
		n["environment_variables"] = s.Connection.Variables
	}
	w.nodes[name] = n
	return bound(name, out), nil
}

// emails are the people whom Azure would tell.
func (w *monitorWork) emails() []string {
	for _, at := range [][]string{{"alertNotificationSetting", "emailNotificationSetting", "emails"}, {"alertNotificationSettings", "emailNotificationSettings", "emails"}} {
		if list, ok := w.def.at(at...).([]any); ok {
			var out []string
			for _, v := range list {
				out = append(out, wordOf(v))
			}
			return out
		}
	}
	return nil
}

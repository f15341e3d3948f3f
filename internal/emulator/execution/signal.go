package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/monitoring"
)

// monitorSignal is the type of the steps that compute a monitor's signals. In the service's documents they are steps of
// components of its own registry, which are pipelines of Spark jobs; here the workspace itself computes them.
const monitorSignal = "monitor_signal"

// signalComponents are those components by the signals that they compute.
var signalComponents = map[string]string{
	monitoring.DataDrift: "data_drift_signal_monitor", monitoring.PredictionDrift: "prediction_drift_signal_monitor", monitoring.DataQuality: "data_quality_signal_monitor",
	monitoring.AttributionDrift: "feature_attribution_drift_signal_monitor", monitoring.ModelPerformance: "model_performance_signal_monitor", monitoring.Custom: "model_monitor_metric_outputter",
}

const signalVersion = "/versions/local"

// SignalComponent is the id of the component that computes signals of a kind.
func SignalComponent(kind string) string {
	return "azureml://registries/" + arm.CuratedRegistry + "/components/" + signalComponents[kind] + signalVersion
}

// signalComponent is the component of such an id; nil for all others.
func signalComponent(id string) *component {
	name, ok := strings.CutSuffix(strings.TrimPrefix(id, "azureml://registries/"+arm.CuratedRegistry+"/components/"), signalVersion)
	if !ok {
		return nil
	}
	for _, n := range signalComponents {
		if n == name {
			text, optional := &componentPort{Type: "string"}, flag(true)
			never := false
			c := &component{id: id, raw: json.RawMessage("{}"), Type: monitorSignal, Deterministic: &never, Inputs: map[string]*componentPort{}, Outputs: map[string]*componentPort{SignalOutput: {Type: "uri_folder"}}}
			for _, k := range []string{"monitor_name", "signal_name", "signal", "task_type", "monitor_current_time"} {
				c.Inputs[k] = text
			}
			c.Inputs["notification_emails"] = &componentPort{Type: "string", Optional: optional}
			for _, k := range []string{"production_data", "production_data_2", "reference_data", "signal_metrics"} {
				c.Inputs[k] = &componentPort{Type: "uri_folder", Optional: optional}
			}
			return c
		}
	}
	return nil
}

// SignalOutput is the output of a signal's step: signals/NAME.json below it has the values.
const SignalOutput = "signal_output"

func init() {
	addKind("MonitorSignal", &kind{inner: true, drive: (*job).signal, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		var s commandSpec
		if err := json.Unmarshal(properties, &s); err != nil {
			return []*arm.Error{arm.Invalid("properties", "the signal cannot be read: %v", err)}
		}
		var out []*arm.Error
		e.checkPorts(ctx, sc, &s, func(err error) { out = append(out, arm.As(err)) })
		return out
	}})
	addNode(monitorSignal, &nodeType{component: monitorSignal, job: func(_ *graph, _ *step, p map[string]any) error {
		p["jobType"] = "MonitorSignal"
		return nil
	}})
}

// signalRun is a signal that is being computed.
type signalRun struct {
	j      *job
	s      *commandSpec
	p      *paths
	log    *executionLog
	def    *monitoring.Signal
	at     time.Time
	emails string
}

func (x *signalRun) literal(k string) string {
	if in := x.s.Inputs[k]; in != nil && in.Value != nil {
		return string(*in.Value)
	}
	return ""
}

// signal computes a monitor's signal: in the service's own process, by goroutines and no jobs.
func (j *job) signal() (err error) {
	e, r := j.e, j.snapshot()
	x := &signalRun{j: j, s: &commandSpec{}}
	if err := json.Unmarshal(r.Spec, x.s); err != nil {
		return err
	}
	if x.def, err = monitoring.Parse(json.RawMessage(x.literal("signal"))); err != nil {
		return userError("%v", err)
	}
	if x.at, err = time.Parse(time.RFC3339, x.literal("monitor_current_time")); err != nil {
		return userError("monitor_current_time: %v", err)
	}
	x.emails = x.literal("notification_emails")
	now := e.Clock()
	r = j.change(func(r *Record) {
		if r.Status != CancelRequested {
			r.Status = Running
		}
		r.Started, r.Outputs = now, destinations(r.Scope, r.Name, x.s)
	})
	if err := e.store(j.ctx, r); err != nil {
		return j.cause(err)
	}
	if x.p, err = e.newPaths(r); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(x.p.root)) }()
	if x.log, err = j.ownLog("user_logs/std_log.txt"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.log.finish()) }()
	if err := x.compute(); err != nil {
		err = j.cause(err)
		x.log.printf("The signal could not be computed: %v", reason(err))
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(j.ctx), time.Hour)
	defer cancel()
	return j.collect(ctx, x.s, x.p, true)
}

func (x *signalRun) compute() error {
	name := x.literal("signal_name")
	x.log.printf("The signal %s (%s) of the monitor %s is computed for %s by the local workspace itself, not by Spark.", name, x.def.Kind, x.literal("monitor_name"), x.at.UTC().Format(time.RFC3339))
	for k, in := range x.s.Inputs { // a reader needs files, however a component would have them
		if in != nil && in.Type != "literal" {
			x.s.Inputs[k].Mode = ""
		}
	}
	if err := x.j.materialise(x.s, x.p); err != nil {
		return err
	}
	metrics, err := x.metrics()
	if err != nil {
		return err
	}
	if err := x.publish(name, metrics); err != nil {
		return err
	}
	return x.alert(name, metrics)
}

func (x *signalRun) metrics() ([]monitoring.Metric, error) {
	ctx := x.j.ctx
	if x.def.Kind == monitoring.Custom {
		t, err := x.table("signal_metrics", nil)
		if err != nil {
			return nil, err
		}
		m, err := x.def.Given(t)
		if err != nil {
			return nil, userError("%v", err)
		}
		return m, nil
	}
	var tables monitoring.Tables
	for i, d := range x.def.Production {
		t, err := x.table([]string{"production_data", "production_data_2"}[i], d)
		if err != nil {
			return nil, err
		}
		tables.Production = append(tables.Production, t)
	}
	if x.def.Reference != nil {
		var err error
		if tables.Reference, err = x.table("reference_data", x.def.Reference); err != nil {
			return nil, err
		}
	}
	m, err := x.def.Compute(ctx, tables, x.literal("task_type"), x.log.printf)
	if err != nil && ctx.Err() == nil {
		return nil, userError("%v", err)
	}
	return m, err
}

// table reads the data of an input, as much of it as its window has.
func (x *signalRun) table(port string, d *monitoring.Data) (*monitoring.Table, error) {
	in, ok := x.s.Inputs[port], x.p.values["inputs."+port] != ""
	if in == nil || !ok {
		return nil, userError("%s: there is no data", port)
	}
	n, err := 1, error(nil)
	var t *monitoring.Table
	at := x.p.values["inputs."+port]
	if _, missing := os.Stat(filepath.Join(at, "MLTable")); missing == nil || in.Type == "mltable" {
		// A window is a component's to apply: of a table it is not known what its rows' times are.
		var m *mltable
		if m, err = x.j.readTable(at, filepath.Join(x.p.temp, port+"-remote")); err != nil {
			return nil, userError("%s: %v", port, reason(err))
		}
		if m.Format == "" {
			return nil, userError("%s: the MLTable has no transformation that reads rows: read_delimited, read_json_lines or read_parquet", port)
		}
		n = len(m.files)
		t, err = monitoring.ReadTable(x.j.ctx, m.Definition, m.files)
	} else {
		var files []monitoring.File
		if files, err = x.window(port, in, d); err != nil {
			return nil, userError("%s: %v", port, reason(err))
		}
		n = len(files)
		t, err = monitoring.Read(x.j.ctx, files)
	}
	if err != nil {
		return nil, userError("%s: %v", port, err)
	}
	x.log.printf("%s: %d rows and %d columns were read of %d files.", port, t.Rows, len(t.Columns), n)
	return t, nil
}

// window are the files of an input that its window has.
func (x *signalRun) window(port string, in *input, d *monitoring.Data) ([]monitoring.File, error) {
	files, err := x.files(port, in)
	if err != nil || d == nil || in.Step != "" { // what a component has preprocessed is the window's
		return files, err
	}
	span, fault := d.Span(x.at)
	if fault != nil {
		return nil, fault
	}
	left, dated := span.Within(files)
	switch {
	case !dated:
		x.log.printf("%s: no path has an hour in it (yyyy/MM/dd/HH, as collectors write): all of it is read, whatever its window.", port)
	case len(left) == 0:
		return nil, userError("there is no data between %s and %s", span.Start.Format(time.RFC3339), span.End.Format(time.RFC3339))
	}
	return left, nil
}

// files are those of an input: of a folder, or the one that it is.
func (x *signalRun) files(port string, in *input) ([]monitoring.File, error) {
	at := x.p.values["inputs."+port]
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	shown := strings.TrimSuffix(in.URI, "/")
	if loc, err := x.j.e.resolve(x.j.ctx, x.j.rec.Scope, in.URI, collectionOf(in.Type)); err == nil && loc.Path != "" {
		shown = strings.TrimSuffix(loc.Path, "/")
	}
	if !info.IsDir() {
		return []monitoring.File{{Path: at, Shown: shown}}, nil
	}
	all, err := filesBelow(at)
	if err != nil {
		return nil, err
	}
	var out []monitoring.File
	for _, f := range all {
		rel, err := filepath.Rel(at, f)
		if err != nil {
			return nil, err
		}
		if name := filepath.Base(f); strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") { // as Spark leaves them out
			continue
		}
		out = append(out, monitoring.File{Path: f, Shown: path.Join(shown, filepath.ToSlash(rel))})
	}
	if len(out) == 0 {
		return nil, userError("there are no files at %s", in.URI)
	}
	return out, nil
}

// publish writes the values where they are looked for: the signal's output, the metrics of its run, and the runs that keep each
// value over time.
func (x *signalRun) publish(name string, metrics []monitoring.Metric) error {
	r := x.j.snapshot()
	runs, err := x.timeseries(name, metrics)
	if err != nil {
		return err
	}
	text, err := monitoring.Report(name, x.def.Kind, metrics, func(m monitoring.Metric) string { return runs[m.Name+"\n"+m.Group] })
	if err != nil {
		return err
	}
	at := filepath.Join(x.p.values["outputs."+SignalOutput], "signals", plainName(name)+".json")
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(at, text, 0o600); err != nil {
		return err
	}
	for _, m := range metrics {
		x.log.printf("%s%s.", m, map[bool]string{true: ", which is breached"}[m.Breached()])
	}
	return x.j.e.Tracking.LogMetrics(x.j.ctx, r.Scope.Key(), r.Name, x.points(metrics))
}

// plainName is a name without what file names have not everywhere.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || r < ' ' {
			return '_'
		}
		return r
	}, name)
}

// alert notes which thresholds were passed. Nobody is written to, and the log says so.
func (x *signalRun) alert(name string, metrics []monitoring.Metric) error {
	var broken []string
	for _, m := range metrics {
		if m.Breached() {
			var value any = m.Value
			if math.IsInf(m.Value, 0) { // JSON has no word for it
				value = fmt.Sprint(m.Value)
			}
			b, err := json.Marshal(map[string]any{"group": m.Group, "metric_value": value, "metric_name": m.Name, "threshold_value": *m.Threshold})
			if err != nil {
				return err
			}
			broken = append(broken, string(b))
		}
	}
	if len(broken) == 0 {
		x.log.printf("All metrics are within their thresholds.")
		return nil
	}
	r := x.j.snapshot()
	message := fmt.Sprintf("The signal '%s' has failed due to one or more features violating metric thresholds.\nThe feature names and their corresponding computed metric values violating the threshold are \n[%s]\n", name, strings.Join(broken, ", "))
	if len(message) > maxTag {
		message = message[:strings.LastIndexByte(message[:maxTag], '{')] + "… " + fmt.Sprint(len(broken)) + " in all\n"
	}
	x.log.printf("WARNING %s", message)
	if err := x.tag(r.Name, map[string]string{"azureml_modelmonitor_threshold_breached": message}); err != nil {
		return err
	}
	x.j.e.log.Warn("a monitor's signal passed its thresholds", "monitor", x.literal("monitor_name"), "signal", name, "job", r.Root, "metrics", len(broken))
	switch {
	case !x.def.Alerts():
		x.log.printf("Nobody is told: the signal's alerts are not enabled.")
		return nil
	case x.emails == "":
		x.log.printf("Nobody is told: the monitor names no addresses, and the local workspace has no Azure Monitor.")
	default:
		x.log.printf("The local workspace sends no mail; Azure would write to %s.", x.emails)
	}
	tags := map[string]string{"azureml.modelmonitor.threshold.breached." + name: message}
	if x.emails != "" {
		tags["azureml.notification.email.address"] = x.emails
	}
	return x.tag(r.Root, tags)
}

// maxTag is how long a tag of a run may be.
const maxTag = 4500

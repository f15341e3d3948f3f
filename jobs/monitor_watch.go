package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire"
)

// watch knows what a monitor's target collects, and how much of it each run of the monitor looks at.
type watch struct {
	r    *resolver
	days int // that pass between two runs
	// What the target's deployment collects: NAME:VERSION of data, "" where it collects none.
	inputs, outputs, traces string
}

// collector is the part of a deployment that says what it collects.
type collector struct {
	Tags       map[string]string `json:"tags"`
	Properties struct {
		DataCollector *struct {
			Collections map[string]struct {
				DataID string `json:"dataId"`
				Mode   string `json:"dataCollectionMode"`
			} `json:"collections"`
		} `json:"dataCollector"`
	} `json:"properties"`
}

// target reads what is watched (OnlineDeployments_Get).
func (w *watch) target(ctx context.Context, t *MonitorTarget) error {
	if t.Deployment == "" {
		if t.Model == "" {
			return nil
		}
		id, err := w.r.c.models.Resolve(ctx, t.Model, nil)
		t.Model = azureml.Ref(id)
		return err
	}
	endpoint, deployment, _ := deploymentOf(t.Deployment) // checked before
	if !strings.HasPrefix(strings.TrimPrefix(t.Deployment, "azureml:"), "/") {
		t.Deployment = w.r.c.id("onlineEndpoints", endpoint) + "/deployments/" + deployment
	}
	t.Deployment = strings.TrimPrefix(t.Deployment, "azureml:")
	var d collector
	path := w.r.c.rest.Path("onlineEndpoints", endpoint, "deployments", deployment)
	if err := w.r.c.rest.Do(ctx, &rest.Call{Op: w.r.op, Group: "onlineEndpoints", Path: path, Out: &d}); err != nil {
		return err
	}
	w.collects(&d)
	return nil
}

func (w *watch) collects(d *collector) {
	if d.Properties.DataCollector == nil { // older deployments say it in tags
		tag := func(what string) string {
			const prefix = "data_collector.collections."
			if !strings.EqualFold(d.Tags[prefix+what+".enabled"], "true") {
				return ""
			}
			return d.Tags[prefix+what+".data.name"] + ":" + d.Tags[prefix+what+".data.version"]
		}
		w.inputs, w.outputs = tag("model_inputs"), tag("model_outputs")
		return
	}
	name := func(what string) string {
		c := d.Properties.DataCollector.Collections[what]
		if !strings.EqualFold(c.Mode, "Enabled") {
			return ""
		}
		p, err := wire.ParseReference(c.DataID)
		if err != nil || p.Version == "" {
			return ""
		}
		return p.Name + ":" + p.Version
	}
	w.inputs, w.outputs, w.traces = name("model_inputs"), name("model_outputs"), name("app_traces")
}

// collected is data of a collection, as a monitor takes it.
func (w *watch) collected(ctx context.Context, of string, context MonitorContext) (*MonitorData, error) {
	name, version, _ := strings.Cut(of, ":")
	data, err := w.r.c.data.Get(ctx, name, version)
	if err != nil {
		return nil, err
	}
	return &MonitorData{InputData: Input{Type: DataType(data.Type), Path: "azureml:" + of}, Context: context}, nil
}

// production resolves what the model has seen or said lately; missing says what is used where nothing is given.
func (w *watch) production(ctx context.Context, d *MonitorData, of string, context MonitorContext) (*MonitorData, error) {
	if d == nil {
		if of == "" {
			return nil, fmt.Errorf("production_data: is required: the monitoring target has no deployment that collects %s", strings.ReplaceAll(string(context), "_", " "))
		}
		var err error
		if d, err = w.collected(ctx, of, context); err != nil {
			return nil, fmt.Errorf("production_data: %w", err)
		}
	}
	out, err := w.data(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("production_data: %w", err)
	}
	window := DataWindow{}
	if out.Window != nil {
		window = *out.Window
	}
	if window.Size == "" || window.Size == "default" {
		window.Size = days(w.days)
	}
	out.Window = &window
	return out, nil
}

// reference resolves what the present is compared with.
func (w *watch) reference(ctx context.Context, d *MonitorData, of string, context MonitorContext) (*MonitorData, error) {
	if d == nil {
		if of == "" {
			return nil, fmt.Errorf("reference_data: is required: the monitoring target has no deployment that collects %s", strings.ReplaceAll(string(context), "_", " "))
		}
		var err error
		if d, err = w.collected(ctx, of, context); err != nil {
			return nil, fmt.Errorf("reference_data: %w", err)
		}
		d.Window = &DataWindow{Size: "default", Offset: "default"}
	}
	out, err := w.data(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("reference_data: %w", err)
	}
	if out.Window != nil {
		window := *out.Window
		if window.Size == "default" {
			window.Size = days(2 * w.days)
		}
		if window.Offset == "default" {
			window.Offset = days(w.days)
		}
		out.Window = &window
	}
	return out, nil
}

// data resolves names to ids, and uploads what is here, in a copy.
func (w *watch) data(ctx context.Context, d *MonitorData) (*MonitorData, error) {
	out := *d
	in, err := w.inputsOf(ctx, Inputs{"input_data": d.InputData})
	if err != nil {
		return nil, err
	}
	out.InputData = in["input_data"]
	return &out, w.preprocess(ctx, &out)
}

func (w *watch) preprocess(ctx context.Context, d *MonitorData) error {
	if d.Preprocessing == "" {
		return nil
	}
	id, err := w.r.componentID(ctx, d.Preprocessing)
	if err != nil {
		return fmt.Errorf("pre_processing_component: %w", err)
	}
	d.Preprocessing = azureml.Ref(id)
	return nil
}

func (w *watch) inputsOf(ctx context.Context, in Inputs) (Inputs, error) {
	out, err := w.r.references(ctx, in)
	if err != nil {
		return nil, err
	}
	return w.r.uploads(ctx, out)
}

func days(n int) string { return fmt.Sprintf("P%dD", n) }

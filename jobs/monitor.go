package jobs

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// Monitor watches a model in production: a schedule computes its signals and tells when one passes its threshold.
type Monitor struct {
	// Compute is the serverless Spark that computes the signals. Required.
	Compute MonitorCompute `yaml:"compute,required" json:"computeConfiguration"`
	// Target is what is watched.
	Target *MonitorTarget `yaml:"monitoring_target" json:"monitoringTarget"`
	// Signals are what is computed, by name. Defaults to the drift of data and predictions and the data's quality (for
	// question answering the use of tokens), of what the target's deployment collects.
	Signals Signals `yaml:"monitoring_signals" json:"signals"`
	// Alert says who is told.
	Alert *MonitorAlert `yaml:"alert_notification" json:"alertNotificationSetting"`
}

var monitor = wire.Layout{Name: "monitor", Base: "monitorDefinition", REST: wire.Fixed{"/actionType": "CreateMonitor"}}

// WireLayout places the fields.
func (Monitor) WireLayout() *wire.Layout { return &monitor }

// Signals are the signals of a monitor by name.
type Signals map[string]Signal

// MonitorCompute is serverless Spark.
type MonitorCompute struct {
	// InstanceType is a size such as "standard_e4s_v3". Required.
	InstanceType string `yaml:"instance_type,required" json:"instanceType"`
	// RuntimeVersion is "3.4" or "3.5". Required.
	RuntimeVersion string `yaml:"runtime_version,required" json:"runtimeVersion"`
	Type           string `yaml:"compute_type" json:"-"`
}

var monitorCompute = wire.Layout{Name: "compute", REST: wire.Fixed{"computeType": "ServerlessSpark", "computeIdentity/computeIdentityType": "AmlToken"}}

// WireLayout places the fields.
func (MonitorCompute) WireLayout() *wire.Layout { return &monitorCompute }

var sparkRuntimes = []string{"3.4", "3.5"}

// MonitorTarget is a model in production: of a deployment, or by itself.
type MonitorTarget struct {
	// Task is what the model does. Defaults to classification.
	Task MonitorTask `yaml:"ml_task" json:"taskType,default=classification"`
	// Deployment is "azureml:ENDPOINT:DEPLOYMENT", or the deployment's id.
	Deployment string `yaml:"endpoint_deployment_id" json:"deploymentId"`
	// Model is "azureml:NAME:VERSION", or the model's id.
	Model azureml.Ref `yaml:"model_id" json:"modelId"`
}

// MonitorTask is what a watched model does.
type MonitorTask string

// The tasks.
const (
	Classification    MonitorTask = "classification"
	Regression        MonitorTask = "regression"
	QuestionAnswering MonitorTask = "questionanswering"
)

var monitorTasks = wire.SameEnum("classification", "regression", "questionanswering").Alias("questionanswering", "question_answering")

// WireEnum lists the spellings.
func (MonitorTask) WireEnum() *wire.Enum { return monitorTasks }

// MonitorAlert says who is told: these people, or Azure Monitor.
type MonitorAlert struct {
	Emails       []string
	AzureMonitor bool
}

// EncodeWire writes the alert.
func (a MonitorAlert) EncodeWire(e *wire.Encoding) (any, error) {
	emails := make([]any, len(a.Emails))
	for i, s := range a.Emails {
		emails[i] = s
	}
	switch {
	case e.Spelling() == wire.YAML && a.AzureMonitor:
		return "azmonitoring", nil
	case e.Spelling() == wire.YAML:
		return map[string]any{"emails": emails}, nil
	case a.AzureMonitor:
		return map[string]any{"alertNotificationType": "AzureMonitor"}, nil
	}
	return map[string]any{
		"alertNotificationType":    "Email",
		"emailNotificationSetting": map[string]any{"emailOn": []any{"JobFailed", "JobCompleted"}, "emails": emails},
	}, nil
}

// DecodeWire reads the alert.
func (a *MonitorAlert) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*a = MonitorAlert{}
	if s, ok := n.Str(); ok {
		if a.AzureMonitor = strings.EqualFold(s, "azmonitoring"); !a.AzureMonitor {
			d.Fault(n, "wants azmonitoring or a list of emails")
		}
		return
	}
	at := n.Get("emails")
	if d.Spelling() != wire.YAML {
		kind, _ := n.Get("alertNotificationType").Str()
		a.AzureMonitor = kind == "AzureMonitor"
		at = n.Get("emailNotificationSetting", "emails")
	} else if n.Kind == wire.Mapping {
		for _, e := range n.Entries {
			if e.Key != "emails" {
				d.At(e.Key).Fault(e.At, "unknown field; an alert has emails")
			}
		}
	}
	if at != nil {
		d.At("emails").Into(at, &a.Emails)
	}
}

func (m *Monitor) checkAction(_ context.Context, c *checker, _ *Schedule) {
	if m.Compute.InstanceType == "" {
		c.add("create_monitor.compute.instance_type", "a size is required, such as standard_e4s_v3")
	}
	if !slices.Contains(sparkRuntimes, m.Compute.RuntimeVersion) {
		c.add("create_monitor.compute.runtime_version", "%q is none of %s", m.Compute.RuntimeVersion, strings.Join(sparkRuntimes, ", "))
	}
	if t := m.Target; t != nil && t.Deployment != "" {
		if _, _, ok := deploymentOf(t.Deployment); !ok {
			c.add("create_monitor.monitoring_target.endpoint_deployment_id", "%q is no deployment: azureml:ENDPOINT:DEPLOYMENT, or an id", t.Deployment)
		}
	}
	if len(m.Signals) == 0 && (m.Target == nil || m.Target.Deployment == "") {
		c.add("create_monitor.monitoring_signals", "a monitor without signals needs a deployment that collects data: monitoring_target.endpoint_deployment_id")
	}
	for _, name := range slices.Sorted(maps.Keys(m.Signals)) {
		field := "create_monitor.monitoring_signals." + name
		if m.Signals[name] == nil {
			c.add(field, "the signal is nil")
			continue
		}
		c.inside(field+".", func(k *checker) { m.Signals[name].checkSignal(k) })
	}
}

var deploymentID = regexp.MustCompile(`(?i)/onlineEndpoints/([^/]+)/deployments/([^/]+)$`)

// deploymentOf takes a reference to a deployment apart.
func deploymentOf(s string) (endpoint, deployment string, ok bool) {
	s = strings.TrimPrefix(s, "azureml:")
	if m := deploymentID.FindStringSubmatch(s); m != nil {
		return m[1], m[2], true
	}
	endpoint, deployment, ok = strings.Cut(s, ":")
	return endpoint, deployment, ok && endpoint != "" && deployment != "" && !strings.ContainsAny(s, "/") && !strings.Contains(deployment, ":")
}

func (m *Monitor) resolveAction(ctx context.Context, r *resolver, s *Schedule) (Action, error) {
	out := *m
	w := watch{r: r, days: 7}
	if s.Trigger != nil {
		if n := s.Trigger.window(); n > 0 {
			w.days = n
		}
	}
	if m.Target != nil {
		t := *m.Target
		out.Target = &t
		if err := w.target(ctx, &t); err != nil {
			return nil, fmt.Errorf("create_monitor.monitoring_target: %w", err)
		}
	}
	out.Signals = maps.Clone(m.Signals)
	if len(m.Signals) == 0 {
		if w.inputs == "" || w.outputs == "" {
			return nil, fmt.Errorf("create_monitor.monitoring_signals: the deployment collects no inputs and outputs of its model; say what the signals are computed of")
		}
		out.Signals = defaultSignals(m.Target)
	}
	for _, name := range slices.Sorted(maps.Keys(out.Signals)) {
		signal, err := out.Signals[name].resolveSignal(ctx, &w)
		if err != nil {
			return nil, fmt.Errorf("create_monitor.monitoring_signals.%s: %w", name, err)
		}
		out.Signals[name] = signal
	}
	return &out, nil
}

package jobs

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/azureml-go/azureml"
)

// MonitorSource is what makes a monitor: a *Monitor, or its builder.
type MonitorSource interface {
	// monitor gives the monitor as far as it has been made, with what was wrong.
	monitor() (*Monitor, azureml.Faults)
}

func (m *Monitor) monitor() (*Monitor, azureml.Faults) { return m, nil }

// MonitorBuilder makes a Monitor step by step. What is wrong is kept and comes out at Build, all of it, or where the schedule
// that has it is made.
type MonitorBuilder struct {
	m      Monitor
	faults azureml.Faults
}

// WatchDeployment begins a monitor of what a deployment collects: "azureml:ENDPOINT:DEPLOYMENT", or its id. Without signals
// of one's own the drift of data and predictions and the data's quality are watched.
func WatchDeployment(deployment string) *MonitorBuilder {
	return &MonitorBuilder{m: Monitor{Target: &MonitorTarget{Deployment: deployment}}}
}

// WatchModel begins a monitor of a model, "azureml:NAME:VERSION", by signals.
func WatchModel(model azureml.Ref) *MonitorBuilder {
	return &MonitorBuilder{m: Monitor{Target: &MonitorTarget{Model: model}}}
}

func (b *MonitorBuilder) fault(field, format string, a ...any) *MonitorBuilder {
	b.faults = append(b.faults, &azureml.Fault{Field: field, Message: fmt.Sprintf(format, a...)})
	return b
}

// Task says what the model does. Defaults to classification.
func (b *MonitorBuilder) Task(task MonitorTask) *MonitorBuilder {
	t := *b.m.Target
	t.Task = task
	b.m.Target = &t
	return b
}

// Spark sets the serverless Spark that computes the signals: a size such as "standard_e4s_v3", and the version, "3.4" or
// "3.5". Required.
func (b *MonitorBuilder) Spark(instanceType, runtimeVersion string) *MonitorBuilder {
	b.m.Compute = MonitorCompute{InstanceType: instanceType, RuntimeVersion: runtimeVersion}
	return b
}

// Signal adds what is computed.
func (b *MonitorBuilder) Signal(name string, s Signal) *MonitorBuilder {
	field := "monitoring_signals." + name
	switch _, twice := b.m.Signals[name]; {
	case twice:
		return b.fault(field, "is given twice")
	case s == nil:
		return b.fault(field, "the signal is nil")
	}
	if b.m.Signals == nil {
		b.m.Signals = Signals{}
	}
	b.m.Signals[name] = s
	return b
}

// Email tells people when a signal passes its threshold.
func (b *MonitorBuilder) Email(addresses ...string) *MonitorBuilder {
	a := MonitorAlert{}
	if b.m.Alert != nil {
		a = *b.m.Alert
	}
	if a.AzureMonitor {
		return b.fault("alert_notification", "either people or Azure Monitor, not both")
	}
	a.Emails = append(slices.Clone(a.Emails), addresses...)
	b.m.Alert = &a
	return b
}

// AzureMonitor tells Azure Monitor when a signal passes its threshold.
func (b *MonitorBuilder) AzureMonitor() *MonitorBuilder {
	if b.m.Alert != nil && len(b.m.Alert.Emails) > 0 {
		return b.fault("alert_notification", "either people or Azure Monitor, not both")
	}
	b.m.Alert = &MonitorAlert{AzureMonitor: true}
	return b
}

// Build gives the monitor, or every fault that was met. It can be called again.
func (b *MonitorBuilder) Build() (*Monitor, error) {
	m, faults := b.monitor()
	if m == nil {
		return nil, errors.New("jobs: the builder is nil")
	}
	c := &checker{faults: faults}
	m.checkAction(c.context(), c, nil)
	if err := c.faults.Err(); err != nil {
		return nil, fmt.Errorf("jobs: build: %w", err)
	}
	return m, nil
}

func (b *MonitorBuilder) monitor() (*Monitor, azureml.Faults) {
	if b == nil {
		return nil, nil
	}
	m := b.m
	m.Signals = maps.Clone(m.Signals)
	return &m, slices.Clone(b.faults)
}

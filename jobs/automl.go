package jobs

import (
	"context"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// AutoMLJob lets the service find a model: it tries algorithms and hyperparameters for a task and keeps the best.
type AutoMLJob struct {
	azureml.Meta
	Name        string            `yaml:"name" json:"name,ro"`
	DisplayName string            `yaml:"display_name" json:"displayName"`
	Experiment  string            `yaml:"experiment_name" json:"experimentName"`
	Description string            `yaml:"description,empty" json:"description"`
	Tags        map[string]string `yaml:"tags,null" json:"tags,keep"`
	Properties  map[string]string `yaml:"properties,null" json:"properties,keep"`
	// Task is what is learned, from which data, and within which limits. Required.
	Task AutoMLTask `yaml:",inline" json:"taskDetails"`
	// Compute is a cluster's name or id. Defaults to serverless compute.
	Compute string `yaml:"compute" json:"computeId"`
	// Outputs: best_model is the best trial's model.
	Outputs Outputs `yaml:"outputs" json:"outputs,keep"`
	// Resources and Queue are for serverless compute. Their fields, and the types of outputs, are sent as azure-ai-ml
	// 1.35 sends those of AutoML jobs; see sendAsReference.
	Resources *azureml.Resources `yaml:"resources" json:"resources"`
	Queue     *Queue             `yaml:"queue_settings" json:"queueSettings"`
	Identity  azureml.Identity   `yaml:"identity" json:"identity"`
	Services  Services           `yaml:"services" json:"services"`
	// EnvironmentID is the id of an environment that replaces AutoML's own. It is sent as it is.
	EnvironmentID        string            `yaml:"environment_id" json:"environmentId"`
	EnvironmentVariables map[string]string `yaml:"environment_variables" json:"environmentVariables"`

	Status   Status            `yaml:"status,ro" json:"status,ro"`
	LogFiles map[string]string `yaml:"log_files,ro" json:"-"`

	doc wire.Document
}

var automlJob = wire.Layout{
	Name: "AutoML job",
	Base: "properties",
	At:   wire.Table{"name": "/name"},
	YAML: wire.Fixed{"type": "automl"},
	REST: wire.Fixed{"jobType": "AutoML", "isArchived": false},
}

// WireLayout places the fields.
func (AutoMLJob) WireLayout() *wire.Layout { return &automlJob }

// WireDocument is what the service answered.
func (j *AutoMLJob) WireDocument() *wire.Document { return &j.doc }

func (j *AutoMLJob) job() (definition, error) { return defined(j) }

func (j *AutoMLJob) jobType() string { return "AutoML" }

func (j *AutoMLJob) head() head {
	return head{
		name: &j.Name, displayName: &j.DisplayName, experiment: &j.Experiment, compute: &j.Compute, tags: &j.Tags, properties: textual(&j.Properties),
		identity: &j.Identity, outputs: &j.Outputs,
	}
}

// AfterDecodeWire refuses data that is no table: a pipeline's step may have expressions there, a job may not.
func (j *AutoMLJob) AfterDecodeWire(d *wire.Decoding, n *wire.Node) {
	if j.Task == nil || !d.Strict() {
		return
	}
	for _, t := range j.Task.parts().tables() {
		if at := n.Get(t.field); t.in.IsLiteral() && *t.in != (Input{}) {
			d.At(t.field).Fault(at, "wants a mapping with path and type: mltable")
		}
	}
}

// AfterEncodeWire adapts what is sent.
func (j AutoMLJob) AfterEncodeWire(e *wire.Encoding, m map[string]any) error {
	if e.Spelling() == wire.REST && !e.Merging() {
		j.sendAsReference(m)
	}
	return nil
}

func (j *AutoMLJob) clone() definition {
	c := *j
	if c.Task != nil {
		c.Task = c.Task.clone()
	}
	return &c
}

func (j *AutoMLJob) check(ctx context.Context, c *checker) {
	c.head(j.head())
	c.compute(ctx, "compute", j.Compute)
	c.services(j.Services)
	if j.Task == nil {
		c.add("task", "a task is required: %s", automlTaskNames())
		return
	}
	c.task(j.Task, false)
}

func (j *AutoMLJob) resolve(ctx context.Context, r *resolver) error {
	if err := r.tables(ctx, j.Task.parts().tables()); err != nil {
		return err
	}
	j.Compute = r.compute(j.Compute)
	return nil
}

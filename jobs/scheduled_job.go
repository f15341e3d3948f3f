package jobs

import (
	"context"
	"fmt"
	"strings"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

// ScheduledJob is a job that a schedule starts. It is a pipeline; commands and Spark jobs are a preview of the service.
type ScheduledJob struct {
	// Job is the whole job or, where Source is set, what is different from that. It may be nil then.
	Job Spec
	// Source is a job that has run, by name or id, and is started again.
	Source azureml.Ref
}

var scheduledJob = wire.Layout{Name: "scheduled job"}

// WireLayout places the fields.
func (ScheduledJob) WireLayout() *wire.Layout { return &scheduledJob }

// EncodeWire writes the action.
func (j ScheduledJob) EncodeWire(e *wire.Encoding) (any, error) {
	source := strings.TrimPrefix(string(j.Source), "azureml:")
	if e.Spelling() == wire.YAML {
		return j.yaml(e, source)
	}
	def := map[string]any{"jobType": "Pipeline", "experimentName": "", "isArchived": false}
	if j.Job != nil {
		d, err := j.Job.job()
		if err != nil {
			return nil, err
		}
		m, err := wire.ToREST(d)
		if err != nil {
			return nil, err
		}
		def, _ = m["properties"].(map[string]any) // every job has
	}
	if source != "" {
		def["sourceJobId"] = source
	}
	return map[string]any{"actionType": "CreateJob", "jobDefinition": def}, nil
}

func (j ScheduledJob) yaml(e *wire.Encoding, source string) (any, error) {
	if j.Job == nil {
		return "azureml:" + source, nil
	}
	d, err := j.Job.job()
	if err != nil {
		return nil, err
	}
	v, err := e.Value(d)
	if m, ok := v.(map[string]any); ok && source != "" {
		m["job"] = "azureml:" + source
	}
	return v, err
}

// DecodeWire reads the action: in a file a job's reference or file, or a mapping that changes one.
func (j *ScheduledJob) DecodeWire(d *wire.Decoding, n *wire.Node) {
	*j = ScheduledJob{}
	if d.Spelling() != wire.YAML {
		j.definition(d, n.Get("jobDefinition"))
		return
	}
	if s, ok := n.Str(); ok {
		if ref, ok := strings.CutPrefix(s, "azureml:"); ok {
			j.Source = azureml.Ref(ref)
			return
		}
		j.read(d, n, d.Open(n, s))
		return
	}
	if n.Kind != wire.Mapping {
		d.Fault(n, "wants azureml:JOB, a job's file, or a mapping with job and what to change of it")
		return
	}
	at := n.Get("job")
	s, ok := at.Str()
	changes := n.Without("job")
	switch ref, remote := strings.CutPrefix(s, "azureml:"); {
	case at == nil:
		j.read(d, n, n)
	case !ok:
		d.At("job").Fault(at, "wants azureml:JOB or a job's file")
	case remote:
		j.Source = azureml.Ref(ref)
		if n.Get("type").IsNull() {
			d.Fault(n, "the required field \"type\" is missing: changes of a job that has run need its type")
			return
		}
		j.read(d, n, changes)
	default:
		file := d.At("job").Open(at, s)
		if file == nil {
			return
		}
		j.read(d, n, merge(file, changes))
	}
}

// read reads the job itself.
func (j *ScheduledJob) read(d *wire.Decoding, at, n *wire.Node) {
	if n == nil {
		return
	}
	t, _ := n.Get("type").Str()
	if t = strings.ToLower(t); t == "" {
		t = "command"
	}
	if (t == "command" || t == "spark") && d.Private() || t == "pipeline" {
		d.Into(n, &j.Job)
		return
	}
	d.Fault(at, "a %s job cannot be scheduled from a file; put it in a pipeline", t)
}

// merge is a mapping with changes: mappings are merged, all else is replaced.
func merge(n, changes *wire.Node) *wire.Node {
	if n == nil || n.Kind != wire.Mapping || changes.Kind != wire.Mapping {
		return changes
	}
	for _, e := range changes.Entries {
		n = n.With(e.Key, merge(n.Get(e.Key), e.Value))
	}
	return n
}

// definition reads a job as the service answers it.
func (j *ScheduledJob) definition(d *wire.Decoding, n *wire.Node) {
	if n == nil || n.Kind != wire.Mapping {
		return
	}
	if s, ok := n.Get("sourceJobId").Str(); ok {
		j.Source = azureml.Ref(s)
	}
	whole := false
	for _, e := range n.Entries {
		switch e.Key {
		case "jobType", "sourceJobId", "experimentName", "isArchived":
		default:
			whole = whole || !e.Value.IsNull()
		}
	}
	if whole || j.Source == "" {
		empty := wire.TreeNode(map[string]any{})
		d.Into(empty.With("properties", n.Without("sourceJobId")), &j.Job)
	}
}

func (j *ScheduledJob) checkAction(ctx context.Context, c *checker, _ *Schedule) {
	switch {
	case j.Job == nil && j.Source == "":
		c.add("create_job", "there is no job")
	case j.Job == nil:
	default:
		var d definition
		var kept azureml.Faults
		if b, ok := j.Job.(builder); ok {
			d, kept = b.partial()
		}
		for _, f := range kept {
			c.fault(&azureml.Fault{Field: "create_job." + f.Field, Message: f.Message, Cause: f.Cause})
		}
		if d == nil {
			var err error
			if d, err = j.Job.job(); err != nil {
				c.add("create_job", "%v", err)
				return
			}
		}
		switch d.jobType() {
		case "Pipeline", "Command", "Spark":
		default:
			c.add("create_job", "a %s job cannot be scheduled; put it in a pipeline", d.jobType())
		}
		if j.Source == "" {
			c.inside("create_job.", func(k *checker) { d.check(ctx, k) })
		}
	}
}

func (j *ScheduledJob) resolveAction(ctx context.Context, r *resolver, _ *Schedule) (Action, error) {
	out := &ScheduledJob{Source: azureml.Ref(strings.TrimPrefix(string(j.Source), "azureml:"))}
	if j.Job == nil {
		return out, nil
	}
	d, err := j.Job.job()
	if err != nil {
		return nil, err
	}
	d = d.clone()
	if err := d.resolve(ctx, r); err != nil {
		return nil, fmt.Errorf("create_job: %w", err)
	}
	out.Job = d
	return out, nil
}

package execution

import (
	"context"
	"encoding/json"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// kind is how jobs of one jobType are checked and run. The file of a kind adds it by addKind.
type kind struct {
	// check finds every fault of a job's REST properties before it is stored.
	check func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error
	// drive runs a job that starts others and takes no nodes itself. A job that
	// does its work on its compute has work in its place.
	drive func(j *job) error
	// work runs a job that has its nodes (commandSpec.nodes of its properties).
	work func(j *job) error
	// inner kinds are started by other jobs alone and refused from outside.
	inner bool
}

var kinds = map[string]*kind{}

// addKind makes the engine know a jobType.
func addKind(jobType string, k *kind) { kinds[jobType] = k }

func init() {
	addKind("Command", &kind{work: (*job).command, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		var s commandSpec
		if err := json.Unmarshal(properties, &s); err != nil {
			return []*arm.Error{arm.Invalid("properties", "the job cannot be read: %v", err)}
		}
		return e.faults(ctx, sc, &s)
	}})
	addKind("Sweep", &kind{drive: (*job).sweep, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		return e.sweepFaults(ctx, sc, properties)
	}})
	addKind("Pipeline", &kind{drive: (*job).pipeline, check: func(ctx context.Context, e *Engine, sc arm.Scope, properties json.RawMessage) []*arm.Error {
		return e.pipelineFaults(ctx, sc, properties)
	}})
}

// driver is what runs jobs that start others instead of taking nodes; nil for the rest.
func (j *job) driver() func() error {
	k := kinds[j.rec.Kind]
	if k == nil || k.drive == nil {
		return nil
	}
	return func() error { return k.drive(j) }
}

// perform does the work of a job that has its nodes.
func (j *job) perform() error {
	if k := kinds[j.rec.Kind]; k != nil && k.work != nil {
		return k.work(j)
	}
	return userError("the local workspace runs no jobs of type %s", j.rec.Kind)
}

// outerKinds lists the jobTypes that can be submitted.
func outerKinds() []string {
	var out []string
	for _, w := range sorted(kinds) {
		if !kinds[w].inner {
			out = append(out, w)
		}
	}
	return out
}

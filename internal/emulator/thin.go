package emulator

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

const (
	thickJob = 32 << 10 // bytes of a specification from which on its thin form is kept
	thinJobs = 64       // so many are kept
)

// A thin is what run history tells of a large job: whoever follows a pipeline
// asks for it again and again, and its steps would be read each time.
type thin struct {
	etag       string
	created    time.Time
	properties json.RawMessage // that were sent
	// definition reads the specification, without its steps: who lists runs does not ask for it.
	definition func() (map[string]json.RawMessage, error)
}

// A thinner keeps the thin forms of some jobs.
type thinner struct {
	mu   sync.Mutex
	kept map[string]*thin
}

// thin tells of a job what was sent as its properties, and its specification.
func (c *call) thin(job *execution.Record) (*thin, error) {
	id := c.sc.Child(arm.Jobs, job.Name)
	var t *thin
	err := c.s.db.View(c.ctx(), func(tx *sql.Tx) error {
		etag, err := store.ETag(tx, id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if t = c.s.thinner.get(id, etag, job.Created); t != nil {
			return nil
		}
		t = &thin{etag: etag, created: job.Created, definition: sync.OnceValues(func() (map[string]json.RawMessage, error) { return withoutSteps(job) })}
		if err == nil {
			t.properties, err = store.Part(tx, id, "$.properties.properties")
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(job.Spec) >= thickJob {
		c.s.thinner.put(id, t)
	}
	return t, nil
}

// withoutSteps is a job's specification without a pipeline's steps, which its document has.
func withoutSteps(job *execution.Record) (spec map[string]json.RawMessage, err error) {
	if len(job.Spec) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(job.Spec, &spec); err != nil {
		return nil, fmt.Errorf("the specification of job %q cannot be read: %w", job.Name, err)
	}
	delete(spec, stepsKey)
	return spec, nil
}

func (n *thinner) get(id, etag string, created time.Time) *thin {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.kept[id]; t != nil && t.etag == etag && t.created.Equal(created) {
		return t
	}
	return nil
}

func (n *thinner) put(id string, t *thin) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept == nil {
		n.kept = map[string]*thin{}
	}
	if len(n.kept) >= thinJobs && n.kept[id] == nil {
		for other := range n.kept { // any: it is made again
			delete(n.kept, other)
			break
		}
	}
	n.kept[id] = t
}

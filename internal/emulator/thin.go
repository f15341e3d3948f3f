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
	properties json.RawMessage            // that were sent
	definition map[string]json.RawMessage // without the steps; see [call.definition]
}

// A thinner keeps the thin forms of some jobs.
type thinner struct {
	mu   sync.Mutex
	kept map[string]*thin
}

// thin tells of a job what was sent as its properties.
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
		t = &thin{etag: etag, created: job.Created}
		if err == nil {
			t.properties, err = store.Part(tx, id, "$.properties.properties")
			return err
		}
		return nil
	})
	return t, err
}

// definition is a job's specification without a pipeline's steps, which its document has. Who lists runs does not ask for it;
// that of a large job is kept.
func (c *call) definition(job *execution.Record, t *thin) (map[string]json.RawMessage, error) {
	if t.definition != nil || len(job.Spec) == 0 {
		return t.definition, nil
	}
	whole := *t
	if err := json.Unmarshal(job.Spec, &whole.definition); err != nil {
		return nil, fmt.Errorf("the specification of job %q cannot be read: %w", job.Name, err)
	}
	delete(whole.definition, stepsKey)
	if len(job.Spec) >= thickJob {
		c.s.thinner.put(c.sc.Child(arm.Jobs, job.Name), &whole)
	}
	return whole.definition, nil
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

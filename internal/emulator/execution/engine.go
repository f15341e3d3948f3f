package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/process"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// Deps is what the engine works with. All are required but Logger, PassEnv and Environments.
type Deps struct {
	DB       *store.DB
	Blobs    *blob.Service
	Tracking *tracking.Store
	Resolver *arm.Resolver
	// Dir holds the folders of running jobs and the records of their processes.
	Dir   string
	Clock func() time.Time
	// ClockMoves says that Clock is not the machine's and may be moved: limits of jobs look at it.
	ClockMoves bool
	// Logger gets what no caller can be told. Defaults to none.
	Logger *slog.Logger
	// Environments is how a job's environment is honoured. Defaults to Host.
	Environments Mode
	// PassEnv names further variables of the owner that jobs see.
	PassEnv []string
	// BaseURL opens the listener when it is not open yet and returns its address.
	BaseURL func() (string, error)
	// RunToken makes the token that a job's processes use; Revoke ends it.
	RunToken func(sc arm.Scope, run string) (token string, expires time.Time, err error)
	Revoke   func(sc arm.Scope, run string)
	// Artifacts names the account and container where run artifacts lie.
	Artifacts func(ctx context.Context, sc arm.Scope) (account, container string, err error)
	// Register makes an asset version of an output; version "" is the next one.
	Register func(ctx context.Context, sc arm.Scope, a Asset) (id string, err error)
	// Slots is how many nodes a compute may have now: 0 when it is not there or runs no jobs, -1 when it is switched off and jobs wait for it.
	Slots func(sc arm.Scope, compute string) int
	// SparkPool is true of a compute that runs Spark jobs and no others. Nil: there is none.
	SparkPool func(sc arm.Scope, compute string) bool
}

// Asset is an output to be registered.
type Asset struct {
	Collection  string // data or models
	Name        string
	Version     string // "" for the next one
	Type        string // uri_folder, mlflow_model, …
	URI         string
	Job         string
	Description string
}

// Engine runs the jobs of all workspaces of one local server.
type Engine struct {
	Deps
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	open   map[string]*job   // jobs that have not ended, by ws + "\n" + name
	slots  map[string]*slots // by ws + "\n" + compute
	spares chan spare        // folders of ended jobs
	shelf  *process.Shelf    // files of their records

	largest largest
}

var errClosed = errors.New("the local workspace was closed")

// New makes an engine. Recover must be called before the first Submit.
func New(d Deps) (*Engine, error) {
	if err := d.DB.Migrate("execution", schema...); err != nil {
		return nil, err
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if d.Environments == nil {
		d.Environments = Host{}
	}
	dir, err := process.PlainDir(d.Dir)
	if err != nil {
		return nil, err
	}
	d.Dir = dir
	e := &Engine{Deps: d, log: d.Logger, open: map[string]*job{}, slots: map[string]*slots{}, spares: make(chan spare, maxSpares)}
	e.shelf = process.NewShelf(e.records())
	e.ctx, e.cancel = context.WithCancelCause(context.Background())
	return e, nil
}

func (e *Engine) records() string { return filepath.Join(e.Dir, "processes") }

// Recover ends the processes that a killed owner left, marks their jobs
// Failed, and queues again those that had not started.
func (e *Engine) Recover(ctx context.Context) error {
	swept, err := process.Sweep(e.records())
	if err != nil {
		return err
	}
	for _, s := range swept {
		e.log.Info("ended a process tree of the last run", "id", s.ID, "processes", s.Killed)
	}
	left, err := query(ctx, e.DB, `status NOT IN ('Completed', 'Failed', 'Canceled') ORDER BY seq`)
	if err != nil {
		return err
	}
	e.remove(filepath.Join(e.Dir, "runs"))
	for _, r := range left {
		if r.Status == NotStarted && !r.Driven {
			e.launch(r)
			continue
		}
		was := r.Status
		r.Status, r.Ended = Failed, e.Clock()
		r.Error = &JobError{Code: "ServiceError", Message: fmt.Sprintf("The local workspace ended while the job was %s; its processes were ended when it was started again.", was)}
		if was == CancelRequested || was == NotStarted {
			r.Status, r.Error = Canceled, nil
			if r.Driven {
				r.Reason = "The local workspace ended while the job's parent was running."
			}
		}
		if err := e.store(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Close ends all running jobs (they are Canceled with that reason) and returns
// when no process is left. What is queued stays queued for the next start.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel(errClosed)
	e.wg.Wait()
	return e.shelf.Close()
}

// Submit stores a job that Check accepted and starts it. It is durable when
// Submit returns.
func (e *Engine) Submit(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage) error {
	return e.submit(ctx, submission{sc: sc, name: name, properties: properties})
}

// SubmitWith is Submit with more to store in the same transaction.
func (e *Engine) SubmitWith(ctx context.Context, sc arm.Scope, name string, properties json.RawMessage, also func(tx *sql.Tx) error) error {
	return e.submit(ctx, submission{sc: sc, name: name, properties: properties, also: also})
}

// rootTag is by which Azure's MLflow clients find all runs of a job's tree.
const rootTag = "mlflow.rootRunId"

func runTags(s *commandSpec, root string) map[string]string {
	tags := map[string]string{}
	for k, v := range s.Tags {
		if v != nil {
			tags[k] = *v
		}
	}
	if s.Description != "" {
		tags["mlflow.note.content"] = s.Description
	}
	tags[rootTag] = root
	return tags
}

func openKey(ws, name string) string { return ws + "\n" + name }

func (e *Engine) running(sc arm.Scope, name string) *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[openKey(sc.Key(), name)]
}

// store writes a record and the run's state with it.
func (e *Engine) store(ctx context.Context, r *Record) error { return e.storeWith(ctx, r, nil) }

// storeWith is store with more in the same transaction; also may be nil.
func (e *Engine) storeWith(ctx context.Context, r *Record, also func(tx *sql.Tx) error) error {
	err := e.DB.Update(ctx, func(tx *sql.Tx) error {
		if err := e.storeTx(tx, r); err != nil || also == nil {
			return err
		}
		return also(tx)
	})
	if err != nil {
		return fmt.Errorf("execution: job %q: %w", r.Name, err)
	}
	return nil
}

func (e *Engine) storeTx(tx *sql.Tx, r *Record) error {
	if err := save(tx, r); err != nil {
		return err
	}
	status := mlflowStatus(r.Status)
	u := &tracking.RunUpdate{Status: &status}
	if !r.Ended.IsZero() {
		u.End = &r.Ended
	}
	return e.Tracking.UpdateRunTx(tx, r.Scope.Key(), r.Name, u)
}

// Record tells a job's state; store.ErrNotFound when there is none.
func (e *Engine) Record(ctx context.Context, sc arm.Scope, name string) (*Record, error) {
	if j := e.running(sc, name); j != nil {
		return j.snapshot(), nil
	}
	var r *Record
	err := e.DB.View(ctx, func(tx *sql.Tx) (err error) {
		if r, err = stored(tx, sc.Key(), name); err != nil {
			return err
		}
		return e.largest.whole(tx, r)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Children lists the jobs right below a job, in the order they were made.
func (e *Engine) Children(ctx context.Context, sc arm.Scope, name string) ([]*Record, error) {
	rs, err := query(ctx, e.DB, `ws=? AND parent=? ORDER BY seq`, sc.Key(), name)
	for i, r := range rs {
		if j := e.running(sc, r.Name); j != nil {
			rs[i] = j.snapshot()
		}
	}
	return rs, err
}

// Wait returns a job's last state when it has ended.
func (e *Engine) Wait(ctx context.Context, sc arm.Scope, name string) (*Record, error) {
	if j := e.running(sc, name); j != nil {
		select {
		case <-j.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return e.Record(ctx, sc, name)
}

// Cancel asks a job, and those below it, to end. It returns at once; a job
// that has ended is left as it is.
func (e *Engine) Cancel(ctx context.Context, sc arm.Scope, name, reason string) error {
	if _, err := e.Record(ctx, sc, name); err != nil {
		return err
	}
	children, err := e.Children(ctx, sc, name)
	if err != nil {
		return err
	}
	if j := e.running(sc, name); j != nil {
		j.requestCancel(reason)
	}
	for _, c := range children {
		if err := e.Cancel(ctx, sc, c.Name, reason); err != nil {
			return err
		}
	}
	return nil
}

// Delete forgets a job that has ended; one that has not is a conflict.
func (e *Engine) Delete(ctx context.Context, sc arm.Scope, name string) error {
	if j := e.running(sc, name); j != nil {
		if !Ended(j.snapshot().Status) {
			return arm.Conflict("UserError", "The job %q has not ended; cancel it first.", name)
		}
		select { // it is about to be left
		case <-j.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return e.DB.Update(ctx, func(tx *sql.Tx) error {
		if _, err := stored(tx, sc.Key(), name); err != nil {
			return err
		}
		if err := forgetReuse(tx, sc.Key(), name); err != nil {
			return err
		}
		_, err := tx.Exec(`DELETE FROM jobs WHERE ws=? AND name=?`, sc.Key(), name)
		return err
	})
}

// ComputeChanged lets jobs that wait for a compute look at it again.
func (e *Engine) ComputeChanged(sc arm.Scope, compute string) {
	e.compute(sc, compute).resized(func() int { return e.Slots(sc, compute) })
}

// ComputeGone forgets the nodes of a compute that was deleted: another one may get its name.
func (e *Engine) ComputeGone(sc arm.Scope, compute string) {
	s := e.compute(sc, compute)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = 0
	if s.used == 0 {
		s.fleet = fleet{clock: s.fleet.clock, seed: s.fleet.seed, made: s.fleet.made}
	}
}

// Load tells how many of a compute's nodes are busy and how many jobs wait for it.
func (e *Engine) Load(sc arm.Scope, compute string) (busy, waiting int) {
	return e.compute(sc, compute).load()
}

func (e *Engine) compute(sc arm.Scope, name string) *slots {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := openKey(sc.Key(), strings.ToLower(name)) // names in Azure's addresses are the same in either case
	s := e.slots[k]
	if s == nil {
		s = &slots{fleet: fleet{clock: e.Clock, seed: k}, elastic: elastic(name)}
		e.slots[k] = s
	}
	return s
}

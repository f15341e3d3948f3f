package tracking

import (
	"database/sql"
	"errors"
	"strconv"
	"time"
)

// Statuses of runs.
const (
	Running   = "RUNNING"
	Scheduled = "SCHEDULED"
	Finished  = "FINISHED"
	Failed    = "FAILED"
	Killed    = "KILLED"
)

// statuses are MLflow's numbers of them.
var statuses = []string{"", Running, Scheduled, Finished, Failed, Killed}

// Tags that the service knows.
const (
	tagRunName = "mlflow.runName"
	tagParent  = "mlflow.parentRunId"
	tagUser    = "mlflow.user"
	tagLogged  = "mlflow.log-model.history"
	tagContext = "mlflow.data.context"
)

// runRow is a run as it is stored, without its data.
type runRow struct {
	rid, eid         int64
	id, name, user   string
	status, stage    string
	start            int64
	ended            sql.NullInt64
	uri              string
	parent           sql.NullString
	linked           bool  // has inputs or outputs
	experiment       int64 // the experiment's id
	tags, params     []byte
	metrics          []byte
	inputs, modelsIn []byte // JSON
	outputs          []byte
}

const runColumns = `r.rid, r.eid, r.run_id, r.name, r.user, r.status, r.stage, r.start, r.ended, r.uri, r.parent, r.linked, e.id`

const fromRuns = ` FROM tracking_runs r JOIN tracking_experiments e ON e.eid = r.eid `

func (r *runRow) fields() []any {
	return []any{&r.rid, &r.eid, &r.id, &r.name, &r.user, &r.status, &r.stage, &r.start, &r.ended, &r.uri, &r.parent, &r.linked, &r.experiment}
}

// run finds a run.
func (s *Store) run(tx *sql.Tx, space int64, id string) (*runRow, error) {
	r := &runRow{}
	err := tx.QueryRow(`SELECT `+runColumns+fromRuns+`WHERE r.ws = ? AND r.run_id = ?`, space, id).Scan(r.fields()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noRun(id)
	}
	return r, err
}

func noRun(id string) error { return errorf(DoesNotExist, "Run with id=%s not found", id) }

// activeRun finds a run that may be written to.
func (s *Store) activeRun(tx *sql.Tx, space int64, id string) (*runRow, error) {
	r, err := s.run(tx, space, id)
	if err != nil {
		return nil, err
	}
	return r, mustBeActive(id, r.stage)
}

func mustBeActive(id, stage string) error {
	if stage != active {
		return invalidf("The run %s must be in the 'active' state. Current state is %s.", id, stage)
	}
	return nil
}

// load reads the run's data: tags, parameters, latest values, inputs and outputs.
func (s *Store) load(tx *sql.Tx, r *runRow) error {
	err := tx.QueryRow(`SELECT tags, params, metrics FROM tracking_run_data WHERE rid = ?`, r.rid).Scan(&r.tags, &r.params, &r.metrics)
	if err != nil {
		return err
	}
	if err := s.withTail(tx, r); err != nil {
		return err
	}
	if !r.linked {
		return nil
	}
	return s.loadLinks(tx, r)
}

// writeInfo writes a RunInfo. uri replaces the artifact URI when it is not nil.
func (r *runRow) writeInfo(o *out, uri func(experiment, run, uri string) string) {
	experiment := strconv.FormatInt(r.experiment, 10)
	o.str("run_uuid", r.id)
	o.str("experiment_id", experiment)
	o.str("run_name", r.name)
	o.str("user_id", r.user)
	o.str("status", r.status)
	o.int("start_time", r.start)
	if r.ended.Int64 != 0 {
		o.int("end_time", r.ended.Int64)
	}
	if uri != nil {
		o.text("artifact_uri", uri(experiment, r.id, r.uri))
	} else {
		o.text("artifact_uri", r.uri)
	}
	o.str("lifecycle_stage", r.stage)
	o.str("run_id", r.id)
}

// parts says which lists an answer has besides a run's info and data.
type parts int

const (
	withInputs parts = 1 << iota
	withModels       // models among the inputs
	withOutputs
)

// write writes a Run.
func (r *runRow) write(o *out, p parts, uri func(experiment, run, uri string) string) {
	o.object("info", func() { r.writeInfo(o, uri) })
	o.object("data", func() {
		writeLatest(o, r.metrics)
		wrapped(o, "params", r.params)
		wrapped(o, "tags", r.tags)
	})
	if p&withInputs != 0 {
		o.object("inputs", func() {
			wrapped(o, "dataset_inputs", r.inputs)
			if p&withModels != 0 {
				wrapped(o, "model_inputs", r.modelsIn)
			}
		})
	}
	if p&withOutputs != 0 {
		o.object("outputs", func() { wrapped(o, "model_outputs", r.outputs) })
	}
}

// wrapped writes a list whose inside is there already.
func wrapped(o *out, name string, inside []byte) {
	if len(inside) == 0 {
		return
	}
	o.key(name)
	o.b = append(o.b, '[')
	o.b = append(o.b, inside...)
	o.b = append(o.b, ']')
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

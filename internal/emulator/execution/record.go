package execution

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// schema of the jobs table. Times are milliseconds since 1970; 0 is never.
var schema = []string{`
CREATE TABLE jobs (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	ws TEXT NOT NULL, name TEXT NOT NULL, scope TEXT NOT NULL,
	parent TEXT NOT NULL, root TEXT NOT NULL, kind TEXT NOT NULL, status TEXT NOT NULL, compute TEXT NOT NULL,
	created INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL,
	spec BLOB NOT NULL, live BLOB NOT NULL,
	UNIQUE (ws, name)
);
CREATE INDEX jobs_parent ON jobs (ws, parent, seq);
CREATE INDEX jobs_open ON jobs (status) WHERE status NOT IN ('Completed', 'Failed', 'Canceled');`, reuseSchema}

// Record is the state of a job as the engine knows it.
type Record struct {
	Scope        arm.Scope
	Name         string
	Parent, Root string // job names; Root is Name for a job of its own
	Kind         string // jobType
	Status       string
	Compute      string // the compute's name, "serverless" when none was asked for
	Experiment   string // the experiment's id
	Created      time.Time
	Started      time.Time // zero until the job runs
	Ended        time.Time // zero until it has ended
	Spec         json.RawMessage
	Live

	seq   int64 // of the row that it was read from
	large bool  // Spec is not read yet
}

// Live is what becomes known while a job runs.
type Live struct {
	Error        *JobError         `json:"error,omitempty"`
	Warnings     []string          `json:"warnings,omitempty"`
	Outputs      map[string]Output `json:"outputs,omitempty"`
	Properties   map[string]string `json:"properties,omitempty"`
	Logs         []string          `json:"logs,omitempty"` // paths below the run's folder of the artifact container
	ExperimentID string            `json:"experimentId,omitempty"`
	Reason       string            `json:"reason,omitempty"` // why it was cancelled
	Nodes        int               `json:"nodes,omitempty"`
	Driven       bool              `json:"driven,omitempty"` // a parent in the engine started it and waits for it
}

// JobError is why a job failed.
type JobError struct {
	Code    string `json:"code"` // UserError, or ServiceError for what is the local workspace's own fault
	Message string `json:"message"`
}

// Output is where an output went.
type Output struct {
	Type    string `json:"type"`              // jobOutputType
	URI     string `json:"uri"`               // long form datastore address
	AssetID string `json:"assetId,omitempty"` // of the version that was registered
}

// note adds properties of the run.
func (r *Record) note(p map[string]string) {
	if r.Properties == nil {
		r.Properties = map[string]string{}
	}
	maps.Copy(r.Properties, p)
}

func (r *Record) clone() *Record {
	c := *r
	c.Outputs, c.Properties = maps.Clone(r.Outputs), maps.Clone(r.Properties)
	c.Logs, c.Warnings = append([]string(nil), r.Logs...), append([]string(nil), r.Warnings...)
	return &c
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

func insert(tx *sql.Tx, r *Record) error {
	live, err := json.Marshal(r.Live)
	if err != nil {
		return err
	}
	sc := r.Scope
	_, err = tx.Exec(`INSERT INTO jobs (ws, name, scope, parent, root, kind, status, compute, created, started, ended, spec, live) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)`,
		sc.Key(), r.Name, sc.Subscription+"/"+sc.ResourceGroup+"/"+sc.Workspace, r.Parent, r.Root, r.Kind, r.Status, r.Compute,
		millis(r.Created), millis(r.Started), millis(r.Ended), []byte(r.Spec), live)
	return err
}

func save(tx *sql.Tx, r *Record) error {
	live, err := json.Marshal(r.Live)
	if err != nil {
		return err
	}
	res, err := tx.Exec(`UPDATE jobs SET status=?, compute=?, started=?, ended=?, live=? WHERE ws=? AND name=?`,
		r.Status, r.Compute, millis(r.Started), millis(r.Ended), live, r.Scope.Key(), r.Name)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("execution: job %q is not stored", r.Name))
	}
	return nil
}

// Of a large specification the row is read without it.
const columns = `seq, name, scope, parent, root, kind, status, compute, created, started, ended, length(spec), CASE WHEN length(spec) < 32768 THEN spec END, live`

func scan(row interface{ Scan(...any) error }) (*Record, error) {
	var r Record
	var scope string
	var created, started, ended, size int64
	var spec, live []byte
	if err := row.Scan(&r.seq, &r.Name, &scope, &r.Parent, &r.Root, &r.Kind, &r.Status, &r.Compute, &created, &started, &ended, &size, &spec, &live); err != nil {
		return nil, err
	}
	p := strings.SplitN(scope, "/", 3)
	r.Scope = arm.Scope{Subscription: p[0], ResourceGroup: p[1], Workspace: p[2]}
	r.Created, r.Started, r.Ended = fromMillis(created), fromMillis(started), fromMillis(ended)
	r.Spec, r.large = spec, spec == nil && size > 0
	return &r, json.Unmarshal(live, &r.Live)
}

// stored reads a job's row, without a large specification; store.ErrNotFound when there is none.
func stored(tx *sql.Tx, ws, name string) (*Record, error) {
	r, err := scan(tx.QueryRow(`SELECT `+columns+` FROM jobs WHERE ws=? AND name=?`, ws, name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("execution: job %q: %w", name, store.ErrNotFound)
	}
	return r, err
}

// whole reads the specification that a row was read without.
func (r *Record) whole(tx *sql.Tx) error {
	if !r.large {
		return nil
	}
	var spec []byte
	if err := tx.QueryRow(`SELECT spec FROM jobs WHERE seq=?`, r.seq).Scan(&spec); err != nil {
		return err
	}
	r.Spec, r.large = spec, false
	return nil
}

// largest keeps the large specification that was last read: whoever follows a
// pipeline of many steps asks for it several times, when it has ended.
type largest struct {
	mu   sync.Mutex
	seq  int64
	spec json.RawMessage
}

// whole is Record.whole with what is kept.
func (l *largest) whole(tx *sql.Tx, r *Record) error {
	if !r.large {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seq == r.seq {
		r.Spec, r.large = l.spec, false
		return nil
	}
	if err := r.whole(tx); err != nil {
		return err
	}
	l.seq, l.spec = r.seq, r.Spec
	return nil
}

func query(ctx context.Context, db *store.DB, where string, args ...any) ([]*Record, error) {
	var out []*Record
	err := db.View(ctx, func(tx *sql.Tx) error {
		rows, err := tx.Query(`SELECT `+columns+` FROM jobs WHERE `+where, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scan(rows)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		for _, r := range out {
			if err := r.whole(tx); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

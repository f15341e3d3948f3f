package tracking

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NewRun is a run to be made.
type NewRun struct {
	ID           string // defaults to a new one of 32 hexadecimal digits
	ExperimentID string // defaults to "0"
	Name         string // defaults to a generated name
	User         string
	Parent       string    // the parent run's id, which becomes a tag too
	Status       string    // defaults to RUNNING
	Start        time.Time // defaults to now
	Tags, Params map[string]string
}

// RunUpdate changes a run. What is nil stays.
type RunUpdate struct {
	Status *string
	Start  *time.Time
	End    *time.Time
	Name   *string
	// Tags sets tags; a nil value removes one.
	Tags map[string]*string
	// Params adds parameters. One that is there keeps its value.
	Params map[string]string
	// Hidden deletes or restores the run, as MLflow has it: it stays readable.
	Hidden *bool
}

// Run is a run with its data.
type Run struct {
	ID, ExperimentID string
	Name, User       string
	Status           string
	Parent           string
	Deleted          bool
	ArtifactURI      string
	Start, End       time.Time
	Tags, Params     map[string]string
	Metrics          map[string]Metric // the latest values
}

// newID is 32 hexadecimal digits that no other call returns.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return hex.EncodeToString(b[:])
}

// CreateRun makes a run. Errors: DoesNotExist for the experiment, AlreadyExists
// for the id.
func (s *Store) CreateRun(ctx context.Context, ws string, n *NewRun) (*Run, error) {
	var r *Run
	err := s.db.Update(ctx, func(tx *sql.Tx) error {
		row, err := s.createRun(tx, ws, n)
		if err == nil {
			r, err = s.loaded(tx, row)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.changed(ws, r.ID, r.Status)
	return r, nil
}

// CreateRunTx is CreateRun inside a transaction that writes.
func (s *Store) CreateRunTx(tx *sql.Tx, ws string, n *NewRun) error {
	_, err := s.createRun(tx, ws, n)
	return err
}

func (s *Store) createRun(tx *sql.Tx, ws string, n *NewRun) (*runRow, error) {
	space, err := s.spaceTx(tx, ws)
	if err != nil {
		return nil, err
	}
	m := *n
	m.Tags = maps.Clone(n.Tags)
	if m.Tags == nil {
		m.Tags = map[string]string{}
	}
	if m.Parent != "" {
		m.Tags[tagParent] = m.Parent
	}
	if m.User != "" && m.Tags[tagUser] == "" {
		m.Tags[tagUser] = m.User
	}
	tags := sorted(m.Tags)
	start := millis(m.Start)
	if start == 0 {
		start = s.now()
	}
	r, err := s.insertRun(tx, space, &m, tags, start)
	if err != nil {
		return nil, err
	}
	for _, p := range sorted(m.Params) {
		if err := s.addParam(tx, r, p); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// sorted is a map as a list, by key.
func sorted(m map[string]string) []Tag {
	var list []Tag
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Tag{k, m[k]})
	}
	return list
}

// insertRun makes a run with its tags. The run's name becomes a tag when it is none.
func (s *Store) insertRun(tx *sql.Tx, space int64, n *NewRun, tags []Tag, start int64) (*runRow, error) {
	e, err := s.experiment(tx, space, n.ExperimentID)
	if err != nil {
		return nil, err
	}
	if err := e.mustBeActive(); err != nil {
		return nil, err
	}
	tagged := ""
	for _, t := range tags {
		if t.Key == tagRunName {
			tagged = t.Value
		}
	}
	if n.Name != "" && tagged != "" && n.Name != tagged {
		return nil, invalidf("Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='%s', mlflow.runName='%s').", n.Name, tagged)
	}
	r := &runRow{eid: e.eid, experiment: e.id, id: n.ID, name: n.Name, user: n.User, status: n.Status, stage: active, start: start}
	if r.id == "" {
		r.id = newID()
	}
	if r.name == "" {
		r.name = tagged
	}
	if r.name == "" {
		r.name = generatedName()
	}
	if r.status == "" {
		r.status = Running
	}
	if tagged == "" {
		tags = append(slices.Clone(tags), Tag{tagRunName, r.name})
	}
	r.uri = under(e.location, r.id, "artifacts")
	for _, t := range tags {
		if t.Key == tagParent && t.Value != "" {
			r.parent = sql.NullString{String: t.Value, Valid: true}
		}
	}
	return r, s.storeRun(tx, space, r, tags)
}

// tagsAtOnce is how many tags one statement inserts.
const tagsAtOnce = 8

func (s *Store) storeRun(tx *sql.Tx, space int64, r *runRow, tags []Tag) error {
	res, err := tx.Exec(`INSERT INTO tracking_runs (ws, run_id, eid, name, user, status, start, stage, uri, parent) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		space, r.id, r.eid, r.name, r.user, r.status, r.start, r.stage, r.uri, r.parent)
	if err != nil {
		if _, missing := s.run(tx, space, r.id); missing == nil {
			return errorf(AlreadyExists, "Run with id=%s already exists", r.id)
		}
		return err
	}
	if r.rid, err = res.LastInsertId(); err != nil {
		return err
	}
	seen := map[string]bool{}
	var rows []any
	for _, t := range tags {
		if seen[t.Key] {
			return errorf(BadRequest, "The tag '%s' is there twice.", t.Key)
		}
		seen[t.Key] = true
		kid, err := s.makeKey(tx, t.Key)
		if err != nil {
			return err
		}
		rows = append(rows, r.rid, kid, t.Value)
	}
	for len(rows) > 0 { // a few to a statement
		n := min(len(rows), 3*tagsAtOnce)
		if _, err := tx.Exec(`INSERT INTO tracking_tags (rid, kid, value) VALUES (?, ?, ?)`+strings.Repeat(`, (?, ?, ?)`, n/3-1), rows[:n]...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	r.tags = []byte(joinTags(tags))
	_, err = tx.Exec(`INSERT INTO tracking_run_data (rid, tags) VALUES (?, ?)`, r.rid, string(r.tags))
	return err
}

// loaded is the run with its data, as Go code sees it.
func (s *Store) loaded(tx *sql.Tx, r *runRow) (*Run, error) {
	if err := s.load(tx, r); err != nil {
		return nil, err
	}
	return r.run()
}

func (r *runRow) run() (*Run, error) {
	out := &Run{ID: r.id, ExperimentID: strconv.FormatInt(r.experiment, 10), Name: r.name, User: r.user, Status: r.status, Parent: r.parent.String,
		Deleted: r.stage == deleted, ArtifactURI: r.uri, Start: fromMillis(r.start), End: fromMillis(r.ended.Int64), Metrics: map[string]Metric{}}
	var err error
	if out.Tags, err = tagMap(r.tags); err != nil {
		return nil, err
	}
	if out.Params, err = tagMap(r.params); err != nil {
		return nil, err
	}
	err = readLatest(r.metrics, func(l latest) { out.Metrics[l.key] = l.metric() })
	return out, err
}

func tagMap(inside []byte) (map[string]string, error) {
	list, err := tagList(inside)
	m := make(map[string]string, len(list))
	for _, t := range list {
		m[t.Key] = t.Value
	}
	return m, err
}

// tagList reads a list as tables keep it.
func tagList(inside []byte) ([]Tag, error) {
	if len(inside) == 0 {
		return nil, nil
	}
	var list []Tag
	b := make([]byte, 0, len(inside)+2)
	b = append(append(append(b, '['), inside...), ']')
	return list, json.Unmarshal(b, &list)
}

// Run returns a run. Errors: DoesNotExist, which is store.ErrNotFound.
func (s *Store) Run(ctx context.Context, ws, id string) (*Run, error) {
	var r *Run
	err := s.db.View(ctx, func(tx *sql.Tx) (err error) {
		r, err = s.RunTx(tx, ws, id)
		return err
	})
	return r, err
}

// RunTx is Run inside a transaction.
func (s *Store) RunTx(tx *sql.Tx, ws, id string) (*Run, error) {
	space, err := spaceOf(tx, ws)
	if err != nil {
		return nil, err
	}
	r, err := s.run(tx, space, id)
	if err != nil {
		return nil, err
	}
	return s.loaded(tx, r)
}

// spaceOf is the number of a workspace, 0 when nothing was tracked in it.
func spaceOf(tx *sql.Tx, ws string) (int64, error) {
	var id int64
	err := tx.QueryRow(`SELECT id FROM tracking_spaces WHERE key = ?`, ws).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

// Children returns the runs whose parent is a run, in the order they were made.
func (s *Store) Children(ctx context.Context, ws, id string) ([]*Run, error) {
	var all []*Run
	err := s.db.View(ctx, func(tx *sql.Tx) error {
		space, err := spaceOf(tx, ws)
		if err != nil {
			return err
		}
		rows, err := queryRuns(tx, `WHERE r.ws = ? AND r.parent = ? ORDER BY r.rid`, space, id)
		if err != nil {
			return err
		}
		for _, r := range rows {
			run, err := s.loaded(tx, r)
			if err != nil {
				return err
			}
			all = append(all, run)
		}
		return nil
	})
	return all, err
}

// queryRuns reads the runs of a query's end.
func queryRuns(tx *sql.Tx, end string, args ...any) (all []*runRow, err error) {
	rows, err := tx.Query(`SELECT `+runColumns+fromRuns+end, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := &runRow{}
		if err := rows.Scan(r.fields()...); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

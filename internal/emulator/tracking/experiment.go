package tracking

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Lifecycle stages.
const (
	active  = "active"
	deleted = "deleted"
)

// maxExperimentName is in characters.
const maxExperimentName = 500

// experiment is an experiment as it is stored. eid is its number in the folder, id
// the one in its workspace.
type experiment struct {
	eid, id          int64
	name, location   string
	stage            string
	created, updated int64
	tags             []Tag
}

const experimentColumns = `eid, id, name, location, stage, created, updated, tags`

func scanExperiment(row interface{ Scan(...any) error }) (*experiment, error) {
	e := &experiment{}
	var tags string
	if err := row.Scan(&e.eid, &e.id, &e.name, &e.location, &e.stage, &e.created, &e.updated, &tags); err != nil {
		return nil, err
	}
	if tags == "" {
		return e, nil
	}
	return e, json.Unmarshal([]byte("["+tags+"]"), &e.tags)
}

func (e *experiment) write(o *out) {
	o.str("experiment_id", strconv.FormatInt(e.id, 10))
	o.str("name", e.name)
	o.str("artifact_location", e.location)
	o.str("lifecycle_stage", e.stage)
	o.int("last_update_time", e.updated)
	o.int("creation_time", e.created)
	o.list("tags", len(e.tags), func(i int) {
		o.item(func() { o.str("key", e.tags[i].Key); o.str("value", e.tags[i].Value) })
	})
	o.str("workspace", "default") // of MLflow's own feature of that name
}

// mustBeActive refuses what may not be done to a deleted experiment.
func (e *experiment) mustBeActive() error {
	if e.stage != active {
		return invalidf("The experiment %d must be in the 'active' state. Current state is %s.", e.id, e.stage)
	}
	return nil
}

// experimentID reads an experiment's id as it stands in requests; empty is 0.
func experimentID(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	id, ok := py.Int(s)
	if ok {
		return id, nil
	}
	if strings.Trim(s, "0123456789") == "" {
		return 0, errorf(DoesNotExist, "No Experiment with id=%s exists", s)
	}
	return 0, invalidf("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", s)
}

func experimentIDs(list []string) ([]int64, error) {
	ids := make([]int64, 0, len(list))
	for _, s := range list {
		id, ok := py.Int(s)
		if !ok {
			return nil, invalidf("Invalid experiment ID '%s'. Experiment ID must be a valid integer.", s)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// experiment finds an experiment in one of the stages; no stage means any.
func (s *Store) experiment(tx *sql.Tx, space int64, id string, stages ...string) (*experiment, error) {
	n, err := experimentID(id)
	if err != nil {
		return nil, err
	}
	e, err := scanExperiment(tx.QueryRow(`SELECT `+experimentColumns+` FROM tracking_experiments WHERE ws = ? AND id = ?`, space, n))
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(stages) > 0 && !slices.Contains(stages, e.stage) {
		return nil, errorf(DoesNotExist, "No Experiment with id=%d exists", n)
	}
	return e, err
}

// experimentNamed finds an experiment in any stage; nil when there is none.
func experimentNamed(tx *sql.Tx, space int64, name string) (*experiment, error) {
	e, err := scanExperiment(tx.QueryRow(`SELECT `+experimentColumns+` FROM tracking_experiments WHERE ws = ? AND name = ?`, space, name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return e, err
}

func checkExperimentName(name string) error {
	if name == "" {
		return invalidf("Invalid experiment name: '%s'", name)
	}
	if py.Len(name) > maxExperimentName {
		return invalidf("'name' exceeds the maximum length of %d characters", maxExperimentName)
	}
	return nil
}

// insertExperiment makes an experiment. Errors: the name is taken.
func (s *Store) insertExperiment(tx *sql.Tx, space int64, name, location string, tags []Tag) (*experiment, error) {
	now := s.now()
	e := &experiment{name: name, location: location, stage: active, created: now, updated: now, tags: tags}
	if taken, err := experimentNamed(tx, space, name); err != nil || taken != nil {
		if err == nil {
			err = errorf(AlreadyExists, "Experiment(name=%s) already exists.", name)
		}
		return nil, err
	}
	if err := tx.QueryRow(`SELECT coalesce(max(id) + 1, 0) FROM tracking_experiments WHERE ws = ?`, space).Scan(&e.id); err != nil {
		return nil, err
	}
	if location == "" {
		e.location = "mlflow-artifacts:/" + strconv.FormatInt(e.id, 10)
	}
	r, err := tx.Exec(`INSERT INTO tracking_experiments (ws, id, name, location, stage, created, updated, tags) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		space, e.id, e.name, e.location, e.stage, e.created, e.updated, joinTags(tags))
	if err != nil {
		return nil, err
	}
	e.eid, err = r.LastInsertId()
	return e, err
}

// joinTags is a list of tags as tables keep it.
func joinTags(tags []Tag) string {
	var b []byte
	for _, t := range tags {
		b = appendTag(b, t)
	}
	return string(b)
}

// EnsureExperiment returns the id of the experiment of that name, which it makes
// when it is not there, and makes active when it was deleted.
func (s *Store) EnsureExperiment(ctx context.Context, ws, name string) (id string, err error) {
	var e *experiment
	err = s.read(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
		e, err = experimentNamed(tx, space, name)
		return err
	})
	if err == nil && (e == nil || e.stage != active) {
		err = s.write(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
			e, err = s.ensureExperiment(tx, space, name)
			return err
		})
	}
	if err != nil {
		return "", err
	}
	return strconv.FormatInt(e.id, 10), nil
}

func (s *Store) ensureExperiment(tx *sql.Tx, space int64, name string) (*experiment, error) {
	e, err := experimentNamed(tx, space, name)
	if err != nil || e != nil && e.stage == active {
		return e, err
	}
	if e != nil {
		return e, s.stageExperiment(tx, e, active)
	}
	if err := checkExperimentName(name); err != nil {
		return nil, err
	}
	return s.insertExperiment(tx, space, name, "", nil)
}

// stageExperiment deletes or restores an experiment and all its runs.
func (s *Store) stageExperiment(tx *sql.Tx, e *experiment, stage string) error {
	now := s.now()
	if _, err := tx.Exec(`UPDATE tracking_experiments SET stage = ?, updated = ? WHERE eid = ?`, stage, now, e.eid); err != nil {
		return err
	}
	var when any
	if stage == deleted {
		when = now
	}
	e.stage, e.updated = stage, now
	_, err := tx.Exec(`UPDATE tracking_runs SET stage = ?, deleted = ? WHERE eid = ?`, stage, when, e.eid)
	return err
}

package tracking

import (
	"database/sql"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// The states of a logged model.
const (
	modelPending = 1
	modelReady   = 2
)

var modelStates = []string{"LOGGED_MODEL_STATUS_UNSPECIFIED", "LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY", "LOGGED_MODEL_UPLOAD_FAILED"}

// loggedModel is a row of tracking_logged.
type loggedModel struct {
	lid, eid   int64
	experiment int64
	id         string
	stage      string
	created    int64
	loggedBody
	metrics []modelMetric
}

// loggedBody is what a row keeps as JSON.
type loggedBody struct {
	Name    string `json:"name"`
	URI     string `json:"uri"`
	Updated int64  `json:"updated"`
	Status  int64  `json:"status"`
	Type    string `json:"type"`
	Run     string `json:"run"`
	Tags    []Tag  `json:"tags,omitempty"`
	Params  []Tag  `json:"params,omitempty"`
}

// modelMetric is a value that was logged with a model's id.
type modelMetric struct {
	name, run     string
	time, step    int64
	value         float64
	dataset       sql.NullString
	datasetDigest sql.NullString
}

func (m *loggedModel) write(o *out) {
	o.object("info", func() {
		o.str("model_id", m.id)
		o.str("experiment_id", strconv.FormatInt(m.experiment, 10))
		o.str("name", m.Name)
		o.int("creation_timestamp_ms", m.created)
		o.int("last_updated_timestamp_ms", m.Updated)
		o.str("artifact_uri", m.URI)
		o.str("status", modelStates[m.Status])
		o.str("model_type", m.Type)
		o.str("source_run_id", m.Run)
		writeTags(o, "tags", m.Tags)
	})
	o.object("data", func() {
		writeTags(o, "params", m.Params)
		o.list("metrics", len(m.metrics), func(i int) { o.item(func() { m.metrics[i].write(o, m.id) }) })
	})
}

func (x *modelMetric) write(o *out, model string) {
	o.str("key", x.name)
	o.float("value", x.value)
	o.int("timestamp", x.time)
	o.int("step", x.step)
	o.text("dataset_name", x.dataset.String)
	o.text("dataset_digest", x.datasetDigest.String)
	o.str("model_id", model)
	o.text("run_id", x.run)
}

// writeTags writes a list of tags, or none.
func writeTags(o *out, name string, tags []Tag) {
	o.list(name, len(tags), func(i int) {
		o.item(func() {
			o.str("key", tags[i].Key)
			o.str("value", tags[i].Value)
		})
	})
}

const loggedColumns = `l.lid, l.eid, e.id, l.model_id, l.stage, l.created, l.body FROM tracking_logged l JOIN tracking_experiments e ON e.eid = l.eid`

func scanLogged(scan func(...any) error) (*loggedModel, error) {
	m := &loggedModel{}
	var body []byte
	if err := scan(&m.lid, &m.eid, &m.experiment, &m.id, &m.stage, &m.created, &body); err != nil {
		return nil, err
	}
	return m, json.Unmarshal(body, &m.loggedBody)
}

// logged finds a logged model, without its metrics.
func (s *Store) logged(tx *sql.Tx, space int64, id string, withDeleted bool) (*loggedModel, error) {
	m, err := scanLogged(tx.QueryRow(`SELECT `+loggedColumns+` WHERE l.ws = ? AND l.model_id = ?`, space, id).Scan)
	if errors.Is(err, sql.ErrNoRows) || err == nil && m.stage == deleted && !withDeleted {
		return nil, errorf(DoesNotExist, "Logged model with ID '%s' not found.", id)
	}
	return m, err
}

// loadMetrics reads the values that were logged with a model's id.
func (m *loggedModel) loadMetrics(tx *sql.Tx, space int64) error {
	return eachRow(tx, `SELECT name, run_id, time, step, value, dataset_name, dataset_digest FROM tracking_logged_metrics WHERE ws = ? AND model_id = ? ORDER BY id`, []any{space, m.id},
		func(scan func(...any) error) error {
			var x modelMetric
			err := scan(&x.name, &x.run, &x.time, &x.step, &x.value, &x.dataset, &x.datasetDigest)
			m.metrics = append(m.metrics, x)
			return err
		})
}

// checkLoggedName refuses names of logged models that could be taken for something else.
func checkLoggedName(name string) error {
	if strings.ContainsAny(name, `/:.%"'`) {
		return invalidf(`Invalid model name (%s) provided. Model name must be a non-empty string and cannot contain the following characters: ('/', ':', '.', '%%', '"', "'")`, py.Repr(name))
	}
	return nil
}

// insertLogged makes a logged model.
func (s *Store) insertLogged(tx *sql.Tx, space int64, experiment string, b loggedBody) (*loggedModel, error) {
	e, err := s.experiment(tx, space, experiment)
	if err != nil {
		return nil, err
	}
	if err := e.mustBeActive(); err != nil {
		return nil, err
	}
	m := &loggedModel{eid: e.eid, experiment: e.id, id: "m-" + newID(), stage: active, created: s.now(), loggedBody: b}
	m.URI, m.Updated, m.Status = under(e.location, "models", m.id, "artifacts"), m.created, modelPending
	if m.Name == "" {
		m.Name = generatedName()
	}
	r, err := tx.Exec(`INSERT INTO tracking_logged (ws, model_id, eid, stage, created, body) VALUES (?, ?, ?, ?, ?, ?)`, space, m.id, m.eid, m.stage, m.created, string(rawJSON(m.loggedBody)))
	if err != nil {
		return nil, err
	}
	m.lid, err = r.LastInsertId()
	return m, err
}

// save writes what may change of a logged model.
func (m *loggedModel) save(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE tracking_logged SET stage = ?, body = ? WHERE lid = ?`, m.stage, string(rawJSON(m.loggedBody)), m.lid)
	return err
}

// unique refuses a list with a key that is there twice.
func unique(what string, list []Tag) error {
	seen := map[string]bool{}
	for _, t := range list {
		if seen[t.Key] {
			return errorf(BadRequest, "The %s '%s' is there twice.", what, t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// logModelMetrics keeps the values of a batch that are of logged models.
func (s *Store) logModelMetrics(tx *sql.Tx, space int64, r *runRow, metrics []Metric) error {
	for i := range metrics {
		m := &metrics[i]
		if m.ModelID == "" {
			continue
		}
		if _, err := s.logged(tx, space, m.ModelID, true); err != nil {
			return errorf(BadRequest, "There is no logged model with ID '%s'.", m.ModelID)
		}
		value := points.Clean(m.Value)
		if value != value {
			value = 0
		}
		dataset := sql.NullString{String: m.DatasetName, Valid: m.DatasetName != ""}
		digest := sql.NullString{String: m.DatasetDigest, Valid: m.DatasetDigest != ""}
		res, err := tx.Exec(`INSERT OR IGNORE INTO tracking_logged_metrics (ws, model_id, name, time, step, run_id, value, dataset_name, dataset_digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			space, m.ModelID, m.Key, m.Timestamp, m.Step, r.id, value, dataset, digest)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			if err != nil {
				return err
			}
			continue
		}
		var same bool
		err = tx.QueryRow(`SELECT value = ? AND dataset_name IS ? AND dataset_digest IS ? FROM tracking_logged_metrics WHERE ws = ? AND model_id = ? AND name = ? AND time = ? AND step = ? AND run_id = ?`,
			value, dataset, digest, space, m.ModelID, m.Key, m.Timestamp, m.Step, r.id).Scan(&same)
		if err == nil && !same {
			err = errorf(BadRequest, "The metric '%s' of model '%s' has another value at that time and step.", m.Key, m.ModelID)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// value is what filters and orders compare, but for metrics.
func (m *loggedModel) value(e search.Entity, key string) any {
	switch e {
	case search.Param:
		return tagValue(m.Params, key)
	case search.Tag:
		return tagValue(m.Tags, key)
	}
	switch key {
	case "creation_timestamp_ms":
		return m.created
	case "last_updated_timestamp_ms":
		return m.Updated
	case "model_id":
		return m.id
	case "experiment_id":
		return strconv.FormatInt(m.experiment, 10)
	case "name":
		return m.Name
	case "artifact_location":
		return m.URI
	case "status":
		return strconv.FormatInt(m.Status, 10)
	case "lifecycle_stage":
		return m.stage
	case "model_type":
		return m.Type
	case "source_run_id":
		return m.Run
	}
	return nil
}

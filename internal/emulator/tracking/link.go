package tracking

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// loadLinks reads a run's inputs and outputs, as the insides of JSON lists.
func (s *Store) loadLinks(tx *sql.Tx, r *runRow) error {
	var err error
	if r.inputs, err = datasetInputs(tx, r.rid); err != nil {
		return err
	}
	r.modelsIn, r.outputs = nil, nil
	return eachRow(tx, `SELECT output, model_id, step FROM tracking_run_models WHERE rid = ? ORDER BY id`, []any{r.rid}, func(scan func(...any) error) error {
		var output bool
		var id string
		var step int64
		if err := scan(&output, &id, &step); err != nil {
			return err
		}
		o := &out{b: r.modelsIn}
		if output {
			o.b = r.outputs
		}
		o.item(func() {
			o.str("model_id", id)
			if output {
				o.int("step", step)
			}
		})
		if output {
			r.outputs = o.b
		} else {
			r.modelsIn = o.b
		}
		return nil
	})
}

func datasetInputs(tx *sql.Tx, rid int64) ([]byte, error) {
	o := &out{}
	err := eachRow(tx, `SELECT i.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile FROM tracking_inputs i JOIN tracking_datasets d ON d.did = i.did WHERE i.rid = ? ORDER BY i.id`,
		[]any{rid}, func(scan func(...any) error) error {
			var tags, name, digest, sourceType, source string
			var schema, profile sql.NullString
			if err := scan(&tags, &name, &digest, &sourceType, &source, &schema, &profile); err != nil {
				return err
			}
			o.item(func() {
				wrapped(o, "tags", []byte(tags))
				o.object("dataset", func() {
					o.str("name", name)
					o.str("digest", digest)
					o.str("source_type", sourceType)
					o.str("source", source)
					o.text("schema", schema.String)
					o.text("profile", profile.String)
				})
			})
			return nil
		})
	return o.b, err
}

// eachRow calls f for each row of a query.
func eachRow(tx *sql.Tx, query string, args []any, f func(scan func(...any) error) error) (err error) {
	rows, err := tx.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// dataset is a data set that a run takes.
type dataset struct {
	name, digest, sourceType, source string
	schema, profile                  *string
	tags                             []Tag
}

// readDataset reads and checks a data set.
func readDataset(m *request.Message) (*dataset, error) {
	sub := m.Sub("dataset")
	d := &dataset{name: sub.Text("name"), digest: sub.Text("digest"), sourceType: sub.Text("source_type"), source: sub.Text("source"),
		schema: sub.TextPtr("schema"), profile: sub.TextPtr("profile"), tags: tags(m.List("tags"))}
	for _, l := range []struct {
		name  string
		limit int
		value string
	}{{"name", 500, d.name}, {"digest", 36, d.digest}, {"source", 65535, d.source}, {"schema", 1048575, sub.Text("schema")}, {"profile", 16777215, sub.Text("profile")}} {
		if err := tooLong(l.name, l.limit, l.value); err != nil {
			return nil, err
		}
	}
	for _, t := range d.tags {
		if err := tooLong("key", 255, t.Key); err != nil {
			return nil, err
		}
		if err := tooLong("value", 500, t.Value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// logInputs: POST mlflow/runs/log-inputs.
func logInputs(c *call) error {
	m, err := c.read("LogInputs", needRun, request.May("datasets", request.IsList), request.May("models", request.IsList))
	if err != nil {
		return err
	}
	if err := checkRunID(m.Text("run_id")); err != nil {
		return err
	}
	var all []*dataset
	seen := map[[2]string]bool{}
	for _, x := range m.List("datasets") {
		d, err := readDataset(x)
		if err != nil {
			return err
		}
		if k := [2]string{d.name, d.digest}; !seen[k] {
			seen[k] = true
			all = append(all, d)
		}
	}
	return c.changeRun(m.Text("run_id"), func(tx *sql.Tx, r *runRow) error {
		for _, d := range all {
			if err := c.addInput(tx, r, d); err != nil {
				return err
			}
		}
		for _, x := range m.List("models") {
			if _, err := tx.Exec(`INSERT OR IGNORE INTO tracking_run_models (rid, output, model_id, step) VALUES (?, 0, ?, 0)`, r.rid, x.Text("model_id")); err != nil {
				return err
			}
		}
		return linked(tx, r)
	})
}

func linked(tx *sql.Tx, r *runRow) error {
	_, err := tx.Exec(`UPDATE tracking_runs SET linked = 1 WHERE rid = ?`, r.rid)
	return err
}

// addInput makes a data set an input of a run. A data set that its experiment has
// stays as it is, and so does an input.
func (s *Store) addInput(tx *sql.Tx, r *runRow, d *dataset) error {
	_, err := tx.Exec(`INSERT OR IGNORE INTO tracking_datasets (eid, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		r.eid, d.name, d.digest, d.sourceType, d.source, d.schema, d.profile)
	if err != nil {
		return err
	}
	var did int64
	if err := tx.QueryRow(`SELECT did FROM tracking_datasets WHERE eid = ? AND name = ? AND digest = ?`, r.eid, d.name, d.digest).Scan(&did); err != nil {
		return err
	}
	_, err = tx.Exec(`INSERT OR IGNORE INTO tracking_inputs (rid, did, tags, context) VALUES (?, ?, ?, ?)`, r.rid, did, joinTags(d.tags), tagValue(d.tags, tagContext))
	return err
}

// logOutputs: POST mlflow/runs/outputs.
func logOutputs(c *call) error {
	m, err := c.read("LogOutputs", needRun, request.Need("models", request.IsList))
	if err != nil {
		return err
	}
	return c.changeRun(m.Text("run_id"), func(tx *sql.Tx, r *runRow) error {
		for _, x := range m.List("models") {
			res, err := tx.Exec(`INSERT OR IGNORE INTO tracking_run_models (rid, output, model_id, step) VALUES (?, 1, ?, ?)`, r.rid, x.Text("model_id"), x.Int("step"))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil {
				return err
			} else if n == 0 {
				return errorf(BadRequest, "The model '%s' is an output of run '%s' already.", x.Text("model_id"), r.id)
			}
		}
		return linked(tx, r)
	})
}

// searchDatasets: POST mlflow/experiments/search-datasets.
func searchDatasets(c *call) error {
	m, err := c.read("SearchDatasets")
	if err != nil {
		return err
	}
	list := m.Texts("experiment_ids")
	if len(list) == 0 {
		return invalidf("SearchDatasets request must specify at least one experiment_id.")
	}
	if len(list) > 20 {
		return invalidf("SearchDatasets request cannot specify more than 20 experiment_ids. Received %d experiment_ids.", len(list))
	}
	ids, err := experimentIDs(list)
	if err != nil {
		return err
	}
	o := &out{}
	o.open('{')
	n := 0
	err = c.view(func(tx *sql.Tx, space int64) error {
		args := []any{space}
		for _, id := range ids {
			args = append(args, id)
		}
		return eachRow(tx, `SELECT DISTINCT e.id, d.name, d.digest, i.context FROM tracking_experiments e JOIN tracking_datasets d ON d.eid = e.eid JOIN tracking_inputs i ON i.did = d.did
			WHERE e.ws = ? AND e.id IN (?`+strings.Repeat(", ?", len(ids)-1)+`) ORDER BY d.did LIMIT 1000`, args, func(scan func(...any) error) error {
			var id int64
			var name, digest string
			var context sql.NullString
			if err := scan(&id, &name, &digest, &context); err != nil {
				return err
			}
			if n++; n == 1 {
				o.key("dataset_summaries")
				o.b = append(o.b, '[')
			}
			o.item(func() {
				o.str("experiment_id", strconv.FormatInt(id, 10))
				o.str("name", name)
				o.str("digest", digest)
				o.text("context", context.String)
			})
			return nil
		})
	})
	if err != nil {
		return err
	}
	if n > 0 {
		o.close(']')
	}
	o.close('}')
	return c.sendJSON(o)
}

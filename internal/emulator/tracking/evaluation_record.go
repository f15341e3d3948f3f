package tracking

import (
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// maxRecords is how many records a page has when nothing is said.
const maxRecords = 1000

// recordSources are the sources of records.
var recordSources = []string{"UNSPECIFIED", "TRACE", "HUMAN", "DOCUMENT", "CODE"}

// upsertRecords: POST 3.0 mlflow/datasets/{id}/records. Records with the same
// inputs are one: the later adds to the earlier.
func upsertRecords(c *call) error {
	m, err := c.read("UpsertDatasetRecords", request.Need("records", request.IsText))
	if err != nil {
		return err
	}
	records, err := readRecords(m.Text("records"))
	if err != nil {
		return err
	}
	inserted, updated := int64(0), int64(0)
	err = c.update(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil {
			return err
		}
		if d == nil {
			return errorf(BadRequest, "There is no evaluation dataset with id '%s'.", c.vars[0])
		}
		now := c.now()
		d.UpdatedBy = nil
		for _, r := range records {
			if user := userOf(r); user != nil {
				d.UpdatedBy = user
			}
			fresh, err := d.upsert(tx, r, now)
			if err != nil {
				return err
			}
			if fresh {
				inserted++
			} else {
				updated++
			}
		}
		if err := d.studied(tx, records); err != nil {
			return err
		}
		d.dated(now)
		return d.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.int("inserted_count", inserted)
		o.int("updated_count", updated)
	})
}

// readRecords reads a JSON list of records.
func readRecords(text string) (all []*request.Object, err error) {
	v, err := request.Parse([]byte(text))
	list, ok := v.([]any)
	if err != nil || !ok {
		return nil, invalidf("Invalid value for parameter 'records' supplied: it must be a JSON list of objects.")
	}
	for i, item := range list {
		r, ok := item.(*request.Object)
		if !ok {
			return nil, invalidf("Record %d is no JSON object.", i)
		}
		for _, field := range []string{"inputs", "expectations", "tags"} {
			_, isObject := r.Values[field].(*request.Object)
			if v, given := r.Values[field]; given && !isObject && (v != nil || field == "inputs") {
				return nil, invalidf("The field '%s' of record %d must be an object.", field, i)
			}
		}
		if source, ok := r.Values["source"].(*request.Object); ok {
			typ, _ := source.Values["source_type"].(string)
			if up := strings.ToUpper(typ); !slices.Contains(recordSources, up) {
				return nil, invalidf("Invalid dataset record source type: %s. Valid source types: %s", up, py.List(recordSources...))
			}
		} else if r.Values["source"] != nil {
			return nil, invalidf("The field 'source' of record %d must be an object.", i)
		}
		all = append(all, r)
	}
	return all, nil
}

func userOf(r *request.Object) *string {
	tags, _ := r.Values["tags"].(*request.Object)
	if tags == nil {
		return nil
	}
	if user, ok := tags.Values[tagUser].(string); ok {
		return &user
	}
	return nil
}

// upsert stores a record; fresh says that it is new.
func (d *evaluation) upsert(tx *sql.Tx, r *request.Object, now int64) (fresh bool, err error) {
	inputs, _ := r.Values["inputs"].(*request.Object)
	if inputs == nil {
		inputs = &request.Object{}
	}
	sum := sha256.Sum256([]byte(request.Dumps(inputs)))
	hash := hex.EncodeToString(sum[:])
	var rec int64
	var body string
	err = tx.QueryRow(`SELECT rec, body FROM tracking_eval_records WHERE did = ? AND hash = ?`, d.did, hash).Scan(&rec, &body)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		id := prefixedID("dr-")
		_, err = tx.Exec(`INSERT INTO tracking_eval_records (did, id, hash, created, body) VALUES (?, ?, ?, ?, ?)`, d.did, id, hash, now, request.Print(d.record(id, inputs, r, now)))
		return true, err
	case err != nil:
		return false, err
	}
	v, err := request.Parse([]byte(body))
	if err != nil {
		return false, err
	}
	old := v.(*request.Object)
	if outputs, given := r.Values["outputs"]; given {
		old.Set("outputs", outputs)
	}
	for _, field := range []string{"expectations", "tags"} {
		more, _ := r.Values[field].(*request.Object)
		if more == nil || len(more.Keys) == 0 {
			continue
		}
		had, _ := old.Values[field].(*request.Object)
		if had == nil {
			had = &request.Object{}
		}
		for _, k := range more.Keys {
			had.Set(k, more.Values[k])
		}
		old.Set(field, had)
	}
	old.Set("last_update_time", now)
	if user := userOf(r); user != nil {
		old.Set("last_updated_by", *user)
	}
	_, err = tx.Exec(`UPDATE tracking_eval_records SET body = ? WHERE rec = ?`, request.Print(old), rec)
	return false, err
}

// record is a new record as it is kept.
func (d *evaluation) record(id string, inputs, r *request.Object, now int64) *request.Object {
	o := &request.Object{}
	o.Set("dataset_record_id", id)
	o.Set("dataset_id", d.id)
	o.Set("inputs", inputs)
	o.Set("expectations", r.Values["expectations"])
	o.Set("tags", r.Values["tags"])
	if r.Values["tags"] == nil {
		o.Set("tags", &request.Object{})
	}
	o.Set("source", nil)
	o.Set("source_id", nil)
	o.Set("source_type", nil)
	if source, _ := r.Values["source"].(*request.Object); source != nil && len(source.Keys) > 0 {
		typ, _ := source.Values["source_type"].(string)
		data, _ := source.Values["source_data"].(*request.Object)
		if data == nil {
			data = &request.Object{}
		}
		kept := &request.Object{}
		kept.Set("source_type", strings.ToUpper(typ))
		kept.Set("source_data", data)
		o.Set("source", kept)
		o.Set("source_type", strings.ToUpper(typ))
		key := "source_id"
		if strings.EqualFold(typ, "TRACE") {
			key = "trace_id"
		}
		o.Set("source_id", data.Values[key])
	}
	o.Set("created_time", now)
	o.Set("last_update_time", now)
	o.Set("created_by", nil)
	o.Set("last_updated_by", nil)
	if user := userOf(r); user != nil {
		o.Set("created_by", *user)
		o.Set("last_updated_by", *user)
	}
	if o.Set("outputs", &request.Object{}); slices.Contains(r.Keys, "outputs") {
		o.Set("outputs", r.Values["outputs"])
	}
	return o
}

// studied brings a dataset's schema and profile up to date.
func (d *evaluation) studied(tx *sql.Tx, records []*request.Object) error {
	if len(records) > 0 || d.Schema != nil {
		schema := &request.Object{}
		for _, k := range []string{"inputs", "outputs", "expectations"} {
			schema.Set(k, &request.Object{})
		}
		schema.Set("version", "1.0")
		if d.Schema != nil {
			v, err := request.Parse([]byte(*d.Schema))
			if err != nil {
				return err
			}
			schema = v.(*request.Object)
		}
		for _, r := range records {
			learn(schema, r)
		}
		d.Schema = new(request.Print(schema))
	}
	var n int64
	if err := tx.QueryRow(`SELECT count(*) FROM tracking_eval_records WHERE did = ?`, d.did).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		d.Profile = new(fmt.Sprintf(`{"num_records": %d}`, n))
	}
	return nil
}

// getRecords: GET 3.0 mlflow/datasets/{id}/records.
func getRecords(c *call) error {
	m, err := c.read("GetDatasetRecords", request.May("max_results", request.IsInt), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	limit := m.Int("max_results")
	if limit == 0 {
		limit = maxRecords
	}
	where, args := "", []any{}
	if token := m.Text("page_token"); token != "" {
		created, id, err := recordToken(token)
		if err != nil {
			return err
		}
		where, args = ` AND (created > ? OR created = ? AND id > ?)`, []any{created, created, id}
	}
	var list []any
	next := ""
	err = c.view(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil || d == nil {
			return err
		}
		var created int64
		var id, body string
		return eachRow(tx, `SELECT created, id, body FROM tracking_eval_records WHERE did = ?`+where+` ORDER BY created, id LIMIT ?`, append(append([]any{d.did}, args...), limit+1), func(scan func(...any) error) error {
			if int64(len(list)) == limit {
				next = base64.StdEncoding.EncodeToString([]byte(strconv.FormatInt(created, 10) + ":" + id))
				return nil
			}
			if err := scan(&created, &id, &body); err != nil {
				return err
			}
			v, err := request.Parse([]byte(body))
			list = append(list, shownRecord(v))
			return err
		})
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.str("records", request.Print(list))
		o.text("next_page_token", next)
	})
}

// shownRecord leaves out what a record does not have.
func shownRecord(v any) any {
	o, _ := v.(*request.Object)
	if o == nil {
		return v
	}
	shown := &request.Object{}
	for _, k := range o.Keys {
		if o.Values[k] != nil {
			shown.Set(k, o.Values[k])
		}
	}
	return shown
}

func recordToken(token string) (created int64, id string, err error) {
	raw, err := base64.StdEncoding.DecodeString(token)
	time, id, ok := strings.Cut(string(raw), ":")
	created, ok2 := py.Int(time)
	if err != nil || !ok || !ok2 {
		return 0, "", invalidf("Invalid page token: %s", py.Repr(token))
	}
	return created, id, nil
}

// deleteRecords: DELETE 3.0 mlflow/datasets/{id}/records.
func deleteRecords(c *call) error {
	m, err := c.read("DeleteDatasetRecords", request.May("dataset_record_ids", request.IsList))
	if err != nil {
		return err
	}
	var n int64
	err = c.update(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil || d == nil {
			return err
		}
		for _, id := range m.Texts("dataset_record_ids") {
			r, err := tx.Exec(`DELETE FROM tracking_eval_records WHERE did = ? AND id = ?`, d.did, id)
			if err != nil {
				return err
			}
			k, err := r.RowsAffected()
			if err != nil {
				return err
			}
			n += k
		}
		if n == 0 {
			return nil
		}
		var left int64
		if err := tx.QueryRow(`SELECT count(*) FROM tracking_eval_records WHERE did = ?`, d.did).Scan(&left); err != nil {
			return err
		}
		if d.Profile = new("null"); left > 0 {
			d.Profile = new(fmt.Sprintf(`{"num_records": %d}`, left))
		}
		return d.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.int("deleted_count", n) })
}

package tracking

import (
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// evaluationSchema makes the tables of evaluation datasets: named lists of records
// that models are tried on.
const evaluationSchema = `
CREATE TABLE tracking_evals (
	did INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (ws, id)
);
CREATE TABLE tracking_eval_experiments (
	did INTEGER NOT NULL,
	experiment TEXT NOT NULL,
	UNIQUE (did, experiment)
);
CREATE TABLE tracking_eval_records (
	rec INTEGER PRIMARY KEY,
	did INTEGER NOT NULL,
	id TEXT NOT NULL,
	hash TEXT NOT NULL,
	created INTEGER NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (did, hash)
);
CREATE INDEX tracking_eval_records_order ON tracking_eval_records (did, created, id);
`

// evaluation is an evaluation dataset.
type evaluation struct {
	did      int64
	id, name string
	evaluationBody
	experiments []string // as far as they are told
}

type evaluationBody struct {
	Tags      []evaluationTag `json:"tags,omitempty"`
	Schema    *string         `json:"schema,omitempty"`
	Profile   *string         `json:"profile,omitempty"`
	Digest    string          `json:"digest"`
	Created   int64           `json:"created"`
	Updated   int64           `json:"updated"`
	CreatedBy *string         `json:"created_by,omitempty"`
	UpdatedBy *string         `json:"updated_by,omitempty"`
}

// evaluationTag is a tag, whose value may be null.
type evaluationTag struct {
	Key   string  `json:"k"`
	Value *string `json:"v"`
}

func (d *evaluation) write(o *out) {
	tags := &request.Object{}
	for _, t := range d.Tags {
		if t.Value == nil {
			tags.Set(t.Key, nil)
		} else {
			tags.Set(t.Key, *t.Value)
		}
	}
	o.str("dataset_id", d.id)
	o.str("name", d.name)
	o.str("tags", request.Print(tags))
	o.ptr("schema", d.Schema)
	o.ptr("profile", d.Profile)
	o.str("digest", d.Digest)
	o.int("created_time", d.Created)
	o.int("last_update_time", d.Updated)
	o.ptr("created_by", d.CreatedBy)
	o.ptr("last_updated_by", d.UpdatedBy)
	o.strs("experiment_ids", d.experiments)
}

// dated sets the digest, which says of which name and time the dataset is.
func (d *evaluation) dated(now int64) {
	sum := sha256.Sum256([]byte(d.name + ":" + strconv.FormatInt(now, 10)))
	d.Updated, d.Digest = now, hex.EncodeToString(sum[:])[:8]
}

// setTag sets a tag; what is no text is written as Python shows it.
func (d *evaluation) setTag(key string, v any) {
	var text *string
	switch v := v.(type) {
	case nil:
	case string:
		text = &v
	default:
		text = new(request.Repr(v))
	}
	for i := range d.Tags {
		if d.Tags[i].Key == key {
			d.Tags[i].Value = text
			return
		}
	}
	d.Tags = append(d.Tags, evaluationTag{key, text})
}

func (d *evaluation) value(e search.Entity, key string) any {
	ptr := func(s *string) any {
		if s == nil {
			return nil
		}
		return *s
	}
	if e == search.Tag {
		for _, t := range d.Tags {
			if t.Key == key {
				return ptr(t.Value)
			}
		}
		return nil
	}
	switch key {
	case "name":
		return d.name
	case "created_time":
		return d.Created
	case "last_update_time":
		return d.Updated
	case "created_by":
		return ptr(d.CreatedBy)
	case "last_updated_by":
		return ptr(d.UpdatedBy)
	}
	return nil
}

func (d *evaluation) save(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE tracking_evals SET body = ? WHERE did = ?`, string(rawJSON(d.evaluationBody)), d.did)
	return err
}

const evaluationColumns = `SELECT did, id, name, body FROM tracking_evals `

func scanEvaluation(scan func(...any) error) (*evaluation, error) {
	d := &evaluation{}
	var body []byte
	if err := scan(&d.did, &d.id, &d.name, &body); err != nil {
		return nil, err
	}
	return d, json.Unmarshal(body, &d.evaluationBody)
}

// evaluationOf finds a dataset; nil when it is not there.
func evaluationOf(tx *sql.Tx, space int64, id string) (*evaluation, error) {
	d, err := scanEvaluation(tx.QueryRow(evaluationColumns+`WHERE ws = ? AND id = ?`, space, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return d, err
}

// experimentsOf are the experiments that a dataset belongs to.
func (d *evaluation) experimentsOf(tx *sql.Tx) (ids []string, err error) {
	err = eachRow(tx, `SELECT experiment FROM tracking_eval_experiments WHERE did = ? ORDER BY rowid`, []any{d.did}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// learn adds the fields of a record to a dataset's schema.
func learn(schema *request.Object, record *request.Object) {
	part := func(name string) *request.Object {
		o, ok := schema.Values[name].(*request.Object)
		if !ok {
			o = &request.Object{}
		}
		return o
	}
	for _, name := range []string{"inputs", "outputs", "expectations"} {
		v := record.Values[name]
		if _, typed := schema.Values[name].(string); typed {
			continue // the outputs are no object
		}
		fields, isObject := v.(*request.Object)
		known := part(name)
		if !isObject {
			if name == "outputs" && v != nil && len(known.Keys) == 0 {
				schema.Set(name, typeOf(v))
			}
			continue
		}
		for _, k := range fields.Keys {
			if _, had := known.Values[k]; !had {
				known.Set(k, typeOf(fields.Values[k]))
			}
		}
		schema.Set(name, known)
	}
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int64, request.Big:
		return "integer"
	case float64:
		return "float"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

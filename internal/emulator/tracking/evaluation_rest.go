package tracking

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

func (c *call) answerEvaluation(d *evaluation) error {
	return c.answer(func(o *out) { o.object("dataset", func() { d.write(o) }) })
}

func prefixedID(prefix string) string { return prefix + strings.ReplaceAll(uuid.NewString(), "-", "") }

// jsonObject reads a field that holds a JSON object as text.
func jsonObject(m *request.Message, field string) (*request.Object, error) {
	text := m.Text(field)
	if text == "" {
		return &request.Object{}, nil
	}
	v, err := request.Parse([]byte(text))
	o, ok := v.(*request.Object)
	if err != nil || !ok {
		return nil, invalidf("Invalid value %s for parameter '%s' supplied: it must be a JSON object.", request.Dumps(text), field)
	}
	return o, nil
}

// createEvaluation: POST 3.0 mlflow/datasets/create.
func createEvaluation(c *call) error {
	m, err := c.read("CreateDataset", request.Need("name", request.IsText), request.May("experiment_ids", request.IsList), request.May("tags", request.IsText))
	if err != nil {
		return err
	}
	tags, err := jsonObject(m, "tags")
	if err != nil {
		return err
	}
	now := c.now()
	d := &evaluation{id: prefixedID("d-"), name: m.Text("name"), experiments: m.Texts("experiment_ids")}
	d.Created = now
	d.dated(now)
	for _, k := range tags.Keys {
		d.setTag(k, tags.Values[k])
	}
	if user, ok := tags.Values[tagUser].(string); ok {
		d.CreatedBy, d.UpdatedBy = &user, &user
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		r, err := tx.Exec(`INSERT INTO tracking_evals (ws, id, name, body) VALUES (?, ?, ?, ?)`, space, d.id, d.name, string(rawJSON(d.evaluationBody)))
		if err != nil {
			return err
		}
		if d.did, err = r.LastInsertId(); err != nil {
			return err
		}
		return d.join(tx, d.experiments)
	})
	if err != nil {
		return err
	}
	return c.answerEvaluation(d)
}

// join makes a dataset one of more experiments.
func (d *evaluation) join(tx *sql.Tx, experiments []string) error {
	for _, e := range experiments {
		if _, err := tx.Exec(`INSERT OR IGNORE INTO tracking_eval_experiments (did, experiment) VALUES (?, ?)`, d.did, e); err != nil {
			return err
		}
	}
	return nil
}

// getEvaluation: GET 3.0 mlflow/datasets/{id}.
func getEvaluation(c *call) error {
	var d *evaluation
	err := c.view(func(tx *sql.Tx, space int64) (err error) {
		d, err = evaluationOf(tx, space, c.vars[0])
		return err
	})
	if err != nil {
		return err
	}
	if d == nil {
		return errorf(DoesNotExist, "Evaluation dataset with id '%s' not found", c.vars[0])
	}
	return c.answerEvaluation(d)
}

// deleteEvaluation: DELETE 3.0 mlflow/datasets/{id}. What is not there is no error.
func deleteEvaluation(c *call) error {
	if err := c.unlimited("delete evaluation datasets"); err != nil {
		return err
	}
	err := c.update(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil || d == nil {
			return err
		}
		for _, table := range []string{"tracking_eval_records", "tracking_eval_experiments", "tracking_evals"} {
			if _, err := tx.Exec(`DELETE FROM `+table+` WHERE did = ?`, d.did); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// searchEvaluations: POST and GET 3.0 mlflow/datasets/search.
func searchEvaluations(c *call) error {
	m, err := c.read("SearchEvaluationDatasets", request.May("experiment_ids", request.IsList), request.May("filter_string", request.IsText),
		request.May("max_results", request.IsInt), request.May("order_by", request.IsList), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	limit := m.Int("max_results")
	if limit == 0 {
		return invalidf("Invalid value None for parameter 'max_results' supplied. It must be a positive integer")
	}
	if err := maxResults(limit); err != nil {
		return err
	}
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	filter, err := search.EvaluationDatasets(m.Text("filter_string"))
	if err != nil {
		return err
	}
	items := m.Texts("order_by")
	if len(items) == 0 {
		items = []string{"created_time DESC"}
	}
	orders, err := search.EvaluationDatasetOrders(items)
	if err != nil {
		return err
	}
	wanted := m.Texts("experiment_ids")
	var all []*evaluation
	err = c.view(func(tx *sql.Tx, space int64) error {
		return eachRow(tx, evaluationColumns+`WHERE ws = ? ORDER BY id DESC`, []any{space}, func(scan func(...any) error) error {
			d, err := scanEvaluation(scan)
			if err != nil || !matches(filter, d.value) {
				return err
			}
			if len(wanted) > 0 {
				ids, err := d.experimentsOf(tx)
				if err != nil || !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(wanted, id) }) {
					return err
				}
			}
			all = append(all, d)
			return nil
		})
	})
	if err != nil {
		return err
	}
	sortBy(all, orders, (*evaluation).value)
	all, next := paged(all, offset, int(limit))
	return c.answer(func(o *out) {
		o.list("datasets", len(all), func(i int) { o.item(func() { all[i].write(o) }) })
		o.text("next_page_token", next)
	})
}

// tagEvaluation: PATCH 3.0 mlflow/datasets/{id}/tags.
func tagEvaluation(c *call) error {
	m, err := c.read("SetDatasetTags", request.Need("tags", request.IsText))
	if err != nil {
		return err
	}
	tags, err := jsonObject(m, "tags")
	if err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil {
			return err
		}
		if d == nil {
			return errorf(DoesNotExist, "Could not find evaluation dataset with ID %s", c.vars[0])
		}
		for _, k := range tags.Keys {
			if v := tags.Values[k]; v != nil {
				d.setTag(k, v)
			}
		}
		return d.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// untagEvaluation: DELETE 3.0 mlflow/datasets/{id}/tags/{key}. What is not there is no error.
func untagEvaluation(c *call) error {
	err := c.update(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil || d == nil {
			return err
		}
		d.Tags = slices.DeleteFunc(d.Tags, func(t evaluationTag) bool { return t.Key == c.vars[1] })
		return d.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// evaluationExperiments: GET 3.0 mlflow/datasets/{id}/experiment-ids.
func evaluationExperiments(c *call) error {
	var ids []string
	err := c.view(func(tx *sql.Tx, space int64) error {
		d, err := evaluationOf(tx, space, c.vars[0])
		if err != nil || d == nil {
			return err
		}
		ids, err = d.experimentsOf(tx)
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.strs("experiment_ids", ids) })
}

// joinEvaluation: POST 3.0 mlflow/datasets/{id}/add-experiments.
func joinEvaluation(c *call) error {
	return c.changeExperiments("AddDatasetToExperiments", func(tx *sql.Tx, space int64, d *evaluation, ids []string) error {
		for _, id := range ids {
			if _, err := c.experiment(tx, space, id, active, deleted); err != nil {
				if asError(err).Code == InternalError {
					return err
				}
				return errorf(DoesNotExist, "No Experiment with id=%s", id)
			}
		}
		d.Updated = c.now()
		return d.join(tx, ids)
	})
}

// leaveEvaluation: POST 3.0 mlflow/datasets/{id}/remove-experiments.
func leaveEvaluation(c *call) error {
	return c.changeExperiments("RemoveDatasetFromExperiments", func(tx *sql.Tx, _ int64, d *evaluation, ids []string) error {
		for _, id := range ids {
			r, err := tx.Exec(`DELETE FROM tracking_eval_experiments WHERE did = ? AND experiment = ?`, d.did, id)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err == nil && n > 0 {
				d.Updated = c.now()
			}
		}
		return nil
	})
}

func (c *call) changeExperiments(message string, f func(tx *sql.Tx, space int64, d *evaluation, ids []string) error) error {
	m, err := c.read(message, request.May("experiment_ids", request.IsList))
	if err != nil {
		return err
	}
	var d *evaluation
	err = c.update(func(tx *sql.Tx, space int64) (err error) {
		if d, err = evaluationOf(tx, space, c.vars[0]); err != nil {
			return err
		}
		if d == nil {
			return errorf(DoesNotExist, "Dataset '%s' not found", c.vars[0])
		}
		if err := f(tx, space, d, m.Texts("experiment_ids")); err != nil {
			return err
		}
		return d.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answerEvaluation(d)
}

package tracking

import (
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

var needExperiment = request.Need("experiment_id", request.IsText)

// createExperiment: POST mlflow/experiments/create.
func createExperiment(c *call) error {
	m, err := c.read("CreateExperiment", request.Need("name", request.IsText), request.May("artifact_location", request.IsText), request.May("tags", request.IsList))
	if err != nil {
		return err
	}
	location := m.Text("artifact_location")
	if err := checkLocation(location); err != nil {
		return err
	}
	if location != "" {
		location = absolute(location)
	}
	if err := checkExperimentName(m.Text("name")); err != nil {
		return err
	}
	list := tags(m.List("tags"))
	for i, t := range list {
		if err := checkExperimentTag(t); err != nil {
			return err
		}
		if slices.ContainsFunc(list[:i], func(o Tag) bool { return o.Key == t.Key }) {
			return errorf(AlreadyExists, "Experiment(name=%s) already exists. Error: the tag '%s' is there twice", m.Text("name"), t.Key)
		}
	}
	var e *experiment
	err = c.update(func(tx *sql.Tx, space int64) (err error) {
		e, err = c.insertExperiment(tx, space, m.Text("name"), location, list)
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.str("experiment_id", strconv.FormatInt(e.id, 10)) })
}

// getExperiment: GET mlflow/experiments/get.
func getExperiment(c *call) error {
	m, err := c.read("GetExperiment", needExperiment)
	if err != nil {
		return err
	}
	var e *experiment
	err = c.view(func(tx *sql.Tx, space int64) (err error) {
		e, err = c.experiment(tx, space, m.Text("experiment_id"))
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.object("experiment", func() { e.write(o) }) })
}

// getExperimentByName: GET mlflow/experiments/get-by-name.
func getExperimentByName(c *call) error {
	m, err := c.read("GetExperimentByName", request.Need("experiment_name", request.IsText))
	if err != nil {
		return err
	}
	name := m.Text("experiment_name")
	var e *experiment
	err = c.view(func(tx *sql.Tx, space int64) (err error) {
		if e, err = experimentNamed(tx, space, name); err == nil && e == nil {
			err = errorf(DoesNotExist, "Could not find experiment with name '%s'", name)
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.object("experiment", func() { e.write(o) }) })
}

// changeExperiment runs f on an experiment.
func (c *call) changeExperiment(id string, f func(tx *sql.Tx, e *experiment) error, stages ...string) error {
	if err := c.unlimited("change experiments"); err != nil {
		return err
	}
	err := c.update(func(tx *sql.Tx, space int64) error {
		e, err := c.experiment(tx, space, id, stages...)
		if err != nil {
			return err
		}
		return f(tx, e)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// updateExperiment: POST mlflow/experiments/update.
func updateExperiment(c *call) error {
	m, err := c.read("UpdateExperiment", needExperiment, request.Need("new_name", request.IsText))
	if err != nil {
		return err
	}
	name := m.Text("new_name")
	if err := checkExperimentName(name); err != nil {
		return err
	}
	return c.changeExperiment(m.Text("experiment_id"), func(tx *sql.Tx, e *experiment) error {
		if e.stage != active {
			return &Error{Code: InvalidState, Status: 400, Message: "Cannot rename a non-active experiment."}
		}
		var other int64
		err := tx.QueryRow(`SELECT o.eid FROM tracking_experiments o JOIN tracking_experiments e ON e.ws = o.ws WHERE e.eid = ? AND o.name = ? AND o.eid <> e.eid`, e.eid, name).Scan(&other)
		if err == nil {
			return errorf(BadRequest, "Experiment(name=%s) already exists.", name)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(`UPDATE tracking_experiments SET name = ?, updated = ? WHERE eid = ?`, name, c.now(), e.eid)
		return err
	})
}

// deleteExperiment: POST mlflow/experiments/delete.
func deleteExperiment(c *call) error { return c.stage(active, deleted) }

// restoreExperiment: POST mlflow/experiments/restore.
func restoreExperiment(c *call) error { return c.stage(deleted, active) }

func (c *call) stage(from, to string) error {
	m, err := c.read("ExperimentID", needExperiment)
	if err != nil {
		return err
	}
	if _, err := experimentIDs([]string{m.Text("experiment_id")}); err != nil {
		return err // what cannot be read stands for no experiment, not for the first
	}
	return c.changeExperiment(m.Text("experiment_id"), func(tx *sql.Tx, e *experiment) error {
		return c.stageExperiment(tx, e, to)
	}, from)
}

// setExperimentTag: POST mlflow/experiments/set-experiment-tag.
func setExperimentTag(c *call) error {
	m, err := c.read("SetExperimentTag", needExperiment, request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	t := Tag{m.Text("key"), m.Text("value")}
	if err := checkExperimentTag(t); err != nil {
		return err
	}
	return c.changeExperiment(m.Text("experiment_id"), func(tx *sql.Tx, e *experiment) error {
		if err := e.mustBeActive(); err != nil {
			return err
		}
		i := slices.IndexFunc(e.tags, func(o Tag) bool { return o.Key == t.Key })
		if i < 0 {
			e.tags = append(e.tags, t)
		} else {
			e.tags[i].Value = t.Value
		}
		_, err := tx.Exec(`UPDATE tracking_experiments SET tags = ? WHERE eid = ?`, joinTags(e.tags), e.eid)
		return err
	})
}

// deleteExperimentTag: POST mlflow/experiments/delete-experiment-tag.
func deleteExperimentTag(c *call) error {
	m, err := c.read("DeleteExperimentTag", needExperiment, request.Need("key", request.IsText))
	if err != nil {
		return err
	}
	key := m.Text("key")
	return c.changeExperiment(m.Text("experiment_id"), func(tx *sql.Tx, e *experiment) error {
		if err := e.mustBeActive(); err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(e.tags), func(t Tag) bool { return t.Key == key })
		if len(kept) == len(e.tags) {
			return errorf(DoesNotExist, "No tag with name: %s in experiment with id %s", key, m.Text("experiment_id"))
		}
		_, err := tx.Exec(`UPDATE tracking_experiments SET tags = ? WHERE eid = ?`, joinTags(kept), e.eid)
		return err
	})
}

// searchExperiments: POST and GET mlflow/experiments/search.
func searchExperiments(c *call) error {
	m, err := c.read("SearchExperiments", request.May("view_type", request.IsInt), request.May("max_results", request.IsInt),
		request.May("order_by", request.IsList), request.May("filter", request.IsText), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	if err := maxResults(m.Int("max_results")); err != nil {
		return err
	}
	filter, err := search.Experiments(m.Text("filter"))
	if err != nil {
		return err
	}
	orders, err := search.ExperimentOrders(m.Texts("order_by"))
	if err != nil {
		return err
	}
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	var all []*experiment
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, err = experimentsOf(tx, space)
		return err
	})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e *experiment) bool {
		return !inStage(m.Int("view_type"), e.stage) || !matches(filter, e.value)
	})
	if len(orders) == 0 {
		orders = []search.Order{{Entity: search.Attribute, Key: "creation_time"}, {Entity: search.Attribute, Key: "experiment_id", Ascending: true}}
	}
	orders = append(orders, search.Order{Entity: search.Attribute, Key: "experiment_id"})
	sortBy(all, orders, (*experiment).value)
	all, next := paged(all, offset, int(m.Int("max_results")))
	return c.answer(func(o *out) {
		o.list("experiments", len(all), func(i int) { o.item(func() { all[i].write(o) }) })
		o.text("next_page_token", next)
	})
}

func experimentsOf(tx *sql.Tx, space int64) (all []*experiment, err error) {
	rows, err := tx.Query(`SELECT `+experimentColumns+` FROM tracking_experiments WHERE ws = ?`, space)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		e, err := scanExperiment(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, rows.Err()
}

// value is what filters and orders compare; nil when there is none.
func (e *experiment) value(entity search.Entity, key string) any {
	if entity == search.Tag {
		return tagValue(e.tags, key)
	}
	switch key {
	case "experiment_id":
		return e.id
	case "name":
		return e.name
	case "creation_time":
		return e.created
	}
	return e.updated
}

// tagValue is a tag's value, nil when it is not there.
func tagValue(tags []Tag, key string) any {
	for _, t := range tags {
		if t.Key == key {
			return t.Value
		}
	}
	return nil
}

// paged cuts a page out of a list.
func paged[T any](all []T, offset, limit int) (page []T, next string) {
	all = all[min(offset, len(all)):]
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], nextToken(offset + limit)
}

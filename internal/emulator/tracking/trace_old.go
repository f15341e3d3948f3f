package tracking

import (
	"database/sql"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// oldTags reads the metadata or the tags of MLflow 2.
func oldTags(m *request.Message, field string) (list []Tag) {
	for _, t := range tags(m.List(field)) {
		list = setTagOf(list, t)
	}
	return list
}

var keyed = request.EachHas("", "key")

// startOldTrace: POST 2.0 mlflow/traces.
func startOldTrace(c *call) error {
	m, err := c.read("StartTraceOld", request.May("experiment_id", request.IsText), request.May("timestamp_ms", request.IsInt), request.May("request_metadata", keyed), request.May("tags", keyed))
	if err != nil {
		return err
	}
	t := &trace{id: newID(), time: m.Int("timestamp_ms")}
	t.State, t.Tags = stateRunning, oldTags(m, "tags")
	if err := traceName(t.Tags); err != nil {
		return err
	}
	if err := t.setMetadata(oldTags(m, "request_metadata")); err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		e, err := c.experiment(tx, space, m.Text("experiment_id"))
		if err != nil {
			return err
		}
		if err := e.mustBeActive(); err != nil {
			return err
		}
		return t.insert(tx, space, e)
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.object("trace_info", func() { t.writeOld(o) }) })
}

// endOldTrace: PATCH 2.0 mlflow/traces/*.
func endOldTrace(c *call) error {
	m, err := c.read("EndTraceOld", request.May("timestamp_ms", request.IsInt), request.May("status", request.IsText), request.May("request_metadata", keyed), request.May("tags", keyed))
	if err != nil {
		return err
	}
	list := oldTags(m, "tags")
	t, err := c.changeTrace(c.vars[0], func(t *trace) error {
		duration := m.Int("timestamp_ms") - t.time
		t.Duration, t.State = &duration, m.Int("status")
		if err := traceName(list); err != nil {
			return err
		}
		for _, tag := range list {
			t.Tags = setTagOf(t.Tags, tag)
		}
		return t.setMetadata(oldTags(m, "request_metadata"))
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.object("trace_info", func() { t.writeOld(o) }) })
}

// getOldTrace: GET 2.0 mlflow/traces/*/info.
func getOldTrace(c *call) error {
	t, err := c.trace(c.vars[0])
	if err != nil {
		return err
	}
	return c.answer(func(o *out) { o.object("trace_info", func() { t.writeOld(o) }) })
}

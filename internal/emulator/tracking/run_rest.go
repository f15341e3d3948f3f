package tracking

import (
	"database/sql"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

var needRun = request.Need("run_id", request.IsText)

// createRun: POST mlflow/runs/create.
func createRun(c *call) error {
	m, err := c.read("CreateRun", request.May("experiment_id", request.IsText), request.May("start_time", request.IsInt), request.May("run_name", request.IsText))
	if err != nil {
		return err
	}
	if m.Text("experiment_id") == "" {
		return errorf(BadRequest, "A run needs the id of its experiment.")
	}
	n := &NewRun{ExperimentID: m.Text("experiment_id"), Name: m.Text("run_name"), User: m.Text("user_id")}
	if n.User == "" {
		n.User = c.o.User
	}
	list := tags(m.List("tags"))
	if err := c.childOnly(&list); err != nil {
		return err
	}
	var r *runRow
	err = c.update(func(tx *sql.Tx, space int64) error {
		if err := c.parentAllowed(tx, space, list); err != nil {
			return err
		}
		r, err = c.insertRun(tx, space, n, list, m.Int("start_time"))
		return err
	})
	if err != nil {
		return err
	}
	c.changed(c.ws, r.id, r.status)
	return c.answer(func(o *out) { o.object("run", func() { r.write(o, withInputs, c.uri) }) })
}

// childOnly makes a run that is made with another run's token that run's child.
func (c *call) childOnly(list *[]Tag) error {
	if c.o.RunLimit == "" || tagValue(*list, tagParent) != nil {
		return nil
	}
	*list = append(*list, Tag{tagParent, c.o.RunLimit})
	return nil
}

// parentAllowed refuses a parent that the caller may not write to.
func (c *call) parentAllowed(tx *sql.Tx, space int64, list []Tag) error {
	parent, _ := tagValue(list, tagParent).(string)
	if c.o.RunLimit == "" || parent == c.o.RunLimit {
		return nil
	}
	r, err := c.run(tx, space, parent)
	if err != nil {
		return err
	}
	return c.allowed(tx, space, r)
}

// getRun: GET mlflow/runs/get.
func getRun(c *call) error {
	m, err := c.read("GetRun", needRun)
	if err != nil {
		return err
	}
	var r *runRow
	err = c.view(func(tx *sql.Tx, space int64) error {
		if r, err = c.run(tx, space, runID(m)); err != nil {
			return err
		}
		return c.load(tx, r)
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.object("run", func() { r.write(o, withInputs|withModels|withOutputs, c.uri) })
	})
}

// updateRun: POST mlflow/runs/update.
func updateRun(c *call) error {
	m, err := c.read("UpdateRun", needRun, request.May("end_time", request.IsInt), request.May("status", request.IsText), request.May("run_name", request.IsText))
	if err != nil {
		return err
	}
	var r *runRow
	status := m.IntPtr("status")
	err = c.update(func(tx *sql.Tx, space int64) error {
		if r, err = c.writable(tx, space, runID(m)); err != nil {
			return err
		}
		if status != nil {
			r.status = statuses[*status]
		}
		if end := m.IntPtr("end_time"); end != nil {
			r.ended = sql.NullInt64{Int64: *end, Valid: true}
		}
		if err := c.saveRun(tx, r); err != nil {
			return err
		}
		if name := m.Text("run_name"); name != "" {
			return c.renameRun(tx, r, name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if status != nil {
		c.changed(c.ws, r.id, r.status)
	}
	return c.answer(func(o *out) { o.object("run_info", func() { r.writeInfo(o, c.uri) }) })
}

// deleteRun: POST mlflow/runs/delete.
func deleteRun(c *call) error { return c.stageRunTo(deleted) }

// restoreRun: POST mlflow/runs/restore.
func restoreRun(c *call) error { return c.stageRunTo(active) }

func (c *call) stageRunTo(stage string) error {
	m, err := c.read("RunID", needRun)
	if err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		r, err := c.run(tx, space, m.Text("run_id"))
		if err != nil {
			return err
		}
		if err := c.allowed(tx, space, r); err != nil {
			return err
		}
		return c.stageRun(tx, r, stage)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// logParam: POST mlflow/runs/log-parameter.
func logParam(c *call) error {
	m, err := c.read("LogParam", needRun, request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	p, err := checkParam(Tag{m.Text("key"), m.Text("value")}, "")
	if err != nil {
		return err
	}
	return c.changeRun(runID(m), func(tx *sql.Tx, r *runRow) error { return c.addParam(tx, r, p) })
}

// changeRun runs f on a run that may be written to.
func (c *call) changeRun(id string, f func(tx *sql.Tx, r *runRow) error) error {
	err := c.update(func(tx *sql.Tx, space int64) error {
		r, err := c.writable(tx, space, id)
		if err != nil {
			return err
		}
		return f(tx, r)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// setTag: POST mlflow/runs/set-tag.
func setTag(c *call) error {
	m, err := c.read("SetTag", needRun, request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	t, err := checkTag(Tag{m.Text("key"), m.Text("value")}, "")
	if err != nil {
		return err
	}
	return c.changeRun(runID(m), func(tx *sql.Tx, r *runRow) error {
		if t.Key == tagRunName && t.Value == "" {
			return nil // a run keeps its name
		}
		return c.putTag(tx, r, t)
	})
}

// deleteTag: POST mlflow/runs/delete-tag.
func deleteTag(c *call) error {
	m, err := c.read("DeleteTag", needRun, request.Need("key", request.IsText))
	if err != nil {
		return err
	}
	return c.changeRun(m.Text("run_id"), func(tx *sql.Tx, r *runRow) error {
		there, err := c.removeTag(tx, r, m.Text("key"))
		if err == nil && !there {
			err = errorf(DoesNotExist, "No tag with name: %s in run with id %s", m.Text("key"), r.id)
		}
		return err
	})
}

// logModel: POST mlflow/runs/log-model: a model of a run, the old way, is a tag.
func logModel(c *call) error {
	m, err := c.read("LogModel", needRun, request.Need("model_json", request.IsText))
	if err != nil {
		return err
	}
	v, err := request.Parse([]byte(m.Text("model_json")))
	if err != nil {
		return invalidf("Malformed model info. \n %s \n is not a valid JSON.", m.Text("model_json"))
	}
	model, ok := v.(*request.Object)
	if !ok {
		return invalidf("Malformed model info. \n %s \n is not a JSON object.", m.Text("model_json"))
	}
	var missing []string
	for _, field := range []string{"artifact_path", "flavors", "utc_time_created", "run_id"} {
		if _, ok := model.Values[field]; !ok {
			missing = append(missing, field)
		}
	}
	if len(missing) > 0 {
		return invalidf("Model json is missing mandatory fields: %s", py.Set(missing...))
	}
	shown := modelTag(model)
	return c.changeRun(m.Text("run_id"), func(tx *sql.Tx, r *runRow) error {
		var inside []byte
		if err := tx.QueryRow(`SELECT tags FROM tracking_run_data WHERE rid = ?`, r.rid).Scan(&inside); err != nil {
			return err
		}
		list, err := tagList(inside)
		if err != nil {
			return err
		}
		models := []any{}
		if old, ok := tagValue(list, tagLogged).(string); ok {
			v, err := request.Parse([]byte(old))
			if models, ok = v.([]any); err != nil || !ok {
				return invalidf("The tag '%s' is no JSON list.", tagLogged)
			}
		}
		t, err := checkTag(Tag{tagLogged, request.Print(append(models, shown))}, "")
		if err != nil {
			return err
		}
		return c.putTag(tx, r, t)
	})
}

// modelTag is what the tag of logged models holds of a model: what tells it, and
// its flavors without their configurations.
func modelTag(model *request.Object) *request.Object {
	shown := &request.Object{}
	for _, field := range []string{"run_id", "artifact_path", "utc_time_created"} {
		if v := model.Values[field]; v != nil {
			shown.Set(field, v)
		}
	}
	shown.Set("model_uuid", model.Values["model_uuid"])
	flavors := &request.Object{}
	if all, ok := model.Values["flavors"].(*request.Object); ok {
		for _, name := range all.Keys {
			config, ok := all.Values[name].(*request.Object)
			if !ok {
				flavors.Set(name, all.Values[name])
				continue
			}
			kept := &request.Object{}
			for _, k := range config.Keys {
				if k != "config" {
					kept.Set(k, config.Values[k])
				}
			}
			flavors.Set(name, kept)
		}
	}
	shown.Set("flavors", flavors)
	return shown
}

package tracking

import (
	"database/sql"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

var needVersion = request.Need("version", request.IsText)

func (c *call) answerVersion(r *registered, v *version) error {
	return c.answer(func(o *out) { o.object("model_version", func() { v.write(o, r) }) })
}

// checkVersionTag refuses tags that no version can have.
func checkVersionTag(t Tag) error {
	if t.Key == tagPromptText && py.Len(t.Value) > maxModelValue {
		return invalidf("Prompt text exceeds max length of %d characters.", maxModelValue)
	}
	return checkModelTag(t)
}

// createVersion: POST mlflow/model-versions/create.
func createVersion(c *call) error {
	m, err := c.read("CreateModelVersion", needModel, request.Need("source", request.IsText), request.May("run_id", request.IsText), request.May("tags", request.IsList),
		request.May("run_link", request.IsText), request.May("description", request.IsText), request.May("model_id", request.IsText))
	if err != nil {
		return err
	}
	n := &newVersion{name: m.Text("name"), source: m.Text("source"), run: m.Text("run_id"), model: m.Text("model_id"), hasRun: m.Has("run_id"), hasModel: m.Has("model_id"),
		link: m.Text("run_link"), description: m.Text("description"), tags: tags(m.List("tags"))}
	var r *registered
	var v *version
	err = c.update(func(tx *sql.Tx, space int64) error {
		r, v, err = c.insertVersion(tx, space, n)
		return err
	})
	if err != nil {
		return err
	}
	return c.answerVersion(r, v)
}

// getVersion: GET mlflow/model-versions/get.
func getVersion(c *call) error {
	m, err := c.read("ModelVersion", needModel, needVersion)
	if err != nil {
		return err
	}
	var r *registered
	var v *version
	err = c.view(func(tx *sql.Tx, space int64) error {
		if v, err = versionOf(tx, space, m.Text("name"), m.Text("version")); err != nil {
			return err
		}
		r, err = model(tx, space, v.model)
		return err
	})
	if err != nil {
		return err
	}
	return c.answerVersion(r, v)
}

// changeVersion runs f on a version and its model and saves both.
func (c *call) changeVersion(name, number string, f func(tx *sql.Tx, space int64, r *registered, v *version) error) (r *registered, v *version, err error) {
	err = c.update(func(tx *sql.Tx, space int64) (err error) {
		if v, err = versionOf(tx, space, name, number); err != nil {
			return err
		}
		if r, err = model(tx, space, v.model); err != nil {
			return err
		}
		if err := f(tx, space, r, v); err != nil {
			return err
		}
		if err := r.save(tx); err != nil {
			return err
		}
		if err := v.save(tx); err != nil {
			return err
		}
		if v.stage == stageDeleted {
			return c.tellRemoved(tx, r, r.name, v.number)
		}
		return c.tell(tx, space, r, v)
	})
	return r, v, err
}

// updateVersion: PATCH mlflow/model-versions/update.
func updateVersion(c *call) error {
	m, err := c.read("UpdateModelVersion", needModel, needVersion, request.May("description", request.IsText))
	if err != nil {
		return err
	}
	r, v, err := c.changeVersion(m.Text("name"), m.Text("version"), func(_ *sql.Tx, _ int64, _ *registered, v *version) error {
		v.Description, v.Updated = m.TextPtr("description"), c.now()
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerVersion(r, v)
}

// transitionStage: POST mlflow/model-versions/transition-stage.
func transitionStage(c *call) error {
	m, err := c.read("TransitionStage", needModel, needVersion, request.Need("stage", request.IsText), request.May("archive_existing_versions", request.IsBool))
	if err != nil {
		return err
	}
	stage, err := canonicalStage(m.Text("stage"))
	if err != nil {
		return err
	}
	archive := m.Flag("archive_existing_versions")
	if archive && (stage == stageNone || stage == "Archived") {
		return invalidf("Model version transition cannot archive existing model versions because '%s' is not an Active stage. Valid stages are ['Staging', 'Production']", m.Text("stage"))
	}
	r, v, err := c.changeVersion(m.Text("name"), m.Text("version"), func(tx *sql.Tx, space int64, r *registered, v *version) error {
		now := c.now()
		if archive {
			others, err := versionsWhere(tx, `v.mid = ? AND v.stage = ? AND v.version <> ?`, r.mid, stage, v.number)
			if err != nil {
				return err
			}
			for _, o := range others {
				o.stage, o.Updated = "Archived", now
				if err := o.save(tx); err != nil {
					return err
				}
			}
			if err := c.tell(tx, space, r, others...); err != nil {
				return err
			}
		}
		v.stage, v.Updated, r.Updated = stage, now, now
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerVersion(r, v)
}

// deleteVersion: DELETE mlflow/model-versions/delete: nothing of it remains but
// its number and its tags.
func deleteVersion(c *call) error {
	m, err := c.read("ModelVersion", needModel, needVersion)
	if err != nil {
		return err
	}
	if _, err := checkVersion(m.Text("version")); err != nil {
		return err
	}
	if err := c.unlimited("delete registered models"); err != nil {
		return err
	}
	_, _, err = c.changeVersion(m.Text("name"), m.Text("version"), func(_ *sql.Tx, _ int64, r *registered, v *version) error {
		v.erase(r, c.now())
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// tagVersion: POST mlflow/model-versions/set-tag.
func tagVersion(c *call) error {
	m, err := c.read("SetVersionTag", needModel, needVersion, request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	t := Tag{m.Text("key"), m.Text("value")}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if _, err := checkVersion(m.Text("version")); err != nil {
		return err
	}
	if err := checkVersionTag(t); err != nil {
		return err
	}
	_, _, err = c.changeVersion(m.Text("name"), m.Text("version"), func(_ *sql.Tx, _ int64, _ *registered, v *version) error {
		v.Tags = setTagOf(v.Tags, t)
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// untagVersion: DELETE mlflow/model-versions/delete-tag.
func untagVersion(c *call) error {
	m, err := c.read("DeleteVersionTag", needModel, needVersion, request.Need("key", request.IsText))
	if err != nil {
		return err
	}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if _, err := checkVersion(m.Text("version")); err != nil {
		return err
	}
	if err := checkName(m.Text("key"), "key"); err != nil {
		return err
	}
	_, _, err = c.changeVersion(m.Text("name"), m.Text("version"), func(_ *sql.Tx, _ int64, _ *registered, v *version) error {
		v.Tags, _ = removeTagOf(v.Tags, m.Text("key"))
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// downloadURI: GET mlflow/model-versions/get-download-uri.
func downloadURI(c *call) error {
	m, err := c.read("ModelVersion")
	if err != nil {
		return err
	}
	var v *version
	err = c.view(func(tx *sql.Tx, space int64) error {
		v, err = versionOf(tx, space, m.Text("name"), m.Text("version"))
		return err
	})
	if err != nil {
		return err
	}
	uri := v.uri()
	if v.Outside && c.o.ArtifactURI != nil {
		if uri, err = c.azureURI(v); err != nil {
			return err
		}
	}
	return c.answer(func(o *out) { o.str("artifact_uri", uri) })
}

// uri is where a version's files are.
func (v *version) uri() string {
	if v.Location != "" {
		return v.Location
	}
	return v.Source
}

// searchVersions: GET mlflow/model-versions/search.
func searchVersions(c *call) error {
	m, err := c.read("SearchModelVersions", request.May("filter", request.IsText), request.May("max_results", request.IsInt, request.AtMost(200_000)),
		request.May("order_by", request.IsList, request.IsTexts), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	limit := int(m.Int("max_results"))
	if limit < 1 {
		return invalidf("Invalid value for max_results. It must be a positive integer, but got %d", limit)
	}
	filter, err := search.Versions(m.Text("filter"))
	if err != nil {
		return err
	}
	items := m.Texts("order_by")
	if len(items) == 0 {
		items = []string{"last_updated_timestamp DESC", "name ASC", "version_number DESC"}
	}
	orders, err := search.VersionOrders(items)
	if err != nil {
		return err
	}
	orders = append(orders, search.Order{Entity: search.Attribute, Key: "name", Ascending: true}, search.Order{Entity: search.Attribute, Key: "version_number"})
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	var all []*version
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, err = findVersions(tx, space, filter)
		return err
	})
	if err != nil {
		return err
	}
	sortBy(all, orders, (*version).value)
	all, next := paged(all, offset, limit)
	return c.answer(func(o *out) {
		o.list("model_versions", len(all), func(i int) { o.item(func() { all[i].write(o, nil) }) })
		o.text("next_page_token", next)
	})
}

// findVersions reads the versions that match. A name or a run that is asked for
// selects them; models that have a version of a prompt are left out, unless prompts
// are asked for.
func findVersions(tx *sql.Tx, space int64, filter []search.Clause) ([]*version, error) {
	where, args := `m.ws = ? AND v.stage <> ?`, []any{space, stageDeleted}
	for _, c := range filter {
		if c.Entity != search.Attribute || c.Op != "=" {
			continue
		}
		switch c.Key {
		case "name":
			where, args = where+` AND m.name = ?`, append(args, c.Value)
		case "run_id":
			where, args = where+` AND v.run = ?`, append(args, c.Value)
		}
	}
	ofPrompts, filter := prompts(filter)
	if !ofPrompts {
		where += ` AND NOT EXISTS (SELECT 1 FROM tracking_versions p WHERE p.mid = v.mid AND p.prompt = 1)`
	}
	var all []*version
	err := eachRow(tx, `SELECT `+versionColumns+` WHERE `+where, args, func(scan func(...any) error) error {
		v, err := scanVersion(scan)
		if err == nil && matches(filter, v.value) {
			all = append(all, v)
		}
		return err
	})
	return all, err
}

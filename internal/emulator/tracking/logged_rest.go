package tracking

import (
	"database/sql"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// ownModel refuses logged models of runs that the caller may not write to.
func (c *call) ownModel(tx *sql.Tx, space int64, run string) error {
	if c.o.RunLimit == "" {
		return nil
	}
	r, err := c.run(tx, space, run)
	if missing(err) {
		return errorf(PermissionDenied, "The token of run '%s' does not allow to write to models of others.", c.o.RunLimit)
	}
	if err != nil {
		return err
	}
	return c.allowed(tx, space, r)
}

// createLogged: POST mlflow/logged-models.
func createLogged(c *call) error {
	m, err := c.read("CreateLoggedModel", request.Need("experiment_id", request.IsText), request.May("name", request.IsText), request.May("model_type", request.IsText),
		request.May("source_run_id", request.IsText), request.May("params", request.IsList), request.May("tags", request.IsList))
	if err != nil {
		return err
	}
	b := loggedBody{Name: m.Text("name"), Type: m.Text("model_type"), Run: m.Text("source_run_id"), Params: tags(m.List("params")), Tags: tags(m.List("tags"))}
	if err := checkLoggedName(b.Name); err != nil {
		return err
	}
	if err := unique("parameter", b.Params); err != nil {
		return err
	}
	if err := unique("tag", b.Tags); err != nil {
		return err
	}
	if b.Run == "" {
		b.Run = c.o.RunLimit // a model that is made with a run's token is that run's
	}
	var made *loggedModel
	err = c.update(func(tx *sql.Tx, space int64) error {
		if err := c.ownModel(tx, space, b.Run); err != nil {
			return err
		}
		made, err = c.insertLogged(tx, space, m.Text("experiment_id"), b)
		return err
	})
	if err != nil {
		return err
	}
	return c.answerLogged(made)
}

func (c *call) answerLogged(m *loggedModel) error {
	return c.answer(func(o *out) { o.object("model", func() { m.write(o) }) })
}

// getLogged: GET mlflow/logged-models/*.
func getLogged(c *call) error {
	all := strings.EqualFold(c.r.URL.Query().Get("allow_deleted"), "true")
	var m *loggedModel
	err := c.view(func(tx *sql.Tx, space int64) (err error) {
		if m, err = c.logged(tx, space, c.vars[0], all); err != nil {
			return err
		}
		return m.loadMetrics(tx, space)
	})
	if err != nil {
		return err
	}
	return c.answerLogged(m)
}

// changeLogged runs f on a logged model and saves it.
func (c *call) changeLogged(id string, f func(m *loggedModel) error) (*loggedModel, error) {
	var m *loggedModel
	err := c.update(func(tx *sql.Tx, space int64) (err error) {
		if m, err = c.logged(tx, space, id, true); err != nil {
			return err
		}
		if err := c.ownModel(tx, space, m.Run); err != nil {
			return err
		}
		if err := f(m); err != nil {
			return err
		}
		if err := m.save(tx); err != nil {
			return err
		}
		return m.loadMetrics(tx, space)
	})
	return m, err
}

// finalizeLogged: PATCH mlflow/logged-models/*.
func finalizeLogged(c *call) error {
	m, err := c.read("FinalizeLoggedModel", request.Need("model_id", request.IsText), request.Need("status", request.IsInt))
	if err != nil {
		return err
	}
	status := m.Int("status")
	changed, err := c.changeLogged(m.Text("model_id"), func(l *loggedModel) error {
		if status < 0 || int(status) >= len(modelStates) {
			return invalidf("Unknown model status: %d", status)
		}
		l.Status, l.Updated = status, c.now()
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerLogged(changed)
}

// deleteLogged: DELETE mlflow/logged-models/*.
func deleteLogged(c *call) error {
	_, err := c.changeLogged(c.vars[0], func(l *loggedModel) error {
		l.stage, l.Updated = deleted, c.now()
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// tagLoggedModel: PATCH mlflow/logged-models/*/tags.
func tagLoggedModel(c *call) error {
	m, err := c.read("LoggedModelTags", request.May("tags", request.IsList))
	if err != nil {
		return err
	}
	_, err = c.changeLogged(c.vars[0], func(l *loggedModel) error {
		for _, t := range tags(m.List("tags")) {
			l.Tags = setTagOf(l.Tags, t)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// setTagOf sets a tag in a list.
func setTagOf(list []Tag, t Tag) []Tag {
	if i := slices.IndexFunc(list, func(o Tag) bool { return o.Key == t.Key }); i >= 0 {
		list[i].Value = t.Value
		return list
	}
	return append(list, t)
}

// removeTagOf removes a tag from a list and reports whether it was there.
func removeTagOf(list []Tag, key string) ([]Tag, bool) {
	kept := slices.DeleteFunc(slices.Clone(list), func(t Tag) bool { return t.Key == key })
	return kept, len(kept) < len(list)
}

// untagLoggedModel: DELETE mlflow/logged-models/*/tags/*.
func untagLoggedModel(c *call) error {
	id, key := c.vars[0], c.vars[1]
	_, err := c.changeLogged(id, func(l *loggedModel) error {
		kept, there := removeTagOf(l.Tags, key)
		if !there {
			return errorf(DoesNotExist, "No tag with key %s found for model with ID %s.", py.Repr(key), py.Repr(id))
		}
		l.Tags = kept
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// logLoggedParams: POST mlflow/logged-models/*/params.
func logLoggedParams(c *call) error {
	m, err := c.read("LoggedModelParams", request.Need("model_id", request.IsText), request.May("params", request.IsList))
	if err != nil {
		return err
	}
	_, err = c.changeLogged(c.vars[0], func(l *loggedModel) error {
		l.Params = append(l.Params, tags(m.List("params"))...)
		return unique("parameter", l.Params)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// searchLogged: POST mlflow/logged-models/search.
func searchLogged(c *call) error {
	m, err := c.read("SearchLoggedModels", request.Need("experiment_ids", request.IsList, request.IsTexts), request.May("filter", request.IsText), request.May("datasets", request.IsList),
		request.May("max_results", request.IsInt), request.May("order_by", request.IsList), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	q, err := readLoggedSearch(m)
	if err != nil {
		return err
	}
	var all []*loggedModel
	var next string
	err = c.view(func(tx *sql.Tx, space int64) error {
		all, next, err = q.run(tx, space)
		return err
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.list("models", len(all), func(i int) { o.item(func() { all[i].write(o) }) })
		o.text("next_page_token", next)
	})
}

// loggedURI is where the artifacts of a logged model are.
func (c *call) loggedURI(id string) (string, error) {
	var m *loggedModel
	err := c.view(func(tx *sql.Tx, space int64) (err error) {
		m, err = c.logged(tx, space, id, false)
		return err
	})
	if err != nil {
		return "", err
	}
	return m.URI, nil
}

// listLoggedFiles: GET mlflow/logged-models/*/artifacts/directories.
func listLoggedFiles(c *call) error {
	m, err := c.read("ListLoggedModelArtifacts", request.May("artifact_directory_path", request.IsText))
	if err != nil {
		return err
	}
	dir := ""
	if m.Has("artifact_directory_path") {
		if dir, err = safePath(m.Text("artifact_directory_path")); err != nil {
			return err
		}
	}
	uri, err := c.loggedURI(c.vars[0])
	if err != nil {
		return err
	}
	return c.answerFiles(uri, uri, dir)
}

// getLoggedFile: GET ajax-api mlflow/logged-models/*/artifacts/files.
func getLoggedFile(c *call) error {
	if !strings.HasPrefix(c.r.URL.Path, "/ajax-api/") {
		return noEndpoint(c.r)
	}
	q := c.r.URL.Query()
	if q.Get("artifact_file_path") == "" {
		return errorf(BadRequest, `Request must include the "artifact_file_path" query parameter.`)
	}
	return c.artifactOf(q, "artifact_file_path", func() (string, error) { return c.loggedURI(c.vars[0]) })
}

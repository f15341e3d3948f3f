package tracking

import (
	"database/sql"
	"errors"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

var needModel = request.Need("name", request.IsText)

// lastTags is a list of tags with the last value of each.
func lastTags(list []Tag) (kept []Tag) {
	for _, t := range list {
		kept = setTagOf(kept, t)
	}
	return kept
}

// createModel: POST mlflow/registered-models/create.
func createModel(c *call) error {
	m, err := c.read("CreateRegisteredModel", needModel, request.May("tags", request.IsList), request.May("description", request.IsText))
	if err != nil {
		return err
	}
	made := &registered{name: m.Text("name")}
	if err := checkModelName(made.name); err != nil {
		return err
	}
	list := tags(m.List("tags"))
	for _, t := range list {
		if err := checkModelTag(t); err != nil {
			return err
		}
	}
	made.Created = c.now()
	made.Updated, made.Description, made.Tags = made.Created, m.Text("description"), lastTags(list)
	err = c.update(func(tx *sql.Tx, space int64) error {
		old, err := model(tx, space, made.name)
		if err == nil {
			return taken(made.name, old.Tags, list)
		}
		if !missing(err) {
			return err
		}
		_, err = tx.Exec(`INSERT INTO tracking_models (ws, name, body) VALUES (?, ?, ?)`, space, made.name, string(rawJSON(made.registeredBody)))
		if err != nil {
			return err
		}
		return c.tell(tx, space, made)
	})
	if err != nil {
		return err
	}
	return c.answerModel(made, nil)
}

// taken says that a name is in use, for a model or for a prompt.
func taken(name string, old, fresh []Tag) error {
	kind := func(list []Tag) string {
		if tagValue(list, tagPrompt) != nil {
			return "Prompt"
		}
		return "Registered Model"
	}
	if a, b := kind(old), kind(fresh); a != b {
		return errorf(AlreadyExists, "Tried to create a %s with name %s, but the name is already taken by a %s. MLflow does not allow creating a model and a prompt with the same name.",
			strings.ToLower(b), py.Repr(name), strings.ToLower(a))
	}
	return errorf(AlreadyExists, "%s (name=%s) already exists.", kind(fresh), name)
}

func (c *call) answerModel(m *registered, latest []*version) error {
	return c.answer(func(o *out) { o.object("registered_model", func() { m.write(o, latest) }) })
}

// getModel: GET mlflow/registered-models/get.
func getModel(c *call) error {
	m, err := c.read("ModelName", needModel)
	if err != nil {
		return err
	}
	var found *registered
	var latest []*version
	err = c.view(func(tx *sql.Tx, space int64) error {
		if found, err = model(tx, space, m.Text("name")); err != nil {
			return err
		}
		latest, err = latestOf(tx, found.mid)
		return err
	})
	if err != nil {
		return err
	}
	return c.answerModel(found, latest)
}

// changeModel runs f on a model, saves it and returns it with its latest versions.
func (c *call) changeModel(name string, f func(tx *sql.Tx, space int64, m *registered) error) (m *registered, latest []*version, err error) {
	err = c.update(func(tx *sql.Tx, space int64) (err error) {
		if m, err = model(tx, space, name); err != nil {
			return err
		}
		old := m.name
		if err := f(tx, space, m); err != nil {
			return err
		}
		if err := m.save(tx); err != nil {
			return err
		}
		if m.name == old {
			err = c.tell(tx, space, m)
		} else {
			err = c.tellRenamed(tx, space, m, old)
		}
		if err != nil {
			return err
		}
		latest, err = latestOf(tx, m.mid)
		return err
	})
	return m, latest, err
}

// updateModel: PATCH mlflow/registered-models/update.
func updateModel(c *call) error {
	m, err := c.read("UpdateRegisteredModel", needModel, request.May("description", request.IsText))
	if err != nil {
		return err
	}
	changed, latest, err := c.changeModel(m.Text("name"), func(_ *sql.Tx, _ int64, r *registered) error {
		r.Description, r.Updated = m.Text("description"), c.now()
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerModel(changed, latest)
}

// renameModel: POST mlflow/registered-models/rename.
func renameModel(c *call) error {
	m, err := c.read("RenameRegisteredModel", needModel, request.Need("new_name", request.IsText))
	if err != nil {
		return err
	}
	name := m.Text("new_name")
	if strings.TrimFunc(name, py.IsSpace) == "" {
		return invalidf("Missing value for required parameter 'new_name'.")
	}
	if err := checkModelName(name); err != nil {
		return err
	}
	if err := c.unlimited("rename registered models"); err != nil {
		return err
	}
	changed, latest, err := c.changeModel(m.Text("name"), func(tx *sql.Tx, space int64, r *registered) error {
		var other int64
		err := tx.QueryRow(`SELECT mid FROM tracking_models WHERE ws = ? AND name = ? AND mid <> ?`, space, name, r.mid).Scan(&other)
		if err == nil {
			return errorf(AlreadyExists, "Registered Model (name=%s) already exists.", name)
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		r.name, r.Updated = name, c.now()
		all, err := versionsWhere(tx, `v.mid = ?`, r.mid)
		if err != nil {
			return err
		}
		for _, v := range all {
			v.Updated, v.model = r.Updated, name
			if v.Outside {
				v.show()
			}
			if err := v.save(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answerModel(changed, latest)
}

// deleteModel: DELETE mlflow/registered-models/delete.
func deleteModel(c *call) error {
	m, err := c.read("ModelName", needModel)
	if err != nil {
		return err
	}
	if err := c.unlimited("delete registered models"); err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		r, err := model(tx, space, m.Text("name"))
		if err != nil {
			return err
		}
		if err := r.remove(tx); err != nil {
			return err
		}
		return c.tellRemoved(tx, r, r.name, 0)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// prompts reports whether a search asks for prompts, and is the filter without
// what only tells that.
func prompts(filter []search.Clause) (bool, []search.Clause) {
	for _, c := range filter {
		if c.Entity != search.Tag || c.Key != tagPrompt {
			continue
		}
		v, _ := c.Value.(string)
		if c.Op == "=" && strings.EqualFold(v, "true") || c.Op == "!=" && strings.EqualFold(v, "false") {
			return true, filter
		}
		break
	}
	return false, slices.DeleteFunc(slices.Clone(filter), func(c search.Clause) bool { return c.Entity == search.Tag && c.Key == tagPrompt })
}

// searchModels: GET mlflow/registered-models/search.
func searchModels(c *call) error {
	m, err := c.read("SearchRegisteredModels", request.May("filter", request.IsText), request.May("max_results", request.IsInt, request.AtMost(1000)),
		request.May("order_by", request.IsList, request.IsTexts), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	limit := int(m.Int("max_results"))
	if limit < 0 {
		return invalidf("Invalid value %d for parameter 'max_results' supplied. It must be a positive integer", limit)
	}
	filter, err := search.Models(m.Text("filter"))
	if err != nil {
		return err
	}
	orders, err := search.ModelOrders(m.Texts("order_by"))
	if err != nil {
		return err
	}
	offset, err := page(m.Text("page_token"))
	if err != nil {
		return err
	}
	ofPrompts, filter := prompts(filter)
	orders = append(orders, search.Order{Entity: search.Attribute, Key: "name", Ascending: true})
	var all []*registered
	var next string
	latest := map[int64][]*version{}
	err = c.view(func(tx *sql.Tx, space int64) error {
		err := eachRow(tx, `SELECT `+modelColumns+` WHERE m.ws = ?`, []any{space}, func(scan func(...any) error) error {
			m, err := scanModel(scan)
			if err == nil && matches(filter, m.value) && (ofPrompts || tagValue(m.Tags, tagPrompt) != "true") {
				all = append(all, m)
			}
			return err
		})
		if err != nil {
			return err
		}
		sortBy(all, orders, (*registered).value)
		all, next = paged(all, offset, limit)
		for _, m := range all {
			if latest[m.mid], err = latestOf(tx, m.mid); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.list("registered_models", len(all), func(i int) { o.item(func() { all[i].write(o, latest[all[i].mid]) }) })
		o.text("next_page_token", next)
	})
}

// latestVersions: GET and POST mlflow/registered-models/get-latest-versions.
func latestVersions(c *call) error {
	m, err := c.read("GetLatestVersions", needModel, request.May("stages", request.IsList, request.IsTexts))
	if err != nil {
		return err
	}
	var found *registered
	var latest []*version
	err = c.view(func(tx *sql.Tx, space int64) error {
		if found, err = model(tx, space, m.Text("name")); err != nil {
			return err
		}
		latest, err = latestOf(tx, found.mid)
		return err
	})
	if err != nil {
		return err
	}
	if stages := m.Texts("stages"); len(stages) > 0 {
		wanted := map[string]bool{}
		for _, s := range stages {
			stage, err := canonicalStage(s)
			if err != nil {
				return err
			}
			wanted[stage] = true
		}
		latest = slices.DeleteFunc(latest, func(v *version) bool { return !wanted[v.stage] })
	}
	return c.answer(func(o *out) {
		o.list("model_versions", len(latest), func(i int) { o.item(func() { latest[i].write(o, found) }) })
	})
}

// tagModel: POST mlflow/registered-models/set-tag.
func tagModel(c *call) error {
	m, err := c.read("SetModelTag", needModel, request.Need("key", request.IsText), request.May("value", request.IsText))
	if err != nil {
		return err
	}
	t := Tag{m.Text("key"), m.Text("value")}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if err := checkModelTag(t); err != nil {
		return err
	}
	_, _, err = c.changeModel(m.Text("name"), func(_ *sql.Tx, _ int64, r *registered) error {
		r.Tags = setTagOf(r.Tags, t)
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// untagModel: DELETE mlflow/registered-models/delete-tag.
func untagModel(c *call) error {
	m, err := c.read("DeleteModelTag", needModel, request.Need("key", request.IsText))
	if err != nil {
		return err
	}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if err := checkName(m.Text("key"), "key"); err != nil {
		return err
	}
	_, _, err = c.changeModel(m.Text("name"), func(_ *sql.Tx, _ int64, r *registered) error {
		r.Tags, _ = removeTagOf(r.Tags, m.Text("key"))
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// setAlias: POST mlflow/registered-models/alias.
func setAlias(c *call) error {
	m, err := c.read("SetAlias", needModel, request.Need("alias", request.IsText), request.Need("version", request.IsText))
	if err != nil {
		return err
	}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if err := checkAlias(m.Text("alias")); err != nil {
		return err
	}
	if err := checkAliasFree(m.Text("alias")); err != nil {
		return err
	}
	err = c.update(func(tx *sql.Tx, space int64) error {
		v, err := versionOf(tx, space, m.Text("name"), m.Text("version"))
		if err != nil {
			return err
		}
		r, err := model(tx, space, m.Text("name"))
		if err != nil {
			return err
		}
		a := alias{m.Text("alias"), v.number}
		if i := slices.IndexFunc(r.Aliases, func(o alias) bool { return o.Name == a.Name }); i >= 0 {
			r.Aliases[i] = a
		} else {
			r.Aliases = append(r.Aliases, a)
		}
		return r.save(tx)
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// deleteAlias: DELETE mlflow/registered-models/alias.
func deleteAlias(c *call) error {
	m, err := c.read("Alias", needModel, request.Need("alias", request.IsText))
	if err != nil {
		return err
	}
	if err := checkModelName(m.Text("name")); err != nil {
		return err
	}
	if err := checkAlias(m.Text("alias")); err != nil {
		return err
	}
	_, _, err = c.changeModel(m.Text("name"), func(_ *sql.Tx, _ int64, r *registered) error {
		r.Aliases = slices.DeleteFunc(r.Aliases, func(a alias) bool { return a.Name == m.Text("alias") })
		return nil
	})
	if err != nil {
		return err
	}
	return c.answer(nil)
}

// getByAlias: GET mlflow/registered-models/alias.
func getByAlias(c *call) error {
	m, err := c.read("Alias", needModel, request.Need("alias", request.IsText))
	if err != nil {
		return err
	}
	var r *registered
	var v *version
	err = c.view(func(tx *sql.Tx, space int64) error {
		r, v, err = byAlias(tx, space, m.Text("name"), m.Text("alias"))
		return err
	})
	if err != nil {
		return err
	}
	return c.answerVersion(r, v)
}

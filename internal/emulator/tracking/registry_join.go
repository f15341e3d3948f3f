package tracking

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Model is a registered model as another list keeps it, Azure's models.
type Model struct {
	Name, Description string
	Tags              map[string]string
}

// ModelVersion is a version of a registered model as another list keeps it.
type ModelVersion struct {
	Model       string
	Number      int64
	Description string
	Stage       string // "" for none
	Run         string // that it came from, "" for none
	Source      string // as it was given
	Folder      string // where its files are in the workspace's container, "" when they are elsewhere
	Tags        map[string]string
}

// Registry is the other list of the workspace's models. It is told of what MLflow's
// clients do, in their transaction: the two lists do not come apart. Prompts are
// not models and are not told of.
type Registry interface {
	// Saved is told of a model and of those of its versions that are new or changed.
	Saved(ctx context.Context, tx *sql.Tx, ws string, m *Model, versions []*ModelVersion) error
	// Renamed is told of a model's new name, with all its versions.
	Renamed(ctx context.Context, tx *sql.Tx, ws, old string, m *Model, versions []*ModelVersion) error
	// Removed is told of a version that is gone; number 0 stands for the model with all versions.
	Removed(ctx context.Context, tx *sql.Tx, ws, model string, number int64) error
	// Files says where the files of a version are whose source the other list gave: a blob or a folder of blobs.
	Files(ctx context.Context, ws, source string) (account, container, name string, err error)
}

// tell tells the other list of a model and some of its versions.
func (c *call) tell(tx *sql.Tx, space int64, m *registered, versions ...*version) error {
	if c.opts.Registry == nil || m.prompt() {
		return nil
	}
	told, all, err := c.told(tx, space, m, versions)
	if err != nil {
		return err
	}
	return c.opts.Registry.Saved(c.ctx(), tx, c.ws, told, all)
}

func (c *call) told(tx *sql.Tx, space int64, m *registered, versions []*version) (*Model, []*ModelVersion, error) {
	told := &Model{Name: m.name, Description: m.Description, Tags: mapOfTags(m.Tags)}
	var all []*ModelVersion
	for _, v := range versions {
		if v.prompt() {
			continue
		}
		t := &ModelVersion{Model: m.name, Number: v.number, Stage: v.stage, Run: v.run, Source: v.Source, Tags: mapOfTags(v.Tags)}
		if v.Description != nil {
			t.Description = *v.Description
		}
		if v.stage == stageNone {
			t.Stage = ""
		}
		if v.place.Valid && !v.Outside {
			at, err := c.locateTx(tx, space, c.ws, v.place.String)
			if err != nil {
				return nil, nil, err
			}
			t.Folder = at.name
		}
		all = append(all, t)
	}
	return told, all, nil
}

// tellRemoved tells the other list of what is gone.
func (c *call) tellRemoved(tx *sql.Tx, m *registered, name string, number int64) error {
	if c.opts.Registry == nil || m.prompt() {
		return nil
	}
	return c.opts.Registry.Removed(c.ctx(), tx, c.ws, name, number)
}

// tellRenamed moves a model in the other list.
func (c *call) tellRenamed(tx *sql.Tx, space int64, m *registered, old string) error {
	if c.opts.Registry == nil || m.prompt() {
		return nil
	}
	versions, err := versionsWhere(tx, `v.mid = ? AND v.stage <> ?`, m.mid, stageDeleted)
	if err != nil {
		return err
	}
	told, all, err := c.told(tx, space, m, versions)
	if err != nil {
		return err
	}
	return c.opts.Registry.Renamed(c.ctx(), tx, c.ws, old, told, all)
}

func mapOfTags(list []Tag) map[string]string {
	m := make(map[string]string, len(list))
	for _, t := range list {
		m[t.Key] = t.Value
	}
	return m
}

func tagsOfMap(m map[string]string) (list []Tag) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		list = append(list, Tag{k, m[k]})
	}
	return list
}

// KeepModelTx makes a model that the other list has, or takes its description and tags.
func (s *Store) KeepModelTx(tx *sql.Tx, ws string, m *Model) error {
	space, err := s.spaceTx(tx, ws)
	if err != nil {
		return err
	}
	_, err = s.keepModel(tx, space, m)
	return err
}

func (s *Store) keepModel(tx *sql.Tx, space int64, m *Model) (*registered, error) {
	r, err := anyCase(tx, space, m.Name)
	switch {
	case err == nil && r.prompt():
		return nil, errorf(AlreadyExists, "The name %s is already taken by a prompt.", py.Repr(m.Name))
	case err == nil:
		tags := tagsOfMap(m.Tags)
		if r.Description == m.Description && slices.Equal(tags, tagsOfMap(mapOfTags(r.Tags))) {
			return r, nil
		}
		r.Description, r.Tags, r.Updated = m.Description, tags, s.now()
		return r, r.save(tx)
	case !missing(err):
		return nil, err
	}
	now := s.now()
	r = &registered{name: m.Name, registeredBody: registeredBody{Created: now, Updated: now, Description: m.Description, Tags: tagsOfMap(m.Tags)}}
	done, err := tx.Exec(`INSERT INTO tracking_models (ws, name, body) VALUES (?, ?, ?)`, space, r.name, string(rawJSON(r.registeredBody)))
	if err != nil {
		return nil, err
	}
	r.mid, err = done.LastInsertId()
	return r, err
}

// anyCase finds a model by a name of the other list, which knows no case.
func anyCase(tx *sql.Tx, space int64, name string) (*registered, error) {
	r, err := model(tx, space, name)
	if !missing(err) {
		return r, err
	}
	other, err2 := scanModel(tx.QueryRow(`SELECT `+modelColumns+` WHERE m.ws = ? AND m.name = ? COLLATE NOCASE`, space, name).Scan)
	if errors.Is(err2, sql.ErrNoRows) {
		return nil, err
	}
	return other, err2
}

// outsideFolder is where the proxy shows the files of versions that the other list gave.
const outsideFolder = "azureml-models/"

// KeepVersionTx makes a version that the other list has, or takes what may change
// of it: description, stage and tags. MLflow counts versions: one whose name is no
// number that it could have given is not in its list.
func (s *Store) KeepVersionTx(tx *sql.Tx, ws string, m *Model, o *ModelVersion) error {
	if o.Number < 1 || o.Number > math.MaxInt32 {
		return nil
	}
	space, err := s.spaceTx(tx, ws)
	if err != nil {
		return err
	}
	r, err := s.keepModel(tx, space, m)
	if err != nil {
		return err
	}
	stage, err := canonicalStage(o.Stage)
	if err != nil {
		stage = stageNone
	}
	now := s.now()
	all, err := versionsWhere(tx, `v.mid = ? AND v.version = ?`, r.mid, o.Number)
	if err != nil {
		return err
	}
	if len(all) == 1 && all[0].stage != stageDeleted {
		v := all[0]
		tags := tagsOfMap(o.Tags)
		if v.stage == stage && v.Description != nil && *v.Description == o.Description && slices.Equal(tags, tagsOfMap(mapOfTags(v.Tags))) {
			return nil
		}
		v.stage, v.Description, v.Tags, v.Updated = stage, &o.Description, tags, now
		return v.save(tx)
	}
	v := &version{mid: r.mid, number: o.Number, model: r.name, stage: stage, run: o.Run,
		versionBody: versionBody{Created: now, Updated: now, Description: &o.Description, Source: o.Source, Tags: tagsOfMap(o.Tags), Outside: true}}
	v.show()
	if r.Updated = now; len(all) == 1 {
		v.vid = all[0].vid // deleted once, and made again by the other list
		if err := v.save(tx); err != nil {
			return err
		}
		return r.save(tx)
	}
	_, err = tx.Exec(`INSERT INTO tracking_versions (mid, version, stage, run, place, prompt, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		v.mid, v.number, v.stage, v.run, v.place, false, string(rawJSON(v.versionBody)))
	if err != nil {
		return err
	}
	return r.save(tx)
}

// show places the files of a version that the other list gave behind the proxy.
func (v *version) show() {
	p := outsideFolder + v.model + "/" + strconv.FormatInt(v.number, 10)
	v.place, v.Location = sql.NullString{String: p, Valid: true}, "mlflow-artifacts:/"+p
}

// DropVersionTx takes a version away that the other list no longer has.
func (s *Store) DropVersionTx(tx *sql.Tx, ws, name string, number int64) error {
	return s.dropTx(tx, ws, name, func(r *registered) error {
		all, err := versionsWhere(tx, `v.mid = ? AND v.version = ? AND v.stage <> ?`, r.mid, number, stageDeleted)
		if err != nil {
			return err
		}
		for _, v := range all {
			v.erase(r, s.now())
			if err := v.save(tx); err != nil {
				return err
			}
		}
		return r.save(tx)
	})
}

// DropModelTx takes a model away, with all versions.
func (s *Store) DropModelTx(tx *sql.Tx, ws, name string) error {
	return s.dropTx(tx, ws, name, func(r *registered) error { return r.remove(tx) })
}

func (s *Store) dropTx(tx *sql.Tx, ws, name string, f func(r *registered) error) error {
	space, err := s.spaceTx(tx, ws)
	if err != nil {
		return err
	}
	r, err := anyCase(tx, space, name)
	if missing(err) || err == nil && r.prompt() {
		return nil
	}
	if err != nil {
		return err
	}
	return f(r)
}

// outsideAt is where a path of the proxy leads that is below a version which the
// other list gave.
func (s *Store) outsideAt(ctx context.Context, tx *sql.Tx, space int64, ws, p string) (*place, error) {
	rest, ok := strings.CutPrefix(p, outsideFolder)
	parts := strings.SplitN(rest, "/", 3)
	if !ok || len(parts) < 2 || s.opts.Registry == nil {
		return nil, nil
	}
	v, err := versionOf(tx, space, parts[0], parts[1])
	if asked := asError(err); err != nil && asked.Code != InternalError || err == nil && !v.Outside {
		return nil, nil // nothing of the registry
	}
	if err != nil {
		return nil, err
	}
	account, container, name, err := s.opts.Registry.Files(ctx, ws, v.Source)
	if err != nil {
		return nil, errorf(DoesNotExist, "The files of version %d of model %s cannot be found: %s", v.number, py.Repr(v.model), err)
	}
	if name = strings.TrimSuffix(name, "/"); len(parts) == 3 {
		name += "/" + parts[2]
	}
	return &place{account: account, container: container, name: name, path: p, fixed: true}, nil
}

// azureURI is where Azure's clients find the files of a version that the other list
// gave: artifacts by their address, what is in other datastores by its own.
func (c *call) azureURI(v *version) (string, error) {
	if c.opts.Registry == nil {
		return v.Source, nil
	}
	account, container, name, err := c.opts.Registry.Files(c.ctx(), c.ws, v.Source)
	if err != nil {
		return "", errorf(DoesNotExist, "The files of version %d of model %s cannot be found: %s", v.number, py.Repr(v.model), err)
	}
	if a, in := c.opts.Account(c.ws); a == account && in == container {
		return "azureml://artifacts/" + strings.TrimSuffix(name, "/"), nil
	}
	return v.Source, nil
}

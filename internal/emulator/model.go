package emulator

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// models is what MLflow's registry is told, so that a workspace has one list of
// models: what MLflow registers is a model of the resource manager, and the other way round.
type models struct{ s *Server }

// Saved implements tracking.Registry. Models whose names Azure does not allow, or has in another case, are MLflow's alone.
func (m models) Saved(ctx context.Context, tx *sql.Tx, ws string, told *tracking.Model, versions []*tracking.ModelVersion) error {
	sc, ok := m.s.workspace(scopeOfKey(ws))
	if !ok || nameOf(arm.Models, told.Name) != nil {
		return nil
	}
	id, err := arm.ParseID(sc.Child(arm.Models, told.Name))
	if err != nil {
		return err
	}
	c, err := readFor(tx, id)
	if err != nil {
		return err
	}
	if name := c.text("name"); name != "" && name != told.Name {
		return nil
	}
	now := m.s.opts.Clock()
	p := c.props()
	p["description"], p["tags"] = orNull(told.Description), tagsOf(told.Tags)
	completeContainer(c)
	if err := writeContainer(tx, id, c, now); err != nil {
		return err
	}
	for _, v := range versions {
		if err := m.savedVersion(ctx, tx, sc, v); err != nil {
			return err
		}
	}
	return nil
}

func (m models) savedVersion(ctx context.Context, tx *sql.Tx, sc arm.Scope, v *tracking.ModelVersion) error {
	id, err := arm.ParseID(sc.AssetID(arm.Models, v.Model, strconv.FormatInt(v.Number, 10)))
	if err != nil {
		return err
	}
	d, err := readFor(tx, id)
	if err != nil {
		return err
	}
	now := m.s.opts.Clock()
	p := d.props()
	if d.text("id") == "" {
		completeAsset(d)
		uri := v.Source
		if v.Folder != "" {
			uri = sc.DatastoreURI(arm.ArtifactStore, v.Folder)
		}
		flavors, typ := m.flavors(ctx, sc, v.Folder)
		p["modelUri"], p["modelType"], p["flavors"], p["jobName"], p["provisioningState"] = uri, typ, flavors, orNull(v.Run), "Succeeded"
	}
	p["description"], p["tags"], p["stage"] = orNull(v.Description), tagsOf(v.Tags), orNull(v.Stage)
	old := d.clone()
	d.named(id)
	d.signed(old, now)
	sd, err := d.stored(id)
	if err != nil {
		return err
	}
	if _, err := store.Put(tx, sd); err != nil {
		return err
	}
	return storedVersion(tx, id, d, now)
}

// maxMLmodel bounds the MLmodel files that are read, in bytes.
const maxMLmodel = 1 << 20

// flavors reads the MLmodel file of a folder of artifacts. A folder that has files, and none of that name, is a custom model.
func (m models) flavors(ctx context.Context, sc arm.Scope, folder string) (all map[string]any, typ string) {
	all, typ = map[string]any{}, "mlflow_model"
	if folder == "" {
		return all, typ
	}
	r, err := m.s.blobs.Open(ctx, sc.Account(), arm.ArtifactContainer, folder+"/MLmodel")
	if err != nil {
		for _, err := range m.s.blobs.List(ctx, sc.Account(), arm.ArtifactContainer, folder) {
			if err == nil {
				typ = "custom_model"
			}
			break
		}
		return all, typ
	}
	b, err := io.ReadAll(io.LimitReader(r, maxMLmodel))
	if err := errors.Join(err, r.Close()); err != nil {
		return all, typ
	}
	var doc struct{ Flavors map[string]map[string]any }
	if yaml.Unmarshal(b, &doc) != nil {
		return all, typ // what is no MLmodel tells no flavors
	}
	for name, data := range doc.Flavors {
		kept := map[string]any{}
		for k, v := range data {
			switch v.(type) {
			case nil, map[string]any, []any:
			default:
				kept[k] = fmt.Sprint(v)
			}
		}
		all[name] = map[string]any{"data": kept}
	}
	return all, typ
}

// Renamed implements tracking.Registry: the documents move, with what MLflow knows nothing of.
func (m models) Renamed(ctx context.Context, tx *sql.Tx, ws, old string, told *tracking.Model, versions []*tracking.ModelVersion) error {
	sc, ok := m.s.workspace(scopeOfKey(ws))
	if !ok {
		return nil
	}
	from, err := arm.ParseID(sc.Child(arm.Models, old))
	if err != nil {
		return m.Saved(ctx, tx, ws, told, versions) // no name that the resource manager could have had
	}
	c, err := readFor(tx, from)
	if err != nil {
		return err
	}
	var docs []*store.Document
	if c.text("name") == old {
		if docs, err = store.List(tx, store.Query{Parent: from.String(), Type: from.Type() + "/" + arm.Versions}); err != nil {
			return err
		}
		if _, err := store.DeleteTree(tx, from.String()); err != nil {
			return err
		}
	}
	if nameOf(arm.Models, told.Name) != nil {
		return nil
	}
	if taken, err := store.Get(tx, sc.Child(arm.Models, told.Name)); err == nil && taken != nil {
		return nil // another spelling of the name is in use there
	}
	for _, sd := range docs {
		d, err := read(sd)
		if err != nil {
			return err
		}
		id, err := arm.ParseID(sc.AssetID(arm.Models, told.Name, d.text("name")))
		if err != nil {
			return err
		}
		d.named(id)
		moved, err := d.stored(id)
		if err != nil {
			return err
		}
		if _, err := store.Put(tx, moved); err != nil {
			return err
		}
	}
	return m.Saved(ctx, tx, ws, told, versions)
}

// Removed implements tracking.Registry.
func (m models) Removed(_ context.Context, tx *sql.Tx, ws, name string, number int64) error {
	sc, ok := m.s.workspace(scopeOfKey(ws))
	if !ok || nameOf(arm.Models, name) != nil {
		return nil
	}
	id, err := arm.ParseID(sc.Child(arm.Models, name))
	if err != nil {
		return err
	}
	c, err := readFor(tx, id)
	if err != nil || c.text("name") != name {
		return err
	}
	if number == 0 {
		_, err := store.DeleteTree(tx, id.String())
		return err
	}
	if _, err := store.DeleteTree(tx, sc.AssetID(arm.Models, name, strconv.FormatInt(number, 10))); err != nil {
		return err
	}
	return writeContainer(tx, id, c, m.s.opts.Clock())
}

// Files implements tracking.Registry.
func (m models) Files(ctx context.Context, ws, source string) (account, container, name string, err error) {
	sc, ok := m.s.workspace(scopeOfKey(ws))
	if !ok {
		sc = scopeOfKey(ws)
	}
	l, err := m.s.resolver.Resolve(ctx, sc, source, arm.Models)
	if err != nil {
		return "", "", "", err
	}
	if l.Container == "" {
		return "", "", "", fmt.Errorf("they are at %s, outside of the workspace's storage", source)
	}
	return l.Account, l.Container, l.Path, nil
}

// keepModel tells MLflow's registry of a version that the resource manager has now.
func (s *Server) keepModel(tx *sql.Tx, id arm.ID, doc document) error {
	sc, ok := id.Scope()
	if !ok || doc.flag("properties", "isAnonymous") {
		return nil
	}
	n, err := strconv.ParseInt(id.Name(), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != id.Name() {
		return nil
	}
	c, err := readFor(tx, id.Parent())
	if err != nil {
		return err
	}
	err = s.tracking.KeepVersionTx(tx, sc.Key(), modelOf(c, id.Parent()), &tracking.ModelVersion{
		Model: id.Parent().Name(), Number: n, Description: doc.text("properties", "description"), Stage: doc.text("properties", "stage"),
		Run: doc.text("properties", "jobName"), Source: doc.text("properties", "modelUri"), Tags: tagTexts(doc.object("properties", "tags")),
	})
	return modelRefused(err)
}

// keepModelContainer tells MLflow's registry of a model.
func (s *Server) keepModelContainer(tx *sql.Tx, id arm.ID, doc document) error {
	sc, ok := id.Scope()
	if !ok {
		return nil
	}
	return modelRefused(s.tracking.KeepModelTx(tx, sc.Key(), modelOf(doc, id)))
}

// dropModel tells MLflow's registry of a version, or of a model, that is gone.
func (s *Server) dropModel(tx *sql.Tx, id arm.ID) error {
	sc, ok := id.Scope()
	if !ok {
		return nil
	}
	in := id.Inner()
	if len(in) == 1 {
		return s.tracking.DropModelTx(tx, sc.Key(), in[0].Name)
	}
	n, err := strconv.ParseInt(id.Name(), 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != id.Name() {
		return nil
	}
	return s.tracking.DropVersionTx(tx, sc.Key(), in[0].Name, n)
}

func modelOf(c document, id arm.ID) *tracking.Model {
	return &tracking.Model{Name: id.Name(), Description: c.text("properties", "description"), Tags: tagTexts(c.object("properties", "tags"))}
}

// modelRefused is MLflow's refusal as the resource manager says it.
func modelRefused(err error) error {
	if e, ok := errors.AsType[*tracking.Error](err); ok {
		return arm.Conflict("UserError", "%s", e.Message)
	}
	return err
}

// readFor reads a document that may not be there: an empty one then.
func readFor(tx *sql.Tx, id arm.ID) (document, error) {
	sd, err := store.Get(tx, id.String())
	if errors.Is(err, store.ErrNotFound) {
		return document{}, nil
	}
	if err != nil {
		return nil, err
	}
	return read(sd)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func tagsOf(m map[string]string) map[string]any {
	all := map[string]any{}
	for k, v := range m {
		all[k] = v
	}
	return all
}

func tagTexts(m map[string]any) map[string]string {
	all := map[string]string{}
	for k, v := range m {
		if s, ok := v.(string); ok {
			all[k] = s
		}
	}
	return all
}

// joined makes the kinds of models tell MLflow's registry.
func joined(k *kind) *kind {
	stored, removed := k.stored, k.removed
	k.stored = func(c *call, tx *sql.Tx, ch *change) error {
		if stored == nil {
			return c.s.keepModelContainer(tx, ch.id, ch.doc)
		}
		if err := stored(c, tx, ch); err != nil {
			return err
		}
		return c.s.keepModel(tx, ch.id, ch.doc)
	}
	k.removed = func(c *call, tx *sql.Tx, id arm.ID) error {
		if removed != nil {
			if err := removed(c, tx, id); err != nil {
				return err
			}
		}
		return c.s.dropModel(tx, id)
	}
	return k
}

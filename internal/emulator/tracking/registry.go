package tracking

import (
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/search"
)

// Stages of model versions. Deleted versions stay: their numbers are not used again.
const (
	stageNone    = "None"
	stageDeleted = "Deleted_Internal"
)

var modelStages = []string{stageNone, "Staging", "Production", "Archived"}

// Tags of prompts, which the registry keeps as models.
const (
	tagPrompt        = "mlflow.prompt.is_prompt"
	tagPromptText    = "mlflow.prompt.text"
	tagModelVersions = "mlflow.modelVersions"
)

// registered is a row of tracking_models.
type registered struct {
	mid  int64
	name string
	registeredBody
}

type registeredBody struct {
	Created     int64   `json:"created"`
	Updated     int64   `json:"updated"`
	Description string  `json:"description"`
	Tags        []Tag   `json:"tags,omitempty"`
	Aliases     []alias `json:"aliases,omitempty"`
}

type alias struct {
	Name    string `json:"name"`
	Version int64  `json:"version"`
}

// version is a row of tracking_versions.
type version struct {
	vid, mid, number int64
	model            string
	stage            string
	run              string
	place            sql.NullString // where its files are behind the proxy, if there
	versionBody
}

type versionBody struct {
	Created     int64   `json:"created"`
	Updated     int64   `json:"updated"`
	Description *string `json:"description,omitempty"`
	Source      string  `json:"source"`
	Location    string  `json:"location"`
	RunLink     string  `json:"run_link"`
	Tags        []Tag   `json:"tags,omitempty"`
	Outside     bool    `json:"outside,omitempty"` // the other list of models gave it
}

func (m *registered) prompt() bool {
	v, _ := tagValue(m.Tags, tagPrompt).(string)
	return strings.EqualFold(v, "true")
}

func (m *registered) write(o *out, latest []*version) {
	o.str("name", m.name)
	o.int("creation_timestamp", m.Created)
	o.int("last_updated_timestamp", m.Updated)
	o.text("description", m.Description)
	o.list("latest_versions", len(latest), func(i int) { o.item(func() { latest[i].write(o, nil) }) })
	writeTags(o, "tags", m.Tags)
	o.list("aliases", len(m.Aliases), func(i int) {
		o.item(func() {
			o.str("alias", m.Aliases[i].Name)
			o.str("version", strconv.FormatInt(m.Aliases[i].Version, 10))
		})
	})
}

func (v *version) write(o *out, of *registered) {
	o.str("name", v.model)
	o.str("version", strconv.FormatInt(v.number, 10))
	o.int("creation_timestamp", v.Created)
	o.int("last_updated_timestamp", v.Updated)
	o.str("current_stage", v.stage)
	o.ptr("description", v.Description)
	o.str("source", v.Source)
	o.str("run_id", v.run)
	o.str("status", "READY")
	writeTags(o, "tags", v.Tags)
	o.str("run_link", v.RunLink)
	if of != nil {
		o.strs("aliases", of.aliasesOf(v.number))
	}
}

// aliasesOf are the names of a version.
func (m *registered) aliasesOf(number int64) []string {
	var names []string
	for _, a := range m.Aliases {
		if a.Version == number {
			names = append(names, a.Name)
		}
	}
	return names
}

// checkModelName refuses names that no model can have.
func checkModelName(name string) error {
	if strings.TrimFunc(name, py.IsSpace) == "" {
		return invalidf("Missing value for required parameter 'name'.")
	}
	if strings.ContainsAny(name, "/:") {
		return invalidf("Invalid model name '%s'. Names cannot contain '/' or ':'.", name)
	}
	return checkNormal(name, "name")
}

// checkVersion reads the number of a version.
func checkVersion(text string) (int64, error) {
	n, ok := py.Int(text)
	if !ok {
		return 0, invalidf("Parameter 'version' must be an integer, got '%s'.", text)
	}
	return n, nil
}

// checkAlias refuses names that no alias can have.
func checkAlias(name string) error {
	if name == "" {
		return invalidf("Registered model alias name cannot be empty.")
	}
	for _, r := range strings.TrimSuffix(name, "\n") {
		if !py.IsWord(r) && r != '-' {
			return invalidf("Invalid alias name: '%s'. Names may only contain alphanumerics, underscores (_), and dashes (-).", name)
		}
	}
	return tooLong("Registered model alias name", 255, name)
}

// checkAliasFree refuses the names of aliases that stand for something else.
func checkAliasFree(name string) error {
	if strings.EqualFold(name, "latest") {
		return invalidf("'latest' alias name (case insensitive) is reserved.")
	}
	if digits := strings.TrimSuffix(name[1:], "\n"); (name[0] == 'v' || name[0] == 'V') && digits != "" && strings.TrimFunc(digits, py.IsDigit) == "" {
		return invalidf("Version alias name '%s' is reserved.", name)
	}
	return nil
}

// canonicalStage is the stage that a text means.
func canonicalStage(text string) (string, error) {
	for _, s := range modelStages {
		if strings.EqualFold(s, text) {
			return s, nil
		}
	}
	return "", invalidf("Invalid Model Version stage: %s. Value must be one of %s.", text, strings.Join(modelStages, ", "))
}

const modelColumns = `m.mid, m.name, m.body FROM tracking_models m`

func scanModel(scan func(...any) error) (*registered, error) {
	m := &registered{}
	var body []byte
	if err := scan(&m.mid, &m.name, &body); err != nil {
		return nil, err
	}
	return m, json.Unmarshal(body, &m.registeredBody)
}

// model finds a registered model.
func model(tx *sql.Tx, space int64, name string) (*registered, error) {
	if err := checkModelName(name); err != nil {
		return nil, err
	}
	m, err := scanModel(tx.QueryRow(`SELECT `+modelColumns+` WHERE m.ws = ? AND m.name = ?`, space, name).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errorf(DoesNotExist, "Registered Model with name=%s not found", name)
	}
	return m, err
}

// save writes a model, by its present name.
func (m *registered) save(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE tracking_models SET name = ?, body = ? WHERE mid = ?`, m.name, string(rawJSON(m.registeredBody)), m.mid)
	return err
}

const versionColumns = `v.vid, v.mid, v.version, m.name, v.stage, v.run, v.place, v.body FROM tracking_versions v JOIN tracking_models m ON m.mid = v.mid`

func scanVersion(scan func(...any) error) (*version, error) {
	v := &version{}
	var body []byte
	if err := scan(&v.vid, &v.mid, &v.number, &v.model, &v.stage, &v.run, &v.place, &body); err != nil {
		return nil, err
	}
	return v, json.Unmarshal(body, &v.versionBody)
}

// versionOf finds a version of a model by its number.
func versionOf(tx *sql.Tx, space int64, name, number string) (*version, error) {
	if err := checkModelName(name); err != nil {
		return nil, err
	}
	n, err := checkVersion(number)
	if err != nil {
		return nil, err
	}
	v, err := scanVersion(tx.QueryRow(`SELECT `+versionColumns+` WHERE m.ws = ? AND m.name = ? AND v.version = ? AND v.stage <> ?`, space, name, n, stageDeleted).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errorf(DoesNotExist, "Model Version (name=%s, version=%d) not found", name, n)
	}
	return v, err
}

// versionsWhere reads versions in the order of their numbers.
func versionsWhere(tx *sql.Tx, where string, args ...any) (all []*version, err error) {
	err = eachRow(tx, `SELECT `+versionColumns+` WHERE `+where+` ORDER BY v.mid, v.version`, args, func(scan func(...any) error) error {
		v, err := scanVersion(scan)
		all = append(all, v)
		return err
	})
	return all, err
}

// save writes what may change of a version.
func (v *version) save(tx *sql.Tx) error {
	_, err := tx.Exec(`UPDATE tracking_versions SET stage = ?, run = ?, place = ?, prompt = ?, body = ? WHERE vid = ?`, v.stage, v.run, v.place, v.prompt(), string(rawJSON(v.versionBody)), v.vid)
	return err
}

// erase leaves nothing of a version but its number and its tags.
func (v *version) erase(r *registered, now int64) {
	r.Updated = now
	r.Aliases = slices.DeleteFunc(r.Aliases, func(a alias) bool { return a.Version == v.number })
	v.stage, v.run, v.place = stageDeleted, "REDACTED-RUN-ID", sql.NullString{}
	v.versionBody = versionBody{Created: v.Created, Updated: now, Source: "REDACTED-SOURCE-PATH", RunLink: "REDACTED-RUN-LINK", Tags: v.Tags}
}

// remove deletes a model with its versions.
func (m *registered) remove(tx *sql.Tx) error {
	if _, err := tx.Exec(`DELETE FROM tracking_versions WHERE mid = ?`, m.mid); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM tracking_models WHERE mid = ?`, m.mid)
	return err
}

// prompt reports whether the version is one of a prompt.
func (v *version) prompt() bool { return tagValue(v.Tags, tagPrompt) == "true" }

// latestOf are the latest versions of a model, one of each stage.
func latestOf(tx *sql.Tx, mid int64) ([]*version, error) {
	all, err := versionsWhere(tx, `v.mid = ? AND v.stage <> ?`, mid, stageDeleted)
	if err != nil {
		return nil, err
	}
	var latest []*version
	for _, v := range all {
		if i := slices.IndexFunc(latest, func(o *version) bool { return o.stage == v.stage }); i >= 0 {
			latest[i] = v
		} else {
			latest = append(latest, v)
		}
	}
	return latest, nil
}

// byAlias finds the version that an alias stands for.
func byAlias(tx *sql.Tx, space int64, name, alias string) (*registered, *version, error) {
	if err := checkModelName(name); err != nil {
		return nil, nil, err
	}
	if err := checkAlias(alias); err != nil {
		return nil, nil, err
	}
	m, err := model(tx, space, name)
	if err != nil {
		return nil, nil, err
	}
	if strings.EqualFold(alias, "latest") {
		v, err := newest(tx, m, "")
		if err == nil && v == nil {
			err = errorf(DoesNotExist, "Latest version not found for model %s.", name)
		}
		return m, v, err
	}
	for _, a := range m.Aliases {
		if a.Name == alias {
			v, err := versionOf(tx, space, name, strconv.FormatInt(a.Version, 10))
			return m, v, err
		}
	}
	return nil, nil, invalidf("Registered model alias %s not found.", alias)
}

// newest is the newest version of a model, or of one of its stages; nil for none.
func newest(tx *sql.Tx, m *registered, stage string) (*version, error) {
	latest, err := latestOf(tx, m.mid)
	if err != nil {
		return nil, err
	}
	var best *version
	for _, v := range latest {
		if (stage == "" || v.stage == stage) && (best == nil || v.number > best.number) {
			best = v
		}
	}
	return best, nil
}

// value is what filters and orders compare.
func (m *registered) value(e search.Entity, key string) any {
	if e == search.Tag {
		return tagValue(m.Tags, key)
	}
	if key == "name" {
		return m.name
	}
	return m.Updated
}

func (v *version) value(e search.Entity, key string) any {
	if e == search.Tag {
		return tagValue(v.Tags, key)
	}
	switch key {
	case "name":
		return v.model
	case "run_id":
		return v.run
	case "source_path":
		return v.Source
	case "version_number":
		return v.number
	case "creation_timestamp":
		return v.Created
	}
	return v.Updated
}

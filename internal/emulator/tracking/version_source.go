package tracking

import (
	"database/sql"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// newVersion is a version of a model to be made.
type newVersion struct {
	name, source, run, model string
	hasRun, hasModel         bool
	link, description        string
	tags                     []Tag
}

// promptSources are what stands for the source of a prompt.
var promptSources = []string{"dummy-source", "prompt-template"}

func badSource(source, field string) error {
	return invalidf("Invalid model version source: '%s'. The %s request parameter must identify the resource that contains the source.", source, field)
}

// insertVersion makes a version of a registered model.
func (c *call) insertVersion(tx *sql.Tx, space int64, n *newVersion) (*registered, *version, error) {
	prompt := false
	if v, ok := tagValue(lastTags(n.tags), tagPrompt).(string); ok {
		prompt = strings.EqualFold(v, "true")
	}
	if prompt && !slices.Contains(promptSources, n.source) {
		return nil, nil, invalidf("Invalid prompt source: '%s'. Prompt sources must use an MLflow placeholder.", n.source)
	}
	if err := checkHost(n.source, "source"); err != nil {
		return nil, nil, err
	}
	if !prompt {
		if err := c.resolveVersion(tx, space, n); err != nil {
			return nil, nil, err
		}
		if err := c.checkSource(tx, space, n); err != nil {
			return nil, nil, err
		}
	}
	if err := checkModelName(n.name); err != nil {
		return nil, nil, err
	}
	for _, t := range n.tags {
		if err := checkVersionTag(t); err != nil {
			return nil, nil, err
		}
	}
	location, err := c.sourceLocation(tx, space, n)
	if err != nil {
		return nil, nil, err
	}
	r, err := model(tx, space, n.name)
	if err != nil {
		return nil, nil, err
	}
	now := c.now()
	v := &version{mid: r.mid, model: r.name, stage: stageNone, run: n.run, versionBody: versionBody{Created: now, Updated: now, Description: &n.description, Source: n.source, Location: location, RunLink: n.link, Tags: lastTags(n.tags)}}
	if err := c.placeVersion(tx, space, v); err != nil {
		return nil, nil, err
	}
	if err := tx.QueryRow(`SELECT coalesce(max(version), 0) + 1 FROM tracking_versions WHERE mid = ?`, r.mid).Scan(&v.number); err != nil {
		return nil, nil, err
	}
	_, err = tx.Exec(`INSERT INTO tracking_versions (mid, version, stage, run, place, prompt, body) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		v.mid, v.number, v.stage, v.run, v.place, v.prompt(), string(rawJSON(v.versionBody)))
	if err != nil {
		return nil, nil, err
	}
	r.Updated = now
	if err := r.save(tx); err != nil {
		return nil, nil, err
	}
	if !prompt && n.model != "" {
		if err := c.noteVersion(tx, space, n.model, v); err != nil {
			return nil, nil, err
		}
	}
	return r, v, c.tell(tx, space, r, v)
}

// noteVersion names a version in a tag of the logged model that it was made of.
func (c *call) noteVersion(tx *sql.Tx, space int64, id string, v *version) error {
	m, err := c.logged(tx, space, id, false)
	if err != nil {
		return err
	}
	item := &request.Object{}
	item.Set("name", v.model)
	item.Set("version", v.number)
	list := []any{item}
	if old, _ := tagValue(m.Tags, tagModelVersions).(string); old != "" {
		had, err := request.Parse([]byte(old))
		all, ok := had.([]any)
		if err != nil || !ok {
			return invalidf("The tag '%s' of model '%s' is no JSON list.", tagModelVersions, id)
		}
		list = append(all, list...)
	}
	m.Tags = setTagOf(m.Tags, Tag{tagModelVersions, request.Print(list)})
	return m.save(tx)
}

// modelURI is a models:/ URI taken apart: an id, or a name with one of a version,
// a stage, an alias or nothing for the latest.
type modelURI struct{ id, name, version, stage, alias string }

func parseModelURI(uri string) (m modelURI, ok bool) {
	p := splitURI(strings.ReplaceAll(uri, "#", "%23"))
	full := strings.ReplaceAll(p.path, "%23", "#")
	if p.scheme != "models" || !strings.HasPrefix(full, "/") || len(full) <= 1 {
		return m, false
	}
	parts := strings.Split(strings.TrimLeft(full, "/"), "/")
	if len(parts) > 2 || strings.TrimFunc(parts[0], py.IsSpace) == "" {
		return m, false
	}
	if len(parts) == 1 {
		i := strings.LastIndexByte(parts[0], '@')
		if i < 0 {
			return modelURI{id: parts[0]}, true
		}
		return modelURI{name: parts[0][:i], alias: parts[0][i+1:]}, strings.TrimFunc(parts[0][i+1:], py.IsSpace) != ""
	}
	m.name = parts[0]
	switch suffix := parts[1]; {
	case strings.TrimFunc(suffix, py.IsSpace) == "":
		return m, false
	case strings.TrimFunc(suffix, py.IsDigit) == "":
		m.version = suffix
	case !strings.EqualFold(suffix, "latest"):
		m.stage = suffix
	}
	return m, true
}

// resolveVersion replaces a source that is another version of a model by that
// version, whose run the new one has too.
func (c *call) resolveVersion(tx *sql.Tx, space int64, n *newVersion) error {
	p := splitURI(n.source)
	if p.scheme != "models" {
		return nil
	}
	if p.host != "" {
		return invalidf("Invalid model version source: '%s'. Registered model sources must use the active model registry.", n.source)
	}
	u, ok := parseModelURI(n.source)
	if !ok {
		return badSource(n.source, "model_id")
	}
	if u.id != "" {
		return nil
	}
	m, err := model(tx, space, u.name)
	if err != nil {
		return err
	}
	if m.prompt() {
		return invalidf("Invalid model version source: '%s'. Prompt versions cannot be used as model version sources.", n.source)
	}
	v, err := versionByURI(tx, space, m, u)
	if err != nil {
		return err
	}
	if n.hasRun && n.run != v.run || n.hasModel && n.model != "" {
		return invalidf("Invalid model version source: '%s'. The run_id and model_id request parameters must match the referenced model version.", n.source)
	}
	n.source, n.run = "models:/"+m.name+"/"+strconv.FormatInt(v.number, 10), v.run
	return nil
}

// versionByURI finds the version of a model that a URI means.
func versionByURI(tx *sql.Tx, space int64, m *registered, u modelURI) (*version, error) {
	switch {
	case u.version != "":
		return versionOf(tx, space, m.name, u.version)
	case u.alias != "":
		_, v, err := byAlias(tx, space, m.name, u.alias)
		return v, err
	}
	stage, shown := "", ""
	if u.stage != "" {
		var err error
		if stage, err = canonicalStage(u.stage); err != nil {
			return nil, err
		}
		shown = " and stage '" + u.stage + "'"
	}
	v, err := newest(tx, m, stage)
	if err == nil && v == nil {
		err = invalidf("No versions of model with name '%s'%s found", m.name, shown)
	}
	return v, err
}

// checkSource refuses sources that are not where the run or the logged model has
// its artifacts.
func (c *call) checkSource(tx *sql.Tx, space int64, n *newVersion) error {
	p := splitURI(n.source)
	field := "run_id"
	root := func() (string, error) {
		r, err := c.run(tx, space, n.run)
		if err != nil {
			return "", err
		}
		return r.uri, nil
	}
	if n.model != "" {
		field = "model_id"
		root = func() (string, error) {
			m, err := c.logged(tx, space, n.model, false)
			if err != nil {
				return "", err
			}
			return m.URI, nil
		}
	}
	within := func() (bool, error) {
		if n.run == "" && n.model == "" {
			return false, nil
		}
		uri, err := root()
		if missing(err) {
			return false, badSource(n.source, field)
		}
		if err != nil {
			return false, err
		}
		return within(n.source, uri), nil
	}
	if p.scheme == "" && n.source != "databricks" || p.scheme == "file" {
		if p.scheme == "file" && p.remote() {
			return invalidf("%s is not a valid remote uri. For remote access on windows, please consider using a different scheme such as SMB (e.g. smb://<hostname>/<path>).", n.source)
		}
		ok, err := within()
		if err != nil || ok {
			return err
		}
		shown := n.source
		if n.run != "" || n.model != "" {
			shown = localPath(n.source)
		}
		return invalidf("Invalid model version source: '%s'. To use a local path as a model version source, the %s request parameter has to be specified and the local path has to be contained within the artifact directory of the run specified by the %s.", shown, field, field)
	}
	if err := checkAbsolute(n.source); err != nil {
		return err
	}
	switch {
	case p.scheme == "runs":
		id, _, _ := strings.Cut(strings.TrimPrefix(p.path, "/"), "/")
		if p.host == "" && (!strings.HasPrefix(p.path, "/") || id == "") {
			return invalidf("Not a proper runs:/ URI: %s. Runs URIs must be of the form 'runs:/<run_id>/run-relative/path/to/artifact'", n.source)
		}
		if p.host != "" || n.model != "" || id != n.run {
			return badSource(n.source, field)
		}
	case p.scheme == "models":
		u, ok := parseModelURI(n.source)
		if p.host != "" || !ok || u.id != "" && u.id != n.model {
			return badSource(n.source, "model_id")
		}
	case p.scheme == "mlflow-artifacts":
		ok, err := within()
		if err != nil {
			return err
		}
		if !ok {
			return badSource(n.source, field)
		}
	}
	return nil
}

// checkAbsolute refuses sources with a path that leads elsewhere.
func checkAbsolute(source string) error {
	plain := source
	for range 100 {
		next, err := url.QueryUnescape(plain)
		if err != nil {
			next = unquote(strings.ReplaceAll(plain, "+", " "))
		}
		if next == plain {
			break
		}
		plain = next
	}
	p := strings.TrimRight(splitURI(plain).path, "/")
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	if strings.Contains(p, "\x00") || slices.Contains(strings.Split(plain, "/"), "..") || !strings.HasPrefix(p, "/") || path.Clean(p) != p {
		return invalidf("Invalid model version source: '%s'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path references present. Please provide an absolute path.", source)
	}
	return nil
}

// localPath is the path of a file: URI or a path.
func localPath(uri string) string {
	if p := splitURI(uri); p.scheme == "file" {
		uri = p.path
	}
	abs, err := filepath.Abs(unquote(uri))
	if err != nil {
		return uri
	}
	return filepath.ToSlash(abs)
}

// within reports whether a source is below an artifact URI.
func within(source, root string) bool {
	s, r := splitURI(source), splitURI(root)
	if s.scheme == "" || s.scheme == "file" {
		if r.scheme != "" && r.scheme != "file" {
			return false
		}
		a, b := localPath(source), localPath(root)
		return a == b || strings.HasPrefix(a, strings.TrimSuffix(b, "/")+"/")
	}
	parts := func(p string) (all []string) {
		for _, part := range strings.Split(p, "/") {
			if part != "" {
				plain, _ := decodePath(part)
				all = append(all, plain)
			}
		}
		return all
	}
	a, b := parts(s.path), parts(r.path)
	return s.scheme == r.scheme && strings.EqualFold(s.host, r.host) && len(b) > 0 && len(a) >= len(b) && slices.Equal(a[:len(b)], b)
}

// sourceLocation is where a version's files are. The run of a logged model becomes
// the version's when it has none.
func (c *call) sourceLocation(tx *sql.Tx, space int64, n *newVersion) (string, error) {
	location := n.source
	if u, ok := parseModelURI(n.source); ok {
		if u.id != "" {
			m, err := c.logged(tx, space, u.id, false)
			if err != nil {
				return "", unableToFetch(n.source, err)
			}
			location = m.URI
			if n.run == "" {
				n.run = m.Run
			}
		} else {
			v, err := versionOf(tx, space, u.name, u.version)
			if err != nil {
				return "", unableToFetch(n.source, err)
			}
			location = v.uri()
		}
	}
	if n.run == "" && n.model != "" {
		m, err := c.logged(tx, space, n.model, false)
		if err != nil {
			return "", err
		}
		n.run = m.Run
	}
	return location, nil
}

func unableToFetch(source string, err error) error {
	if e := asError(err); e.Code != InternalError {
		return invalidf("Unable to fetch model from model URI source artifact location '%s'.Error: %s", source, e.Message)
	}
	return err
}

// placeVersion finds a version's files behind the proxy. A run's token may only
// register what it may read.
func (c *call) placeVersion(tx *sql.Tx, space int64, v *version) error {
	p, run, err := c.behindProxy(tx, space, v.uri())
	if err != nil {
		return err
	}
	if p != "" {
		v.place = sql.NullString{String: p, Valid: true}
	}
	if run == nil || c.o.RunLimit == "" {
		return nil
	}
	if refused := c.allowed(tx, space, run); refused != nil {
		shared, err := sharedArtifact(tx, space, p)
		if err != nil || shared {
			return err
		}
		return refused
	}
	return nil
}

// behindProxy is the proxy's path of an artifact URI, and the run whose artifact it
// is; "" for what the proxy does not serve.
func (c *call) behindProxy(tx *sql.Tx, space int64, uri string) (string, *runRow, error) {
	u := splitURI(uri)
	if u.scheme == "runs" {
		id, rest, _ := strings.Cut(strings.TrimPrefix(u.path, "/"), "/")
		r, err := c.run(tx, space, id)
		if missing(err) {
			return "", nil, nil
		}
		if err != nil {
			return "", nil, err
		}
		uri = under(r.uri, rest)
	}
	if p, ok := proxied(uri); ok {
		p = strings.Trim(path.Clean("/"+p), "/")
		r, _, err := c.runAt(tx, space, p)
		return p, r, err
	}
	id, rest, ok := azureArtifact(uri)
	if !ok {
		return "", nil, nil
	}
	r, err := c.run(tx, space, id)
	if missing(err) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	root, ok := proxied(r.uri)
	if !ok {
		return "", r, nil
	}
	return path.Join(root, rest), r, nil
}

// azureArtifact takes Azure's addresses of a run's artifact apart: by the place
// where runs have them, or below the run.
func azureArtifact(uri string) (run, rest string, ok bool) {
	if _, rest, ok = strings.Cut(uri, "/"+runFolder); ok {
		run, rest, _ = strings.Cut(rest, "/")
		return run, rest, true
	}
	u := splitURI(uri)
	_, rest, ok = strings.Cut(u.path, "/runs/")
	if !ok || u.scheme != "azureml" {
		return "", "", false
	}
	run, rest, _ = strings.Cut(rest, "/")
	if rest != "artifacts" && !strings.HasPrefix(rest, "artifacts/") {
		return "", "", false
	}
	return run, strings.TrimPrefix(strings.TrimPrefix(rest, "artifacts"), "/"), true
}

// sharedArtifact reports whether a path of the proxy lies at or below the files of
// a version of a registered model, which all may read.
func sharedArtifact(tx *sql.Tx, space int64, p string) (bool, error) {
	args := []any{space}
	for at := p; at != "." && at != "" && at != "/"; at = path.Dir(at) {
		args = append(args, at)
	}
	if len(args) == 1 {
		return false, nil
	}
	var n int
	err := tx.QueryRow(`SELECT count(*) FROM tracking_versions v JOIN tracking_models m ON m.mid = v.mid WHERE m.ws = ? AND v.place IN (?`+strings.Repeat(", ?", len(args)-2)+`)`, args...).Scan(&n)
	return n > 0, err
}

// getVersionArtifact: GET /model-versions/get-artifact, for the user interface.
func getVersionArtifact(c *call) error {
	q := c.r.URL.Query()
	if !q.Has("path") {
		return errorf(BadRequest, `Request must include the "path" query parameter.`)
	}
	p, err := safePath(q.Get("path"))
	if err != nil {
		return err
	}
	var v *version
	var root string
	err = c.view(func(tx *sql.Tx, space int64) error {
		if v, err = versionOf(tx, space, q.Get("name"), q.Get("version")); err != nil {
			return err
		}
		root, _, err = c.behindProxy(tx, space, v.uri())
		return err
	})
	if err != nil {
		return err
	}
	if root == "" {
		return invalidf("The artifacts at '%s' are not kept by this server.", v.uri())
	}
	at, err := c.locate(c.ctx(), c.ws, path.Join(root, p))
	if err != nil {
		return err
	}
	return c.sendFile(at, p)
}

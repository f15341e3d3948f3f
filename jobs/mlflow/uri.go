package mlflow

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
)

// ModelURI is a models:/ address, in its parts.
type ModelURI struct {
	Name    string
	Version string // with Name; "latest" is one
	Stage   string // with Name, on registries that still have stages
	Alias   string // with Name
	ModelID string // a logged model
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// ParseModelURI reads models:/NAME/VERSION, /NAME/STAGE, /NAME/latest, /NAME@ALIAS and /MODEL-ID.
func ParseModelURI(uri string) (ModelURI, error) {
	fail := func() (ModelURI, error) {
		return ModelURI{}, fault(fmt.Sprintf("model URI %q", uri), "the forms are models:/NAME/VERSION, models:/NAME/STAGE, models:/NAME/latest, models:/NAME@ALIAS and models:/MODEL-ID")
	}
	rest, ok := strings.CutPrefix(uri, "models:/")
	if !ok {
		return fail()
	}
	rest = strings.TrimLeft(rest, "/")
	if name, alias, ok := strings.Cut(rest, "@"); ok {
		if name == "" || alias == "" || strings.ContainsAny(name, "/:") || strings.Contains(alias, "/") {
			return fail()
		}
		return ModelURI{Name: name, Alias: alias}, nil
	}
	name, last, ok := strings.Cut(rest, "/")
	switch {
	case name == "" || strings.Contains(name, ":") || strings.Contains(last, "/") || ok && last == "":
		return fail()
	case !ok:
		return ModelURI{ModelID: name}, nil
	case digits.MatchString(last):
		return ModelURI{Name: name, Version: last}, nil
	case strings.EqualFold(last, "latest"):
		return ModelURI{Name: name, Version: "latest"}, nil
	}
	return ModelURI{Name: name, Stage: last}, nil
}

// Find reads the version that a models:/ URI of the registry means.
func (s *Versions) Find(ctx context.Context, uri string) (*ModelVersion, error) {
	u, err := ParseModelURI(uri)
	if err != nil {
		return nil, err
	}
	switch {
	case u.ModelID != "":
		return nil, fault(fmt.Sprintf("model URI %q", uri), "it is a logged model, no version of a registered one")
	case u.Alias != "":
		return s.c.Models.ByAlias(ctx, u.Name, u.Alias)
	case u.Version != "" && u.Version != "latest":
		return s.Get(ctx, u.Name, u.Version)
	}
	var stages []string
	if u.Stage != "" {
		stages = []string{u.Stage}
	}
	list, err := s.c.Models.Latest(ctx, u.Name, stages...)
	if err != nil {
		return nil, err
	}
	var best *ModelVersion
	for _, v := range list {
		if best == nil || newer(v.Version, best.Version) {
			best = v
		}
	}
	if best == nil {
		return nil, fmt.Errorf("mlflow: %s: %w: the model has no version there", uri, ErrNotFound)
	}
	return best, nil
}

// newer compares decimal numbers of any length.
func newer(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return len(a) > len(b) || len(a) == len(b) && a > b
}

// splitRunURI reads runs:/RUN/PATH.
func splitRunURI(uri string) (run, p string, err error) {
	rest, ok := strings.CutPrefix(uri, "runs:/")
	run, p, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if !ok || run == "" {
		return "", "", fault(fmt.Sprintf("artifact URI %q", uri), "the form is runs:/RUN-ID/PATH")
	}
	p, err = cleanPath(p)
	return run, p, err
}

// joinURI appends a path to a URI in front of its query.
func joinURI(uri, p string) string {
	if p == "" {
		return uri
	}
	base, query, has := strings.Cut(uri, "?")
	base = strings.TrimRight(base, "/") + "/" + p
	if has {
		base += "?" + query
	}
	return base
}

// resolve turns runs:/ and models:/ into the URI of the files.
func (c *Client) resolve(ctx context.Context, uri string) (string, error) {
	switch {
	case strings.HasPrefix(uri, "runs:/"):
		run, p, err := splitRunURI(uri)
		if err != nil {
			return "", err
		}
		r, err := c.Runs.Get(ctx, run)
		if err != nil {
			return "", err
		}
		return joinURI(r.Info.ArtifactURI, p), nil
	case strings.HasPrefix(uri, "models:/"):
		u, err := ParseModelURI(uri)
		if err != nil {
			return "", err
		}
		if u.ModelID != "" {
			m, err := c.LoggedModels.Get(ctx, u.ModelID)
			if err != nil {
				return "", err
			}
			return m.ArtifactURI, nil
		}
		v, err := c.Versions.Find(ctx, uri)
		if err != nil {
			return "", err
		}
		found, err := c.Versions.DownloadURI(ctx, v.Name, v.Version)
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(found, "runs:/") || strings.HasPrefix(found, "models:/") && found != uri {
			return c.resolve(ctx, found)
		}
		return found, nil
	}
	return uri, nil
}

// resolveSource makes a version's source what servers take, and fills in where it came from.
func (c *Client) resolveSource(ctx context.Context, n *NewVersion) error {
	source := n.Source
	switch {
	case strings.HasPrefix(source, "runs:/"):
		return c.runSource(ctx, n)
	case strings.HasPrefix(source, "models:/"):
		u, err := ParseModelURI(source)
		if err != nil {
			return err
		}
		if u.ModelID != "" {
			if n.ModelID == "" {
				n.ModelID = u.ModelID
			}
			return nil
		}
		v, err := c.Versions.Find(ctx, source)
		if err != nil {
			return err
		}
		n.Source = fmt.Sprintf("models:/%s/%s", v.Name, v.Version)
		return nil
	}
	if u, err := url.Parse(source); err == nil && len(u.Scheme) > 1 && u.Scheme != "file" {
		return nil
	}
	local := strings.TrimPrefix(source, "file://")
	if c.registry.kind == server || c.registry.kind == databricks {
		return nil // the server judges its own paths
	}
	if n.RunID != "" {
		return errors.New("a run and a local folder exclude each other: upload the folder to the run, and give runs:/RUN/PATH")
	}
	if _, err := os.Stat(path.Join(local, modelFile)); err != nil {
		return fmt.Errorf("the local folder is no model: %w", err)
	}
	uploaded, err := c.uploadModel(ctx, local)
	n.Source = uploaded
	return err
}

// runSource turns runs:/RUN/PATH into the run's artifacts, or, where MLflow 3 keeps models apart from
// them, into the logged model of that name.
func (c *Client) runSource(ctx context.Context, n *NewVersion) error {
	run, p, err := splitRunURI(n.Source)
	if err != nil {
		return err
	}
	r, err := c.Runs.Get(ctx, run)
	if err != nil {
		return err
	}
	if n.RunID == "" {
		n.RunID = run
	}
	n.Source = joinURI(r.Info.ArtifactURI, p)
	if len(r.Outputs) == 0 || p == "" {
		return nil
	}
	if list, err := r.Artifacts().children(ctx, p); err != nil || len(list) > 0 {
		return err
	}
	var best *LoggedModel
	var step int64
	for _, out := range r.Outputs {
		m, err := c.LoggedModels.Get(ctx, out.ModelID)
		if err != nil {
			return err
		}
		if m.Name == p && (best == nil || out.Step >= step) {
			best, step = m, out.Step
		}
	}
	if best != nil {
		n.Source, n.ModelID = "models:/"+best.ID, best.ID
	}
	return nil
}

// uploadModel stores a local folder in the workspace as azureml-mlflow does: origin LocalUpload.
func (c *Client) uploadModel(ctx context.Context, local string) (string, error) {
	if c.registry.kind != azure || c.registry.host != c.tracking.host || c.registry.scope != c.tracking.scope {
		return "", fmt.Errorf("%w: a local folder is registered in the workspace of the tracking URI; share the version from there", ErrUnsupported)
	}
	container := c.clock.Now().UTC().Format("060102150405") + "-" + randomHex(8)
	name := path.Base(strings.TrimRight(strings.ReplaceAll(local, "\\", "/"), "/"))
	files, err := folderUploads(local, name)
	if err != nil {
		return "", err
	}
	s := &azureStore{c: c, base: c.tracking.host + "/artifact/v2.0" + c.tracking.scope + "/artifacts/LocalUpload/" + container}
	if err := s.put(ctx, files); err != nil {
		return "", err
	}
	return "azureml://artifacts/LocalUpload/" + container + "/" + escapePath(name), nil
}

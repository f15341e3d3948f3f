package tracking

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// uploadLimit bounds what the user interface uploads, in bytes.
const uploadLimit = 10 << 20

// textTypes are the extensions that are shown as plain text.
var textTypes = strings.Fields("txt log err cfg conf cnf cf ini properties prop hocon toml yaml yml xml json js py py3 csv tsv md rst ipynb MLmodel mlproject")

// mediaType guesses from a file's name.
func mediaType(name string) string {
	name = path.Base(name)
	ext := strings.TrimPrefix(path.Ext(name), ".")
	if ext == "" || ext == strings.TrimPrefix(name, ".") {
		ext = name
	}
	if slices.Contains(textTypes, ext) {
		return "text/plain"
	}
	ext = path.Ext(name)
	if inner, packed := strings.CutSuffix(name, ext); packed && slices.Contains(packings, ext) && path.Ext(inner) != "" {
		ext = path.Ext(inner) // as Python has it, the type is that of what is packed
	}
	if t := mime.TypeByExtension(ext); t != "" {
		t, _, _ = strings.Cut(t, ";")
		return t
	}
	return "application/octet-stream"
}

var packings = []string{".gz", ".Z", ".bz2", ".xz", ".br"}

// attachment is the header that names a file. One that is not ASCII has two names,
// the first without what is not.
func attachment(name string) string {
	ascii := strings.Map(func(r rune) rune {
		if r >= 0x80 {
			return -1
		}
		return r
	}, norm.NFKD.String(name))
	value := mime.FormatMediaType("attachment", map[string]string{"filename": ascii})
	if ascii != name {
		value += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return value
}

// readable refuses the artifacts of runs that the caller has no token for, but for
// those that were registered as models.
func (c *call) readable(at *place) error {
	if c.o.RunLimit == "" || at.run == nil {
		return nil
	}
	return c.view(func(tx *sql.Tx, space int64) error {
		refused := c.allowed(tx, space, at.run)
		if refused == nil {
			return nil
		}
		shared, err := sharedArtifact(tx, space, at.path)
		if err != nil || shared {
			return err
		}
		return refused
	})
}

// listArtifacts: GET mlflow/artifacts/list.
func listArtifacts(c *call) error {
	m, err := c.read("ListArtifacts", needRun, request.May("path", request.IsText), request.May("page_token", request.IsText))
	if err != nil {
		return err
	}
	dir := ""
	if m.Has("path") {
		if dir, err = safePath(m.Text("path")); err != nil {
			return err
		}
	}
	var r *runRow
	err = c.view(func(tx *sql.Tx, space int64) error {
		r, err = c.run(tx, space, runID(m))
		return err
	})
	if err != nil {
		return err
	}
	return c.answerFiles(r.uri, c.uri(strconv.FormatInt(r.experiment, 10), r.id, r.uri), dir)
}

// answerFiles lists what is below an artifact URI.
func (c *call) answerFiles(uri, shown, dir string) error {
	root, ok := proxied(uri)
	if !ok {
		return invalidf("The artifacts at '%s' are not kept by this server.", uri)
	}
	full := path.Join(root, dir)
	at, err := c.locate(c.ctx(), c.ws, full)
	if err != nil {
		return err
	}
	if err := c.readable(at); err != nil {
		return err
	}
	files, err := c.listFiles(c.ctx(), c.ws, full)
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.str("root_uri", shown)
		o.list("files", len(files), func(i int) {
			name := files[i].path
			if dir != "" {
				name = strings.TrimSuffix(dir, "/") + "/" + name
			}
			files[i].write(o, name)
		})
	})
}

// proxyPath is the artifact path behind a route of the proxy.
func (c *call) proxyPath(route string) (string, error) {
	_, p, _ := strings.Cut(c.r.URL.EscapedPath(), route)
	p, err := url.PathUnescape(p)
	if err != nil {
		return "", invalidf("Invalid path")
	}
	return safePath(p)
}

const proxyRoute = "/mlflow-artifacts/artifacts/"

// download: GET mlflow-artifacts/artifacts/….
func download(c *call) error {
	p, err := c.proxyPath(proxyRoute)
	if err != nil {
		return err
	}
	at, err := c.locate(c.ctx(), c.ws, path.Clean(p))
	if err != nil {
		return err
	}
	if err := c.readable(at); err != nil {
		return err
	}
	at.asked = p
	return c.sendFile(at, p)
}

// sendFile sends an artifact, or the part of it that is asked for.
func (c *call) sendFile(at *place, shown string) error {
	r, err := c.openFile(c.ctx(), at)
	if folder, ok := errors.AsType[errNoFile](err); ok {
		if strings.Contains(c.r.URL.Path, proxyRoute) {
			return detailed(InvalidParameter, http.StatusBadRequest, folder.Error())
		}
		return invalidf("%s", folder.Error())
	}
	if err != nil {
		return err
	}
	defer func() {
		if err := r.Close(); err != nil {
			c.opts.Logger.Warn("tracking: close an artifact", "error", err)
		}
	}()
	h := c.w.Header()
	h.Set("Content-Type", mediaType(shown))
	h.Set("Content-Disposition", attachment(path.Base(shown)))
	h.Set("X-Content-Type-Options", "nosniff")
	if r.ETag != "" {
		h.Set("ETag", r.ETag)
	}
	http.ServeContent(c.w, c.r, "", r.Modified, r)
	return nil
}

// target is where an upload goes.
func (c *call) target(p string) (*place, error) {
	folder, name := path.Split(p)
	if name == "" {
		return nil, detailed(BadRequest, http.StatusBadRequest, "Artifact path must include a filename (cannot end with '/').")
	}
	if folder != "" {
		p = strings.TrimRight(folder, "/") + "/" + name
	}
	if err := checkFolder(strings.TrimRight(folder, "/")); err != nil {
		return nil, err
	}
	if name == "." {
		return nil, invalidf("Invalid path")
	}
	at, err := c.locate(c.ctx(), c.ws, p)
	if err != nil {
		return nil, err
	}
	return at, c.writablePlace(at)
}

// writablePlace refuses artifacts that the caller may not write: with a run's token
// only those of runs and models that are its own, and of traces.
func (c *call) writablePlace(at *place) error {
	if at.fixed {
		return errorf(PermissionDenied, "The files of a registered model cannot be changed: '%s'.", at.path)
	}
	if c.o.RunLimit == "" {
		return nil
	}
	return c.view(func(tx *sql.Tx, space int64) error {
		switch {
		case at.run != nil:
			return c.allowed(tx, space, at.run)
		case at.model != nil:
			return c.ownModel(tx, space, at.model.Run)
		case strings.Contains(at.path, "/traces/"):
			return nil
		}
		return errorf(PermissionDenied, "The token of run '%s' does not allow to write to '%s'.", c.o.RunLimit, at.path)
	})
}

// upload: PUT mlflow-artifacts/artifacts/….
func upload(c *call) error {
	p, err := c.proxyPath(proxyRoute)
	if err != nil {
		return err
	}
	at, err := c.target(p)
	if err != nil {
		return err
	}
	return c.putFile(c.ctx(), at, c.r.Body, mediaType(p))
}

// listProxied: GET mlflow-artifacts/artifacts.
func listProxied(c *call) error {
	m, err := c.read("ProxyList")
	if err != nil {
		return err
	}
	dir := ""
	if m.Has("path") {
		if dir, err = safePath(m.Text("path")); err != nil {
			return err
		}
	}
	at, err := c.locate(c.ctx(), c.ws, strings.Trim(path.Clean("/"+dir), "/"))
	if err != nil {
		return err
	}
	if err := c.readable(at); err != nil {
		return err
	}
	files, err := c.listFiles(c.ctx(), c.ws, dir)
	if err != nil {
		return err
	}
	return c.answer(func(o *out) {
		o.list("files", len(files), func(i int) { files[i].write(o, files[i].path) })
	})
}

// deleteProxied: DELETE mlflow-artifacts/artifacts/….
func deleteProxied(c *call) error {
	p, err := c.proxyPath(proxyRoute)
	if err != nil {
		return err
	}
	p = strings.Trim(path.Clean("/"+p), "/")
	if p == "" {
		return invalidf("Invalid path")
	}
	at, err := c.locate(c.ctx(), c.ws, p)
	if err != nil {
		return err
	}
	if err := c.writablePlace(at); err != nil {
		return err
	}
	if err := c.deleteFiles(c.ctx(), at); err != nil {
		return err
	}
	return c.answer(nil)
}

// getArtifact: GET /get-artifact, for the user interface.
func getArtifact(c *call) error {
	q := c.r.URL.Query()
	run := q.Get("run_id")
	if run == "" {
		run = q.Get("run_uuid")
	}
	var r *runRow
	return c.artifactOf(q, "path", func() (string, error) {
		err := c.view(func(tx *sql.Tx, space int64) (err error) {
			r, err = c.run(tx, space, run)
			return err
		})
		if err != nil {
			return "", err
		}
		return r.uri, nil
	})
}

// artifactOf sends the artifact that a parameter names, below an artifact URI.
func (c *call) artifactOf(q url.Values, parameter string, uri func() (string, error)) error {
	if !q.Has(parameter) {
		return errorf(BadRequest, "Request must include the %q query parameter.", parameter)
	}
	p, err := safePath(q.Get(parameter))
	if err != nil {
		return err
	}
	root, err := uri()
	if err != nil {
		return err
	}
	base, ok := proxied(root)
	if !ok {
		return invalidf("The artifacts at '%s' are not kept by this server.", root)
	}
	at, err := c.locate(c.ctx(), c.ws, path.Join(base, p))
	if err != nil {
		return err
	}
	if err := c.readable(at); err != nil {
		return err
	}
	at.asked = base + "/" + p
	return c.sendFile(at, p)
}

// uploadArtifact: POST ajax-api mlflow/upload-artifact, for the user interface.
func uploadArtifact(c *call) error {
	if !strings.HasPrefix(c.r.URL.Path, "/ajax-api/") {
		return noEndpoint(c.r)
	}
	q := c.r.URL.Query()
	if q.Get("run_uuid") == "" {
		return invalidf("Request must specify run_uuid.")
	}
	if q.Get("path") == "" {
		return invalidf("Request must specify path.")
	}
	p, err := safePath(q.Get("path"))
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(c.r.Body, uploadLimit+1))
	if err != nil {
		return err
	}
	if len(data) > uploadLimit {
		return invalidf("Artifact size is too large. Max size is 10MB.")
	}
	if len(data) == 0 {
		return invalidf("Request must specify data.")
	}
	var r *runRow
	err = c.view(func(tx *sql.Tx, space int64) (err error) {
		r, err = c.run(tx, space, q.Get("run_uuid"))
		return err
	})
	if err != nil {
		return err
	}
	root, ok := proxied(r.uri)
	if !ok {
		return invalidf("The artifacts at '%s' are not kept by this server.", r.uri)
	}
	at, err := c.target(root + "/" + p)
	if err != nil {
		return err
	}
	return c.putFile(c.ctx(), at, bytes.NewReader(data), mediaType(p))
}

// presignedUpload and presignedDownload: POST mlflow/artifacts/presigned-…-url. The
// proxy serves all artifacts, so that there is nothing to sign.
func presignedUpload(c *call) error {
	m, err := c.read("PresignedUpload", request.May("run_id", request.IsText), request.May("model_id", request.IsText), request.Need("path", request.IsText), request.May("expiration", request.IsInt))
	if err != nil {
		return err
	}
	if (m.Text("run_id") == "") == (m.Text("model_id") == "") {
		return invalidf("Exactly one of run_id and model_id must be provided.")
	}
	if _, err := safePath(m.Text("path")); err != nil {
		return err
	}
	err = c.view(func(tx *sql.Tx, space int64) error {
		if m.Text("run_id") != "" {
			_, err := c.run(tx, space, m.Text("run_id"))
			return err
		}
		_, err := c.logged(tx, space, m.Text("model_id"), false)
		return err
	})
	if err != nil {
		return err
	}
	return invalidf("Presigned upload is not supported for proxied artifact storage (artifact URI scheme: mlflow-artifacts). This endpoint requires a direct cloud storage artifact URI.")
}

func presignedDownload(c *call) error {
	m, err := c.read("PresignedDownload", needRun, request.Need("path", request.IsText), request.May("expiration", request.IsInt))
	if err != nil {
		return err
	}
	if _, err := safePath(m.Text("path")); err != nil {
		return err
	}
	if n := m.IntPtr("expiration"); n != nil && (*n < 1 || *n > 604800) {
		return invalidf("expiration must be between 1 and 604800 seconds (got %d).", *n)
	}
	err = c.view(func(tx *sql.Tx, space int64) error {
		_, err := c.run(tx, space, m.Text("run_id"))
		return err
	})
	if err != nil {
		return err
	}
	return invalidf("Presigned download is not supported for runs with proxied artifact storage (artifact URI scheme: mlflow-artifacts). This endpoint requires a run with a direct cloud storage artifact URI.")
}

// missing reports whether an error says that a blob is not there.
func missing(err error) bool { return errors.Is(err, store.ErrNotFound) }

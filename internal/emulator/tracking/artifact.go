package tracking

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking/py"
)

// Artifacts are blobs of the workspace's container. Those of a run are where Azure
// has them, and where run history finds them; all others are below a folder of
// their own, by the path that the proxy has for them.
const (
	runFolder   = "ExperimentRun/dcid."
	proxyFolder = "mlflow-artifacts/"
)

// file is an artifact or a folder of artifacts.
type file struct {
	path string // relative to where it was listed
	dir  bool
	size int64
}

func (f *file) write(o *out, path string) {
	o.item(func() {
		o.str("path", path)
		o.bool("is_dir", f.dir)
		if f.size > 0 {
			o.int("file_size", f.size)
		}
	})
}

// safePath decodes an artifact's path and refuses what leads elsewhere.
func safePath(p string) (string, error) {
	p, ok := decodePath(p)
	if !ok || strings.Contains(p, "#") {
		return "", invalidf("Invalid path")
	}
	var b strings.Builder
	for _, r := range p {
		if r < ' ' || r == 0x7f {
			b.WriteByte('%')
			b.WriteByte(hexDigits[r>>4])
			b.WriteByte(hexDigits[r&15])
		} else {
			b.WriteRune(r)
		}
	}
	p = b.String()
	if s := schemeOf(p); s == "file" {
		return "", invalidf("Invalid path")
	}
	drive := len(p) >= 3 && p[1] == ':' && (p[2] == '/' || p[2] == '\\')
	if slices.Contains(strings.Split(p, "/"), "..") || strings.HasPrefix(p, "/") || strings.HasPrefix(p, `\\`) || drive {
		return "", invalidf("Invalid path")
	}
	return p, nil
}

// decodePath takes percent signs away until nothing changes, as MLflow does.
func decodePath(p string) (string, bool) {
	for range 10 {
		q := unquote(p)
		q = strings.Map(func(r rune) rune {
			if r == '\t' || r == '\r' || r == '\n' {
				return -1
			}
			return r
		}, q)
		q = strings.TrimLeftFunc(q, func(r rune) bool { return r <= ' ' })
		q = strings.TrimSuffix(strings.TrimSuffix(q, "#"), "?")
		if q == p {
			return p, true
		}
		p = q
	}
	return "", false
}

// unquote decodes %XX; what is no UTF-8 then becomes U+FFFD.
func unquote(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := strings.IndexByte("0123456789abcdef", lower(s[i+1])), strings.IndexByte("0123456789abcdef", lower(s[i+2]))
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// checkFolder refuses folders that could be written otherwise.
func checkFolder(p string) error {
	if norm := py.Normpath(p); p != "" && (norm != p || norm == "." || strings.HasPrefix(norm, "..") || strings.HasPrefix(norm, "/")) {
		return invalidf("Invalid artifact path: '%s'. Names may be treated as files in certain cases, and must not resolve to other names when treated as such. This name would resolve to %s", p, py.Repr(norm))
	}
	return nil
}

// place is where the artifacts of a path are.
type place struct {
	account, container string
	name               string
	path               string       // the proxy's
	asked              string       // the path as it was asked for, for messages
	run                *runRow      // whose they are, if a run's
	model              *loggedModel // or a logged model's
	fixed              bool         // they are a registered model's, and do not change
}

// locate finds where a path of the proxy leads: …/run/artifacts/… to the run.
func (s *Store) locate(ctx context.Context, ws, p string) (*place, error) {
	if strings.HasPrefix(p, outsideFolder) {
		var at *place
		err := s.read(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
			at, err = s.outsideAt(ctx, tx, space, ws, p)
			return err
		})
		if at != nil || err != nil {
			return at, err
		}
	}
	if !strings.Contains(p+"/", "/artifacts/") {
		return s.locateTx(nil, 0, ws, p)
	}
	var at *place
	err := s.read(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
		at, err = s.locateTx(tx, space, ws, p)
		return err
	})
	return at, err
}

// locateTx is locate inside a transaction, for what is below a folder named artifacts.
func (s *Store) locateTx(tx *sql.Tx, space int64, ws, p string) (at *place, err error) {
	at = &place{name: proxyFolder + p, path: p}
	at.account, at.container = s.opts.Account(ws)
	if !strings.Contains(p+"/", "/artifacts/") {
		return at, nil
	}
	var rest string
	if at.run, rest, err = s.runAt(tx, space, p); err == nil && at.run == nil {
		at.model, err = s.modelAt(tx, space, p)
	}
	if at.run != nil {
		at.name = runFolder + at.run.id
		if rest != "" {
			at.name += "/" + rest
		}
	}
	return at, err
}

// owners are the ids that may be those of whom a path's artifacts belong to: what
// stands before a folder named artifacts.
func owners(p string, f func(id, root, rest string) (found bool, err error)) error {
	segments := strings.Split(p, "/")
	for i := 1; i < len(segments); i++ {
		if segments[i] != "artifacts" {
			continue
		}
		found, err := f(segments[i-1], strings.Join(segments[:i+1], "/"), strings.Join(segments[i+1:], "/"))
		if err != nil || found {
			return err
		}
	}
	return nil
}

// runAt is the run whose artifacts a path of the proxy leads to, and the path among them.
func (s *Store) runAt(tx *sql.Tx, space int64, p string) (found *runRow, rest string, err error) {
	err = owners(p, func(id, root, below string) (bool, error) {
		r, err := s.run(tx, space, id)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if at, ok := proxied(r.uri); !ok || at != root {
			return false, nil
		}
		found, rest = r, below
		return true, nil
	})
	return found, rest, err
}

// modelAt is the logged model whose artifacts a path of the proxy leads to.
func (s *Store) modelAt(tx *sql.Tx, space int64, p string) (found *loggedModel, err error) {
	err = owners(p, func(id, root, _ string) (bool, error) {
		m, err := s.logged(tx, space, id, true)
		if errors.Is(err, store.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if at, ok := proxied(m.URI); !ok || at != root {
			return false, nil
		}
		found = m
		return true, nil
	})
	return found, err
}

// proxied is the path of a proxied artifact URI, and whether it is one.
func proxied(uri string) (string, bool) {
	rest, ok := strings.CutPrefix(uri, "mlflow-artifacts:")
	if !ok {
		return "", false
	}
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		_, rest, _ = strings.Cut(after, "/")
	}
	return strings.TrimLeft(rest, "/"), true
}

// listFiles lists a folder, sorted by path. What is no folder is empty.
func (s *Store) listFiles(ctx context.Context, ws, p string) ([]file, error) {
	p = strings.Trim(path.Clean("/"+p), "/")
	at, err := s.locate(ctx, ws, p)
	if err != nil {
		return nil, err
	}
	prefix := strings.TrimSuffix(at.name, "/") + "/"
	var all []file
	last := ""
	for item, err := range s.blobs.List(ctx, at.account, at.container, prefix) {
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		name, _, inside := strings.Cut(item.Name[len(prefix):], "/")
		if name == "" || name == last && inside {
			continue
		}
		last = name
		f := file{path: name, dir: inside}
		if !inside {
			f.size = item.Size
		}
		all = append(all, f)
	}
	more, err := s.runFolders(ctx, ws, p, all)
	if err != nil {
		return nil, err
	}
	all = append(all, more...)
	slices.SortFunc(all, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(all, func(a, b file) bool { return a.path == b.path }), nil
}

// runFolders lists what the paths above those of runs show of them: experiments,
// and runs with artifacts.
func (s *Store) runFolders(ctx context.Context, ws, p string, have []file) ([]file, error) {
	segments := strings.Split(p, "/")
	if len(segments) > 2 || p == "" {
		return nil, nil
	}
	var runs []*runRow
	err := s.read(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
		if len(segments) == 2 {
			r, err := s.run(tx, space, segments[1])
			if err == nil {
				runs = []*runRow{r}
			}
			return err
		}
		e, err := s.experiment(tx, space, segments[0])
		if err == nil {
			runs, err = queryRuns(tx, `WHERE r.eid = ?`, e.eid)
		}
		return err
	})
	if err != nil {
		if e := asError(err); e.Code != InternalError {
			return nil, nil // no experiment, no run: no folder
		}
		return nil, err
	}
	account, container := s.opts.Account(ws)
	var all []file
	for _, r := range runs {
		for _, err := range s.blobs.List(ctx, account, container, runFolder+r.id+"/") {
			if err == nil {
				name := "artifacts"
				if len(segments) == 1 {
					name = r.id
				}
				all = append(all, file{path: name, dir: true})
			} else if !errors.Is(err, store.ErrNotFound) {
				return nil, err
			}
			break
		}
	}
	return all, nil
}

// openFile opens an artifact.
func (s *Store) openFile(ctx context.Context, at *place) (*blob.Reader, error) {
	r, err := s.blobs.Open(ctx, at.account, at.container, at.name)
	if err == nil || !errors.Is(err, store.ErrNotFound) {
		return r, err
	}
	for _, err := range s.blobs.List(ctx, at.account, at.container, strings.TrimSuffix(at.name, "/")+"/") {
		if err == nil {
			return nil, errNoFile{cmp.Or(at.asked, at.path)}
		}
		break // what is not there has nothing below it
	}
	return nil, errorf(DoesNotExist, "No such artifact: '%s'", cmp.Or(at.asked, at.path))
}

// errNoFile says that a path leads to a folder.
type errNoFile struct{ path string }

func (e errNoFile) Error() string {
	return "Artifact path refers to a directory, not a file: '" + e.path + "'"
}

// free refuses to make a file of a folder, or a folder of a file.
func (s *Store) free(ctx context.Context, at *place) error {
	for _, err := range s.blobs.List(ctx, at.account, at.container, at.name+"/") {
		if err == nil {
			return invalidf("%s", errNoFile{at.path})
		}
		break
	}
	for i := strings.LastIndexByte(at.name, '/'); i > 0; i = strings.LastIndexByte(at.name[:i], '/') {
		_, err := s.blobs.Stat(ctx, at.account, at.container, at.name[:i])
		if err == nil {
			return invalidf("Artifact path refers to a file, not a directory: '%s'", at.name[:i])
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// putFile stores an artifact.
func (s *Store) putFile(ctx context.Context, at *place, r io.Reader, contentType string) error {
	if err := s.free(ctx, at); err != nil {
		return err
	}
	if err := s.blobs.EnsureContainer(ctx, at.account, at.container); err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := s.blobs.EnsureAccount(ctx, at.account); err != nil {
			return err
		}
		if err := s.blobs.EnsureContainer(ctx, at.account, at.container); err != nil {
			return err
		}
	}
	_, err := s.blobs.Put(ctx, at.account, at.container, at.name, r, &blob.PutOptions{ContentType: contentType})
	if e, ok := errors.AsType[*blob.Error](err); ok && e.Status == http.StatusBadRequest {
		return invalidf("Invalid path: %s", e.Message)
	}
	return err
}

// deleteFiles deletes an artifact, or all below a folder.
func (s *Store) deleteFiles(ctx context.Context, at *place) error {
	name := strings.TrimSuffix(at.name, "/")
	err := s.blobs.Delete(ctx, at.account, at.container, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	_, err = s.blobs.DeletePrefix(ctx, at.account, at.container, name+"/")
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

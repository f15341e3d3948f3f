package tracking

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
)

// maxParts bounds the parts of one upload.
const maxParts = 10000

// uploadFolder is where parts wait for the others.
const uploadFolder = "mlflow-uploads/"

// uploads knows the uploads in parts that are under way. They do not outlive the
// process; their parts are blobs that are removed when the upload ends.
type uploads struct {
	mu  sync.Mutex
	all map[string]*multipart
}

type multipart struct {
	ws    string
	at    *place
	parts int64
	etags map[int64]string
}

func (u *uploads) add(m *multipart) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = map[string]*multipart{}
	}
	id := newID()
	u.all[id] = m
	return id
}

func (u *uploads) get(ws, id string) (*multipart, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if m := u.all[id]; m != nil && m.ws == ws {
		return m, nil
	}
	return nil, errorf(DoesNotExist, "There is no multipart upload '%s'.", id)
}

func (u *uploads) done(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.all, id)
}

// partPlace is where a part waits for the others.
func (m *multipart) partPlace(id string, n int64) *place {
	return &place{account: m.at.account, container: m.at.container, name: uploadFolder + id + "/" + strconv.FormatInt(n, 10)}
}

// createMultipart: POST mlflow-artifacts/mpu/create/….
func createMultipart(c *call) error {
	p, err := c.proxyPath("/mlflow-artifacts/mpu/create/")
	if err != nil {
		return err
	}
	m, err := c.read("CreateMultipart", request.Need("path", request.IsText), request.May("num_parts", request.IsInt))
	if err != nil {
		return err
	}
	n := m.Int("num_parts")
	if n < 1 || n > maxParts {
		return invalidf("Invalid value %d for parameter 'num_parts' supplied: it must be between 1 and %d.", n, maxParts)
	}
	name, err := safePath(m.Text("path"))
	if err != nil {
		return err
	}
	at, err := c.target(path.Join(p, path.Base(name)))
	if err != nil {
		return err
	}
	id := c.uploads.add(&multipart{ws: c.ws, at: at, parts: n, etags: map[int64]string{}})
	base := c.external("/mlflow-artifacts/mpu/create/") + "/mlflow-artifacts/mpu/part/" + id + "/"
	return c.answer(func(o *out) {
		o.str("upload_id", id)
		o.list("credentials", int(n), func(i int) {
			o.item(func() {
				o.str("url", base+strconv.Itoa(i+1))
				o.int("part_number", int64(i+1))
				c.writeHeaders(o)
			})
		})
	})
}

// external is the address by which the client reached the API, before a route.
func (c *call) external(route string) string {
	scheme := "http"
	if c.r.TLS != nil {
		scheme = "https"
	}
	uri := c.r.RequestURI
	if uri == "" || strings.Contains(uri, "://") { // not through a listener
		uri = c.r.URL.EscapedPath()
	}
	before, _, _ := strings.Cut(uri, route)
	return scheme + "://" + c.r.Host + before
}

// writeHeaders gives the caller's own authorization back, for requests to addresses
// that the client sends only these headers to.
func (c *call) writeHeaders(o *out) {
	if auth := c.r.Header.Get("Authorization"); auth != "" {
		o.object("headers", func() { o.str("Authorization", auth) })
	}
}

// putPart: PUT mlflow-artifacts/mpu/part/{upload}/{number}.
func putPart(c *call) error {
	m, err := c.uploads.get(c.ws, c.vars[0])
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(c.vars[1], 10, 64)
	if err != nil || n < 1 || n > m.parts {
		return invalidf("There is no part '%s'.", c.vars[1])
	}
	if err := c.writablePlace(m.at); err != nil {
		return err
	}
	sum := sha256.New()
	if err := c.putFile(c.ctx(), m.partPlace(c.vars[0], n), io.TeeReader(c.r.Body, sum), ""); err != nil {
		return err
	}
	etag := `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
	c.uploads.mu.Lock()
	m.etags[n] = etag
	c.uploads.mu.Unlock()
	c.w.Header().Set("ETag", etag)
	c.w.WriteHeader(http.StatusOK)
	return nil
}

// completeMultipart: POST mlflow-artifacts/mpu/complete/….
func completeMultipart(c *call) error {
	if _, err := c.proxyPath("/mlflow-artifacts/mpu/complete/"); err != nil {
		return err
	}
	m, err := c.read("CompleteMultipart", request.Need("path", request.IsText), request.May("upload_id", request.IsText), request.Need("parts"))
	if err != nil {
		return err
	}
	id := m.Text("upload_id")
	u, err := c.uploads.get(c.ws, id)
	if err != nil {
		return err
	}
	if err := c.writablePlace(u.at); err != nil {
		return err
	}
	var numbers []int64
	for _, p := range m.List("parts") {
		n := p.Int("part_number")
		c.uploads.mu.Lock()
		etag := u.etags[n]
		c.uploads.mu.Unlock()
		if etag == "" || strings.Trim(p.Text("etag"), `"`) != strings.Trim(etag, `"`) {
			return invalidf("Part %d was not uploaded, or is another one.", n)
		}
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	if err := c.putFile(c.ctx(), u.at, &partsReader{c: c, id: id, m: u, numbers: numbers}, mediaType(u.at.name)); err != nil {
		return err
	}
	return c.endMultipart(id, u)
}

// abortMultipart: POST mlflow-artifacts/mpu/abort/….
func abortMultipart(c *call) error {
	m, err := c.read("AbortMultipart", request.Need("path", request.IsText), request.May("upload_id", request.IsText))
	if err != nil {
		return err
	}
	u, err := c.uploads.get(c.ws, m.Text("upload_id"))
	if err != nil {
		return err
	}
	if err := c.writablePlace(u.at); err != nil {
		return err
	}
	return c.endMultipart(m.Text("upload_id"), u)
}

// endMultipart forgets an upload and removes its parts.
func (c *call) endMultipart(id string, u *multipart) error {
	c.uploads.done(id)
	if _, err := c.blobs.DeletePrefix(c.ctx(), u.at.account, u.at.container, uploadFolder+id+"/"); err != nil && !missing(err) {
		return err
	}
	return c.answer(nil)
}

// partsReader reads the parts of an upload one behind the other.
type partsReader struct {
	c       *call
	id      string
	m       *multipart
	numbers []int64
	open    io.ReadCloser
}

func (r *partsReader) Read(b []byte) (int, error) {
	for {
		if r.open == nil {
			if len(r.numbers) == 0 {
				return 0, io.EOF
			}
			at := r.m.partPlace(r.id, r.numbers[0])
			f, err := r.c.openFile(r.c.ctx(), at)
			if err != nil {
				return 0, err
			}
			r.open, r.numbers = f, r.numbers[1:]
		}
		n, err := r.open.Read(b)
		if err != io.EOF {
			return n, err
		}
		if err := r.open.Close(); err != nil {
			return n, err
		}
		r.open = nil
		if n > 0 {
			return n, nil
		}
	}
}

// presignedProxied: GET mlflow-artifacts/presigned/…: the address of the artifact
// itself, which serves parts of it.
func presignedProxied(c *call) error {
	p, err := c.proxyPath("/mlflow-artifacts/presigned/")
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
	r, err := c.openFile(c.ctx(), at)
	if folder, ok := errors.AsType[errNoFile](err); ok {
		return invalidf("%s", folder.Error())
	}
	if err != nil {
		return err
	}
	size := r.Size
	if err := r.Close(); err != nil {
		return err
	}
	base := c.external("/mlflow-artifacts/presigned/")
	_, escaped, _ := strings.Cut(c.r.URL.EscapedPath(), "/mlflow-artifacts/presigned/")
	return c.answer(func(o *out) {
		o.str("url", base+proxyRoute+escaped)
		c.writeHeaders(o)
		o.int("file_size", size)
	})
}

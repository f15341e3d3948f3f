package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ranged says whether a request asks for a part. (The clients write the header in lower case.)
func ranged(r *http.Request) bool {
	for name := range r.Header {
		if strings.EqualFold(name, "x-ms-range") {
			return true
		}
	}
	return false
}

// A large upload that broke goes on with the blocks that are missing.
func TestLargeUploadGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"large": text(40<<20 + 5)})
	var sent, arrived, mended atomic.Int32
	w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		if r.URL.Query().Get("comp") != "block" {
			return send(r)
		}
		if sent.Add(1) > 5 && mended.Load() == 0 {
			for arrived.Load() < 5 && r.Context().Err() == nil {
				time.Sleep(time.Millisecond)
			}
			return nil, errors.New("the cable was cut")
		}
		resp, err := send(r)
		arrived.Add(1)
		return resp, err
	})
	stores := NewDatastoreClient(w.c)
	_, err := stores.Upload(t.Context(), filepath.Join(dir, "large"), nil)
	require.ErrorContains(t, err, "the cable was cut")
	require.ErrorContains(t, err, "0 of 1 files are there; the same call goes on from them")
	mended.Store(1)
	sent.Store(0)
	up, err := stores.Upload(t.Context(), filepath.Join(dir, "large"), nil)
	require.NoError(t, err)
	require.EqualValues(t, 11-5, sent.Load(), "five blocks were there already")
	w.onWire(nil)
	out := t.TempDir()
	_, err = stores.Download(t.Context(), up.ShortURI(), out, nil)
	require.NoError(t, err)
	sameTree(t, readTree(t, dir), readTree(t, out))
}

// waitForPart waits until some of a file of that size came, if any is to come.
func waitForPart(r *http.Request, dir string, size int64, some int32) {
	for some > 0 && r.Context().Err() == nil {
		parts, err := filepath.Glob(filepath.Join(dir, ".azureml-*.part"))
		if err == nil && len(parts) == 1 {
			if info, err := os.Stat(parts[0]); err == nil && info.Size() > size+sha256.Size {
				return
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// A large download that broke goes on with the ranges that are missing; one that changed in the meantime begins again.
func TestLargeDownloadGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	dir := writeTree(t, map[string]string{"large": text(40<<20 + 5), "small": "s"})
	_, err := stores.Sync(t.Context(), dir, shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
	out := t.TempDir()
	var got atomic.Int32
	fail := func(after int32) {
		got.Store(0)
		w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
			if ranged(r) && got.Add(1) > after {
				waitForPart(r, out, 40<<20+5, after)
				return nil, errors.New("the cable was cut")
			}
			return send(r)
		})
	}
	fail(4)
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.ErrorContains(t, err, "the cable was cut")
	require.ErrorContains(t, err, "of 2 files arrived")
	require.NoFileExists(t, filepath.Join(out, "large"))
	parts, err := filepath.Glob(filepath.Join(out, ".azureml-*.part"))
	require.NoError(t, err)
	require.Len(t, parts, 1)
	fail(1000)
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)
	require.Less(t, got.Load(), int32(11), "what came before is not asked for again")
	sameTree(t, readTree(t, dir), readTree(t, out))

	// What is here already is not asked for either.
	fail(0)
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)

	// Another content under the same name.
	require.NoError(t, os.Remove(filepath.Join(out, "large")))
	fail(4)
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.Error(t, err)
	w.onWire(nil)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "large"), []byte(text(30<<20)), 0o644))
	_, err = stores.Sync(t.Context(), dir, shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)
	sameTree(t, readTree(t, dir), readTree(t, out))
}

// A part whose bytes are not what it says is fetched again.
func TestSpoiltPartIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	dir := writeTree(t, map[string]string{"large": text(20 << 20)})
	_, err := stores.Sync(t.Context(), dir, shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
	out := t.TempDir()
	var got atomic.Int32
	w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		if ranged(r) && got.Add(1) > 3 {
			waitForPart(r, out, 20<<20, 3)
			return nil, errors.New("the cable was cut")
		}
		return send(r)
	})
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.Error(t, err)
	w.onWire(nil)
	parts, err := filepath.Glob(filepath.Join(out, ".azureml-*.part"))
	require.NoError(t, err)
	require.Len(t, parts, 1)
	f, err := os.OpenFile(parts[0], os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte("spoilt"), 3<<20), 0)
	require.NoError(t, errors.Join(err, f.Close()))
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)
	sameTree(t, readTree(t, dir), readTree(t, out))
}

// A signature that ends in the middle is replaced by a fresh one.
func TestSignatureEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"data", "code"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			files := map[string]string{}
			for i := range 30 {
				files["f"+string(rune('a'+i))] = text(100)
			}
			dir := writeTree(t, files)
			var mu sync.Mutex
			seen := map[string]int{}
			w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
				if sig := r.URL.Query().Get("sig"); sig != "" {
					mu.Lock()
					seen[sig]++
					ended := len(seen) == 1 && seen[sig] > 10
					mu.Unlock()
					if ended {
						return &http.Response{StatusCode: 403, Status: "403 Forbidden", Header: http.Header{"X-Ms-Error-Code": {"AuthenticationFailed"}}, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
					}
				}
				return send(r)
			})
			w.sasTime = time.Hour
			w.sasStep = time.Minute // each is another
			if what == "data" {
				up, err := NewDatastoreClient(w.c).Upload(t.Context(), dir, nil)
				require.NoError(t, err)
				require.Equal(t, 30, up.Files)
			} else {
				_, err := NewCodeClient(w.c).Create(t.Context(), &Code{Path: dir}, nil)
				require.NoError(t, err)
			}
			require.Len(t, seen, 2, "one fresh signature is enough for all")
		})
	}
}

// What a program left that was killed goes when the call is made again: of small files too.
func TestPartsOfTheDeadGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	files := map[string]string{"a": text(3000), "sub/b": text(10), "empty": ""}
	_, err := stores.Sync(t.Context(), writeTree(t, files), shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
	out := t.TempDir()
	var mu sync.Mutex
	parts := map[string]bool{}
	w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		for _, pattern := range []string{".azureml-*.part", "sub/.azureml-*.part"} {
			found, err := filepath.Glob(filepath.Join(out, pattern))
			require.NoError(t, err)
			for _, p := range found {
				parts[p] = true
			}
		}
		return send(r)
	})
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)
	require.NotEmpty(t, parts)
	require.Equal(t, files, readTree(t, out))
	for p := range parts { // as a program leaves it that is killed
		require.NoError(t, os.WriteFile(p, []byte(strings.Repeat("half", 5000)), 0o644))
	}
	for name := range files {
		require.NoError(t, os.Remove(filepath.Join(out, name)))
	}
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), out, nil)
	require.NoError(t, err)
	require.Equal(t, files, readTree(t, out))
}

// A download takes what matches.
func TestDownloadMatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	dir := writeTree(t, map[string]string{"a.onnx": "1", "sub/b.onnx": "2", "sub/c.txt": "3", "ckpt/1/last.pt": "4", "ckpt/2/deep/last.pt": "5"})
	_, err := stores.Sync(t.Context(), dir, shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
	for _, c := range []struct {
		match []string
		want  []string
	}{
		{[]string{"*.onnx"}, []string{"a.onnx", "sub/b.onnx"}},
		{[]string{"/*.onnx"}, []string{"a.onnx"}},
		{[]string{"ckpt/**/last.pt"}, []string{"ckpt/1/last.pt", "ckpt/2/deep/last.pt"}},
		{[]string{"sub/"}, []string{"sub/b.onnx", "sub/c.txt"}},
		{[]string{"*", "!*.pt", "!sub/"}, []string{"a.onnx"}},
	} {
		d, err := stores.Download(t.Context(), shortURI(BlobStore, "m"), t.TempDir(), &DownloadOptions{Match: c.match})
		require.NoError(t, err)
		require.Equal(t, c.want, d.Files, "%q", c.match)
	}
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), t.TempDir(), &DownloadOptions{Match: []string{"*.none"}})
	require.ErrorContains(t, err, "none of the 5 files there matches")
	_, err = stores.Download(t.Context(), shortURI(BlobStore, "m"), t.TempDir(), &DownloadOptions{Match: []string{"[b-a]"}})
	require.ErrorContains(t, err, `Match: the pattern "[b-a]" is not valid`)
}

// Files that change between the hash and the upload: what is uploaded is what is there then, under its own hash.
func TestUploadOfChangedFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stores := NewDatastoreClient(w.c)
	dir := writeTree(t, map[string]string{"a": "1", "b": "2"})
	var once sync.Once
	up, err := stores.Upload(t.Context(), dir, &UploadOptions{Progress: func(p Progress) {
		if p.Phase == PhaseHash && p.Files == 2 {
			once.Do(func() { require.NoError(t, os.WriteFile(filepath.Join(dir, "b"), []byte("three"), 0o644)) })
		}
	}})
	require.NoError(t, err)
	require.Contains(t, up.Path, objectHash(t, dir))
	out := t.TempDir()
	_, err = stores.Download(t.Context(), up.ShortURI(), out, nil)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "1", "b": "three"}, readTree(t, out))
}

// What the service says that it stored is held against what was sent.
func TestStoredChecksum(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := writeTree(t, map[string]string{"a": "123456789", "large": text(5 << 20)})
	var lie atomic.Bool
	w.onWire(func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		if r.Method != http.MethodPut || r.ContentLength != 9 {
			return send(r)
		}
		resp, err := send(r)
		if err == nil {
			crc := []byte{0x88, 0x98, 0x79, 0x0a, 0x86, 0x14, 0x8b, 0xae} // of 123456789, by the check value of CRC-64/NVME
			if lie.Load() {
				crc[0]++
			}
			resp.Header.Set("x-ms-content-crc64", base64.StdEncoding.EncodeToString(crc))
		}
		return resp, err
	})
	stores := NewDatastoreClient(w.c)
	lie.Store(true)
	_, err := stores.Upload(t.Context(), dir, nil)
	require.ErrorContains(t, err, "the service stored bytes with the CRC64")
	lie.Store(false)
	_, err = stores.Sync(t.Context(), dir, shortURI(BlobStore, "m"), nil)
	require.NoError(t, err)
}

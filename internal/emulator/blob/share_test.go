package blob_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

func (s *site) shareClient(t *testing.T) *wireClient {
	t.Helper()
	require.NoError(t, s.EnsureShare(t.Context(), account, container))
	q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "rcwdl", Share: true})
	require.NoError(t, err)
	return &wireClient{t: t, s: s, sas: q, share: true}
}

func TestShareFiles(t *testing.T) {
	s := serve(t)
	c := s.shareClient(t)
	c.refused(404, "ParentNotFound", "PUT", "/d/f", "", nil, "x-ms-type", "file", "x-ms-content-length", "1")
	c.do(201, "PUT", "/d", "restype=directory", nil)
	c.refused(409, "ResourceAlreadyExists", "PUT", "/d", "restype=directory", nil)
	c.do(201, "PUT", "/d/f", "", nil, "x-ms-type", "file", "x-ms-content-length", "10", "x-ms-meta-k", "v")
	require.Equal(t, make([]byte, 10), read(t, s.Service, "d/f"))
	first, _ := c.do(200, "HEAD", "/d/f", "", nil)
	require.Equal(t, "File", first.Get("x-ms-type"))
	require.Equal(t, "v", first.Get("x-ms-meta-k"))
	c.do(201, "PUT", "/d/f", "comp=range", []byte("tail"), "x-ms-write", "update", "x-ms-range", "bytes=6-9")
	c.do(201, "PUT", "/d/f", "comp=range", []byte("head"), "x-ms-write", "update", "x-ms-range", "bytes=0-3", "Content-MD5", "luiaKY4Kn0abmuRY1q+unw==")
	require.Equal(t, "head\x00\x00tail", string(read(t, s.Service, "d/f")))
	second, _ := c.do(200, "HEAD", "/d/f", "", nil)
	require.NotEqual(t, first.Get("ETag"), second.Get("ETag"))
	c.refused(400, "Md5Mismatch", "PUT", "/d/f", "comp=range", []byte("hard"), "x-ms-write", "update", "x-ms-range", "bytes=0-3", "Content-MD5", "luiaKY4Kn0abmuRY1q+unw==")
	c.refused(400, "InvalidHeaderValue", "PUT", "/d/f", "comp=range", []byte("hard"), "x-ms-write", "update", "x-ms-range", "bytes=0-9")
	c.refused(416, "InvalidRange", "PUT", "/d/f", "comp=range", []byte("hard"), "x-ms-write", "update", "x-ms-range", "bytes=8-11")
	c.do(201, "PUT", "/d/f", "comp=range", nil, "x-ms-write", "clear", "x-ms-range", "bytes=0-3")
	c.do(200, "PUT", "/d/f", "comp=properties", nil, "x-ms-content-length", "8", "x-ms-content-type", "text/plain")
	require.Equal(t, "\x00\x00\x00\x00\x00\x00ta", string(read(t, s.Service, "d/f")))
	_, text := c.do(200, "GET", "/d", "restype=directory&comp=list", nil)
	require.Contains(t, text, "<Name>f</Name><Properties><Content-Length>8</Content-Length>")
	c.refused(409, "DirectoryNotEmpty", "DELETE", "/d", "restype=directory", nil)
	c.do(202, "DELETE", "/d/f", "", nil)
	c.refused(404, "ResourceNotFound", "GET", "/d/f", "", nil)
	c.do(202, "DELETE", "/d", "restype=directory", nil)
}

func TestShareHoldsWhatBlobsAre(t *testing.T) {
	s := serve(t)
	c := s.shareClient(t)
	for _, size := range []int{5, 100 << 10} { // in its row, in a file
		data := random(size)
		_, err := s.Put(t.Context(), account, container, "job/out", bytes.NewReader(data), nil)
		require.NoError(t, err)
		h, _ := c.do(200, "HEAD", "/job", "restype=directory", nil)
		require.Equal(t, "Directory", h.Get("x-ms-type"), "a folder that a blob makes")
		_, text := c.do(200, "GET", "", "restype=directory&comp=list", nil)
		require.Contains(t, text, "<Directory><FileId>")
		c.do(201, "PUT", "/job/out", "comp=range", []byte("XY"), "x-ms-write", "update", "x-ms-range", "bytes=1-2")
		copy(data[1:], "XY")
		require.Equal(t, data, read(t, s.Service, "job/out"))
	}
	// A reader of what is being replaced as a whole reads on.
	_, err := s.Put(t.Context(), account, container, "job/out", strings.NewReader("whole"), nil)
	require.NoError(t, err)
	require.Equal(t, "whole", string(read(t, s.Service, "job/out")))
	c.do(200, "PUT", "/new", "comp=rename", nil, "x-ms-type", "file", "x-ms-file-rename-source", s.url+"/"+container+"/job/out?"+c.sas)
	require.Equal(t, "whole", string(read(t, s.Service, "new")))
	// The address may say the service: /ACCOUNT.file/….
	named := strings.Replace(s.url, "/"+account, "/"+account+".file", 1) + "/" + container + "/new?" + c.sas
	c.do(200, "PUT", "/named", "comp=rename", nil, "x-ms-type", "file", "x-ms-file-rename-source", named)
	c.refused(501, "NotImplemented", "GET", "/named", "sharesnapshot=2026-01-02T03:04:05.0000000Z", nil, "x-ms-type", "file")
}

// Azure Files and blobs are told apart by what is asked, and a signature is good for its own service.
func TestShareSignatures(t *testing.T) {
	s := serve(t)
	c := s.shareClient(t)
	c.do(201, "PUT", "/f", "", nil, "x-ms-type", "file", "x-ms-content-length", "1")
	c.refused(403, "AuthenticationFailed", "PUT", "/blob", "", []byte("x"), "x-ms-blob-type", "BlockBlob")
	own := c.sas
	c.sas = s.wire(t).sas
	c.refused(403, "AuthenticationFailed", "PUT", "/g", "", nil, "x-ms-type", "file", "x-ms-content-length", "1")
	c.do(201, "PUT", "/blob", "", []byte("x"), "x-ms-blob-type", "BlockBlob")
	c.sas = own
	_, text := c.do(200, "GET", "/blob", "", nil)
	require.Equal(t, "x", text)
}

package blob_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

// wireClient speaks to a service by bare requests, signed for the container.
type wireClient struct {
	t     *testing.T
	s     *site
	sas   string
	share bool
}

func (s *site) wire(t *testing.T) *wireClient {
	t.Helper()
	q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "racwdlm"})
	require.NoError(t, err)
	return &wireClient{t: t, s: s, sas: q}
}

// do sends one request; headers are NAME: VALUE pairs. The path is below the container.
func (c *wireClient) do(status int, method, path, query string, body []byte, headers ...string) (http.Header, string) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.s.url+"/"+container+path+"?"+query+"&"+c.sas, bytes.NewReader(body))
	require.NoError(c.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(c.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(c.t, err)
	require.Equal(c.t, status, res.StatusCode, "%s %s?%s: %s %s", method, path, query, res.Header.Get("x-ms-error-code"), text)
	return res.Header, string(text)
}

// refused is do for what must be refused with the code.
func (c *wireClient) refused(status int, code, method, path, query string, body []byte, headers ...string) {
	c.t.Helper()
	h, _ := c.do(status, method, path, query, body, headers...)
	require.Equal(c.t, code, h.Get("x-ms-error-code"), "%s %s?%s", method, path, query)
}

// paths lists names, folders with a slash behind them.
func (c *wireClient) paths(query string) (names []string, next string) {
	c.t.Helper()
	h, text := c.do(200, "GET", "", "resource=filesystem&"+query, nil)
	var doc struct {
		Paths []struct{ Name, IsDirectory, ContentLength string }
	}
	require.NoError(c.t, json.Unmarshal([]byte(text), &doc))
	for _, p := range doc.Paths {
		if p.IsDirectory == "true" {
			p.Name += "/"
		}
		names = append(names, p.Name)
	}
	return names, h.Get("x-ms-continuation")
}

func TestLakeAppendAndFlush(t *testing.T) {
	s := serve(t)
	c := s.wire(t)
	c.do(201, "PUT", "/d/e/f", "resource=file", nil, "x-ms-content-type", "text/plain", "x-ms-properties", "k=dg==")
	c.do(202, "PATCH", "/d/e/f", "action=append&position=6", []byte("world"), "Content-MD5", "fXkwN6B2AYZXSwKC8vQ15w==")
	c.do(202, "PATCH", "/d/e/f", "action=append&position=0", []byte("hello "))
	require.Empty(t, read(t, s.Service, "d/e/f"), "what is not flushed is not there")
	c.refused(400, "InvalidFlushPosition", "PATCH", "/d/e/f", "action=flush&position=10", nil)
	c.do(200, "PATCH", "/d/e/f", "action=flush&position=11", nil)
	require.Equal(t, "hello world", string(read(t, s.Service, "d/e/f")))
	h, text := c.do(206, "GET", "/d/e/f", "", nil, "x-ms-range", "bytes=6-8")
	require.Equal(t, "wor", text)
	require.Equal(t, "text/plain", h.Get("Content-Type"))
	require.Equal(t, "v", h.Get("x-ms-meta-k"))
	c.do(202, "PATCH", "/d/e/f", "action=append&position=11&flush=true", []byte("!"))
	require.Equal(t, "hello world!", string(read(t, s.Service, "d/e/f")))
	c.refused(400, "Md5Mismatch", "PATCH", "/d/e/f", "action=append&position=12", []byte("x"), "Content-MD5", "fXkwN6B2AYZXSwKC8vQ15w==")
	c.refused(404, "PathNotFound", "PATCH", "/d/none", "action=append&position=0", []byte("x"))
	c.refused(409, "PathAlreadyExists", "PUT", "/d/e", "resource=file", nil)
	c.refused(409, "PathConflict", "PUT", "/d/e/f/g", "resource=file", nil)
	c.refused(409, "PathAlreadyExists", "PUT", "/d/e/f", "resource=file", nil, "If-None-Match", "*")
}

func TestLakeGrowsWhatBlobsAre(t *testing.T) {
	s := serve(t)
	c := s.wire(t)
	for _, size := range []int{5, 100 << 10} { // in its row, in a file
		name := fmt.Sprint("blob-", size)
		data := random(size)
		_, err := s.Put(t.Context(), account, container, name, bytes.NewReader(data), nil)
		require.NoError(t, err)
		for range 2 {
			c.do(202, "PATCH", "/"+name, fmt.Sprintf("action=append&position=%d", len(data)), []byte("more"))
			data = append(data, "more"...)
			c.do(200, "PATCH", "/"+name, fmt.Sprintf("action=flush&position=%d", len(data)), nil)
			require.Equal(t, data, read(t, s.Service, name))
		}
	}
}

func TestLakeDirectoriesAndListing(t *testing.T) {
	s := serve(t)
	c := s.wire(t)
	for _, name := range []string{"a/b/1", "a/b/2", "a-b", "a/c", "z"} {
		c.do(201, "PUT", "/"+name, "resource=file", nil)
	}
	for i := range 4 { // folders that nobody made
		_, err := s.Put(t.Context(), account, container, fmt.Sprintf("made/by/%d", i), strings.NewReader("x"), nil)
		require.NoError(t, err)
	}
	all := []string{"a/", "a-b", "a/b/", "a/b/1", "a/b/2", "a/c", "made/", "made/by/", "made/by/0", "made/by/1", "made/by/2", "made/by/3", "z"}
	got, _ := c.paths("recursive=true")
	require.Equal(t, all, got)
	for limit := 1; limit < 6; limit++ {
		var pages []string
		for next, more := "", true; more; more = next != "" {
			var page []string
			page, next = c.paths(fmt.Sprintf("recursive=true&maxResults=%d&continuation=%s", limit, strings.ReplaceAll(next, "+", "%2B")))
			pages = append(pages, page...)
		}
		require.Equal(t, all, pages, "in pages of %d", limit)
	}
	got, _ = c.paths("recursive=false")
	require.Equal(t, []string{"a/", "a-b", "made/", "z"}, got)
	got, _ = c.paths("recursive=false&directory=a")
	require.Equal(t, []string{"a/b/", "a/c"}, got)
	got, _ = c.paths("recursive=true&directory=z")
	require.Equal(t, []string{"z"}, got, "a file lists itself")
	c.refused(404, "PathNotFound", "GET", "", "resource=filesystem&recursive=true&directory=none", nil)

	h, _ := c.do(200, "HEAD", "/a", "action=getStatus", nil)
	require.Equal(t, "directory", h.Get("x-ms-resource-type"))
	h, _ = c.do(200, "HEAD", "/made/by", "action=getStatus", nil)
	require.Equal(t, "directory", h.Get("x-ms-resource-type"))
	c.do(200, "PUT", "/a", "comp=metadata", nil, "x-ms-meta-k", "v")
	h, _ = c.do(200, "HEAD", "/a", "action=getStatus", nil)
	require.Equal(t, "directory", h.Get("x-ms-resource-type"), "a folder stays one, whatever metadata it gets")
	n, err := s.FetchFolder(t.Context(), account, container, "a", t.TempDir(), 0o600)
	require.NoError(t, err)
	require.Equal(t, 3, n, "marks are no files")

	c.refused(409, "DirectoryNotEmpty", "DELETE", "/a", "recursive=false", nil)
	c.do(200, "DELETE", "/a", "recursive=true", nil)
	c.do(200, "DELETE", "/made", "recursive=true", nil)
	got, _ = c.paths("recursive=true")
	require.Equal(t, []string{"a-b", "z"}, got)
}

func TestLakeRename(t *testing.T) {
	s := serve(t)
	c := s.wire(t)
	for name, text := range map[string]string{"a/x": "1", "a/b/y": "2", "ab": "3", "made/z": "4"} {
		_, err := s.Put(t.Context(), account, container, name, strings.NewReader(text), nil)
		require.NoError(t, err)
	}
	from := func(name string) string { return "/" + container + "/" + name }
	c.do(201, "PUT", "/n/ä", "", nil, "x-ms-rename-source", from("a"))
	require.Equal(t, "1", string(read(t, s.Service, "n/ä/x")))
	require.Equal(t, "2", string(read(t, s.Service, "n/ä/b/y")))
	require.Equal(t, []string{"ab", "made/z", "n", "n/ä/b/y", "n/ä/x"}, names(t, s.Service, ""))
	c.do(201, "PUT", "/ab", "", nil, "x-ms-rename-source", from("made/z"))
	require.Equal(t, "4", string(read(t, s.Service, "ab")))
	c.do(201, "PUT", "/zz", "", nil, "x-ms-rename-source", "/"+account+from("ab")) // as azdatalake says it on a loopback port
	c.do(201, "PUT", "/ab", "", nil, "x-ms-rename-source", from("zz"))
	require.Equal(t, "4", string(read(t, s.Service, "ab")))
	c.refused(404, "SourcePathNotFound", "PUT", "/q", "", nil, "x-ms-rename-source", from("none"))
	c.refused(409, "InvalidDestinationPath", "PUT", "/n/ä/b/below", "", nil, "x-ms-rename-source", from("n"))
	c.refused(409, "DirectoryNotEmpty", "PUT", "/n", "", nil, "x-ms-rename-source", from("ab"))
	c.refused(409, "PathAlreadyExists", "PUT", "/ab", "", nil, "x-ms-rename-source", from("n/ä/x"), "If-None-Match", "*")
	c.refused(412, "SourceConditionNotMet", "PUT", "/q", "", nil, "x-ms-rename-source", from("ab"), "x-ms-source-if-match", `"0x1"`)
}

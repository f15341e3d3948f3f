package blob_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	azb "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	azcontainer "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// send sends a bare request and returns its status, error code and body.
func send(t testing.TB, method, url string, h http.Header, body io.Reader) (int, string, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	require.NoError(t, err)
	for name, values := range h {
		r.Header[name] = values
	}
	client := options(t).Transport.(*http.Client)
	a, err := client.Do(r)
	require.NoError(t, err)
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.NotEmpty(t, a.Header.Get("x-ms-request-id"))
	code := a.Header.Get("x-ms-error-code")
	if code != "" && method != http.MethodHead && a.StatusCode != http.StatusNotModified {
		require.Contains(t, string(b), "<Code>"+code+"</Code>")
		require.Equal(t, "application/xml", a.Header.Get("Content-Type"))
	}
	return a.StatusCode, code, string(b)
}

func TestAnonymousIsRefused(t *testing.T) {
	s := serve(t)
	_, err := s.Put(t.Context(), account, container, "x", strings.NewReader("secret"), nil)
	require.NoError(t, err)
	for _, one := range []struct{ method, path string }{
		{"GET", "/" + container + "/x"}, {"HEAD", "/" + container + "/x"}, {"PUT", "/" + container + "/x"}, {"DELETE", "/" + container + "/x"},
		{"GET", "?comp=list"}, {"GET", "/" + container + "?restype=container&comp=list"}, {"PUT", "/new?restype=container"}, {"DELETE", "/" + container + "?restype=container"},
		{"POST", "?restype=service&comp=userdelegationkey"}, {"PATCH", "/" + container}, {"GET", "/nosuch/x"},
	} {
		status, code, _ := send(t, one.method, s.url+one.path, nil, nil)
		require.Equal(t, 401, status, "%v", one)
		require.Equal(t, "NoAuthenticationInformation", code)
	}
	for _, authorization := range []string{"Bearer abc", "Basic abc", "SharedKey " + account, "SharedKey x:y", "SharedKey " + account + ":AAAA"} {
		status, code, _ := send(t, "GET", s.url+"/"+container+"/x", http.Header{"Authorization": {authorization}, "X-Ms-Date": {time.Now().UTC().Format(http.TimeFormat)}}, nil)
		require.Contains(t, []int{401, 403}, status, authorization)
		require.NotEmpty(t, code)
	}
	status, _, _ := send(t, "GET", strings.Replace(s.url, account, "nosuch", 1)+"/"+container+"/x?sig=a", nil, nil)
	require.Equal(t, 403, status)
}

// hosts sends requests for ACCOUNT.blob.core.windows.net to one server, path style.
type hosts struct {
	*http.Client
	server string
}

func (h hosts) Do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	name, _, _ := strings.Cut(r.URL.Host, ".")
	u, err := url.Parse(h.server + "/" + name + r.URL.EscapedPath() + "?" + r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	r.URL, r.Host = u, ""
	return h.Client.Do(r)
}

// A key signs for the account's own host too.
func TestSharedKeyForHost(t *testing.T) {
	s := serve(t)
	o := options(t)
	o.Transport = hosts{o.Transport.(*http.Client), strings.TrimSuffix(s.url, "/"+account)}
	c, err := service.NewClientWithSharedKeyCredential("https://"+account+".blob.core.windows.net", s.key, &service.ClientOptions{ClientOptions: o})
	require.NoError(t, err)
	_, err = c.NewContainerClient(container).NewBlockBlobClient("a b/c").Upload(t.Context(), body([]byte("x")), nil)
	require.NoError(t, err)
	_, err = c.NewListContainersPager(nil).NextPage(t.Context())
	require.NoError(t, err)
}

func TestTrusted(t *testing.T) {
	s := serve(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(blob.WithTrusted(r.Context())))
	}))
	defer server.Close()
	o := options(t)
	o.Transport = hosts{o.Transport.(*http.Client), server.URL}
	c, err := service.NewClientWithNoCredential("https://"+account+".blob.core.windows.net", &service.ClientOptions{ClientOptions: o})
	require.NoError(t, err)
	b := c.NewContainerClient(container).NewBlockBlobClient("x")
	_, err = b.Upload(t.Context(), body([]byte("x")), nil)
	require.NoError(t, err)
	status, code, _ := send(t, "GET", server.URL+"/nosuch/c/x", nil, nil)
	require.Equal(t, 404, status)
	require.Equal(t, "ResourceNotFound", code)

	// A user delegation key, and a signature under it.
	now := time.Now().UTC()
	key, err := c.GetUserDelegationCredential(t.Context(), service.KeyInfo{Start: to.Ptr(now.Format(sas.TimeFormat)), Expiry: to.Ptr(now.Add(time.Hour).Format(sas.TimeFormat))}, nil)
	require.NoError(t, err)
	v := sas.BlobSignatureValues{ContainerName: container, BlobName: "x", Permissions: "r", ExpiryTime: now.Add(time.Hour)}
	signed, err := v.SignWithUserDelegation(key)
	require.NoError(t, err)
	status, _, got := send(t, "GET", s.url+"/"+container+"/x?"+signed.Encode(), nil, nil)
	require.Equal(t, 200, status, got)
	require.Equal(t, "x", got)
	status, code, _ = send(t, "GET", s.url+"/"+container+"/y?"+signed.Encode(), nil, nil)
	require.Equal(t, 403, status)
	require.Equal(t, "AuthenticationFailed", code)
	_, err = s.service(t).GetUserDelegationCredential(t.Context(), service.KeyInfo{Expiry: to.Ptr(now.Add(time.Hour).Format(sas.TimeFormat))}, nil)
	requireCode(t, err, 403, bloberror.AuthorizationFailure)
}

// Signatures that azblob makes with the account's key.
func TestSASByClient(t *testing.T) {
	s := serve(t)
	_, err := s.Put(t.Context(), account, container, "dir/a b", strings.NewReader("data"), nil)
	require.NoError(t, err)
	hour := time.Now().UTC().Add(time.Hour)
	sign := func(v sas.BlobSignatureValues) string {
		q, err := v.SignWithSharedKey(s.key)
		require.NoError(t, err)
		return q.Encode()
	}
	get := func(query string) (int, string) {
		status, code, _ := send(t, "GET", s.url+"/"+container+"/dir/a%20b?"+query, nil, nil)
		return status, code
	}
	base := sas.BlobSignatureValues{ContainerName: container, BlobName: "dir/a b", Permissions: "r", ExpiryTime: hour}
	for name, c := range map[string]struct {
		change func(v *sas.BlobSignatureValues)
		status int
		code   string
	}{
		"blob":            {func(*sas.BlobSignatureValues) {}, 200, ""},
		"container":       {func(v *sas.BlobSignatureValues) { v.BlobName = "" }, 200, ""},
		"directory":       {func(v *sas.BlobSignatureValues) { v.BlobName, v.Directory = "", "dir" }, 200, ""},
		"other directory": {func(v *sas.BlobSignatureValues) { v.BlobName, v.Directory = "", "di" }, 403, "AuthenticationFailed"},
		"other blob":      {func(v *sas.BlobSignatureValues) { v.BlobName = "dir/a" }, 403, "AuthenticationFailed"},
		"other container": {func(v *sas.BlobSignatureValues) { v.ContainerName = "other" }, 403, "AuthenticationFailed"},
		"old version":     {func(v *sas.BlobSignatureValues) { v.Version = "2020-12-06" }, 200, ""},
		"expired":         {func(v *sas.BlobSignatureValues) { v.ExpiryTime = time.Now().UTC().Add(-time.Second) }, 403, "AuthenticationFailed"},
		"not yet":         {func(v *sas.BlobSignatureValues) { v.StartTime = hour.Add(-time.Minute) }, 403, "AuthenticationFailed"},
		"started":         {func(v *sas.BlobSignatureValues) { v.StartTime = hour.Add(-2 * time.Hour) }, 200, ""},
		"permission":      {func(v *sas.BlobSignatureValues) { v.Permissions = "w" }, 403, "AuthorizationPermissionMismatch"},
		"https only":      {func(v *sas.BlobSignatureValues) { v.Protocol = sas.ProtocolHTTPS }, 403, "AuthorizationProtocolMismatch"},
		"both protocols":  {func(v *sas.BlobSignatureValues) { v.Protocol = sas.ProtocolHTTPSandHTTP }, 200, ""},
		"our address": {func(v *sas.BlobSignatureValues) {
			v.IPRange = sas.IPRange{Start: []byte{127, 0, 0, 0}, End: []byte{127, 0, 0, 9}}
		}, 200, ""},
		"other address": {func(v *sas.BlobSignatureValues) { v.IPRange = sas.IPRange{Start: []byte{10, 0, 0, 1}} }, 403, "AuthorizationSourceIPMismatch"},
	} {
		v := base
		c.change(&v)
		status, code := get(sign(v))
		require.Equal(t, c.status, status, name)
		require.Equal(t, c.code, code, name)
	}

	// Nothing of a signature can be changed.
	query := sign(base)
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	for name := range values {
		forged := url.Values{}
		for n, v := range values {
			forged[n] = v
		}
		switch name {
		case "se":
			forged.Set(name, hour.Add(time.Hour).Format(sas.TimeFormat))
		case "sp":
			forged.Set(name, "rw")
		case "sr":
			forged.Set(name, "c")
		case "sv":
			forged.Set(name, "2015-04-05")
		case "sig":
			forged.Set(name, strings.ToLower(values.Get(name)))
		default:
			t.Fatalf("what of %s?", name)
		}
		status, code := get(forged.Encode())
		require.Equal(t, 403, status, name)
		require.Equal(t, "AuthenticationFailed", code, name)
	}

	// Headers of the answer.
	v := base
	v.ContentType, v.ContentDisposition = "text/csv", "attachment; filename=x"
	r, err := http.Get(s.url + "/" + container + "/dir/a%20b?" + sign(v))
	require.NoError(t, err)
	require.NoError(t, r.Body.Close())
	require.Equal(t, "text/csv", r.Header.Get("Content-Type"))
	require.Equal(t, "attachment; filename=x", r.Header.Get("Content-Disposition"))
	http.DefaultClient.CloseIdleConnections()
}

func TestAccountSAS(t *testing.T) {
	s := serve(t)
	hour := time.Now().UTC().Add(time.Hour)
	client := func(permissions, types string) *service.Client {
		q, err := sas.AccountSignatureValues{Permissions: permissions, ResourceTypes: types, ExpiryTime: hour}.SignWithSharedKey(s.key)
		require.NoError(t, err)
		c, err := service.NewClientWithNoCredential(s.url+"?"+q.Encode(), &service.ClientOptions{ClientOptions: options(t)})
		require.NoError(t, err)
		return c
	}
	all := client("rwdlac", "sco")
	_, err := all.CreateContainer(t.Context(), "new", nil)
	require.NoError(t, err)
	_, err = all.NewContainerClient("new").NewBlockBlobClient("x").Upload(t.Context(), body([]byte("x")), nil)
	require.NoError(t, err)
	_, err = all.NewListContainersPager(nil).NextPage(t.Context())
	require.NoError(t, err)
	_, err = client("rwdlac", "o").CreateContainer(t.Context(), "newer", nil)
	requireCode(t, err, 403, bloberror.AuthorizationResourceTypeMismatch)
	_, err = client("r", "sco").CreateContainer(t.Context(), "newer", nil)
	requireCode(t, err, 403, bloberror.AuthorizationPermissionMismatch)
}

// Signatures that the service makes, and what they permit.
func TestSASByService(t *testing.T) {
	s := serve(t)
	sign := func(name string, o blob.SASOptions) *azcontainer.Client {
		q, err := s.SAS(account, container, name, o)
		require.NoError(t, err)
		require.NotContains(t, q, "+")
		return s.withSAS(t, q)
	}
	upload := func(c *azcontainer.Client, name string) error {
		_, err := c.NewBlockBlobClient(name).Upload(t.Context(), body([]byte(name)), nil)
		return err
	}
	read := func(c *azcontainer.Client, name string) error {
		_, err := c.NewBlobClient(name).GetProperties(t.Context(), nil)
		return err
	}
	list := func(c *azcontainer.Client, prefix string) error {
		_, err := c.NewListBlobsFlatPager(&azcontainer.ListBlobsFlatOptions{Prefix: &prefix}).NextPage(t.Context())
		return err
	}
	full := sign("", blob.SASOptions{Permissions: "lracwd"})
	require.NoError(t, upload(full, "dir/ö 1"))
	require.NoError(t, upload(full, "dir2/x"))
	require.NoError(t, upload(full, "dir/ö 1"))
	require.NoError(t, list(full, ""))
	_, err := full.GetProperties(t.Context(), nil)
	requireCode(t, err, 403, bloberror.AuthorizationFailure)
	_, err = full.Delete(t.Context(), nil)
	requireCode(t, err, 403, bloberror.AuthorizationFailure)

	reader := sign("", blob.SASOptions{})
	require.NoError(t, read(reader, "dir/ö 1"))
	requireCode(t, upload(reader, "x"), 403, bloberror.AuthorizationPermissionMismatch)
	requireCode(t, list(reader, ""), 403, bloberror.AuthorizationPermissionMismatch)

	creator := sign("", blob.SASOptions{Permissions: "rc"})
	require.NoError(t, upload(creator, "new"))
	requireCode(t, upload(creator, "new"), 403, bloberror.UnauthorizedBlobOverwrite)
	b := creator.NewBlockBlobClient("new")
	_, err = b.StageBlock(t.Context(), "MDAw", body([]byte("x")), nil)
	requireCode(t, err, 403, bloberror.UnauthorizedBlobOverwrite)

	one := sign("dir/ö 1", blob.SASOptions{Permissions: "rw"})
	require.NoError(t, read(one, "dir/ö 1"))
	require.NoError(t, upload(one, "dir/ö 1"))
	requireCode(t, read(one, "dir2/x"), 403, bloberror.AuthenticationFailed)

	dir := sign("dir/", blob.SASOptions{Permissions: "rl", Directory: true})
	require.NoError(t, read(dir, "dir/ö 1"))
	require.NoError(t, list(dir, "dir/"))
	requireCode(t, read(dir, "dir2/x"), 403, bloberror.AuthenticationFailed)
	requireCode(t, list(dir, "dir"), 403, bloberror.AuthenticationFailed)
	requireCode(t, list(dir, ""), 403, bloberror.AuthenticationFailed)
	root := sign("", blob.SASOptions{Permissions: "rl", Directory: true})
	require.NoError(t, read(root, "dir2/x"))
	require.NoError(t, list(root, ""))

	soon := sign("", blob.SASOptions{Expiry: time.Now().Add(time.Minute)})
	require.NoError(t, read(soon, "dir2/x"))
	s.now.Store(to.Ptr(time.Now().Add(2 * time.Minute)))
	requireCode(t, read(soon, "dir2/x"), 403, bloberror.AuthenticationFailed)
	require.NoError(t, read(sign("", blob.SASOptions{}), "dir2/x"))
	_, err = soon.NewBlockBlobClient("large").Upload(t.Context(), body(random(8<<20)), nil)
	requireCode(t, err, 403, bloberror.AuthenticationFailed)

	_, err = s.SAS("nosuch", container, "", blob.SASOptions{})
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = s.SAS(account, container, "", blob.SASOptions{Permissions: "rz"})
	require.ErrorContains(t, err, "permissions")
}

// The key signs requests with odd names and headers in every order.
func TestSharedKey(t *testing.T) {
	s := serve(t)
	for _, name := range []string{"plain", "sp ace", "pl+us", "per%cent", "q?m", "ha#sh", "日本/語", "a//b", "x&y=z", "(p)'!*~"} {
		b := s.container(t).NewBlockBlobClient(name)
		_, err := b.Upload(t.Context(), body([]byte(name)), &blockblob.UploadOptions{
			Metadata:    map[string]*string{"a_b": to.Ptr("1"), "a1": to.Ptr("2"), "ab": to.Ptr("3"), "A": to.Ptr("4"), "abc": to.Ptr("5")},
			HTTPHeaders: &azb.HTTPHeaders{BlobContentType: to.Ptr("text/plain"), BlobContentEncoding: to.Ptr("identity")},
		})
		require.NoError(t, err, name)
		require.Equal(t, name, string(read(t, s.Service, name)))
	}
	other, err := blobKey(t, s, "anotheraccount")
	require.NoError(t, err)
	status, code, _ := send(t, "GET", s.url+"/"+container+"/plain", other, nil)
	require.Equal(t, 403, status)
	require.Equal(t, "AuthenticationFailed", code)
}

// blobKey is a header that names another account.
func blobKey(t testing.TB, s *site, account string) (http.Header, error) {
	_, err := s.EnsureAccount(t.Context(), account)
	return http.Header{"Authorization": {"SharedKey " + account + ":" + "AAAA"}, "X-Ms-Date": {time.Now().UTC().Format(http.TimeFormat)}}, err
}

// Paths on the wire never leave the container, whatever they look like.
func TestPathsOnTheWire(t *testing.T) {
	s := serve(t)
	q, err := s.SAS(account, container, "", blob.SASOptions{Permissions: "rcw"})
	require.NoError(t, err)
	for path, want := range map[string]int{
		"/" + container + "/..%2f..%2fetc%2fpasswd":       201,
		"/" + container + "/%2e%2e/%2e%2e/etc":            201,
		"/" + container + "//etc/passwd":                  201,
		"/" + container + "/a%00b":                        400,
		"/" + container + "/%ff":                          400,
		"/" + container + "%2fx/y":                        403, // another container's name
		"/" + container + "/" + strings.Repeat("x", 1025): 400,
	} {
		r := httptest.NewRequest("PUT", "http://localhost/"+account+path+"?"+q, bytes.NewReader([]byte("x")))
		r.Header.Set("x-ms-blob-type", "BlockBlob")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, want, w.Code, "%s: %s", path, w.Body)
	}
	require.ElementsMatch(t, []string{"../../etc/passwd", "../../etc", "/etc/passwd"}, names(t, s.Service, ""))
	require.Empty(t, s.files(t))
}

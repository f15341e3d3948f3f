package emulator

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

func TestAttacksAreRefused(t *testing.T) {
	s := open(t, Options{})
	c := outside(t, s)
	host := strings.TrimPrefix(c.base, "http://")
	port := host[strings.LastIndexByte(host, ':'):]
	w := DefaultScope.ID() + version
	data := at("data", "d", "versions", "1")
	body := map[string]any{"properties": map[string]any{"dataType": "uri_file", "dataUri": "https://example.com/x"}}

	c.do("GET", w, nil).want(200)
	anonymous := *c
	anonymous.token = ""
	for _, path := range []string{w, data, "/history/v1.0" + DefaultScope.ID() + "/runs/r", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/mferp/managementfrontend" + w, "/nowhere/at/all"} {
		require.Contains(t, []int{401, 403}, anonymous.do("GET", path, nil).status, path)
	}
	anonymous.do("PUT", data, body).want(401)
	require.Equal(t, "AuthenticationFailed", anonymous.do("GET", w, nil).code())
	require.NotEmpty(t, anonymous.do("GET", w, nil).header.Get("WWW-Authenticate"))
	for _, open := range []string{"/health", "/version", "/discovery"} {
		anonymous.do("GET", open, nil).want(200)
	}

	forged := *c
	forged.token = c.token[:len(c.token)-2] + "xx"
	require.Equal(t, "InvalidAuthenticationToken", forged.do("GET", w, nil).want(401).code())
	c.with("Authorization", "Basic "+c.token).do("GET", w, nil).want(401)

	for _, h := range []string{"evil.example" + port, "evil.example", "127.0.0.1.nip.io" + port, "localhost.evil.example" + port, "127.0.0.2" + port, "127.0.0.1:1", "localhost", "[::1]" + port} {
		c.with("Host", h).do("GET", w, nil).want(403)
		anonymous.with("Host", h).do("GET", "/health", nil).want(403)
	}
	c.with("Host", "localhost"+port).do("GET", w, nil).want(200)
	c.with("Host", "LOCALHOST"+port).do("GET", w, nil).want(200)

	for _, o := range []string{"http://evil.example", "null", "https://" + host, "http://127.0.0.1:1", "http://localhost.evil.example" + port, ""} {
		c.with("Origin", o).do("GET", w, nil).want(403)
		c.with("Origin", o).do("PUT", data, body).want(403)
	}
	c.with("Origin", c.base).do("GET", w, nil).want(200)
	for _, site := range []string{"cross-site", "same-site", "anything"} {
		c.with("Sec-Fetch-Site", site).do("GET", w, nil).want(403)
	}
	c.with("Sec-Fetch-Site", "same-origin").do("GET", w, nil).want(200)
	c.with("Sec-Fetch-Site", "none").do("GET", w, nil).want(200)

	for _, m := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "TEXT/PLAIN;charset=utf-8", "text/plain;;"} {
		require.Equal(t, "INVALID_PARAMETER_VALUE", c.with("Content-Type", m).do("POST", "/api/2.0/mlflow/experiments/create", "a=b").want(400).doc()["error_code"], "as MLflow says it")
		for _, path := range []string{at("datastores", "workspaceblobstore", "listSecrets"), "/history/v1.0" + DefaultScope.ID() + "/rundata"} {
			c.with("Content-Type", m).do("POST", path, "a=b").want(415)
		}
		c.with("Content-Type", m).do("PUT", data, body).want(415)
		c.with("Content-Type", m).do("DELETE", data, "x").want(415)
	}
	c.do("OPTIONS", w, nil).want(405)
	r := c.with("Origin", c.base).do("GET", w, nil).want(200)
	for k := range r.header {
		require.False(t, strings.HasPrefix(k, "Access-Control-"), k)
	}
	c.do("GET", data, nil).want(404) // nothing of all this was done
}

func TestPathsThatLeadOut(t *testing.T) {
	s := open(t, Options{})
	c := outside(t, s)
	for _, p := range []string{
		DefaultScope.ID() + "/data/..%2f..%2fx/versions/1" + version,
		DefaultScope.ID() + "/data/%2e%2e/versions/1" + version,
		DefaultScope.ID() + "/data/a%5cb/versions/1" + version,
		DefaultScope.ID() + "/data/a%00b/versions/1" + version,
		DefaultScope.ID() + "/data//versions/1" + version,
	} {
		req := c.request("PUT", "/", map[string]any{"properties": map[string]any{"dataType": "uri_file", "dataUri": "https://example.com/x"}})
		u, err := url.Parse(c.base + p)
		require.NoError(t, err)
		req.URL = u
		res, err := c.send(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 400, res.StatusCode, p)
	}
	for _, p := range []string{"../../etc/passwd", "/etc/passwd", "a/../../b", `a\b`} {
		_, err := cleanPath(p)
		require.Error(t, err, p)
	}
	c.do("PUT", at("data", "a b", "versions", "1"), "{}").want(400)
}

func TestStorageIsClosed(t *testing.T) {
	at0 := newClock()
	s := open(t, Options{Clock: at0.Now})
	c := outside(t, s)
	secret := c.do("POST", at("datastores", "workspaceblobstore", "listSecrets"), map[string]any{"expirableSecret": true, "expireAfterHours": 1}).want(200).doc()
	require.Equal(t, "Sas", secret.text("secretsType"))
	blobURL := c.base + "/" + DefaultScope.Account() + "/" + DefaultScope.BlobContainer() + "/a/b.txt"
	put := func(u string, set func(http.Header)) int {
		req := c.request("PUT", u, "hello")
		req.Header = http.Header{"X-Ms-Blob-Type": {"BlockBlob"}, "X-Ms-Version": {"2023-11-03"}}
		if set != nil {
			set(req.Header)
		}
		res, err := c.send(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	sas := secret.text("sasToken")
	require.Equal(t, 201, put(blobURL+"?"+sas, nil))
	require.Contains(t, []int{401, 403, 404}, put(blobURL, nil), "no signature")
	q, err := url.ParseQuery(sas)
	require.NoError(t, err)
	forge := func(k, v string) string {
		f := url.Values{}
		for name, x := range q {
			f[name] = x
		}
		f.Set(k, v)
		return blobURL + "?" + f.Encode()
	}
	require.Equal(t, 403, put(forge("sig", "AAAA"+q.Get("sig")[4:]), nil), "a forged signature")
	require.Equal(t, 403, put(forge("se", "2099-01-01T00:00:00Z"), nil), "another expiry")
	require.Equal(t, 403, put(forge("sp", "racwdlxyz"), nil), "other permissions")
	require.Equal(t, 403, put(strings.Replace(blobURL, DefaultScope.BlobContainer(), arm.ArtifactContainer, 1)+"?"+sas, nil), "another container")
	require.Equal(t, 201, put(blobURL, func(h http.Header) { h.Set("Authorization", "Bearer "+c.token) }), "the caller's own token")
	require.Equal(t, 401, put(blobURL, func(h http.Header) { h.Set("Authorization", "Bearer x") }))
	at0.Move(2 * time.Hour)
	require.Equal(t, 403, put(blobURL+"?"+sas, nil), "it has expired")

	run, _, err := s.keys.run(DefaultScope, "r", time.Hour)
	require.NoError(t, err)
	require.Equal(t, 403, put(blobURL, func(h http.Header) { h.Set("Authorization", "Bearer "+run) }), "a run's token opens no storage")
}

func TestRunTokens(t *testing.T) {
	at0 := newClock()
	s := open(t, Options{Clock: at0.Now})
	c := inside(t, s)
	api := "https://" + arm.APIHost
	for _, run := range []string{"one", "two"} {
		c.do("POST", api+"/history/v1.0"+DefaultScope.ID()+"/runs/"+run, map[string]any{"displayName": run, "status": "Running"}).want(200)
	}
	token, _, err := s.keys.run(DefaultScope, "one", time.Hour)
	require.NoError(t, err)
	r := *c
	r.token = token
	h := api + "/history/v1.0" + DefaultScope.ID()
	r.do("GET", h+"/runs/one", nil).want(200)
	r.do("GET", h+"/runs/two", nil).want(403)
	r.do("PATCH", h+"/runs/two", map[string]any{"displayName": "x"}).want(403)
	r.do("POST", h+"/rundata", map[string]any{"runId": "two", "selectRunMetadata": true}).want(403)
	r.do("GET", h+"/experiments/Default/runs/two/artifacts", nil).want(403)
	r.do("POST", h+"/experiments/Default/runs/two/artifacts/batch/metadata", map[string]any{"paths": []any{map[string]any{"path": "x"}}}).want(403)
	r.do("GET", api+"/artifact/v2.0"+DefaultScope.ID()+"/artifacts/ExperimentRun/dcid.two", nil).want(403)
	r.do("POST", h+"/experiments/Default/runs/one/artifacts/batch/metadata", map[string]any{"paths": []any{map[string]any{"path": "x"}}}).want(200)
	r.do("POST", h+"/runs/child", map[string]any{"parentRunId": "one"}).want(200)
	r.do("GET", h+"/runs/child", nil).want(200)
	r.do("POST", h+"/runs/other", map[string]any{"parentRunId": "two"}).want(403)
	r.do("GET", DefaultScope.ID()+version, nil).want(200)
	r.do("PUT", at("data", "d", "versions", "1"), "{}").want(403)
	r.do("POST", at("datastores", "workspaceblobstore", "listSecrets"), "{}").want(403)
	r.do("GET", at("jobs"), nil).want(403)

	other := arm.Scope{Subscription: DefaultScope.Subscription, ResourceGroup: "g", Workspace: "other"}
	c.do("PUT", other.ID()+version, map[string]any{"location": "eastus"}).want(200)
	r.do("GET", other.ID()+version, nil).want(403)

	fresh := r.do("GET", h+"/experiments/Default/runs/one/token", nil).want(200).doc().text("token")
	require.NotEqual(t, token, fresh)
	at0.Move(2 * time.Hour)
	require.Equal(t, "ExpiredAuthenticationToken", r.do("GET", h+"/runs/one", nil).want(401).code())
	r.token = fresh
	r.do("GET", h+"/runs/one", nil).want(200)
	s.keys.revoke(DefaultScope, "one")
	r.do("GET", h+"/runs/one", nil).want(401)
}

func TestWithoutTokens(t *testing.T) {
	s := open(t, Options{NoAuth: true})
	_, err := s.Listen("0.0.0.0:0")
	require.ErrorContains(t, err, "loopback")
	c := outside(t, s)
	c.token = ""
	c.do("GET", DefaultScope.ID()+version, nil).want(200)
	c.with("Host", "evil.example").do("GET", DefaultScope.ID()+version, nil).want(403)
	require.NotEqual(t, 200, c.do("GET", "/"+DefaultScope.Account()+"/"+DefaultScope.BlobContainer()+"?restype=container&comp=list", nil).status, "storage keeps its signatures")
	c.with("Content-Type", "text/plain").do("POST", at("jobs", "j", "cancel"), "x").want(415)
}

func TestOwnHost(t *testing.T) {
	local := netip.MustParseAddrPort("127.0.0.1:80")
	for host, want := range map[string]bool{"127.0.0.1": true, "127.0.0.1:80": true, "localhost": true, "127.0.0.1:81": false, "127.1:80": false, "": false, "2130706433:80": false, "[::ffff:127.0.0.1]:80": true} {
		require.Equal(t, want, ownHost(host, local), host)
	}
	six := netip.MustParseAddrPort("[::1]:80")
	require.True(t, ownHost("[::1]:80", six))
	require.True(t, ownHost("[::1]", six))
	require.False(t, ownHost("127.0.0.1:80", six))
	out := netip.MustParseAddrPort("192.0.2.1:80")
	require.False(t, ownHost("localhost:80", out), "localhost is loopback's name")
}

func TestJWTForm(t *testing.T) {
	s := open(t, Options{})
	parts := strings.Split(s.Token(), ".")
	require.Len(t, parts, 3)
	b, err := jwtPart(parts[1])
	require.NoError(t, err)
	v, err := decode(b)
	require.NoError(t, err)
	d := document(v.(map[string]any))
	require.Equal(t, "https://ml.azure.com", d.text("aud"))
	require.NotEmpty(t, d.text("tid"))
}

func jwtPart(s string) ([]byte, error) { return base64.RawURLEncoding.DecodeString(s) }

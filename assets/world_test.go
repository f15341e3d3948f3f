package assets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/rest"
)

// world is a workspace whose storage is real: Azurite where AZUREML_TEST_BLOB_URL names one
// (http://127.0.0.1:10000/devstoreaccount1), else the local blob service. The resource manager is a table of documents.
type world struct {
	testing.TB
	c *rest.Client

	storage, account, key string // host:port, and the account on it

	mu       sync.Mutex
	docs     map[string]map[string]any // path below the workspace, lower case → document
	seq      int
	withKey  bool // secrets are a key, not a signature
	noSecret bool // secrets may not be read
	taken    map[string]bool
	calls    []string
	secret   string // what the datastore's credentials say
	sasTime  time.Duration
	sasStep  time.Duration                                      // by how much each signature lasts longer than the one before
	also     func(rw http.ResponseWriter, r *http.Request) bool // answers what the others do not

	wire atomic.Pointer[func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error)] // what happens to requests
}

// onWire sets what happens to each request; nil takes it off.
func (w *world) onWire(f func(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error)) {
	if f == nil {
		w.wire.Store(nil)
		return
	}
	w.wire.Store(&f)
}

// Do sends a request of the client under test.
func (w *world) Do(r *http.Request) (*http.Response, error) {
	if f := w.wire.Load(); f != nil {
		return (*f)(r, testHTTP.Do)
	}
	return testHTTP.Do(r)
}

var testHTTP = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}

// The key of Azurite's account, which is the same everywhere.
const azuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

const testWorkspace = "/subscriptions/s/resourcegroups/g/providers/microsoft.machinelearningservices/workspaces/w/"

func newWorld(t testing.TB) *world {
	w := &world{TB: t, docs: map[string]map[string]any{}, taken: map[string]bool{}, secret: "Sas", sasTime: time.Hour}
	if at := os.Getenv("AZUREML_TEST_BLOB_URL"); at != "" {
		u, err := url.Parse(at)
		require.NoError(t, err)
		w.storage, w.account, w.key = u.Host, strings.Trim(u.Path, "/"), azuriteKey
	} else {
		w.storage, w.account, w.key = localStorage(t)
	}
	arm := httptest.NewServer(http.HandlerFunc(w.arm))
	t.Cleanup(arm.Close)
	var err error
	w.c, err = rest.New(rest.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, rest.StaticToken("t"), &rest.Options{
		Endpoint:      arm.URL,
		ClientOptions: azcore.ClientOptions{Retry: retryFast, Transport: w},
		HashCache:     filepath.Join(t.TempDir(), "hashes"),
	})
	require.NoError(t, err)
	name := "azureml-blobstore-" + uuid.NewString()
	w.makeContainer(name)
	w.put("datastores/"+BlobStore, map[string]any{
		"datastoreType": "AzureBlob", "accountName": w.account, "containerName": name, "endpoint": w.storage, "protocol": "http",
		"isDefault": true, "credentials": map[string]any{"credentialsType": "Sas"},
	})
	return w
}

func localStorage(t testing.TB) (host, account, key string) {
	dir := t.TempDir()
	db, err := store.Open(store.Options{Dir: dir})
	require.NoError(t, err)
	svc, err := blob.New(db, dir, nil)
	require.NoError(t, err)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer t" { // as the workspace's guard does
			r = r.WithContext(blob.WithTrusted(r.Context()))
		}
		svc.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		srv.Close()
		require.NoError(t, svc.Close())
		require.NoError(t, db.Close())
	})
	account = "amllocaltest"
	key, err = svc.EnsureAccount(t.Context(), account)
	require.NoError(t, err)
	return strings.TrimPrefix(srv.URL, "http://"), account, key
}

func (w *world) container(name string) *container.Client {
	cred, err := container.NewSharedKeyCredential(w.account, w.key)
	require.NoError(w, err)
	c, err := container.NewClientWithSharedKeyCredential(fmt.Sprintf("http://%s/%s/%s", w.storage, w.account, name), cred, nil)
	require.NoError(w, err)
	return c
}

func (w *world) makeContainer(name string) {
	if _, err := w.container(name).Create(w.Context(), nil); !bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
		require.NoError(w, err)
	}
}

func (w *world) sas(name string) string {
	u, err := w.container(name).GetSASURL(sas.ContainerPermissions{Read: true, Add: true, Create: true, Write: true, Delete: true, List: true}, time.Now().Add(w.sasTime), nil)
	w.sasTime += w.sasStep
	require.NoError(w, err)
	return u
}

// blobs is the container of the workspace's blob store.
func (w *world) blobs() *box {
	props := w.docs["datastores/"+BlobStore]["properties"].(map[string]any)
	b, err := openContainer(w.c, "http", w.account, w.storage, props["containerName"].(string), access{key: w.key})
	require.NoError(w, err)
	return b
}

func (w *world) put(path string, props map[string]any) map[string]any {
	w.seq++
	segs := strings.Split(path, "/")
	doc := map[string]any{"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/" + path, "name": segs[len(segs)-1], "properties": props, "seq": w.seq}
	w.docs[strings.ToLower(path)] = doc
	return doc
}

// arm answers the routes that assets use.
func (w *world) arm(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := strings.TrimPrefix(strings.ToLower(r.URL.Path), testWorkspace)
	if w.also != nil && w.also(rw, r) {
		return
	}
	own := strings.TrimPrefix(r.URL.Path, r.URL.Path[:len(r.URL.Path)-len(path)])
	w.calls = append(w.calls, r.Method+" "+path)
	answer := func(status int, v any) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(status)
		if err := json.NewEncoder(rw).Encode(v); err != nil {
			w.Error(err)
		}
	}
	fail := func(status int, code, message string) {
		answer(status, map[string]any{"error": map[string]any{"code": code, "message": message}})
	}
	segs := strings.Split(path, "/")
	switch {
	case r.Method == http.MethodPost && segs[len(segs)-1] == "listsecrets":
		if w.noSecret {
			fail(403, "AuthorizationFailed", "not you")
			return
		}
		name := w.docs["datastores/"+segs[1]]["properties"].(map[string]any)["containerName"].(string)
		var want struct{ ExpirableSecret bool }
		if b, err := io.ReadAll(r.Body); err != nil || json.Unmarshal(b, &want) != nil || w.withKey || !want.ExpirableSecret {
			answer(200, map[string]any{"secretsType": "AccountKey", "key": w.key})
			return
		}
		_, query, _ := strings.Cut(w.sas(name), "?")
		answer(200, map[string]any{"secretsType": "Sas", "sasToken": "?" + query})
	case r.Method == http.MethodPost && segs[len(segs)-1] == "startpendingupload":
		name := "codes-" + segs[1] + "-" + segs[3]
		w.makeContainer(name)
		answer(200, map[string]any{"blobReferenceForConsumption": map[string]any{
			"blobUri": fmt.Sprintf("http://%s/%s/%s", w.storage, w.account, name), "credential": map[string]any{"credentialType": "SAS", "sasUri": w.sas(name)},
		}})
	case r.Method == http.MethodGet && segs[len(segs)-1] == "versions", r.Method == http.MethodGet && len(segs) == 1:
		list := []any{}
		for seq := w.seq; seq > 0; seq-- {
			for p, d := range w.docs {
				if d["seq"] != seq || !strings.HasPrefix(p, segs[0]+"/") || strings.Contains(p, "/versions/") != (len(segs) == 3) {
					continue
				}
				props := d["properties"].(map[string]any)
				if h := r.URL.Query().Get("hash"); h != "" {
					if own, _ := props["properties"].(map[string]any); own == nil || own["hash_sha256"] != h {
						continue
					}
				} else if len(segs) == 3 && !strings.HasPrefix(p, path+"/") {
					continue
				}
				list = append(list, d)
			}
		}
		if r.URL.Query().Get("$top") == "1" && len(list) > 1 {
			list = list[:1]
		}
		answer(200, map[string]any{"value": list})
	case r.Method == http.MethodGet:
		d, ok := w.docs[path]
		if !ok && len(segs) == 2 && segs[0] != "datastores" && segs[0] != "jobs" {
			d, ok = w.shelf(segs[0], segs[1])
		}
		if !ok {
			fail(404, "ResourceNotFound", path+" is not there")
			return
		}
		answer(200, d)
	case r.Method == http.MethodPut:
		var buf bytes.Buffer
		var body struct{ Properties map[string]any }
		if _, err := buf.ReadFrom(r.Body); err != nil || json.Unmarshal(buf.Bytes(), &body) != nil {
			fail(400, "BadArgument", "no JSON")
			return
		}
		if w.taken[path] {
			delete(w.taken, path)
			w.put(own, map[string]any{})
			fail(409, "ResourceExists", "somebody else was first")
			return
		}
		if old, ok := w.docs[path]; ok {
			was := old["properties"].(map[string]any)
			for _, k := range []string{"dataUri", "modelUri"} {
				if was[k] != nil && was[k] != body.Properties[k] {
					fail(400, "UserError", "Asset paths cannot be updated.")
					return
				}
			}
		}
		answer(200, w.put(own, body.Properties))
	case r.Method == http.MethodDelete:
		delete(w.docs, path)
		rw.WriteHeader(204)
	default:
		fail(405, "MethodNotAllowed", r.Method)
	}
}

func (w *world) shelf(coll, name string) (map[string]any, bool) {
	latest := 0
	for p := range w.docs {
		if v, ok := strings.CutPrefix(p, coll+"/"+name+"/versions/"); ok {
			if n, err := strconv.Atoi(v); err == nil {
				latest = max(latest, n)
			}
		}
	}
	return map[string]any{"id": testWorkspace + coll + "/" + name, "properties": map[string]any{"latestVersion": strconv.Itoa(latest), "nextVersion": strconv.Itoa(latest + 1)}}, latest > 0
}

// doc is the properties of what was put.
func (w *world) doc(path string) map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	d, ok := w.docs[strings.ToLower(path)]
	require.True(w, ok, "no %s", path)
	return d["properties"].(map[string]any)
}

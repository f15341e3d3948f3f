package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/workspace"
)

// Azurite's account, which everybody knows.
const (
	azuriteAccount = "devstoreaccount1"
	azuriteKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// uploads compares whole uploads by us, hashing and confirmation included, with
// azure-ai-ml's upload_directory alone, over HTTP to the same service.
func (m *moving) uploads(t *testing.T) {
	py := python(t, "azure.ai.ml")
	for _, c := range []struct {
		files, quick, size int
		fault              string
		faster             float64
	}{
		{2000, 200, 4 << 10, "", 15}, {20000, 400, 1 << 10, "", 15},
		{2000, 200, 4 << 10, "latency=20ms", 25}, {20000, 400, 1 << 10, "latency=20ms", 25},
	} {
		n := m.size(c.files, c.quick)
		what := fmt.Sprintf("upload %d files of %d KiB", n, c.size>>10)
		var args []string
		if c.fault != "" {
			what, args = what+", "+c.fault, []string{"-fault", c.fault}
		}
		t.Run(what, func(t *testing.T) {
			s := localServer(t, args...)
			ws := overHTTP(t, s, nil)
			ours := best(3, func(int) float64 { return uploadTree(t, ws, tree(t, n, c.size), "", n) })
			blobs, sas, err := defaultStore(t.Context(), ws)
			require.NoError(t, err)
			r := reference(t, py, "upload", map[string]any{
				"account_url": s.URL + "/" + blobs.Account + "/", "container": blobs.Container, "credential": sas, "source": tree(t, n, c.size), "dest": "LocalUpload/reference",
			})
			require.Equal(t, n, r.Files)
			m.found(t, ratio{what: what, unit: "s", ours: ours, other: r.Seconds, than: "azure-ai-ml", faster: c.faster})
		})
	}
	t.Run("Azurite", func(t *testing.T) { m.azurite(t, py) })
}

// defaultStore is the workspace's default datastore, and a signature for it: what
// azure-ai-ml asks for too.
func defaultStore(ctx context.Context, ws *workspace.Client) (*assets.BlobStorage, string, error) {
	store, err := ws.Datastores.Get(ctx, "workspaceblobstore")
	if err != nil {
		return nil, "", err
	}
	secrets, err := ws.Datastores.Secrets(ctx, "workspaceblobstore")
	if err != nil {
		return nil, "", err
	}
	if secrets.SAS == nil {
		return nil, "", errors.New("the datastore gives no signature")
	}
	return store.(*assets.BlobStorage), secrets.SAS.Token, nil
}

// uploadTree uploads a folder that was never seen and returns how long it took.
func uploadTree(t *testing.T, ws *workspace.Client, dir, store string, files int) float64 {
	t.Helper()
	return seconds(func() {
		up, err := ws.Datastores.Upload(t.Context(), dir, &assets.UploadOptions{Datastore: store})
		require.NoError(t, err)
		require.Equal(t, files, up.Files)
		require.False(t, up.Reused)
	})
}

// azurite compares the same against Azurite, which is then the bound.
func (m *moving) azurite(t *testing.T, py string) {
	name := os.Getenv("AZUREML_AZURITE")
	if name == "" {
		name = "azurite"
	}
	exe, err := exec.LookPath(name)
	if err != nil {
		missing(t, "azurite", err.Error())
	}
	port := freePort(t)
	start(t, nil, exe, "--silent", "--skipApiVersionCheck", "--location", t.TempDir(), "--blobHost", "127.0.0.1", "--blobPort", port,
		"--queuePort", freePort(t), "--tablePort", freePort(t))
	waitFor(t, "127.0.0.1:"+port)
	n := m.size(2000, 100)
	ask := map[string]any{
		"account_url": "http://127.0.0.1:" + port + "/" + azuriteAccount + "/", "container": "bytes", "create": true,
		"credential": map[string]string{"account_name": azuriteAccount, "account_key": azuriteKey}, "source": tree(t, n, 4<<10), "dest": "LocalUpload/reference",
	}
	r := reference(t, py, "upload", ask)
	ws := overHTTP(t, localServer(t), &workspace.Options{ClientOptions: azcore.ClientOptions{}})
	_, err = ws.Datastores.Create(t.Context(), &assets.BlobStorage{Name: "azurite", Account: azuriteAccount, Container: "bytes", Endpoint: "127.0.0.1:" + port, Protocol: "http",
		Credentials: assets.Credentials{AccountKey: &assets.AccountKey{Key: azuriteKey}}}, nil)
	require.NoError(t, err)
	ours := best(3, func(int) float64 { return uploadTree(t, ws, tree(t, n, 4<<10), "azurite", n) })
	m.found(t, ratio{what: fmt.Sprintf("upload %d files of 4 KiB to Azurite", n), unit: "s", ours: ours, other: r.Seconds, than: "azure-ai-ml", faster: 3})
}

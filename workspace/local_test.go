package workspace_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

func both(t *testing.T, test func(t *testing.T, ws *workspace.Client)) {
	for _, way := range []string{"in process", "over the port"} {
		t.Run(way, func(t *testing.T) {
			w, err := local.Start(t.Context(), nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, w.Close()) }()
			ws := w.Client
			if way == "over the port" {
				url, err := w.URL()
				require.NoError(t, err)
				transport := &http.Client{Transport: &http.Transport{}}
				defer transport.CloseIdleConnections()
				ws, err = workspace.New(w.ID(), w.Credential(), &workspace.Options{Endpoint: url, ClientOptions: azcore.ClientOptions{Transport: transport}})
				require.NoError(t, err)
			}
			test(t, ws)
		})
	}
}

func TestWorkspaces(t *testing.T) {
	both(t, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		w, err := ws.Workspaces.Get(ctx, "")
		require.NoError(t, err)
		require.Equal(t, ws.ID().Name, w.Name)
		require.Equal(t, ws.ID().ResourceGroup, w.ResourceGroup)
		require.NotEmpty(t, w.Location)
		require.NotEmpty(t, w.GUID)
		require.NotEmpty(t, w.DiscoveryURL)
		require.NotEmpty(t, w.StorageAccount)
		uri, err := ws.TrackingURI(ctx)
		require.NoError(t, err)
		require.Equal(t, w.TrackingURI, uri)
		services, err := ws.Services(ctx)
		require.NoError(t, err)
		require.NotEmpty(t, services["api"])

		_, err = ws.Workspaces.Get(ctx, "nobody")
		require.ErrorIs(t, err, azureml.ErrNotFound)
		for _, o := range []*workspace.AllOptions{nil, {Subscription: true}, {Kinds: []workspace.Kind{workspace.Default}}} {
			n := 0
			for w, err := range ws.Workspaces.All(ctx, o) {
				require.NoError(t, err)
				require.NotEmpty(t, w.Name)
				n++
			}
			require.Equal(t, 1, n)
		}

		keys, err := ws.Workspaces.Keys(ctx, "")
		require.NoError(t, err)
		require.NotEmpty(t, keys.StorageKey)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", keys, *keys, keys), keys.StorageKey)
		key, err := ws.Workspaces.StorageKey(ctx, "")
		require.NoError(t, err)
		require.Equal(t, keys.StorageKey, key)
		p, err := ws.Workspaces.BeginResyncKeys(ctx, "", nil)
		require.NoError(t, err)
		_, err = p.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		d, err := ws.Workspaces.BeginDiagnose(ctx, "", nil)
		require.NoError(t, err)
		found, err := d.PollUntilDone(ctx, nil)
		require.NoError(t, err)
		for about, f := range found.All() {
			require.NotEqual(t, "Error", f.Level, "%s: %s", about, f.Message)
		}
		_, err = ws.Workspaces.Dependencies(ctx, "")
		require.NoError(t, err)
		for _, err := range ws.Workspaces.PrivateLinkResources(ctx, "") {
			require.NoError(t, err)
		}
		for _, err := range ws.Workspaces.PrivateEndpointConnections(ctx, "") {
			require.NoError(t, err)
		}
		for _, err := range ws.Workspaces.Features(ctx, "") {
			require.NoError(t, err)
		}
		_, err = ws.Workspaces.NotebookKeys(ctx, "")
		require.True(t, azureml.HasCode(err, "NotebooksNotSupported"), "%v", err)
		_, err = ws.Workspaces.NotebookToken(ctx, "")
		require.ErrorContains(t, err, "A local workspace has no notebook service")
	})
}

// The tracking client finds the workspace's regional host when it is first used.
func TestTracking(t *testing.T) {
	both(t, func(t *testing.T, ws *workspace.Client) {
		e, err := ws.Tracking.Experiments.Get(t.Context(), "0")
		require.NoError(t, err)
		require.Equal(t, "Default", e.Name)
	})
}

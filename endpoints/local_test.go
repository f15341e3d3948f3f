package endpoints_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/endpoints"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// both runs a test in process and over the port.
func both(t *testing.T, o *local.Options, test func(t *testing.T, ws *workspace.Client)) {
	for _, way := range []string{"in process", "over the port"} {
		t.Run(way, func(t *testing.T) {
			w, err := local.Start(t.Context(), o)
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

func done[T any](t *testing.T, p *runtime.Poller[T], err error) T {
	t.Helper()
	require.NoError(t, err)
	v, err := p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	return v
}

const testImage = "test/server:1"

// blue is a deployment whose server is this test program: see TestMain.
func deployment(endpoint, name, model string) *endpoints.OnlineDeployment {
	route := func(p string) *assets.Route { return &assets.Route{Path: p, Port: 5001} }
	return &endpoints.OnlineDeployment{
		Name: name, Endpoint: endpoint, InstanceType: "Standard_DS3_v2", InstanceCount: 1,
		Model: &assets.Model{Name: "weights", Version: "1", Path: model},
		Environment: &assets.Environment{
			Image: testImage, InferenceConfig: &assets.InferenceConfig{Liveness: route("/live"), Readiness: route("/live"), Scoring: route("/score")},
		},
		Variables: map[string]string{"ENDPOINTS_TEST_SERVER": name},
		Readiness: &endpoints.Probe{InitialDelay: time.Second, Period: time.Second},
	}
}

func TestOnlineFromBeginningToEnd(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	model := filepath.Join(t.TempDir(), "weights.txt")
	require.NoError(t, os.WriteFile(model, []byte("seven"), 0o600))
	both(t, &local.Options{Images: map[string][]string{testImage: {exe}}}, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Online.BeginCreate(ctx, &endpoints.OnlineEndpoint{Name: "iris", Description: "d", Tags: map[string]*string{"a": new("b")}}, nil)
		e := done(t, p, err)
		require.Equal(t, "Succeeded", e.ProvisioningState)
		require.Equal(t, endpoints.Key, e.AuthMode)
		require.NotEmpty(t, e.ScoringURI)

		_, err = ws.Online.BeginCreateDeployment(ctx, deployment("nowhere", "blue", model), nil)
		require.ErrorIs(t, err, azureml.ErrNotFound, "the endpoint is looked for before anything is uploaded")

		pd, err := ws.Online.BeginCreateDeployment(ctx, deployment("iris", "blue", model), nil)
		d := done(t, pd, err)
		require.Equal(t, "Succeeded", d.ProvisioningState)
		require.Equal(t, "iris", d.Endpoint)
		require.Equal(t, 1, d.InstanceCount)
		pd, err = ws.Online.BeginCreateDeployment(ctx, deployment("iris", "green", "azureml:weights:1"), nil)
		if err == nil {
			_, err = pd.PollUntilDone(ctx, nil)
		}
		require.Error(t, err, "a reference is no path of a model")
		green := deployment("iris", "green", "")
		green.Model = azureml.Ref("azureml:weights:1")
		pd, err = ws.Online.BeginCreateDeployment(ctx, green, nil)
		done(t, pd, err)

		_, err = ws.Online.BeginUpdateTraffic(ctx, "iris", endpoints.Traffic{"blue": 50}, nil)
		require.ErrorContains(t, err, "traffic: makes 50")
		pt, err := ws.Online.BeginUpdateTraffic(ctx, "iris", endpoints.Traffic{"blue": 100, "green": 0}, nil)
		e = done(t, pt, err)
		require.Equal(t, endpoints.Traffic{"blue": 100}, e.Traffic)
		require.Equal(t, "b", *e.Tags["a"], "nothing else is changed")

		broken := deployment("iris", "red", "")
		broken.Model, broken.Variables = nil, map[string]string{"ENDPOINTS_TEST_SERVER": "broken"}
		pd, err = ws.Online.BeginCreateDeployment(ctx, broken, nil)
		require.NoError(t, err)
		_, err = pd.PollUntilDone(ctx, nil)
		var de *endpoints.DeploymentError
		require.ErrorAs(t, err, &de)
		require.Contains(t, de.Log, "broken beyond repair")
		require.ErrorContains(t, err, `online deployments: create "iris/red": `)
		var re *azcore.ResponseError
		require.ErrorAs(t, err, &re)
		pr, err := ws.Online.BeginDeleteDeployment(ctx, "iris", "red", nil)
		done(t, pr, err)

		scorer := ws.Online.Scorer("iris", nil)
		a, err := scorer.Score(ctx, map[string]any{"x": 1}, nil)
		require.NoError(t, err)
		require.JSONEq(t, `{"by":"blue","asked":{"x":1},"model":"seven"}`, string(a.Body))
		require.Equal(t, "blue", a.Deployment)
		a, err = scorer.Score(ctx, []byte(`{"x":2}`), &endpoints.ScoreOptions{Deployment: "green"})
		require.NoError(t, err)
		require.JSONEq(t, `{"by":"green","asked":{"x":2},"model":"seven"}`, string(a.Body))
		_, err = scorer.Score(ctx, []byte(`{"x":2}`), &endpoints.ScoreOptions{Deployment: "red"})
		var se *endpoints.ScoreError
		require.ErrorAs(t, err, &se)
		require.Equal(t, http.StatusNotFound, se.Status)
		_, err = scorer.Score(ctx, []byte(`"fail"`), nil)
		require.ErrorAs(t, err, &se)
		require.Equal(t, http.StatusInternalServerError, max(se.ModelStatus, se.Status), "%v", err)

		keys, err := ws.Online.Keys(ctx, "iris")
		require.NoError(t, err)
		pk, err := ws.Online.BeginRegenerateKey(ctx, "iris", endpoints.PrimaryKey, nil)
		done(t, pk, err)
		after, err := ws.Online.Keys(ctx, "iris")
		require.NoError(t, err)
		require.NotEqual(t, keys.Primary, after.Primary)
		require.Equal(t, keys.Secondary, after.Secondary)
		_, err = ws.Online.Scorer("iris", &endpoints.ScorerOptions{Key: keys.Primary}).Score(ctx, []byte(`1`), nil)
		require.ErrorIs(t, err, azureml.ErrUnauthorized, "the old key is refused")
		_, err = scorer.Score(ctx, []byte(`1`), nil)
		require.NoError(t, err, "a scorer finds the new one")

		logs, err := ws.Online.Logs(ctx, "iris", "blue", &endpoints.LogsOptions{Lines: 100})
		require.NoError(t, err)
		require.Contains(t, logs, "blue serves")

		var names []string
		for d, err := range ws.Online.Deployments(ctx, "iris") {
			require.NoError(t, err)
			names = append(names, d.Name)
		}
		require.ElementsMatch(t, []string{"blue", "green"}, names)
		ps, err := ws.Online.BeginScaleDeployment(ctx, "iris", "green", 2, nil)
		done(t, ps, err)
		d, err = ws.Online.GetDeployment(ctx, "iris", "green")
		require.NoError(t, err)
		require.Equal(t, 2, d.InstanceCount)

		pr, err = ws.Online.BeginDeleteDeployment(ctx, "iris", "green", nil)
		done(t, pr, err)
		_, err = ws.Online.GetDeployment(ctx, "iris", "green")
		require.ErrorIs(t, err, azureml.ErrNotFound)
		pr, err = ws.Online.BeginDelete(ctx, "iris", nil)
		done(t, pr, err)
		_, err = ws.Online.Get(ctx, "iris")
		require.ErrorIs(t, err, azureml.ErrNotFound)
	})
}

func TestOnlineTokens(t *testing.T) {
	both(t, nil, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Online.BeginCreate(ctx, &endpoints.OnlineEndpoint{Name: "tok", AuthMode: endpoints.AMLToken}, nil)
		done(t, p, err)
		token, err := ws.Online.Token(ctx, "tok")
		require.NoError(t, err)
		require.NotEmpty(t, token.AccessToken)
		require.True(t, token.Expires.After(time.Now()))
		require.NotContains(t, token.String(), token.AccessToken)
		n := 0
		for e, err := range ws.Online.All(ctx, nil) {
			require.NoError(t, err)
			require.Equal(t, "tok", e.Name)
			n++
		}
		require.Equal(t, 1, n)
	})
}

func TestBatchServerlessMarketplace(t *testing.T) {
	both(t, nil, func(t *testing.T, ws *workspace.Client) {
		ctx := t.Context()
		p, err := ws.Batch.BeginCreate(ctx, &endpoints.BatchEndpoint{Name: "bat"}, nil)
		e := done(t, p, err)
		require.NotEmpty(t, e.ScoringURI)
		require.Equal(t, endpoints.BatchAADToken, e.AuthMode)
		for e, err := range ws.Batch.All(ctx) {
			require.NoError(t, err)
			require.Equal(t, "bat", e.Name)
		}
		for j, err := range ws.Batch.Jobs(ctx, "bat") {
			require.NoError(t, err)
			t.Fatal("no job was asked for: ", j)
		}
		pd, err := ws.Batch.BeginDelete(ctx, "bat", nil)
		done(t, pd, err)
		_, err = ws.Batch.Get(ctx, "bat")
		require.ErrorIs(t, err, azureml.ErrNotFound)

		ps, err := ws.Serverless.BeginCreate(ctx, &endpoints.ServerlessEndpoint{Name: "sls", ModelID: "azureml://registries/azureml-meta/models/Llama"}, nil)
		s := done(t, ps, err)
		require.Equal(t, "azureml://registries/azureml-meta/models/Llama", s.ModelID)
		k, err := ws.Serverless.Keys(ctx, "sls")
		require.NoError(t, err)
		require.NotEmpty(t, k.Primary)
		pd, err = ws.Serverless.BeginDelete(ctx, "sls", nil)
		done(t, pd, err)

		pm, err := ws.Marketplace.BeginCreate(ctx, &endpoints.MarketplaceSubscription{Name: "sub", ModelID: "azureml://registries/azureml-meta/models/Llama"}, nil)
		done(t, pm, err)
		m, err := ws.Marketplace.Get(ctx, "sub")
		require.NoError(t, err)
		require.Equal(t, "azureml://registries/azureml-meta/models/Llama", m.ModelID)
	})
}

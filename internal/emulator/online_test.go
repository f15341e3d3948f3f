package emulator

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// scoringServer is what the test binary is when a deployment of a test starts it.
func scoringServer() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /score", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if os.Getenv("WHO") == "collects" {
			if err := collect("model_inputs", string(b), r.Header.Get("X-Request-Id")); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		fmt.Fprintf(w, "%s:%s", os.Getenv("WHO"), b)
	})
	go func() { <-ctx.Done(); os.Exit(0) }()
	http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux) //nolint:errcheck // the test sees that it is gone
}

func deployment(who string) map[string]any {
	return map[string]any{"location": "eastus", "sku": map[string]any{"name": "Default", "capacity": 1}, "properties": map[string]any{
		"endpointComputeType": "Managed", "environmentId": DefaultScope.AssetID("environments", "ready", "1"),
		"environmentVariables": map[string]any{"EMULATOR_TEST_SERVER": "1", "WHO": who},
	}}
}

// settled waits until a resource's operation has ended.
func (c *client) settled(path string) document {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		d := c.do("GET", path, nil).want(200).doc()
		switch d.text("properties", "provisioningState") {
		case "Succeeded", "Failed":
			return d
		}
		require.True(c.t, time.Now().Before(end), "it takes too long")
	}
}

func TestOnlineEndpoint(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	o := Options{Dir: dir, Images: map[string][]string{"test/server:1": {exe}}}
	s := open(t, o)
	c := outside(t, s)
	c.do("PUT", at("environments", "ready", "versions", "1"), map[string]any{"properties": map[string]any{"image": "test/server:1"}}).want(201)
	ep := at("onlineEndpoints", "Ep1")
	e := map[string]any{"location": "eastus", "properties": map[string]any{"authMode": "Key"}}
	d := c.do("PUT", ep, e).want(201).doc()
	require.Equal(t, c.base+"/endpoints/ep1/score", d.text("properties", "scoringUri"))
	blue := at("onlineEndpoints", "Ep1", "deployments", "blue")
	_, err = c.poll("PUT", blue, deployment("blue"), nil)
	require.NoError(t, err)
	_, err = c.poll("PUT", at("onlineEndpoints", "Ep1", "deployments", "green"), deployment("green"), nil)
	require.NoError(t, err)
	traffic := func(m map[string]any) *reply {
		return c.do("PUT", ep, map[string]any{"location": "eastus", "properties": map[string]any{"authMode": "Key", "traffic": m}})
	}
	traffic(map[string]any{"blue": 50}).want(400)
	traffic(map[string]any{"blue": 50, "red": 50}).want(400)
	traffic(map[string]any{"blue": 100.5}).want(400)
	traffic(map[string]any{"Blue": 100}).want(200)
	require.Equal(t, map[string]any{"blue": "100"}, texts(c.do("GET", ep, nil).doc().object("properties", "traffic")))
	c.do("PUT", ep, map[string]any{"location": "eastus", "properties": map[string]any{"authMode": "AMLToken"}}).want(400)

	keys := c.do("POST", DefaultScope.Child("onlineEndpoints", "Ep1", "listKeys")+version, nil).want(200).doc()
	score := func(c *client, key, to string) (int, string) {
		x := *c
		x.token = key
		r := x.with("azureml-model-deployment", to).do("POST", "/endpoints/ep1/score", "1")
		return r.status, string(r.body)
	}
	status, body := score(c, keys.text("primaryKey"), "")
	require.Equal(t, 200, status, body)
	require.Equal(t, "blue:1", body)
	_, body = score(c, keys.text("secondaryKey"), "green")
	require.Equal(t, "green:1", body)
	status, _ = score(c, "wrong", "")
	require.Equal(t, 401, status)
	status, _ = score(c, s.Token(), "")
	require.Equal(t, 401, status, "the workspace's token is no key")
	in := inside(t, s)
	in.token = keys.text("primaryKey")
	r := in.do("POST", "https://ep1."+arm.InferenceHost+"/score", "2").want(200)
	require.Equal(t, "blue:2", string(r.body))
	in.do("POST", "https://none."+arm.InferenceHost+"/score", "2").want(404)

	_, err = c.poll("POST", DefaultScope.Child("onlineEndpoints", "Ep1", "regenerateKeys")+version, map[string]any{"keyType": "Primary"}, nil)
	require.NoError(t, err)
	status, _ = score(c, keys.text("primaryKey"), "")
	require.Equal(t, 401, status, "the old key")
	keys = c.do("POST", DefaultScope.Child("onlineEndpoints", "Ep1", "listKeys")+version, nil).want(200).doc()
	status, _ = score(c, keys.text("primaryKey"), "")
	require.Equal(t, 200, status)
	c.do("POST", DefaultScope.Child("onlineEndpoints", "Ep1", "token")+version, nil).want(400)

	require.Contains(t, c.do("POST", DefaultScope.Child("onlineEndpoints", "Ep1", "deployments", "blue", "getLogs")+version, map[string]any{"containerType": "InferenceServer", "tail": 10}).want(200).doc(), "content")
	c.do("DELETE", blue, nil).want(400)
	c.do("PUT", arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "other"}.ID()+version, map[string]any{"location": "eastus"}).want(200)
	c.do("PUT", arm.Scope{Subscription: "s", ResourceGroup: "g", Workspace: "other"}.Child("onlineEndpoints", "EP1")+version, e).want(409)

	// The endpoint serves again when its folder is opened again.
	require.NoError(t, s.Close())
	s = open(t, o)
	c = outside(t, s)
	require.Eventually(t, func() bool {
		status, body := score(c, keys.text("primaryKey"), "")
		return status == 200 && body == "blue:1"
	}, 20*time.Second, 20*time.Millisecond)

	_, err = c.poll("DELETE", ep, nil, nil)
	require.NoError(t, err)
	c.do("GET", blue, nil).want(404)
	status, _ = score(c, keys.text("primaryKey"), "")
	require.Equal(t, 404, status)
}

func texts(m map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		out[k] = fmt.Sprint(v)
	}
	return out
}

func TestADeploymentThatFails(t *testing.T) {
	s := open(t, Options{Images: map[string][]string{"test/server:1": {"/nowhere/at/all"}}})
	c := inside(t, s)
	c.do("PUT", at("environments", "ready", "versions", "1"), map[string]any{"properties": map[string]any{"image": "test/server:1"}}).want(201)
	c.do("PUT", at("onlineEndpoints", "ep1"), map[string]any{"location": "eastus", "properties": map[string]any{"authMode": "AMLToken"}}).want(201)
	_, err := c.poll("PUT", at("onlineEndpoints", "ep1", "deployments", "blue"), deployment("blue"), nil)
	require.Error(t, err)
	require.Equal(t, "Failed", c.settled(at("onlineEndpoints", "ep1", "deployments", "blue")).text("properties", "provisioningState"))

	token := c.do("POST", DefaultScope.Child("onlineEndpoints", "ep1", "token")+version, nil).want(200).doc().text("accessToken")
	e, err := s.scoring(t.Context(), DefaultScope, "ep1")
	require.NoError(t, err)
	require.True(t, e.Authorize(token))
	require.False(t, e.Authorize(strings.Replace(token, ".", "1.", 1)))
	require.False(t, e.Authorize(""))
	k, err := s.keysOf(t.Context(), DefaultScope.Child("onlineEndpoints", "ep1"))
	require.NoError(t, err)
	require.False(t, e.Authorize(k.PrimaryKey))
	require.False(t, goodToken(k.PrimaryKey, token, time.Now().Add(tokenTime+time.Minute)))
}

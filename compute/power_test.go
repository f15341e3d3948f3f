package compute

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/rest"
)

type answering func(*http.Request) *http.Response

func (f answering) Do(r *http.Request) (*http.Response, error) { return f(r), nil }

// An instance that still works when it is told to stop has not stopped.
func TestStopOfAnInstanceThatWorks(t *testing.T) {
	states, looks := []string{"JobRunning", "Stopping", "Stopped"}, 0
	transport := answering(func(r *http.Request) *http.Response {
		rec := httptest.NewRecorder()
		if r.Method == http.MethodPost {
			rec.WriteHeader(http.StatusAccepted)
		} else {
			rec.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(rec).Encode(map[string]any{"properties": map[string]any{"properties": map[string]any{"state": states[min(looks, 2)]}}})
			looks++
		}
		resp := rec.Result()
		resp.Request = r
		return resp
	})
	c, err := rest.New(rest.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, rest.StaticToken("t"), &rest.Options{ClientOptions: azcore.ClientOptions{Transport: transport}, PollInterval: 1})
	require.NoError(t, err)
	p, err := NewClient(c).BeginStop(t.Context(), "mine", nil)
	require.NoError(t, err)
	_, err = p.PollUntilDone(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 3, looks)
}

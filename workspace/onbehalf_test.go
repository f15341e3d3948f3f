package workspace

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"
)

func TestOnBehalfOf(t *testing.T) {
	_, err := NewOnBehalfOfCredential(nil)
	require.ErrorIs(t, err, ErrNoUserIdentity)
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls++
		fmt.Fprintf(w, `{"access_token":"%s-%d","expires_in":"3600"}`, r.URL.Query().Get("resource"), calls)
	}))
	defer srv.Close()
	t.Setenv("OBO_ENDPOINT", srv.URL+"/token?api-version=1")
	now := time.Unix(1_000_000, 0)
	c, err := NewOnBehalfOfCredential(&OnBehalfOfOptions{Clock: func() time.Time { return now }})
	require.NoError(t, err)
	get := func() string {
		tok, err := c.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://storage.azure.com/.default"}})
		require.NoError(t, err)
		return tok.Token
	}
	require.Equal(t, "https://storage.azure.com-1", get())
	require.Equal(t, "https://storage.azure.com-1", get(), "kept")
	now = now.Add(56 * time.Minute)
	require.Equal(t, "https://storage.azure.com-2", get(), "asked for anew before its end")
	_, err = c.GetToken(t.Context(), policy.TokenRequestOptions{})
	require.ErrorContains(t, err, "want one scope")
	t.Setenv("OBO_ENDPOINT", "ftp://x")
	_, err = NewOnBehalfOfCredential(nil)
	require.ErrorContains(t, err, "no http address")
}

func TestTokenAnswers(t *testing.T) {
	asked := time.Unix(100, 0)
	for in, end := range map[string]int64{
		`{"access_token":"x","expires_on":200}`:                       200,
		`{"token":"x","expires_in":50}`:                               150,
		`{"token":"x","expiresOn":"1970-01-01T00:05:00Z"}`:            300,
		`{"access_token":"x","expires_on":"200","expires_in":"9999"}`: 200,
	} {
		tok, err := tokenOf([]byte(in), asked)
		require.NoError(t, err, in)
		require.Equal(t, end, tok.ExpiresOn.Unix())
	}
	for _, in := range []string{"", "{}", `{"token":"secret"}`, `{"expires_in":5}`, `{"token":"secret","expiresOn":"soon"}`} {
		_, err := tokenOf([]byte(in), asked)
		require.Error(t, err, in)
		require.NotContains(t, err.Error(), "secret")
	}
}

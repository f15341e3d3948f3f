package emulator

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
)

func TestFaultsOfStorage(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *Server) *client{"in process": inside, "over the port": outside} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, Options{Faults: []Fault{{Method: "PUT", Query: "comp=block&", Do: "507"}}})
			c := make(t, s)
			account, container := s.Scope().Account(), s.Scope().BlobContainer()
			sas, err := s.blobs.SAS(account, container, "", blob.SASOptions{Permissions: "racwdl"})
			require.NoError(t, err)
			send := func(method, name, query, fault string, body []byte) (*http.Response, string, error) {
				url := "https://" + account + ".blob.core.windows.net/" + container + "/" + name + "?" + query + sas
				if c.base != "" {
					url = c.base + "/" + account + "/" + container + "/" + name + "?" + query + sas
				}
				r, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
				require.NoError(t, err)
				r.Header.Set("x-ms-blob-type", "BlockBlob")
				if fault != "" {
					r.Header.Set(FaultHeader, fault)
				}
				res, err := c.send(r)
				if err != nil {
					return nil, "", err
				}
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				return res, string(b), err
			}
			small, large := bytes.Repeat([]byte("a"), 1<<10), bytes.Repeat([]byte("b"), 1<<20)
			for fault, want := range map[string]struct {
				status int
				code   string
			}{
				"503": {503, "ServerBusy"}, "500": {500, "InternalError"}, "429,retry-after=1500ms": {429, "TooManyRequests"},
				"expired-sas": {403, "AuthenticationFailed"}, "disk-full": {507, "InsufficientStorage"},
			} {
				for _, body := range [][]byte{small, large} {
					res, text, err := send("PUT", "refused", "", fault, body)
					require.NoError(t, err, fault)
					require.Equal(t, want.status, res.StatusCode, fault)
					require.Equal(t, want.code, res.Header.Get("x-ms-error-code"), fault)
					require.Contains(t, text, "<Code>"+want.code+"</Code>")
					if strings.HasPrefix(fault, "429") {
						require.Equal(t, "2", res.Header.Get("Retry-After"))
						require.Equal(t, "1500", res.Header.Get("retry-after-ms"))
					}
				}
			}
			for _, fault := range []string{"truncate-request", "truncate-request=10", "reset-before"} {
				for _, body := range [][]byte{small, large} {
					_, _, err := send("PUT", "refused", "", fault, body)
					require.Error(t, err, fault)
				}
			}
			res, _, err := send("HEAD", "refused", "", "", nil)
			require.NoError(t, err)
			require.Equal(t, 404, res.StatusCode, "nothing of a refused request is kept")
			begin := time.Now()
			res, _, err = send("PUT", "kept", "", "latency=30ms", small)
			require.NoError(t, err)
			require.Equal(t, 201, res.StatusCode)
			require.GreaterOrEqual(t, time.Since(begin), 30*time.Millisecond)
			_, _, err = send("PUT", "lost-answer", "", "reset-after", large)
			require.Error(t, err)
			res, _, err = send("HEAD", "lost-answer", "", "", nil)
			require.NoError(t, err)
			require.Equal(t, int64(len(large)), res.ContentLength)
			res, _, err = send("PUT", "blocks", "comp=block&blockid=YWE%3D&", "", small)
			require.NoError(t, err)
			require.Equal(t, 507, res.StatusCode, "by the query")
		})
	}
}

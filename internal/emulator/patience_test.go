package emulator

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSlowBodiesAreGivenUp(t *testing.T) {
	t.Parallel()
	got := make(chan error, 2)
	waited := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r = impatient(w, r, 200*time.Millisecond); r.URL.Path {
		case "/refuse":
			w.WriteHeader(http.StatusUnauthorized) // and the server reads on
		case "/read":
			_, err := io.ReadAll(r.Body)
			got <- err
		case "/long":
			_, err := io.Copy(io.Discard, r.Body)
			got <- err
			select { // what takes long after the body was read is not given up
			case <-r.Context().Done():
			case <-time.After(time.Second):
				close(waited)
			}
		}
	}))
	defer s.Close()
	send := func(path, body string) (net.Conn, *bufio.Reader) {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
		require.NoError(t, err)
		t.Cleanup(func() { _ = c.Close() })
		require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
		_, err = io.WriteString(c, "PUT "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"+body)
		require.NoError(t, err)
		return c, bufio.NewReader(c)
	}
	_, r := send("/refuse", "a")
	_, err := io.Copy(io.Discard, r)
	require.NoError(t, err, "the connection ends")

	send("/read", "a")
	require.ErrorContains(t, <-got, "timeout")

	c, r := send("/long", "a")
	for _, rest := range []string{"b", "c", "d"} {
		time.Sleep(100 * time.Millisecond)
		_, err := io.WriteString(c, rest)
		require.NoError(t, err)
	}
	// On a machine that is busy for longer than the patience the body is given up, which is not what this is about.
	if err := <-got; err == nil {
		<-waited
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, line, "200 OK")
	}
}

package emulator

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFaultsByHeader(t *testing.T) {
	for name, make := range map[string]func(*testing.T, *Server) *client{"in process": inside, "over the port": outside} {
		t.Run(name, func(t *testing.T) {
			s := open(t, Options{})
			c := make(t, s)
			w := DefaultScope.ID() + version

			r := c.with(FaultHeader, "429").do("GET", w, nil).want(429)
			require.Empty(t, r.header.Get("Retry-After"))
			require.Equal(t, "TooManyRequests", r.code())
			r = c.with(FaultHeader, "429,retry-after=2s").do("GET", w, nil).want(429)
			require.Equal(t, "2", r.header.Get("Retry-After"))
			require.Equal(t, "2000", r.header.Get("retry-after-ms"))
			c.with(FaultHeader, "503").do("GET", w, nil).want(503)
			require.Equal(t, "ExpiredAuthenticationToken", c.with(FaultHeader, "expired-token").do("GET", w, nil).want(401).code())

			one := at("data", "before", "versions", "1")
			_, err := c.send(c.with(FaultHeader, "reset-before").request("PUT", one, dataset("https://example.com/x")))
			require.Error(t, err)
			c.do("GET", one, nil).want(404)
			two := at("data", "after", "versions", "1")
			_, err = c.send(c.with(FaultHeader, "reset-after").request("PUT", two, dataset("https://example.com/x")))
			require.Error(t, err)
			c.do("GET", two, nil).want(200)

			for _, f := range []string{"truncate", "truncate=7"} {
				res, err := c.send(c.with(FaultHeader, f).request("GET", w, nil))
				require.NoError(t, err)
				b, err := io.ReadAll(res.Body)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.NotEmpty(t, b)
				require.NoError(t, res.Body.Close())
			}
			begin := time.Now()
			c.with(FaultHeader, "slow=5ms").do("GET", w, nil).want(200)
			require.GreaterOrEqual(t, time.Since(begin), 40*time.Millisecond)

			bounded := c.with(FaultHeader, "500;times=2").with("x-ms-client-request-id", "one")
			bounded.do("GET", w, nil).want(500)
			bounded.do("GET", w, nil).want(500)
			bounded.do("GET", w, nil).want(200)
			bounded.with("x-ms-client-request-id", "two").do("GET", w, nil).want(500)
			for _, bad := range []string{"tea", "200", "slow", "truncate=x", "429,after=1s", "500;times=x"} {
				c.with(FaultHeader, bad).do("GET", w, nil).want(400)
			}
		})
	}
}

func TestFaultsByOptions(t *testing.T) {
	s := open(t, Options{Faults: []Fault{
		{Method: "PUT", Path: "*/DATA/*", Skip: 1, Times: 2, Do: "503,retry-after=1s"},
		{Path: "*/environments", Do: "500"},
	}})
	c := inside(t, s)
	one := at("data", "d", "versions", "1")
	c.do("PUT", one, dataset("https://example.com/x")).want(201)
	c.do("PUT", one, dataset("https://example.com/x")).want(503)
	c.do("GET", one, nil).want(200)
	c.do("PUT", one, dataset("https://example.com/x")).want(503)
	c.do("PUT", one, dataset("https://example.com/x")).want(200)
	c.do("GET", at("environments"), nil).want(500)
	_, err := Open(t.Context(), Options{Dir: t.TempDir(), Faults: []Fault{{Do: "x"}}})
	require.ErrorContains(t, err, "Options.Faults[0]")
}

func TestMatchPath(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"", "/x", true}, {"/x", "/x", true}, {"/x", "/xy", false}, {"/X", "/x", true}, {"*", "/x/y", true}, {"*/y", "/x/y", true}, {"*/y", "/x/y/z", false},
		{"*/y/*", "/x/y/z", true}, {"/a*b*c", "/abc", true}, {"/a*b*c", "/acb", false}, {"/a*a", "/a", false},
	} {
		require.Equal(t, c.want, matchPath(c.pattern, c.path), "%s %s", c.pattern, c.path)
	}
}

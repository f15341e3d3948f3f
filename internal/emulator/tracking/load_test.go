package tracking

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// line is one connection to a server, with nothing between it and the socket that
// costs time: the generator runs on the same processors as the service.
type line struct {
	net.Conn
	r *bufio.Reader
}

func dial(b *testing.B, addr string) *line {
	c, err := net.Dial("tcp", addr)
	require.NoError(b, err)
	return &line{c, bufio.NewReader(c)}
}

// send sends a request that is ready and reads the answer.
func (l *line) send(request []byte) error {
	if _, err := l.Write(request); err != nil {
		return err
	}
	r, err := http.ReadResponse(l.r, nil)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", r.Status, body)
	}
	return r.Body.Close()
}

// BenchmarkLoad drives the service through its socket, the generator included, with
// batches of 1000 values of four metrics that are durable (group commit) when they
// are answered: as many as it takes, then 50 a second, which is half of the 100,000
// values that are wanted, and how long the slowest of a hundred takes.
//
//	go test ./internal/emulator/tracking -run xxx -bench Load -benchtime 5s
func BenchmarkLoad(b *testing.B) {
	prepare := func(b *testing.B, lines int) (all []*line, requests [][]byte) {
		s := open(b, b.TempDir())
		srv := httptest.NewServer(s.Handler(ws, HandlerOptions{}))
		b.Cleanup(srv.Close)
		addr := srv.Listener.Addr().String()
		for _, body := range benchBodies(b, s, 16, 8) {
			var r bytes.Buffer
			fmt.Fprintf(&r, "POST /api/2.0/mlflow/runs/log-batch HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", addr, len(body), body)
			requests = append(requests, r.Bytes())
		}
		for range lines {
			l := dial(b, addr)
			b.Cleanup(func() { _ = l.Close() }) // the server may have closed it
			all = append(all, l)
		}
		return all, requests
	}
	b.Run("full", func(b *testing.B) {
		lines, requests := prepare(b, 8)
		var next atomic.Int64
		b.ResetTimer()
		var wg sync.WaitGroup
		for _, l := range lines {
			wg.Go(func() {
				for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
					if err := l.send(requests[i%len(requests)]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "values/s")
	})
	b.Run("half", func(b *testing.B) {
		lines, requests := prepare(b, 8)
		free := make(chan *line, len(lines))
		for _, l := range lines {
			free <- l
		}
		took := make([]time.Duration, b.N)
		tick := time.NewTicker(time.Second / 50)
		defer tick.Stop()
		b.ResetTimer()
		var wg sync.WaitGroup
		for i := range b.N {
			due := <-tick.C
			wg.Go(func() {
				l := <-free
				defer func() { free <- l }()
				if err := l.send(requests[i%len(requests)]); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(due)
			})
		}
		wg.Wait()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms/p50")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms/p99")
	})
}

package serving

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/process"
)

// grace is how long a server that is asked to end may take before it is killed.
const grace = 10 * time.Second

// instance is one server process that is started again when it ends by itself.
type instance struct {
	d     *deployment
	index int
	// own is the port that the server is given in PORT; fixed the one its
	// environment declares, for servers that read no variable. 0 is none.
	own, fixed int

	mu      sync.Mutex
	port    int // where it answers; 0 until it is ready
	proc    *process.Process
	stopped bool
	crashes int
	last    string // how it ended last
	ready   chan struct{}
	gone    chan struct{}
	once    sync.Once
}

// backoff between a server's end and its next start.
func backoff(crashes int) time.Duration {
	return min(time.Duration(100<<min(crashes, 10))*time.Millisecond, 30*time.Second)
}

// supervise keeps the server running until it is stopped.
func (in *instance) supervise() {
	defer close(in.gone)
	for {
		p, err := in.begin()
		if err != nil {
			in.note(fmt.Sprintf("could not be started: %v", err))
			in.d.log.line("server %d could not be started: %v", in.index, err)
		} else if p == nil {
			return
		} else {
			ctx, cancel := context.WithCancel(in.d.ctx)
			probing := make(chan struct{})
			go func() { defer close(probing); in.probe(ctx) }()
			st := p.Wait()
			cancel()
			<-probing
			in.mu.Lock()
			in.port = 0
			stopped := in.stopped
			in.mu.Unlock()
			if stopped {
				return
			}
			in.note(st.String())
			in.d.log.line("the server %d %s; it is started again", in.index, st)
		}
		in.mu.Lock()
		wait := backoff(in.crashes)
		in.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-in.d.ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (in *instance) note(how string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.crashes++
	in.last = how
}

// begin starts the process; nil without an error when it must not any more.
func (in *instance) begin() (*process.Process, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.stopped {
		return nil, nil
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	in.own = port
	p, err := in.d.spawn(in, port)
	if err != nil {
		return nil, err
	}
	in.proc = p
	return p, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// probe asks the readiness route until it answers, then stays until the
// server's end and notes when it stops answering.
func (in *instance) probe(ctx context.Context) {
	d := in.d
	every := 20 * time.Millisecond
	for {
		for _, port := range []int{in.own, in.fixed} {
			if port != 0 && in.answers(ctx, port) {
				in.mu.Lock()
				in.port = port
				in.crashes = 0
				in.mu.Unlock()
				in.once.Do(func() { close(in.ready) })
				d.log.line("server %d is ready", in.index)
				return
			}
		}
		t := time.NewTimer(every)
		every = min(every*3/2, 500*time.Millisecond)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

func (in *instance) answers(ctx context.Context, port int) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+strconv.Itoa(port)+in.d.plan.ready.Path, nil)
	if err != nil {
		return false
	}
	resp, err := in.d.host.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16)); err != nil {
		return false
	}
	return resp.StatusCode >= 200 && resp.StatusCode < 400
}

// stop ends the server for good.
func (in *instance) stop() {
	in.mu.Lock()
	in.stopped = true
	p := in.proc
	in.mu.Unlock()
	if p != nil {
		p.Terminate(grace)
	}
}

// address is where the instance answers, "" while it does not.
func (in *instance) address() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.port == 0 {
		return ""
	}
	return "http://127.0.0.1:" + strconv.Itoa(in.port)
}

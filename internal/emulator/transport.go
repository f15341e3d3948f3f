package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

type inProcessKey struct{}

// inProcess says whether a request came by Transport, whose hosts are Azure's.
func inProcess(ctx context.Context) bool { return ctx.Value(inProcessKey{}) != nil }

// Transport carries requests to a server in this process by the host that they name. It has the method of azcore's policy.Transporter and of http.RoundTripper, opens no
// port, and leaves no goroutine once an answer's body is read to its end or closed.
type Transport struct{ s *Server }

// Transport is the way in without a port.
func (s *Server) Transport() *Transport { return &Transport{s} }

// RoundTrip is Do.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) { return t.Do(req) }

// Do answers a request. A host that this server does not stand for is an error, as an unknown name is: *net.DNSError.
func (t *Transport) Do(req *http.Request) (*http.Response, error) {
	host := req.URL.Host
	inner := req.Clone(context.WithValue(req.Context(), inProcessKey{}, true))
	if t.s.listens(host) { // an address that was read over the port
		inner.Host = host
	} else if byHost(host, req.URL).plane == planeNone {
		closeBody(req)
		return nil, &net.OpError{Op: "dial", Net: "in-process", Err: &net.DNSError{Err: "no such host in a local workspace", Name: req.URL.Hostname(), IsNotFound: true}}
	}
	if inner.Host == "" {
		inner.Host = host
	}
	inner.Header = canonical(req.Header) // as a server that reads them finds them, however generated clients write them
	inner.RequestURI = req.URL.RequestURI()
	inner.RemoteAddr = "in-process"
	inner.Proto, inner.ProtoMajor, inner.ProtoMinor = "HTTP/1.1", 1, 1
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	if !t.s.begin() {
		closeBody(req)
		return nil, closedError{}
	}
	ctx, cancel := context.WithCancelCause(inner.Context())
	stop := context.AfterFunc(t.s.ctx, func() { cancel(context.Cause(t.s.ctx)) })
	inner = inner.WithContext(ctx)
	a := &answer{head: make(chan struct{}), done: make(chan struct{}), header: http.Header{}, bare: req.Method == http.MethodHead}
	a.room = sync.NewCond(&a.mu)
	go func() {
		defer t.s.end()
		defer stop()
		defer closeBody(req)
		defer func() { a.finish(recover(), ctx.Err()) }()
		t.s.Handler().ServeHTTP(a, inner)
	}()
	select {
	case <-a.head:
	case <-req.Context().Done():
		cancel(req.Context().Err())
		a.abandon()
		return nil, req.Context().Err()
	}
	if err := a.early(); err != nil {
		cancel(err)
		return nil, err
	}
	res := &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: canonical(a.sent), Request: req, ContentLength: -1, Body: &answerBody{a: a, cancel: cancel},
	}
	if n, err := strconv.ParseInt(a.sent.Get("Content-Length"), 10, 64); err == nil {
		res.ContentLength = n
	}
	if a.bare || a.status == http.StatusNoContent || a.status == http.StatusNotModified {
		_ = res.Body.Close() // waits for the handler; there is nothing to read
		res.Body = http.NoBody
	}
	return res, nil
}

// closedError answers requests to a workspace that was closed. It is no use to try again: only another one would answer.
type closedError struct{}

func (closedError) Error() string { return "the local workspace is closed" }

// Unwrap tells what a port would say.
func (closedError) Unwrap() error { return syscall.ECONNREFUSED }

// NonRetriable marks the error for retry policies.
func (closedError) NonRetriable() {}

// canonical spells header names as net/http reads them off a connection.
func canonical(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for k, v := range h {
		k = http.CanonicalHeaderKey(k)
		out[k] = append(out[k], v...)
	}
	return out
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // its owner learns of faults by reading
	}
}

// answer is the http.ResponseWriter of one exchange in process. A handler that is far ahead of its reader waits.
type answer struct {
	header http.Header
	bare   bool // HEAD: what is written is dropped

	head chan struct{} // closed when status and sent are there
	done chan struct{} // closed when the handler has returned

	mu      sync.Mutex
	room    *sync.Cond
	status  int
	sent    http.Header
	buffer  bytes.Buffer
	ended   bool  // no more will be written
	aborted error // the connection broke
	left    bool  // nobody reads any more
}

// ahead is how far a handler may be ahead of its reader, in bytes.
const ahead = 256 << 10

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if status >= 100 && status < 200 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(status)
}

func (a *answer) writeHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status, a.sent = status, a.header.Clone()
	close(a.head)
}

func (a *answer) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(http.StatusOK)
	if a.bare {
		return len(p), nil
	}
	for a.buffer.Len() >= ahead && !a.left {
		a.room.Wait()
	}
	if a.left {
		return 0, io.ErrClosedPipe
	}
	a.buffer.Write(p)
	a.room.Broadcast()
	return len(p), nil
}

// Flush does nothing: what is written can be read at once.
func (a *answer) Flush() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.writeHeader(http.StatusOK)
}

// finish ends the answer, as broken when the handler aborted (p) or was told to stop (stopped).
func (a *answer) finish(p any, stopped error) {
	a.mu.Lock()
	if p != nil {
		a.aborted = &net.OpError{Op: "read", Net: "in-process", Err: syscall.ECONNRESET}
		if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			a.aborted = fmt.Errorf("emulator: the handler panicked: %v", p)
		}
		if a.status == 0 {
			a.status = -1
			close(a.head)
		}
	} else {
		a.writeHeader(http.StatusOK)
		a.aborted = stopped
	}
	a.ended = true
	a.room.Broadcast()
	a.mu.Unlock()
	close(a.done)
}

// early is the fault of an answer that broke before its header.
func (a *answer) early() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.status == -1 {
		return a.aborted
	}
	return nil
}

func (a *answer) abandon() {
	a.mu.Lock()
	a.left = true
	a.room.Broadcast()
	a.mu.Unlock()
}

type answerBody struct {
	a      *answer
	cancel context.CancelCauseFunc
	read   int64
}

func (b *answerBody) Read(p []byte) (int, error) {
	b.a.mu.Lock()
	defer b.a.mu.Unlock()
	for b.a.buffer.Len() == 0 && !b.a.ended && !b.a.left {
		b.a.room.Wait()
	}
	if b.a.left {
		return 0, errors.New("emulator: read of a closed answer")
	}
	if b.a.buffer.Len() > 0 {
		n, err := b.a.buffer.Read(p)
		b.read += int64(n)
		b.a.room.Broadcast()
		return n, err
	}
	b.cancel(nil)
	switch err := b.a.aborted; {
	case err == nil:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0, err
	default:
		return 0, io.ErrUnexpectedEOF
	}
	if want, err := strconv.ParseInt(strings.TrimSpace(b.a.sent.Get("Content-Length")), 10, 64); err == nil && b.read < want && !b.a.bare {
		return 0, io.ErrUnexpectedEOF
	}
	return 0, io.EOF
}

// Close gives the rest up and waits until the handler has returned.
func (b *answerBody) Close() error {
	b.a.abandon()
	b.cancel(context.Canceled)
	<-b.a.done
	return nil
}

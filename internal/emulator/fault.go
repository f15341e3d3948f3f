package emulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// FaultHeader asks for a fault of one request: a fault's text as Fault.Do has it. Before it ";times=N" bounds it to the first N requests that carry the same text and the
// same x-ms-client-request-id, which clients keep over their retries.
const FaultHeader = "x-azureml-fault"

// Fault is something that goes wrong with requests.
type Fault struct {
	// Method it applies to. Defaults to all.
	Method string
	// Path is compared with the whole path as the planes read it, without regard to case; a star stands for any text: "*/jobs/*". Defaults to all.
	Path string
	// Query must be in the request's query as it was sent, such as "comp=blocklist". Defaults to all.
	Query string
	// Skip lets the first matching requests pass; Times is how many after them fail. Times 0: all.
	Skip, Times int
	// Do says what happens:
	//	STATUS[,retry-after=DURATION]   an answer of that status without the request being carried out: 429, 500, 503 …
	//	reset-before                    the connection breaks and nothing was done
	//	reset-after                     the request is carried out and the connection breaks before the answer
	//	truncate[=BYTES]                the body breaks off after so many bytes; defaults to half of it
	//	truncate-request[=BYTES]        so many bytes of the request's body arrive, then the connection breaks; defaults to half of it
	//	latency=DURATION                the request waits so long before it is carried out
	//	slow=DURATION                   the body comes in eight parts with this wait before each
	//	expired-token                   401, as for a token that has expired
	//	expired-sas                     403, as for a shared access signature that has expired
	//	disk-full                       what the request writes finds no space on the disk: 507
	//	operation=DURATION              a long-running operation that this request begins takes so long
	Do string
}

// fault is a Fault's Do, read.
type fault struct {
	status     int
	retryAfter time.Duration
	kind       string // "" for a status
	bytes      int    // of truncate and truncate-request; -1: half
	wait       time.Duration
}

func (f *Fault) check() error {
	_, err := parseFault(f.Do)
	return err
}

func parseFault(s string) (fault, error) {
	kind, rest, _ := strings.Cut(s, ",")
	kind, value, has := strings.Cut(strings.TrimSpace(kind), "=")
	f := fault{kind: kind}
	bad := func(err error) (fault, error) { return fault{}, fmt.Errorf("fault %q: %w", s, err) }
	switch kind {
	case "reset-before", "reset-after", "expired-token", "expired-sas", "disk-full":
	case "truncate", "truncate-request":
		f.bytes = -1
		if has {
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 {
				return bad(fmt.Errorf("%s takes a number of bytes", kind))
			}
			f.bytes = n
		}
	case "slow", "latency", "operation":
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return bad(errors.New("a duration is needed"))
		}
		f.wait = d
	default:
		n, err := strconv.Atoi(kind)
		if err != nil || n < 400 || n > 599 {
			return bad(errors.New("unknown; a status from 400 to 599, reset-before, reset-after, truncate, truncate-request, latency, slow, expired-token, expired-sas, disk-full or operation is known"))
		}
		f.kind, f.status = "", n
		if v, ok := strings.CutPrefix(strings.TrimSpace(rest), "retry-after="); ok {
			if f.retryAfter, err = time.ParseDuration(v); err != nil {
				return bad(err)
			}
		} else if rest != "" {
			return bad(errors.New("only retry-after may follow a status"))
		}
	}
	return f, nil
}

// faults counts what has been faulted.
type faults struct {
	list []Fault
	mu   sync.Mutex
	seen []int          // matching requests, by place in list
	told map[string]int // by header text and request id
}

func newFaults(list []Fault) *faults {
	return &faults{list: list, seen: make([]int, len(list)), told: map[string]int{}}
}

// of chooses the fault of a request, nil for none.
func (f *faults) of(r *http.Request, p string) (*fault, error) {
	if len(f.list) == 0 && r.Header.Get(FaultHeader) == "" {
		return nil, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if text := r.Header.Get(FaultHeader); text != "" {
		do, times, bounded := strings.Cut(text, ";times=")
		x, err := parseFault(do)
		if err != nil {
			return nil, arm.Invalid(FaultHeader, "%s", err)
		}
		if bounded {
			n, err := strconv.Atoi(strings.TrimSpace(times))
			if err != nil {
				return nil, arm.Invalid(FaultHeader, "times: %s", err)
			}
			key := text + "\x00" + r.Method + p + "\x00" + r.Header.Get("X-Ms-Client-Request-Id")
			if f.told[key]++; f.told[key] > n {
				return nil, nil
			}
		}
		return &x, nil
	}
	for i := range f.list {
		t := &f.list[i]
		if t.Method != "" && !strings.EqualFold(t.Method, r.Method) || !matchPath(t.Path, p) || !strings.Contains(r.URL.RawQuery, t.Query) {
			continue
		}
		if f.seen[i]++; f.seen[i] <= t.Skip || t.Times > 0 && f.seen[i] > t.Skip+t.Times {
			continue
		}
		x, err := parseFault(t.Do)
		if err != nil {
			return nil, err
		}
		return &x, nil
	}
	return nil, nil
}

// matchPath matches a whole path; a star stands for any text.
func matchPath(pattern, p string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(strings.ToLower(pattern), "*")
	p, ok := strings.CutPrefix(strings.ToLower(p), parts[0])
	if !ok || len(parts) == 1 {
		return ok && p == ""
	}
	last := parts[len(parts)-1]
	for _, x := range parts[1 : len(parts)-1] {
		i := strings.Index(p, x)
		if i < 0 {
			return false
		}
		p = p[i+len(x):]
	}
	return strings.HasSuffix(p, last)
}

type delayKey struct{}

// apply carries a request out as the fault has it.
func (f *fault) apply(w http.ResponseWriter, r *http.Request, pl plane, next http.Handler) {
	if pl == planeBlob && f.storage(w, r, next) {
		return
	}
	switch f.kind {
	case "":
		e := &arm.Error{Status: f.status, Code: http.StatusText(f.status), Message: "A fault was asked for.", RetryAfter: f.retryAfter}
		switch e.Code = strings.ReplaceAll(e.Code, " ", ""); f.status {
		case http.StatusTooManyRequests:
			e.Code = "TooManyRequests"
		case http.StatusServiceUnavailable:
			e.Code = "ServerBusy"
		}
		e.Write(w)
	case "expired-token", "expired-sas":
		arm.Unauthorized("ExpiredAuthenticationToken", "The access token expiry UTC time is earlier than the current time.").Write(w)
	case "reset-before":
		panic(http.ErrAbortHandler)
	case "reset-after":
		next.ServeHTTP(&lostWriter{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	case "truncate":
		t := &truncatedWriter{ResponseWriter: w, left: f.bytes}
		next.ServeHTTP(t, r)
		panic(http.ErrAbortHandler)
	case "truncate-request":
		f.cutRequest(r, next)
	case "latency":
		if f.pause(r.Context()) {
			next.ServeHTTP(w, r)
		}
	case "disk-full":
		(&arm.Error{Status: http.StatusInsufficientStorage, Code: "InsufficientStorage", Message: "There is no space left on the disk of the local workspace."}).Write(w)
	case "slow":
		next.ServeHTTP(&slowWriter{ResponseWriter: w, wait: f.wait, ctx: r.Context()}, r)
	case "operation":
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), delayKey{}, f.wait)))
	}
}

// lostWriter takes an answer that nobody will see.
type lostWriter struct{ header http.Header }

func (l *lostWriter) Header() http.Header         { return l.header }
func (l *lostWriter) WriteHeader(int)             {}
func (l *lostWriter) Write(p []byte) (int, error) { return len(p), nil }

// truncatedWriter promises the whole body and breaks off.
type truncatedWriter struct {
	http.ResponseWriter
	left int // bytes; -1 until the first write says how much half is
}

func (t *truncatedWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *truncatedWriter) Write(p []byte) (int, error) {
	if t.left < 0 {
		t.left = len(p) / 2
		if n, err := strconv.Atoi(t.Header().Get("Content-Length")); err == nil {
			t.left = n / 2
		}
	}
	n := min(t.left, len(p))
	t.left -= n
	if n > 0 {
		if _, err := t.ResponseWriter.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	if n < len(p) {
		// What was promised must be on its way before the connection breaks.
		_ = http.NewResponseController(t.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return len(p), nil
}

// slowWriter writes in parts, with a wait before each.
type slowWriter struct {
	http.ResponseWriter
	wait time.Duration
	ctx  context.Context
}

func (s *slowWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *slowWriter) Write(p []byte) (int, error) {
	const parts = 8
	done := 0
	for step := max((len(p)+parts-1)/parts, 1); done < len(p); {
		t := time.NewTimer(s.wait)
		select {
		case <-t.C:
		case <-s.ctx.Done():
			t.Stop()
			return done, s.ctx.Err()
		}
		n, err := s.ResponseWriter.Write(p[done:min(done+step, len(p))])
		if done += n; err != nil {
			return done, err
		}
		_ = http.NewResponseController(s.ResponseWriter).Flush() // what cannot be flushed comes with the next part
	}
	return done, nil
}

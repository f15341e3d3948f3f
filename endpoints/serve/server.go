package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// The routes and the port that Context writes into inference_config and that
// Run serves by default. They are those of Azure's own inference server, but
// for readiness, which is apart from liveness so that a server that still
// loads its model is not sent requests.
const (
	DefaultPort      = 5001
	DefaultScore     = "/score"
	DefaultLiveness  = "/"
	DefaultReadiness = "/ready"
)

// Options of Run. The zero value serves as Context declares it.
type Options struct {
	// Addr is the address to listen on, "host:port". Defaults to all
	// interfaces of the container, in a local workspace to loopback, and to
	// the port in the variable PORT, else to DefaultPort.
	Addr string
	// Score, Liveness and Readiness are the routes' paths. Default to
	// DefaultScore, DefaultLiveness and DefaultReadiness.
	Score, Liveness, Readiness string
	// MaxBody is the most bytes of a request. Defaults to 10 MiB, about
	// Azure's own limit; more is answered with 413.
	MaxBody int64
	// Timeout bounds one request: its context ends then, and JSON answers 503.
	// Defaults to one minute.
	Timeout time.Duration
	// Grace is how long requests under way may take when the server is asked
	// to stop. Defaults to 20 s.
	Grace time.Duration
	// Logger gets a line at start and stop and for each scoring request.
	// Defaults to text on standard error, which is the deployment's log.
	Logger *slog.Logger
	// Listening is called with the address once the server listens. Optional.
	Listening func(addr net.Addr)
}

func (o *Options) complete() *Options {
	var c Options
	if o != nil {
		c = *o
	}
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&c.Addr, defaultAddr())
	set(&c.Score, DefaultScore)
	set(&c.Liveness, DefaultLiveness)
	set(&c.Readiness, DefaultReadiness)
	if c.MaxBody == 0 {
		c.MaxBody = 10 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	if c.Grace == 0 {
		c.Grace = 20 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return &c
}

func defaultAddr() string {
	port, host := os.Getenv("PORT"), ""
	if port == "" {
		port = strconv.Itoa(DefaultPort)
	}
	if os.Getenv("AZUREML_LOCAL_DEPLOYMENT") != "" {
		host = "127.0.0.1" // a process of a local workspace is nobody else's business
	}
	return net.JoinHostPort(host, port)
}

// Load makes the handler of the scoring route from the model's folder. It runs
// once, while the server answers that it lives and is not ready.
type Load func(ctx context.Context, modelDir string) (http.Handler, error)

// Run serves until ctx ends or the process is told to stop (SIGTERM,
// interrupt), then lets requests under way finish. It returns load's error, or
// why the server could not listen, and nil after an orderly stop.
func Run(ctx context.Context, load Load, o *Options) error {
	c := o.complete()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	rows, err := newCollector(c.Logger)
	if err != nil {
		return errors.Join(fmt.Errorf("serve: %w", err), l.Close())
	}
	defer rows.close()
	s := &server{o: c, rows: rows}
	srv := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelWarn)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	c.Logger.Info("listening", "address", l.Addr().String(), "score", c.Score)
	if c.Listening != nil {
		c.Listening(l.Addr())
	}
	loaded := make(chan error, 1)
	go func() {
		start := time.Now()
		h, err := load(ctx, os.Getenv("AZUREML_MODEL_DIR"))
		if err == nil && h == nil {
			err = errors.New("load returned no handler")
		}
		if err == nil {
			s.score.Store(&h)
			c.Logger.Info("ready", "loading", time.Since(start).Round(time.Millisecond).String())
		}
		loaded <- err
	}()
	for {
		select {
		case err := <-loaded:
			if err == nil {
				loaded = nil // never again
				continue
			}
			return errors.Join(fmt.Errorf("serve: load the model: %w", err), srv.Close())
		case err := <-served:
			return fmt.Errorf("serve: %w", err)
		case <-ctx.Done():
			c.Logger.Info("stopping")
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
			defer cancel()
			if err := srv.Shutdown(end); err != nil {
				return errors.Join(fmt.Errorf("serve: requests were cut off after %s: %w", c.Grace, err), srv.Close())
			}
			return nil
		}
	}
}

// server is the three routes.
type server struct {
	o     *Options
	rows  *collector
	score atomic.Pointer[http.Handler]
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !identify(w, r) {
		return
	}
	o := s.o
	h := s.score.Load()
	switch {
	case r.URL.Path == o.Score && r.Method == http.MethodPost:
		if h == nil {
			writeError(w, http.StatusServiceUnavailable, "the model is being loaded")
			return
		}
		s.call(*h, w, r)
	case r.URL.Path == o.Readiness && o.Readiness != o.Liveness && get(r):
		if h == nil {
			writeError(w, http.StatusServiceUnavailable, "the model is being loaded")
			return
		}
		writeText(w, "Ready")
	case r.URL.Path == o.Liveness && get(r):
		if h == nil && o.Readiness == o.Liveness {
			writeError(w, http.StatusServiceUnavailable, "the model is being loaded")
			return
		}
		writeText(w, "Healthy")
	case r.URL.Path == o.Score:
		w.Header().Set("Allow", http.MethodPost)
		writeError(w, http.StatusMethodNotAllowed, "score by POST")
	default:
		writeError(w, http.StatusNotFound, "there is no such route; score by POST "+o.Score)
	}
}

func get(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// call bounds one request in size and time, turns a panic into a 500, and logs how it went.
func (s *server) call(h http.Handler, to http.ResponseWriter, r *http.Request) {
	w := &scored{ResponseWriter: to, start: time.Now()}
	log := s.o.Logger.With("request", w.Header().Get(requestID))
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			log.Error("scoring panicked", "panic", p, "stack", string(debug.Stack()))
			if w.status != 0 {
				panic(http.ErrAbortHandler) // the answer has begun: only the connection can say that it failed
			}
			writeError(w, http.StatusInternalServerError, "scoring failed")
		}
		log.Info("scored", "status", w.status, "bytes", w.bytes, "took", time.Since(w.start).Round(time.Microsecond).String())
	}()
	ctx, cancel := context.WithTimeout(r.Context(), s.o.Timeout)
	defer cancel()
	ctx = context.WithValue(ctx, loggerKey{}, log)
	ctx = context.WithValue(ctx, callKey{}, s.rows.begin(w.Header().Get(requestID)))
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, s.o.MaxBody)
	h.ServeHTTP(w, r)
	if w.status == 0 {
		w.WriteHeader(http.StatusOK) // as net/http does of a handler that says nothing
	}
}

type loggerKey struct{}

func logger(ctx context.Context) *slog.Logger {
	if l, ok := ctx.Value(loggerKey{}).(*slog.Logger); ok {
		return l
	}
	return slog.New(slog.DiscardHandler)
}

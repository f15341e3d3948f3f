package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/container"
	"github.com/azureml-go/azureml/internal/emulator/execution"
	"github.com/azureml-go/azureml/internal/emulator/serving"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking"
)

// ErrClosed is what calls are told once Close has begun.
var ErrClosed = errors.New("emulator: the local workspace is closed")

// Server is an open local workspace. Safe for concurrent use.
type Server struct {
	opts     Options
	token    string
	keys     *keyring
	faults   *faults
	table    *routeTable
	db       *store.DB
	blobs    *blob.Service
	tracking *tracking.Store
	resolver *arm.Resolver
	jobs     *execution.Engine
	online   *serving.Host
	engine   *container.Engine // of jobs in containers; nil without
	agenda   *agenda
	thinner  thinner
	handler  http.Handler

	ctx    context.Context // ends when Close begins
	cancel context.CancelCauseFunc

	mu              sync.Mutex
	closed          bool
	calls           sync.WaitGroup
	active          map[string]*operation // by resource, in lower case
	workspaces      map[string]arm.Scope  // by key
	endpoints       map[string]arm.Scope  // by name, in lower case
	accounts        map[string]bool       // storage accounts here, in lower case
	listener        net.Listener
	http            *http.Server
	serverlessSlots int
	addr            string // what BaseURL listens on when nobody has asked
}

// Open opens the folder, makes what is there at birth, ends what a crashed owner left, and continues what it had begun.
// Errors: *store.LockedError when another process has the folder.
func Open(ctx context.Context, o Options) (s *Server, err error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	s = &Server{opts: o, table: newTable(), active: map[string]*operation{}, workspaces: map[string]arm.Scope{}, accounts: map[string]bool{}, endpoints: map[string]arm.Scope{}, faults: newFaults(o.Faults), addr: "127.0.0.1:0", serverlessSlots: runtime.NumCPU()}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.agenda = newAgenda(o.Clock, o.moved)
	s.handler = http.HandlerFunc(s.serve)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	if err := closeFolder(o.Dir); err != nil {
		return s, err
	}
	if s.db, err = store.Open(store.Options{Dir: o.Dir, Full: o.Full, Logger: o.Logger}); err != nil {
		return s, err
	}
	if s.token, err = loadToken(o.Dir, o.Clock()); err != nil {
		return s, err
	}
	s.keys = newKeyring(s.token, o.Clock)
	if s.blobs, err = blob.New(s.db, filepath.Join(o.Dir, "blobs"), &blob.Options{Clock: o.Clock, Logger: o.Logger}); err != nil {
		return s, err
	}
	s.tracking, err = tracking.New(s.db, s.blobs, &tracking.Options{Clock: o.Clock, Logger: o.Logger, Account: func(ws string) (string, string) {
		return scopeOfKey(ws).Account(), arm.ArtifactContainer
	}, Registry: models{s}})
	if err != nil {
		return s, err
	}
	s.resolver = &arm.Resolver{DB: s.db, HasAccount: s.hasAccount, Output: s.jobOutput}
	if err := s.known(ctx); err != nil {
		return s, err
	}
	if err := s.birth(ctx); err != nil {
		return s, err
	}
	if err := s.settleOperations(ctx); err != nil {
		return s, err
	}
	if err := s.wire(ctx); err != nil {
		return s, err
	}
	if err := s.planAll(ctx); err != nil {
		return s, err
	}
	if s.begin() {
		go func() {
			defer s.end()
			s.agenda.run(s.ctx)
		}()
	}
	return s, nil
}

// scopeOfKey is a scope from Scope.Key, whose case is folded: enough for what folds it anyway.
func scopeOfKey(key string) arm.Scope {
	p := strings.SplitN(key, "/", 3)
	if len(p) < 3 {
		return arm.Scope{}
	}
	return arm.Scope{Subscription: p[0], ResourceGroup: p[1], Workspace: p[2]}
}

// Token opens everything.
func (s *Server) Token() string { return s.token }

// Scope is the workspace at birth.
func (s *Server) Scope() arm.Scope { return s.opts.Scope }

// Dir is the folder, absolute.
func (s *Server) Dir() string { return s.db.Dir() }

// Handler serves the port's requests.
func (s *Server) Handler() http.Handler { return s.handler }

// begin counts a call or a piece of work; false once Close has begun.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.calls.Add(1)
	return true
}

func (s *Server) end() { s.calls.Done() }

// Close ends jobs and deployments, waits for the calls under way, and gives the folder up. Closing twice is not an error.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	srv := s.http
	s.mu.Unlock()
	s.cancel(ErrClosed)
	var errs []error
	if srv != nil {
		ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
		if err := srv.Shutdown(ctx); err != nil {
			errs = append(errs, srv.Close())
		}
		stop()
	}
	if s.online != nil {
		errs = append(errs, s.online.Close())
	}
	if s.jobs != nil {
		errs = append(errs, s.jobs.Close())
	}
	errs = append(errs, s.closeContainers())
	s.calls.Wait()
	if s.tracking != nil {
		errs = append(errs, s.tracking.Close())
	}
	if s.blobs != nil {
		errs = append(errs, s.blobs.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}

// serve is the whole server.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	over := !inProcess(r.Context())
	id := uuid.NewString()
	w.Header().Set("X-Ms-Request-Id", id)
	w.Header().Set("X-Ms-Correlation-Request-Id", id)
	if client := r.Header.Get("X-Ms-Client-Request-Id"); client != "" && strings.EqualFold(r.Header.Get("X-Ms-Return-Client-Request-Id"), "true") {
		w.Header().Set("X-Ms-Client-Request-Id", client)
	}
	var pl place
	if !over && !s.listens(r.Host) {
		pl = byHost(r.URL.Host, r.URL)
	} else {
		pl = byPath(r.URL)
	}
	if over {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		r = impatient(w, r, bodyPatience)
		if err := guard(r, pl, s.ownName); err != nil {
			if pl.plane == planeTracking { // MLflow's clients read MLflow's form
				s.noteRefusal(r, err)
				trackingError(w, err)
				return
			}
			s.refuse(w, r, err)
			return
		}
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		s.opts.Logger.Error("request panicked", "method", r.Method, "path", r.URL.Path, "panic", p)
		arm.As(fmt.Errorf("the local workspace failed on this request")).Write(w)
	}()
	next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, r, pl) })
	f, err := s.faults.of(r, pl.path)
	switch {
	case err != nil:
		s.refuse(w, r, err)
	case f != nil:
		f.apply(w, r, pl.plane, next)
	default:
		next.ServeHTTP(w, r)
	}
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	s.noteRefusal(r, err)
	arm.As(err).Write(w)
}

func (s *Server) noteRefusal(r *http.Request, err error) {
	s.opts.Logger.Warn("request refused", "method", r.Method, "path", r.URL.Path, "reason", err)
}

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, pl place) {
	switch pl.plane {
	case planeBlob:
		s.serveBlob(w, pl.to(r))
	case planeScoring:
		s.serveScoring(w, pl.to(r))
	case planeTracking:
		s.serveTracking(w, pl.to(r))
	case planeARM, planeAPI:
		s.serveRoutes(w, pl.to(r), pl.plane)
	default:
		arm.NotFound("host", r.Host).Write(w)
	}
}

// identify reads the bearer token.
func (s *Server) identify(r *http.Request) (caller, error) {
	h := r.Header.Get("Authorization")
	scheme, token, _ := strings.Cut(h, " ")
	if strings.EqualFold(scheme, "bearer") && token != "" {
		who, err := s.keys.who(strings.TrimSpace(token))
		if err != nil && s.opts.NoAuth {
			return caller{full: true}, nil
		}
		return who, err
	}
	if s.opts.NoAuth {
		return caller{full: true}, nil
	}
	return caller{}, arm.Unauthorized("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or not a bearer token.")
}

// serveBlob passes a request on to the blob service. A bearer token of the workspace opens everything; a run's own does not: it is given signed addresses.
func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request) {
	if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "bearer") {
		who, err := s.identify(r)
		switch {
		case err != nil:
			s.refuse(w, r, err)
			return
		case !who.full:
			s.refuse(w, r, arm.Forbidden("A run's token does not open storage; use the signed addresses that run history gives."))
			return
		}
		r = r.WithContext(blob.WithTrusted(r.Context()))
	}
	s.blobs.ServeHTTP(w, r)
}

// serveRoutes is the router.
func (s *Server) serveRoutes(w http.ResponseWriter, r *http.Request, p plane) {
	c := &call{s: s, w: w, r: r, edge: s.edgeOf(r), now: s.opts.Clock()}
	escaped := r.URL.EscapedPath()
	host := arm.ARMHost
	if p == planeAPI {
		host = arm.APIHost
		const front = "/mferp/managementfrontend"
		if len(escaped) > len(front) && strings.EqualFold(escaped[:len(front)], front) && escaped[len(front)] == '/' {
			p, c.mfe = planeARM, true
			escaped = escaped[len(front):]
		} else if scope, rest, ok := cutTracking(escaped); ok {
			s.serveAzureTracking(w, r, scope, rest)
			return
		}
	}
	c.self = address(host, r.URL.Path, nil)
	if err := c.route(p, escaped); err != nil {
		c.fail(err)
	}
}

// path is the request's path as the resource manager sees it.
func (c *call) path() string {
	if c.mfe {
		return c.r.URL.Path[len("/mferp/managementfrontend"):]
	}
	return c.r.URL.Path
}

func (c *call) route(p plane, escaped string) error {
	segments, err := split(escaped, p)
	if err != nil {
		return err
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	rt, v, methods := c.s.table.find(p, method, segments)
	if rt == nil || !rt.open {
		if c.caller, err = c.s.identify(c.r); err != nil {
			return err
		}
	}
	switch {
	case rt == nil && len(methods) > 0:
		return methodNotAllowed(c.w, methods)
	case rt == nil:
		return &arm.Error{Status: http.StatusNotFound, Code: "InvalidResourceType", Message: "The path " + c.r.URL.Path + " names nothing that a local workspace serves."}
	}
	c.rt, c.v = rt, v
	if err := checkVersion(rt, c.query("api-version"), c.mfe); err != nil {
		return err
	}
	if err := c.allowed(); err != nil {
		return err
	}
	if name := v["ws"]; name != "" {
		sc := arm.Scope{Subscription: v["sub"], ResourceGroup: v["rg"], Workspace: name}
		known, ok := c.s.workspace(sc)
		switch {
		case ok:
			sc = known
		case rt.pattern == pW && rt.method != http.MethodGet:
		default:
			return &arm.Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: fmt.Sprintf(
				"The Resource '%s/workspaces/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix", arm.Provider, name, v["rg"])}
		}
		c.sc = sc
		if err := c.confined(); err != nil {
			return err
		}
	}
	return rt.handle(c)
}

// allowed lets a run's token call only the routes that are meant for it.
func (c *call) allowed() error {
	if c.caller.full || c.rt.open || c.rt.run {
		return nil
	}
	return arm.Forbidden("The token of the run %q may not %s %s.", c.caller.run, c.rt.method, c.rt.kind)
}

// confined keeps a run's token to its workspace, and among runs to its own and their children.
func (c *call) confined() error {
	if c.caller.full || c.rt.open {
		return nil
	}
	if c.caller.sc.Key() != c.sc.Key() {
		return arm.Forbidden("The token of the run %q is for another workspace.", c.caller.run)
	}
	run := c.v["run"]
	if run == "" {
		run = c.v["job"]
	}
	if run == "" || c.rt.create || c.s.descends(c.ctx(), c.sc, run, c.caller.run) {
		return nil
	}
	return arm.Forbidden("The token of the run %q may not read the run %q.", c.caller.run, run)
}

// workspace finds a workspace in its own spelling.
func (s *Server) workspace(sc arm.Scope) (arm.Scope, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.workspaces[sc.Key()]
	return known, ok
}

func (s *Server) hasAccount(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accounts[strings.ToLower(name)]
}

func (s *Server) addAccount(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[strings.ToLower(name)] = true
}

// closeFolder makes the folder the owner's alone. One that holds other things already keeps its mode: it is not the workspace's alone.
func closeFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("emulator: open: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("emulator: open: %w", err)
	}
	if len(entries) > 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("emulator: open: %w", err)
	}
	return nil
}

// folder makes a folder of the server's own.
func (s *Server) folder(name string) (string, error) {
	dir := filepath.Join(s.Dir(), name)
	return dir, os.MkdirAll(dir, 0o700)
}

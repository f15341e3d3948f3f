package serving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/process"
)

// Deps is what a host works with.
type Deps struct {
	Blobs    *blob.Service
	Resolver *arm.Resolver
	// Dir holds the folders of deployments and the records of their processes.
	Dir   string
	Clock func() time.Time
	// Logger gets what no caller can be told. Defaults to none.
	Logger *slog.Logger
	// BaseEnv is the environment that servers start from.
	BaseEnv []string
	// Images maps ready-made images to the command that serves them here.
	Images map[string][]string
	// Endpoint tells how an endpoint is reached: who may score, and what each
	// deployment gets of the traffic.
	Endpoint func(ctx context.Context, sc arm.Scope, endpoint string) (*Endpoint, error)
	// BaseURL opens the listener when it is not open and returns its address.
	BaseURL func() (string, error)
}

// Endpoint is what scoring needs to know of an online endpoint.
type Endpoint struct {
	// Authorize is true of credentials (the part behind "Bearer ") that may score.
	Authorize func(credential string) bool
	// Traffic is percent by deployment, Mirror percent of requests that are copied.
	Traffic, Mirror map[string]int
}

// spec is what is read of a deployment's REST properties and of its sku.
type spec struct {
	Model             string
	EnvironmentID     string         `json:"environmentId"`
	Variables         map[string]any `json:"environmentVariables"` // numbers and booleans are taken as their text
	CodeConfiguration *struct{ CodeID, ScoringScript string }
	RequestSettings   struct {
		RequestTimeout, MaxQueueWait     string
		MaxConcurrentRequestsPerInstance int
	}
	LivenessProbe, ReadinessProbe *probe
	DataCollector                 json.RawMessage
	Instances                     int    `json:"-"`
	endpoint, deployment          string // empty while it is only checked
}

type probe struct {
	InitialDelay, Period, Timeout      string
	FailureThreshold, SuccessThreshold int
}

// Host runs the deployments of all workspaces of one local server.
type Host struct {
	Deps
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	deployments map[string]*deployment
	failed      map[string]*failedLogs
}

// New makes a host and its folder.
func New(d Deps) (*Host, error) {
	dir, err := process.PlainDir(d.Dir)
	if err != nil {
		return nil, err
	}
	d.Dir = dir
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Host{Deps: d, deployments: map[string]*deployment{}, failed: map[string]*failedLogs{}, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}}
	h.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h, nil
}

func (h *Host) records() string { return filepath.Join(h.Dir, "processes") }

// Recover ends what a killed owner left running. The deployments themselves
// are started again by Restore.
func (h *Host) Recover() error {
	_, err := process.Sweep(h.records())
	return err
}

func key(sc arm.Scope, endpoint, deployment string) string {
	return strings.ToLower(sc.Key() + "\n" + endpoint + "\n" + deployment)
}

// Check refuses what cannot be served, before anything is stored. Its errors
// are *arm.Error.
func (h *Host) Check(ctx context.Context, sc arm.Scope, properties json.RawMessage) error {
	s, err := read(properties, 1)
	if err != nil {
		return err
	}
	_, err = h.plan(ctx, sc, s)
	return err
}

func read(properties json.RawMessage, instances int) (*spec, error) {
	s := &spec{Instances: max(instances, 1)}
	if err := json.Unmarshal(properties, s); err != nil {
		return nil, arm.Invalid("properties", "the deployment cannot be read: %v", err)
	}
	for name, p := range map[string]*probe{"livenessProbe": s.LivenessProbe, "readinessProbe": s.ReadinessProbe} {
		if p == nil {
			continue
		}
		for field, v := range map[string]string{"initialDelay": p.InitialDelay, "period": p.Period, "timeout": p.Timeout} {
			if _, err := duration(v, 0); err != nil {
				return nil, arm.Invalid("properties."+name+"."+field, "%v", err)
			}
		}
	}
	for field, v := range map[string]string{"requestTimeout": s.RequestSettings.RequestTimeout, "maxQueueWait": s.RequestSettings.MaxQueueWait} {
		if _, err := duration(v, 0); err != nil {
			return nil, arm.Invalid("properties.requestSettings."+field, "%v", err)
		}
	}
	return s, nil
}

// Apply starts a deployment, or replaces one, and returns when it is ready to
// score. A replaced one serves until then.
func (h *Host) Apply(ctx context.Context, sc arm.Scope, endpoint, name string, properties json.RawMessage, instances int) error {
	d, err := h.start(ctx, sc, endpoint, name, properties, instances)
	if err != nil {
		return err
	}
	k := key(sc, endpoint, name)
	if err := d.ready(ctx); err != nil {
		h.keepLogs(k, d)
		d.stop()
		return err
	}
	h.mu.Lock()
	delete(h.failed, k)
	old := h.deployments[k]
	closed := h.closed
	if !closed {
		h.deployments[k] = d
	}
	h.mu.Unlock()
	if closed {
		d.stop()
		return errors.New("serving: the local workspace was closed")
	}
	if old != nil {
		old.stop()
	}
	return nil
}

// Restore starts a deployment that was acknowledged before the last end; it
// becomes ready by and by. What fails is in its log.
func (h *Host) Restore(ctx context.Context, sc arm.Scope, endpoint, name string, properties json.RawMessage, instances int) error {
	d, err := h.start(ctx, sc, endpoint, name, properties, instances)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deployments[key(sc, endpoint, name)] = d
	return nil
}

func (h *Host) start(ctx context.Context, sc arm.Scope, endpoint, name string, properties json.RawMessage, instances int) (*deployment, error) {
	s, err := read(properties, instances)
	if err != nil {
		return nil, err
	}
	s.endpoint, s.deployment = endpoint, name
	p, err := h.plan(ctx, sc, s)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	closed := h.closed
	h.mu.Unlock()
	if closed {
		return nil, errors.New("serving: the local workspace was closed")
	}
	dir := filepath.Join(h.Dir, "deployments")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if dir, err = os.MkdirTemp(dir, endpoint+"-"+name+"-"); err != nil {
		return nil, err
	}
	d, err := h.launch(ctx, sc, endpoint, name, s, p, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return d, nil
}

func (h *Host) deployment(sc arm.Scope, endpoint, name string) *deployment {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.deployments[key(sc, endpoint, name)]
}

// Remove ends a deployment; one that does not run is no error.
func (h *Host) Remove(sc arm.Scope, endpoint, name string) {
	h.mu.Lock()
	k := key(sc, endpoint, name)
	d := h.deployments[k]
	delete(h.deployments, k)
	delete(h.failed, k)
	h.mu.Unlock()
	if d != nil {
		d.stop()
	}
}

// Logs is the end of a deployment's log: container InferenceServer (the
// default) or StorageInitializer; tail counts lines.
func (h *Host) Logs(sc arm.Scope, endpoint, name, container string, tail int) (string, error) {
	h.mu.Lock()
	last := h.failed[key(sc, endpoint, name)]
	h.mu.Unlock()
	if last != nil {
		switch container {
		case "", "InferenceServer":
			return last.server.tail(tail)
		case "StorageInitializer":
			return last.initializer.tail(tail)
		}
	}
	d := h.deployment(sc, endpoint, name)
	if d == nil {
		return "", arm.NotFound("online deployment", endpoint+"/"+name)
	}
	switch container {
	case "", "InferenceServer":
		return d.log.tail(tail)
	case "StorageInitializer":
		return d.initLog.tail(tail)
	}
	return "", arm.Invalid("containerType", "%q is neither InferenceServer nor StorageInitializer", container)
}

// failedLogs are what is left of a deployment that never became ready.
type failedLogs struct{ server, initializer lastLines }

// lastLines is the end of a log whose file is gone.
type lastLines string

func (l lastLines) tail(n int) (string, error) {
	lines := strings.SplitAfter(string(l), "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	if n > 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, ""), nil
}

// keepLogs keeps the end of the logs of a deployment that is given up, until it is made again or removed: its caller asks for
// them to see why.
func (h *Host) keepLogs(k string, d *deployment) {
	const lines = 1000
	server, err := d.log.tail(lines)
	initializer, ierr := d.initLog.tail(lines)
	if err := errors.Join(err, ierr); err != nil {
		h.Logger.Warn("the logs of a deployment that failed are lost", "deployment", d.endpoint+"/"+d.name, "error", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failed[k] = &failedLogs{lastLines(server), lastLines(initializer)}
}

// Close ends all deployments and returns when no process is left.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	all := h.deployments
	h.deployments = map[string]*deployment{}
	h.mu.Unlock()
	var wg sync.WaitGroup
	for _, d := range all {
		wg.Go(d.stop)
	}
	wg.Wait()
	h.cancel()
	h.wg.Wait()
	h.client.CloseIdleConnections()
	return nil
}

func describe(err error, log *logFile) error {
	end, lerr := log.tail(20)
	if lerr != nil || strings.TrimSpace(end) == "" {
		return err
	}
	return fmt.Errorf("%w\nthe end of its log:\n%s", err, end)
}

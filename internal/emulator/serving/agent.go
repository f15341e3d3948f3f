package serving

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// agent takes what the deployment's program collects by itself. It speaks as Azure's own, to which the package
// azureml-ai-monitoring posts: /modeldata/log, with the collection in the header ce-type.
type agent struct {
	sink   *sink
	server *http.Server
	done   chan struct{}
}

// maxCollected is the most bytes that a program may post at once.
const maxCollected = 32 << 20

// startCollecting starts what the deployment collects by, and gives the variables by which its program finds it.
func (d *deployment) startCollecting() ([]string, error) {
	c := d.plan.collect
	if c == nil {
		return nil, nil
	}
	d.sink = newSink(c, d.host.Blobs, d.host.Clock, d.log, d.sc.Child("onlineEndpoints", d.endpoint, "deployments", d.name))
	if !c.custom() {
		return nil, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &agent{sink: d.sink, done: make(chan struct{})}
	a.server = &http.Server{Handler: a, ReadHeaderTimeout: 10 * time.Second}
	d.agent = a
	go func() {
		defer close(a.done)
		if err := a.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.log.line("data collector: %v", err)
		}
	}()
	type one struct {
		Enabled bool    `json:"enabled"`
		Percent float64 `json:"sampleRatePercentage"`
	}
	all, most := map[string]one{}, 0.0
	for name, c := range c.collections {
		all[name] = one{true, c.rate * 100}
		most = max(most, c.rate*100)
	}
	text, err := json.Marshal(map[string]any{"runMode": "cloud", "collections": all})
	if err != nil {
		return nil, err
	}
	config := filepath.Join(d.dir, "mdc.json")
	if err := os.WriteFile(config, text, 0o600); err != nil {
		return nil, err
	}
	return []string{
		"AZUREML_MDC_ENABLED=true", "AZUREML_MDC_CONFIG_PATH=" + config, "AZUREML_MDC_HOST=127.0.0.1",
		"AZUREML_MDC_PORT=" + strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "AZUREML_MDC_SAMPLE_RATE=" + strconv.Itoa(int(most)),
	}, nil
}

// stopCollecting returns when all that was collected is in the storage.
func (d *deployment) stopCollecting() {
	if a := d.agent; a != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		if err := a.server.Shutdown(ctx); err != nil {
			d.log.line("data collector: %v", errors.Join(err, a.server.Close()))
		}
		<-a.done
	}
	if d.sink != nil {
		d.sink.close()
	}
}

func (a *agent) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/modeldata/log" {
		plainError(w, http.StatusNotFound, "the data collector knows POST /modeldata/log")
		return
	}
	if r.Method != http.MethodPost {
		plainError(w, http.StatusMethodNotAllowed, "collect by POST")
		return
	}
	kind := r.Header.Get("Ce-Type")
	name := strings.TrimPrefix(kind, "azureml.inference.")
	c := a.sink.collections[strings.ToLower(name)]
	if c == nil || name == kind || c.name == requests || c.name == responses {
		plainError(w, http.StatusBadRequest, "ce-type: "+strconv.Quote(kind)+" names no collection that the deployment collects from its program (azureml.inference.COLLECTION)")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxCollected))
	if err != nil {
		plainError(w, http.StatusRequestEntityTooLarge, "the rows could not be read: "+err.Error())
		return
	}
	if !a.sink.enter() {
		plainError(w, http.StatusServiceUnavailable, "the deployment ends")
		return
	}
	defer a.sink.leave()
	e := newEvent(c, a.sink.clock(), r.Header.Get("Content-Type"), body)
	if id := r.Header.Get("Trace-Id"); id != "" && len(id) <= 100 && attributeName(id) == strings.ReplaceAll(strings.ToLower(id), "-", "") {
		e.id = id
	}
	if id := r.Header.Get("Ce-X-Request-Id"); id != "" {
		e.add("correlationid", id)
		e.add("xrequestid", id)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Header)) {
		name, extension := strings.CutPrefix(k, "Ce-")
		if name = attributeName(name); !extension || name == "" || name == "type" {
			continue
		}
		value := r.Header.Get(k)
		if name == "time" { // seconds since 1970
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				value = time.Unix(n, 0).UTC().Format(time.RFC3339)
			} else {
				continue
			}
		}
		e.add(name, value)
	}
	a.sink.add(e)
	w.WriteHeader(http.StatusAccepted)
}

package serve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// ErrNotCollected is the error of Collect when the deployment does not collect the collection.
var ErrNotCollected = errors.New("the deployment does not collect it (data_collector.collections)")

// Collect passes rows to one of the deployment's collections, "model_inputs" or "model_outputs" above all, which
// model monitors look at. rows is a slice of structs or maps, a row each, with a field for each feature. ctx is the
// one that the scoring call came with: what is collected of a call has its request id (correlationid), and is sampled
// together (sampling_rate). Collect does not wait: the rows are encoded at once and posted behind the call, as the
// Python package azureml-ai-monitoring does it, to the same agent.
// Errors: ErrNotCollected, rows that are no list of objects, too many that wait, a context that is not of a call of Run.
func Collect(ctx context.Context, collection string, rows any) error {
	c, ok := ctx.Value(callKey{}).(*collecting)
	if !ok {
		return fmt.Errorf("serve: collect %q: the context is not one of a scoring call", collection)
	}
	if err := c.collect(collection, rows); err != nil {
		return fmt.Errorf("serve: collect %q: %w", collection, err)
	}
	return nil
}

// callKey is where a scoring call's context has its call.
type callKey struct{}

// collecting is what the rows of one scoring call have in common.
type collecting struct {
	to     *collector
	id     string
	chance float64 // of being sampled
}

func (c *collecting) collect(collection string, rows any) error {
	share, ok := c.to.share(collection)
	if !ok {
		return ErrNotCollected
	}
	body, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("a list of objects is wanted: %w", err)
	}
	if c.chance >= share {
		return nil
	}
	select {
	case <-c.to.stop:
		return errors.New("the server ends")
	default:
	}
	select {
	case c.to.queue <- posted{collection, c.id, fmt.Sprintf("%T", rows), body, time.Now()}:
		return nil
	default:
		return fmt.Errorf("%d lists of rows wait for the agent already", cap(c.to.queue))
	}
}

// posted is on its way to the agent.
type posted struct {
	collection, id, kind string
	body                 []byte
	at                   time.Time
}

// collector posts rows to the deployment's agent. Its variables are those of azureml-ai-monitoring.
type collector struct {
	shares map[string]float64 // by collection; nil for those of all
	all    float64
	url    string
	queue  chan posted
	stop   chan struct{}
	done   chan struct{}
	log    *slog.Logger
}

func (c *collector) share(collection string) (float64, bool) {
	if c.shares == nil {
		return c.all, c.all > 0
	}
	s, ok := c.shares[strings.ToLower(collection)]
	return s, ok
}

// newCollector reads what is collected. One that collects nothing needs no agent.
func newCollector(log *slog.Logger) (*collector, error) {
	c := &collector{log: log, queue: make(chan posted, 1500), stop: make(chan struct{}), done: make(chan struct{}), shares: map[string]float64{}}
	if path := os.Getenv("AZUREML_MDC_CONFIG_PATH"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("AZUREML_MDC_CONFIG_PATH: %w", err)
		}
		var config struct {
			Collections map[string]struct {
				Enabled bool     `json:"enabled"`
				Percent *float64 `json:"sampleRatePercentage"`
			} `json:"collections"`
		}
		if err := json.Unmarshal(b, &config); err != nil {
			return nil, fmt.Errorf("AZUREML_MDC_CONFIG_PATH: %s: %w", path, err)
		}
		for name, one := range config.Collections {
			name = strings.ToLower(name)
			if !one.Enabled || name == "request" || name == "response" { // those are the endpoint's own
				continue
			}
			c.shares[name] = 1
			if one.Percent != nil {
				c.shares[name] = *one.Percent / 100
			}
		}
	} else if strings.EqualFold(os.Getenv("AZUREML_MDC_ENABLED"), "true") {
		c.shares, c.all = nil, 1
		if text := os.Getenv("AZUREML_MDC_SAMPLE_RATE"); text != "" {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil, fmt.Errorf("AZUREML_MDC_SAMPLE_RATE: want a percentage, got %q", text)
			}
			c.all = n / 100
		}
	}
	host, port := os.Getenv("AZUREML_MDC_HOST"), os.Getenv("AZUREML_MDC_PORT")
	if host == "" {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "50011"
	}
	c.url = "http://" + net.JoinHostPort(host, port) + "/modeldata/log"
	go c.post()
	return c, nil
}

// begin is a scoring call.
func (c *collector) begin(id string) *collecting {
	return &collecting{to: c, id: id, chance: rand.Float64()}
}

// post sends what is collected until close.
func (c *collector) post() {
	defer close(c.done)
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}} // no proxy
	defer client.CloseIdleConnections()
	send := func(p posted) {
		if err := c.send(client, p); err != nil {
			c.log.Warn("collected rows are lost", "collection", p.collection, "request", p.id, "error", err)
		}
	}
	for {
		select {
		case p := <-c.queue:
			send(p)
			continue
		case <-c.stop:
		}
		select {
		case p := <-c.queue: // what came before
			send(p)
		default:
			return
		}
	}
}

func (c *collector) send(client *http.Client, p posted) error {
	r, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(p.body))
	if err != nil {
		return err
	}
	for k, v := range map[string]string{
		"Content-Type": "application/json", "ce-type": "azureml.inference." + p.collection, "ce-time": strconv.FormatInt(p.at.Unix(), 10),
		"ce-collect-data-type": p.kind, "ce-agent": "azureml-go", "ce-x-request-id": p.id,
	} {
		r.Header.Set(k, v)
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the agent answered %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	return nil
}

// lastRows is how long the rows that wait at a server's end may take.
const lastRows = 5 * time.Second

// close waits for what is collected to be sent.
func (c *collector) close() {
	close(c.stop)
	t := time.NewTimer(lastRows)
	defer t.Stop()
	select {
	case <-c.done:
	case <-t.C:
		c.log.Warn("collected rows are lost: the server ends", "lists", len(c.queue))
	}
}

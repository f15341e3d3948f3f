package mlflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Batch is what one call logs to a run. It may be of any size: it is sent in as many requests as the
// server's limits need (1000 values, of them 100 parameters and 100 tags, 1 MB), in order.
type Batch struct {
	Metrics []Metric
	Params  map[string]string
	Tags    map[string]string
}

// LogBatch logs values, parameters and tags, in order, and returns when all is acknowledged. A value
// without a time gets the present one. When it fails in the middle, what came before is logged; sending
// the same again does no harm. POST mlflow/runs/log-batch.
func (r *Run) LogBatch(ctx context.Context, b Batch) error {
	op := fmt.Sprintf("log to run %q", r.Info.ID)
	metrics := slices.Clone(b.Metrics)
	var faults []error
	now := r.c.clock.Now()
	for i := range metrics {
		if metrics[i].Time.IsZero() {
			metrics[i].Time = now
		}
		faults = append(faults, metrics[i].check())
	}
	params, err := r.c.pairs("parameter", b.Params, maxParamValue)
	faults = append(faults, err)
	tags, err := r.c.pairs("tag", b.Tags, maxTagValue)
	faults = append(faults, err)
	if err := errors.Join(faults...); err != nil {
		return fault(op, "%v", err)
	}
	for _, body := range splitBatch(r.Info.ID, metrics, params, tags) {
		if err := r.c.do(ctx, call{op: op, method: "POST", path: "mlflow/runs/log-batch", body: body}); err != nil {
			return err
		}
	}
	return nil
}

// pairs checks names and lengths.
func (c *Client) pairs(what string, m map[string]string, limit int) ([]pair, error) {
	var faults []error
	out := toPairs(m)
	for i, p := range out {
		if err := checkKey(p.Key); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", what, err))
			continue
		}
		value, err := c.fit(what, p.Key, p.Value, limit)
		faults = append(faults, err)
		out[i].Value = value
	}
	return out, errors.Join(faults...)
}

// splitBatch makes the bodies of the requests: parameters and tags a hundred each, the first of them
// filled up with values, then values a thousand each, as MLflow's own client does; and none above the
// server's size, which that client does not see to.
func splitBatch(run string, metrics []Metric, params, tags []pair) [][]byte {
	var bodies [][]byte
	for len(metrics)+len(params)+len(tags) > 0 {
		p, t := params[:min(len(params), maxBatchPairs)], tags[:min(len(tags), maxBatchPairs)]
		m := metrics[:min(len(metrics), maxBatch-len(p)-len(t))]
		params, tags, metrics = params[len(p):], tags[len(t):], metrics[len(m):]
		bodies = appendBodies(bodies, run, m, p, t)
	}
	return bodies
}

// appendBodies halves a batch until each body fits, or holds one item.
func appendBodies(bodies [][]byte, run string, m []Metric, p, t []pair) [][]byte {
	body := batchBody(run, m, p, t)
	if len(body) <= maxBatchBody || len(m)+len(p)+len(t) == 1 {
		return append(bodies, body)
	}
	if len(m)+len(p)+len(t) == len(m) || len(m) > 1 && len(p) <= 1 && len(t) <= 1 {
		bodies = appendBodies(bodies, run, m[:len(m)/2], p, t)
		return appendBodies(bodies, run, m[len(m)/2:], nil, nil)
	}
	bodies = appendBodies(bodies, run, m, p[:len(p)/2], t[:(len(t)+1)/2])
	return appendBodies(bodies, run, nil, p[len(p)/2:], t[(len(t)+1)/2:])
}

// batchBody encodes by hand: it is what a training spends in here.
func batchBody(run string, metrics []Metric, params, tags []pair) []byte {
	b := make([]byte, 0, 64+len(metrics)*96+len(params)*64+len(tags)*64)
	b = append(b, `{"run_id":`...)
	b = appendString(b, run)
	if len(metrics) > 0 {
		b = append(b, `,"metrics":[`...)
		for i := range metrics {
			if i > 0 {
				b = append(b, ',')
			}
			b = metrics[i].appendJSON(b)
		}
		b = append(b, ']')
	}
	b = appendPairs(b, "params", params)
	b = appendPairs(b, "tags", tags)
	return append(b, '}')
}

func appendPairs(b []byte, name string, pairs []pair) []byte {
	if len(pairs) == 0 {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":[`...)
	for i, p := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"key":`...)
		b = appendString(b, p.Key)
		b = append(b, `,"value":`...)
		b = appendString(b, p.Value)
		b = append(b, '}')
	}
	return append(b, ']')
}

// text writes a parameter's value as Go prints it; floats in the shortest form that reads back the same.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case fmt.Stringer:
		return v.String()
	}
	return fmt.Sprint(v)
}

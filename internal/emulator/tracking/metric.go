package tracking

import (
	"context"
	"database/sql"
	"strconv"

	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
)

// Metric is one value of a metric.
type Metric struct {
	Key   string
	Value float64 // NaN is a value; infinities become the greatest numbers
	// Timestamp is in milliseconds since 1970.
	Timestamp int64
	Step      int64
	// ModelID is the logged model that the value is of, if any, and the data set
	// that it was found with.
	ModelID, DatasetName, DatasetDigest string
}

func (m *Metric) point() points.Point {
	return points.Point{Time: m.Timestamp, Step: m.Step, Value: points.Clean(m.Value)}
}

func metricOf(key string, p points.Point) Metric {
	return Metric{Key: key, Value: p.Value, Timestamp: p.Time, Step: p.Step}
}

func (m *Metric) write(o *out) {
	o.str("key", m.Key)
	o.float("value", m.Value)
	o.int("timestamp", m.Timestamp)
	o.int("step", m.Step)
}

// batch is what one request logs to a run.
type batch struct {
	metrics      []Metric
	params, tags []Tag
}

// check refuses what MLflow refuses of a batch before it looks for the run.
func (b *batch) check() error {
	for i := range b.metrics {
		if err := checkMetric(&b.metrics[i], "metrics["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	for i := range b.params {
		var err error
		if b.params[i], err = checkParam(b.params[i], "params["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	for i := range b.tags {
		var err error
		if b.tags[i], err = checkTag(b.tags[i], "tags["+strconv.Itoa(i)+"]"); err != nil {
			return err
		}
	}
	return nil
}

// LogMetrics logs values to a run. When it returns they are durable.
func (s *Store) LogMetrics(ctx context.Context, ws, run string, metrics []Metric) error {
	for i := range metrics {
		path := ""
		if len(metrics) > 1 {
			path = "metrics[" + strconv.Itoa(i) + "]"
		}
		if err := checkMetric(&metrics[i], path); err != nil {
			return err
		}
	}
	return s.log(ctx, ws, run, &batch{metrics: metrics}, nil)
}

// log makes a batch durable that was checked. allow may refuse the run.
func (s *Store) log(ctx context.Context, ws, run string, b *batch, allow func(tx *sql.Tx, space int64, r *runRow) error) error {
	data, err := s.pack(ctx, b.metrics)
	if err != nil {
		return err
	}
	var r *runRow
	err = s.write(ctx, ws, func(tx *sql.Tx, space int64) (err error) {
		if r, err = s.activeRun(tx, space, run); err != nil {
			return err
		}
		if allow != nil {
			if err := allow(tx, space, r); err != nil {
				return err
			}
		}
		if err := s.addParams(tx, r, b.params); err != nil {
			return err
		}
		if len(b.metrics) > 0 {
			if _, err := tx.Exec(`INSERT INTO tracking_tail (rid, n, data) VALUES (?, ?, ?)`, r.rid, len(b.metrics), data); err != nil {
				return err
			}
			if err := s.logModelMetrics(tx, space, r, b.metrics); err != nil {
				return err
			}
		}
		for _, t := range b.tags {
			if t.Key == tagRunName && t.Value == "" {
				continue // a run keeps its name
			}
			if err := s.putTag(tx, r, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(b.metrics) == 0 {
		return err
	}
	s.tail.grow(s, r.rid, len(b.metrics))
	s.watch.tell(ws, run, b.metrics)
	return nil
}

// pack makes the row of a batch.
func (s *Store) pack(ctx context.Context, metrics []Metric) ([]byte, error) {
	if len(metrics) == 0 {
		return nil, nil
	}
	keys := make([]int64, len(metrics))
	ps := make([]points.Point, len(metrics))
	var fresh []string
	seen := map[string]bool{}
	for i := range metrics {
		m := &metrics[i]
		ps[i] = m.point()
		if i > 0 && m.Key == metrics[i-1].Key {
			keys[i] = keys[i-1]
			continue
		}
		id, ok := s.keys.id(m.Key)
		keys[i] = id
		if !ok && !seen[m.Key] {
			seen[m.Key] = true
			fresh = append(fresh, m.Key)
		}
	}
	if len(fresh) > 0 {
		ids, err := s.ensureKeys(ctx, fresh)
		if err != nil {
			return nil, err
		}
		made := map[string]int64{}
		for i, name := range fresh {
			made[name] = ids[i]
		}
		for i := range metrics {
			if keys[i] == 0 {
				keys[i] = made[metrics[i].Key]
			}
		}
	}
	return points.AppendBatch(make([]byte, 0, 8+12*len(ps)), keys, ps), nil
}

// addParams adds the parameters of a batch, or none: every one that is there with
// another value is told.
func (s *Store) addParams(tx *sql.Tx, r *runRow, params []Tag) error {
	var differ []byte
	for _, p := range params {
		old, err := s.param(tx, r, p)
		if err != nil {
			return err
		}
		if old != nil && *old != p.Value {
			differ = append(differ, describeDifference(len(differ) > 0, p, *old)...)
		}
	}
	if differ != nil {
		return invalidf("Changing param values is not allowed. Params were already logged='[%s]' for run ID='%s'.", differ, r.id)
	}
	return nil
}

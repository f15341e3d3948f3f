package jobs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/azureml-go/azureml/internal/rest"
)

// reported is the last value of a metric that was told: its time in milliseconds, its step, its bits, and how many such
// values there were. Values are told in that order.
type reported struct {
	Time  int64
	Step  int64
	Bits  uint64
	Count int64
}

// MarshalJSON writes four numbers.
func (r reported) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d,%d,%d]", r.Time, r.Step, r.Bits, r.Count), nil
}

// UnmarshalJSON reads them.
func (r *reported) UnmarshalJSON(b []byte) error {
	var v []json.Number
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if len(v) != 4 {
		return errors.New("a metric's place is four numbers")
	}
	for i, p := range []*int64{&r.Time, &r.Step, nil, &r.Count} {
		if p == nil {
			if _, err := fmt.Sscan(v[i].String(), &r.Bits); err != nil {
				return err
			}
			continue
		}
		var err error
		if *p, err = v[i].Int64(); err != nil {
			return err
		}
	}
	return nil
}

// point is one value of a metric.
type point struct {
	time, step int64
	bits       uint64
}

func (p point) compare(q point) int {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.step, q.step),
		cmp.Compare(math.Float64frombits(p.bits), math.Float64frombits(q.bits)), cmp.Compare(p.bits, q.bits))
}

func (r reported) point() point { return point{r.Time, r.Step, r.Bits} }

// metricTail turns the history of one metric, which is read again from its last page, into values that are each told once.
type metricTail struct {
	last  point // the newest value, as the run says it: history is read when it changes
	read  bool  // history was read
	told  map[point]int64
	token string // of the last page
	// closing and closed are set while and when the history is read for the last time.
	closing, closed bool
	from            reported // where an earlier reader was
}

// loggedPoint is a value of a metric on the wire.
type loggedPoint struct {
	Key       string      `json:"key"`
	Value     loggedValue `json:"value"`
	Timestamp loggedTime  `json:"timestamp"`
	Step      loggedTime  `json:"step"`
}

func (p loggedPoint) point() point {
	return point{int64(p.Timestamp), int64(p.Step), math.Float64bits(float64(p.Value))}
}

// loggedTime is a whole number, which some servers write as text.
type loggedTime int64

func (t *loggedTime) UnmarshalJSON(b []byte) error {
	if len(b) > 1 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return err
	}
	f, err := n.Float64()
	if i, ierr := n.Int64(); ierr == nil {
		*t = loggedTime(i)
		return nil
	}
	*t = loggedTime(f)
	return err
}

// historySize is how many values are asked for at once.
const historySize = 5000

func (c *Client) tracking(segments ...string) string {
	return rest.Join("/mlflow/v1.0"+c.rest.Path(), append([]string{"api", "2.0", "mlflow"}, segments...)...)
}

// ask reads of the tracking service.
func (f *follower) ask(ctx context.Context, path string, q url.Values, out any) error {
	leave, err := f.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return f.c.rest.Do(ctx, &rest.Call{Op: f.op, Plane: rest.API, Group: "mlflow", Path: path, Query: q, Out: out})
}

// measure yields the values of metrics that were not told yet. A run that tracking does not know has none.
func (f *follower) measure(ctx context.Context, ended bool, yield func(Event, error) bool) (bool, error) {
	var doc struct {
		Run struct {
			Data struct {
				Metrics []loggedPoint `json:"metrics"`
			} `json:"data"`
		} `json:"run"`
	}
	if err := f.ask(ctx, f.c.tracking("runs", "get"), url.Values{"run_id": {f.name}}, &doc); err != nil {
		var re *azcore.ResponseError
		if errors.As(err, &re) && !passing(err) && re.StatusCode != http.StatusForbidden {
			f.unmeasured = re.StatusCode != http.StatusNotFound || ended // it may appear later
			return true, nil
		}
		return false, err
	}
	metrics := doc.Run.Data.Metrics
	slices.SortFunc(metrics, func(a, b loggedPoint) int { return cmp.Compare(a.Key, b.Key) })
	for _, m := range metrics {
		t := f.metrics[m.Key]
		if t == nil {
			t = &metricTail{told: map[point]int64{}, from: f.at.Metrics[m.Key]}
			f.metrics[m.Key] = t
		}
		switch {
		case t.closed || !ended && t.read && t.last == m.point():
			continue
		case ended && t.read && !t.closing: // once more from the beginning: what was logged late may be on any page
			t.token, t.closing = "", true
		}
		if ok, err := f.history(ctx, m.Key, t, yield); !ok || err != nil {
			return ok, err
		}
		t.last, t.read, t.closed = m.point(), true, ended
	}
	return true, nil
}

// history yields what is new of a metric.
func (f *follower) history(ctx context.Context, key string, t *metricTail, yield func(Event, error) bool) (bool, error) {
	counted := map[point]int64{}
	for {
		var page struct {
			Metrics []loggedPoint `json:"metrics"`
			Next    string        `json:"next_page_token"`
		}
		q := url.Values{"run_id": {f.name}, "metric_key": {key}, "max_results": {fmt.Sprint(historySize)}}
		if t.token != "" {
			q.Set("page_token", t.token)
		}
		if err := f.ask(ctx, f.c.tracking("metrics", "get-history"), q, &page); err != nil {
			return false, err
		}
		points := make([]point, len(page.Metrics))
		for i, m := range page.Metrics {
			points[i] = m.point()
		}
		slices.SortFunc(points, point.compare)
		for _, p := range points {
			counted[p]++
			if counted[p] <= t.told[p] {
				continue
			}
			t.told[p] = counted[p]
			if t.before(p, counted[p]) {
				continue
			}
			f.idle = 0
			if !f.tell(key, p, counted[p], yield) {
				return false, nil
			}
		}
		if page.Next == "" || page.Next == t.token {
			return true, nil
		}
		t.token = page.Next
	}
}

// before tells what an earlier reader was told.
func (t *metricTail) before(p point, n int64) bool {
	if t.from.Count == 0 {
		return false
	}
	c := p.compare(t.from.point())
	return c < 0 && !t.read || c == 0 && n <= t.from.Count
}

// tell yields one value. The place goes on where the value is the newest so far.
func (f *follower) tell(key string, p point, n int64, yield func(Event, error) bool) bool {
	at, known := f.at.Metrics[key]
	if !known || p.compare(at.point()) >= 0 {
		at = reported{p.time, p.step, p.bits, n}
		f.at.Metrics[key] = at
	}
	e := f.event(MetricLogged, key, 0)
	e.Cursor.m.value = at
	e.Metric = Metric{Key: key, Value: math.Float64frombits(p.bits), Step: p.step, Time: time.UnixMilli(p.time).UTC()}
	return yield(e, nil)
}

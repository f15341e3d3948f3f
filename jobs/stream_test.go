package jobs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// family is a job of the world with children.
type family struct {
	w        *world
	root     *fakeJob
	mu       sync.Mutex
	children map[string][]*fakeJob
	metrics  map[string][]loggedPoint
}

func (w *world) pipeline(name string) *family {
	f := &family{w: w, root: w.job(name, Running), children: map[string][]*fakeJob{}, metrics: map[string][]loggedPoint{}}
	w.answer("GET "+testWorkspace+"/jobs/"+name, map[string]any{"name": name, "properties": map[string]any{"jobType": "Pipeline", "status": "Running", "jobs": map[string]any{}}})
	f.lists(name)
	mlflow := "GET /mlflow/v1.0" + testWorkspace + "/api/2.0/mlflow/"
	w.handle(mlflow+"runs/get", func(rw http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		last := map[string]loggedPoint{}
		for _, p := range f.metrics[r.URL.Query().Get("run_id")] {
			last[p.Key] = p
		}
		points := []map[string]any{}
		for _, p := range last {
			points = append(points, p.document())
		}
		writeJSON(rw, 200, map[string]any{"run": map[string]any{"data": map[string]any{"metrics": points}}})
	})
	w.handle(mlflow+"metrics/get-history", func(rw http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		q := r.URL.Query()
		from, _ := strconv.Atoi(q.Get("page_token"))
		all := []map[string]any{}
		for _, p := range f.metrics[q.Get("run_id")] {
			if p.Key == q.Get("metric_key") {
				all = append(all, p.document())
			}
		}
		const page = 2
		doc := map[string]any{"metrics": all[min(from, len(all)):min(from+page, len(all))]}
		if from+page < len(all) {
			doc["next_page_token"] = strconv.Itoa(from + page)
		}
		writeJSON(rw, 200, doc)
	})
	return f
}

func (p loggedPoint) document() map[string]any {
	return map[string]any{"key": p.Key, "value": float64(p.Value), "timestamp": int64(p.Timestamp), "step": int64(p.Step)}
}

func (f *family) log(run, key string, step int, value float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.metrics[run] = append(f.metrics[run], loggedPoint{key, loggedValue(value), loggedTime(1000 * step), loggedTime(step)})
}

func (f *family) lists(parent string) {
	f.w.handle("GET "+testHistory+"/runs/"+parent+"/children", func(rw http.ResponseWriter, _ *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		list := []map[string]any{}
		for _, j := range f.children[parent] {
			kind := "azureml.scriptrun"
			if f.children[j.name] != nil {
				kind = "azureml.PipelineRun"
			}
			j.mu.Lock()
			list = append(list, map[string]any{"runId": j.name, "parentRunId": parent, "displayName": j.name[strings.LastIndexByte(j.name, '_')+1:], "status": j.status, "runType": kind})
			j.mu.Unlock()
		}
		writeJSON(rw, 200, map[string]any{"value": list})
	})
}

// add makes a child.
func (f *family) add(parent, name string, status Status) *fakeJob {
	j := f.w.job(name, status)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.children[parent] = append(f.children[parent], j)
	return j
}

// text is an event without what differs from reader to reader.
func (e Event) text() string {
	if e.Kind != StatusChanged {
		e.Status = ""
	}
	return fmt.Sprintf("%s %s %s %s %s %s %v %v", e.Job, e.Step, e.Kind, e.Status, e.File, e.Line, e.Metric, e.Err)
}

// byRun are events by run, in their order. States on the way to the end are seen or not.
func byRun(events []Event) map[string][]string {
	out := map[string][]string{}
	for _, e := range events {
		if e.Kind == StatusChanged && !e.Status.Ended() {
			continue
		}
		out[e.Job] = append(out[e.Job], e.text())
	}
	return out
}

// nested is a pipeline with a step, a step that fails, and a nested pipeline with a step.
func nested(t *testing.T) (*world, *family) {
	w := newWorld(t)
	f := w.pipeline("p")
	prep := f.add("p", "p_prep", Completed)
	prep.write(std, "one\ntwo\nlast")
	bad := f.add("p", "p_bad", Failed)
	bad.err = map[string]any{"error": map[string]any{"code": "UserError", "message": "exit code 3"}}
	bad.write(std, "boom\n")
	bad.write("user_logs/std_log_process_1.txt", "the other node\n")
	f.add("p", "p_inner", Completed)
	deep := f.add("p_inner", "p_inner_fit", Completed)
	f.lists("p_inner")
	deep.write(std, "epoch 1\nepoch 2\n")
	for step := range 5 {
		f.log("p_inner_fit", "loss", step, 1/float64(step+1))
	}
	f.log("p_inner_fit", "accuracy", 4, 0.9)
	f.root.write("logs/azureml/executionlogs.txt", "the pipeline's own\n")
	return w, f
}

func TestEventsOfAllChildren(t *testing.T) {
	w, f := nested(t)
	c, clk := w.client()
	clk.onStep = func(time.Time) { f.root.set(Failed) }
	var all []Event
	for e, err := range c.Events(t.Context(), "p", nil) {
		require.NoError(t, err)
		all = append(all, e)
	}
	got := byRun(all)
	require.Len(t, got, 5)
	require.Equal(t, []string{
		"p_prep prep log  user_logs/std_log.txt one {}", "p_prep prep log  user_logs/std_log.txt two {}", "p_prep prep log  user_logs/std_log.txt last {}",
	}, shorten(got["p_prep"][:3]))
	require.Contains(t, strings.Join(got["p_bad"], "\n"), "the other node", "every node's log is told")
	require.Contains(t, got["p_bad"][len(got["p_bad"])-2], "UserError: exit code 3")
	deep := got["p_inner_fit"]
	require.Len(t, deep, 2+5+1+1)
	require.Contains(t, deep[2], "accuracy 0.9 4")
	require.Contains(t, deep[3], "loss 1 0")
	require.Contains(t, deep[7], "loss 0.2 4")
	last := all[len(all)-1]
	require.Equal(t, "p", last.Job, "the end of the job is told last")
	require.Equal(t, Failed, last.Status)
	for _, e := range all {
		if e.Job == "p_inner_fit" {
			require.Equal(t, "p_inner", e.Parent)
		}
	}
	var own []Event
	for e, err := range c.Events(t.Context(), "p", &EventsOptions{NoChildren: true, NoLogs: true, NoMetrics: true}) {
		require.NoError(t, err)
		own = append(own, e)
	}
	require.Len(t, own, 1)
}

// shorten takes the state and empty values out of texts.
func shorten(texts []string) (out []string) {
	for _, s := range texts {
		s, _, _ = strings.Cut(strings.Replace(strings.Replace(s, "Completed ", " ", 1), "log  ", "log  ", 1), "{ 0 0")
		out = append(out, s+"{}")
	}
	return out
}

// A reader that was broken off after any event, and goes on as another client from that event's cursor, has all events once.
func TestEventsGoOnAfterAnyEvent(t *testing.T) {
	w, f := nested(t)
	c, clk := w.client()
	clk.onStep = func(time.Time) { f.root.set(Failed) }
	var all []Event
	for e, err := range c.Events(t.Context(), "p", nil) {
		require.NoError(t, err)
		all = append(all, e)
	}
	want := byRun(all)
	for cut := range all {
		f.root.set(Running)
		if cut == len(all)-1 {
			f.root.set(Failed)
		}
		c, clk := w.client()
		clk.onStep = func(time.Time) { f.root.set(Failed) }
		got := slices.Clone(all[:cut+1])
		for e, err := range c.Events(t.Context(), "p", &EventsOptions{After: all[cut].Cursor.String()}) {
			require.NoError(t, err)
			got = append(got, e)
		}
		require.Equal(t, want, byRun(got), "after event %d, %s", cut, all[cut].text())
	}
}

// cutting breaks connections: a request in three is reset before it is answered, and bodies of logs end anywhere.
type cutting struct {
	w  *world
	mu sync.Mutex
	r  *rand.Rand
}

func (c *cutting) Do(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	reset, cut := c.r.IntN(3) == 0, c.r.Int64N(40)
	c.mu.Unlock()
	if reset {
		return nil, fmt.Errorf("read tcp: %w", syscall.ECONNRESET)
	}
	resp, err := c.w.Do(r)
	if err == nil && strings.HasPrefix(r.URL.Path, "/logs/") && cut < 20 {
		resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, cut), errReader{syscall.ECONNRESET}))
	}
	return resp, err
}

// counted counts the bytes that are read.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// Connections that break everywhere, and readers that break off again and again, lose and double nothing.
func TestEventsThroughBrokenConnections(t *testing.T) {
	w := newWorld(t)
	f := w.pipeline("p")
	const children, lines = 8, 60
	var jobs []*fakeJob
	for i := range children {
		j := f.add("p", fmt.Sprintf("p_s%d", i), Running)
		j.write(std, "begin\n")
		jobs = append(jobs, j)
	}
	var mu sync.Mutex
	written := 0
	step := func(time.Time) { // the world moves on whenever somebody waits
		mu.Lock()
		defer mu.Unlock()
		switch {
		case written < children*lines:
			for range 7 {
				if written < children*lines {
					j := jobs[written%children]
					j.write(std, fmt.Sprintf("line %d of %s, with some text\n", written/children, j.name))
					f.log(j.name, "loss", written/children, float64(written))
					written++
				}
			}
		case jobs[0].status == Running:
			for _, j := range jobs {
				j.set(Completed)
			}
		default:
			f.root.set(Completed)
		}
	}
	broken := &cutting{w: w, r: rand.New(rand.NewPCG(1, 2))}
	got := map[string][]string{}
	metrics := map[string]int{}
	cursor, readers := "", 0
	for done := false; !done; readers++ {
		clk := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), onStep: step}
		c := w.clientWith(broken, clk)
		take := 50 + readers
		for e, err := range c.Events(t.Context(), "p", &EventsOptions{After: cursor, Poll: time.Millisecond, Outage: time.Hour}) {
			require.NoError(t, err)
			switch e.Kind {
			case LogLine:
				got[e.Job] = append(got[e.Job], e.Line)
			case MetricLogged:
				require.EqualValues(t, metrics[e.Job], e.Metric.Step, e.Job)
				metrics[e.Job]++
			case StatusChanged:
				done = e.Job == "p" && e.Status.Ended()
			}
			cursor = e.Cursor.String()
			if take--; take == 0 {
				break
			}
		}
	}
	require.Greater(t, readers, 10)
	for _, j := range jobs {
		require.Equal(t, strings.TrimSuffix(j.logs[std], "\n"), strings.Join(got[j.name], "\n"))
		require.Equal(t, lines, metrics[j.name], j.name)
	}
}

// Following the logs of 100 jobs at once fetches each byte once.
func TestEventsOfManyFetchNewBytesOnly(t *testing.T) {
	w := newWorld(t)
	f := w.pipeline("p")
	var jobs []*fakeJob
	for i := range 100 {
		j := f.add("p", fmt.Sprintf("p_%d", i), Running)
		j.write(std, "begin\n")
		jobs = append(jobs, j)
	}
	var mu sync.Mutex
	rounds := 0
	clk := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	clk.onStep = func(time.Time) {
		mu.Lock()
		defer mu.Unlock()
		switch rounds++; {
		case rounds < 400:
			j := jobs[rounds%100]
			j.write(std, strings.Repeat(fmt.Sprintf("line of round %d\n", rounds), 20)+"and a half")
		case rounds == 400:
			for _, j := range jobs {
				j.write(std, "\n")
				j.set(Completed)
			}
			f.root.set(Completed)
		}
	}
	var fetched atomic.Int64
	c := w.clientWith(transportFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := w.Do(r)
		if err == nil && strings.HasPrefix(r.URL.Path, "/logs/") && resp.StatusCode == http.StatusPartialContent {
			resp.Body = counted{resp.Body, &fetched}
		}
		return resp, err
	}), clk)
	read := 0
	for e, err := range c.Events(t.Context(), "p", &EventsOptions{Poll: time.Millisecond, NoMetrics: true}) {
		require.NoError(t, err)
		if e.Kind == LogLine {
			read += len(e.Line) + 1
		}
	}
	written := 0
	for _, j := range jobs {
		written += len(j.logs[std])
	}
	require.Equal(t, written, read)
	require.EqualValues(t, written, fetched.Load(), "each byte is fetched once")
	t.Logf("%d bytes in 100 logs, %d fetched", written, fetched.Load())
}

// growing is a log file of lines of 100 bytes that grows at every look.
type growing struct {
	size, fetched atomic.Int64
	all           atomic.Int64 // bytes of all bodies
}

func (g *growing) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	size := g.size.Load()
	from, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"), 10, 64)
	if err != nil {
		panic(err)
	}
	if from >= size {
		rw.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		rw.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		return
	}
	rw.WriteHeader(http.StatusPartialContent)
	line := append(bytes.Repeat([]byte("x"), 99), '\n')
	for at := from; at < size; {
		chunk := line[at%100:]
		chunk = chunk[:min(int64(len(chunk)), size-at)]
		if _, err := rw.Write(chunk); err != nil {
			panic(err)
		}
		at += int64(len(chunk))
	}
	g.fetched.Add(size - from)
}

// Following a log of 100 MB that grows fetches at most 1 % more bytes than are written, all answers counted.
func TestFollowLargeLog(t *testing.T) {
	const total, piece = 100 << 20, 1234567
	w := newWorld(t)
	j := w.job("a", Running)
	j.write(std, "")
	g := &growing{}
	w.handle("GET /logs/a/"+std, g.ServeHTTP)
	clk := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	clk.onStep = func(time.Time) {
		if g.size.Store(min(total, g.size.Load()+piece)); g.size.Load() == total {
			j.set(Completed)
		}
	}
	c := w.clientWith(transportFunc(func(r *http.Request) (*http.Response, error) {
		resp, err := w.Do(r)
		if err == nil {
			resp.Body = counted{resp.Body, &g.all}
		}
		return resp, err
	}), clk)
	var lines, size int64
	for line, err := range c.Logs(t.Context(), "a", nil) {
		require.NoError(t, err)
		lines++
		size += int64(len(line)) + 1
	}
	require.EqualValues(t, (total+99)/100, lines)
	require.EqualValues(t, total, g.fetched.Load())
	require.LessOrEqual(t, float64(g.all.Load()), 1.01*total)
	t.Logf("%d bytes written, %d fetched of the log, %d in all", total, g.fetched.Load(), g.all.Load())
}

func TestEventsStopAndCancel(t *testing.T) {
	w, _ := nested(t)
	c, _ := w.client()
	for range c.Events(t.Context(), "p", nil) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.Events(ctx, "p", nil) { // the pipeline never ends
		cancel()
		last = err
	}
	require.ErrorIs(t, last, context.Canceled)
	for _, err := range c.Events(t.Context(), "none", nil) {
		last = err
	}
	require.ErrorContains(t, last, `jobs: events "none"`)
	require.ErrorContains(t, last, "404")
}

// The log of a pipeline is made of its steps'.
func TestLogsOfPipeline(t *testing.T) {
	w, f := nested(t)
	c, clk := w.client()
	clk.onStep = func(time.Time) { f.root.set(Failed) }
	read := func(o LogsOptions) map[string][]string {
		got, file := map[string][]string{}, ""
		o.File = func(name string) { file = name }
		for line, err := range c.Logs(t.Context(), "p", &o) {
			require.NoError(t, err)
			got[file] = append(got[file], line)
		}
		return got
	}
	want := map[string][]string{
		"logs/azureml/executionlogs.txt": {"the pipeline's own"}, "prep/" + std: {"one", "two", "last"}, "bad/" + std: {"boom"}, "fit/" + std: {"epoch 1", "epoch 2"},
	}
	require.Equal(t, want, read(LogsOptions{}))
	f.root.set(Running)
	require.Equal(t, want, read(LogsOptions{Present: true}))
	require.Equal(t, map[string][]string{"logs/azureml/executionlogs.txt": {"the pipeline's own"}}, read(LogsOptions{NoChildren: true}))
}

package mlflow_test

import (
	"context"
	"fmt"
	"image"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/azureml-go/azureml/jobs/mlflow"
	"github.com/stretchr/testify/require"
)

// The same suite runs against every tracking server there is: MLflow's own, named by
// AZUREML_TEST_MLFLOW_URI, and the local workspace.
func TestAgainstMLflowServer(t *testing.T) {
	uri := os.Getenv("AZUREML_TEST_MLFLOW_URI")
	if uri == "" {
		t.Skip("AZUREML_TEST_MLFLOW_URI is not set: it is the address of an `mlflow server` of 3.x")
	}
	suite(t, func(t *testing.T) *mlflow.Client { return connect(t, uri, nil) })
}

func connect(t *testing.T, uri string, o *mlflow.Options) *mlflow.Client {
	t.Helper()
	if o == nil {
		o = &mlflow.Options{}
	}
	o.SpoolDir = t.TempDir()
	o.Retry = mlflow.Retry{Max: 3, Backoff: 20 * time.Millisecond, Jitter: -1} // MLflow 2 answers 500 for a missing file
	c, err := mlflow.New(uri, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// suite is what holds of every tracking server.
func suite(t *testing.T, open func(t *testing.T) *mlflow.Client) {
	for name, f := range map[string]func(*testing.T, *mlflow.Client){
		"Experiments":   experiments,
		"Runs":          runs,
		"Batch":         batch,
		"Values":        values,
		"History":       history,
		"Nested":        nested,
		"SearchRuns":    searchRuns,
		"Inputs":        inputs,
		"Artifacts":     artifacts,
		"LogModel":      logModel,
		"ModelFallback": modelAsArtifacts,
		"LoggedModels":  loggedModels,
		"Registry":      registry,
		"Refusals":      refusals,
		"Logger":        logger,
		"LoggerRefused": loggerRefused,
		"Replay":        replay,
		"System":        system,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

var serial int

// unique gives names that no earlier run of the suite took.
func unique(prefix string) string {
	serial++
	return fmt.Sprintf("%s-%d-%d", prefix, time.Now().UnixNano(), serial)
}

func collect[T any](t *testing.T, seq iter.Seq2[T, error]) []T {
	t.Helper()
	var out []T
	for v, err := range seq {
		require.NoError(t, err)
		out = append(out, v)
	}
	return out
}

func start(t *testing.T, c *mlflow.Client) *mlflow.Run {
	t.Helper()
	r, err := c.Start(t.Context(), &mlflow.StartOptions{Experiment: unique("suite")})
	require.NoError(t, err)
	return r
}

func experiments(t *testing.T, c *mlflow.Client) {
	ctx, name := t.Context(), unique("exp")
	_, err := c.Experiments.ByName(ctx, name)
	require.ErrorIs(t, err, mlflow.ErrNotFound)
	id, err := c.Experiments.Create(ctx, name, &mlflow.ExperimentOptions{Tags: map[string]string{"team": "blue"}})
	require.NoError(t, err)
	_, err = c.Experiments.Create(ctx, name, nil)
	require.ErrorIs(t, err, mlflow.ErrExists)
	again, err := c.Experiments.Ensure(ctx, name)
	require.NoError(t, err)
	require.Equal(t, id, again)

	e, err := c.Experiments.Get(ctx, id)
	require.NoError(t, err)
	require.Equal(t, name, e.Name)
	require.Equal(t, map[string]string{"team": "blue"}, e.Tags)
	require.False(t, e.Deleted)
	require.WithinDuration(t, time.Now(), e.Created, time.Minute)
	require.NotEmpty(t, e.ArtifactLocation)

	require.NoError(t, c.Experiments.SetTag(ctx, id, "state", "näher"))
	tags := map[string]string{"state": "näher"}
	if err := c.Experiments.DeleteTag(ctx, id, "team"); err != nil {
		require.ErrorIs(t, err, mlflow.ErrUnsupported) // MLflow 2
		tags["team"] = "blue"
	}
	renamed := name + "-2"
	require.NoError(t, c.Experiments.Rename(ctx, id, renamed))
	e, err = c.Experiments.ByName(ctx, renamed)
	require.NoError(t, err)
	require.Equal(t, tags, e.Tags)

	other, err := c.Experiments.Create(ctx, name+"-a", nil)
	require.NoError(t, err)
	found := collect(t, c.Experiments.All(ctx, &mlflow.Search{Filter: "name LIKE '" + name + "%'", OrderBy: []string{"name ASC"}, PageSize: 1}))
	require.Len(t, found, 2)
	require.Equal(t, []string{id, other}, []string{found[0].ID, found[1].ID})

	require.NoError(t, c.Experiments.Delete(ctx, other))
	found = collect(t, c.Experiments.All(ctx, &mlflow.Search{Filter: "name LIKE '" + name + "%'"}))
	require.Len(t, found, 1)
	found = collect(t, c.Experiments.All(ctx, &mlflow.Search{Filter: "name LIKE '" + name + "%'", View: mlflow.Deleted}))
	require.Len(t, found, 1)
	require.True(t, found[0].Deleted)
	_, err = c.Experiments.Ensure(ctx, name+"-a")
	require.ErrorContains(t, err, "deleted")
	require.NoError(t, c.Experiments.Restore(ctx, other))
	_, err = c.Experiments.Get(ctx, "987654321987")
	require.ErrorIs(t, err, mlflow.ErrNotFound)
}

func runs(t *testing.T, c *mlflow.Client) {
	ctx := t.Context()
	id, err := c.Experiments.Create(ctx, unique("runs"), nil)
	require.NoError(t, err)
	r, err := c.Start(ctx, &mlflow.StartOptions{ExperimentID: id, Name: "first", Description: "a *run*", Tags: map[string]string{"k": "v"}})
	require.NoError(t, err)
	require.Equal(t, mlflow.Running, r.Info.Status)
	require.Equal(t, "first", r.Info.Name)
	require.Equal(t, id, r.Info.ExperimentID)
	require.Equal(t, "a *run*", r.Data.Tags[mlflow.TagDescription])
	require.Equal(t, "LOCAL", r.Data.Tags[mlflow.TagSourceType])

	require.NoError(t, r.LogParam(ctx, "lr", 0.01))
	require.NoError(t, r.LogParam(ctx, "lr", 0.01), "the same value again is accepted")
	err = r.LogParam(ctx, "lr", 0.02)
	require.ErrorIs(t, err, mlflow.ErrInvalid)
	require.NoError(t, r.LogMetric(ctx, "loss", 0.5, 1))
	require.NoError(t, r.LogMetric(ctx, "loss", 0.25, 2))
	require.NoError(t, r.LogMetric(ctx, "loss", 0.75, 0))
	require.NoError(t, r.LogMetrics(ctx, map[string]float64{"acc": 0.9, "f1": 0.8}, 3))
	require.NoError(t, r.SetTag(ctx, "k", "w"))
	require.NoError(t, r.SetTags(ctx, map[string]string{"a/b": "1", "gone": "x"}))
	require.NoError(t, r.DeleteTag(ctx, "gone"))
	require.ErrorIs(t, r.DeleteTag(ctx, "gone"), mlflow.ErrNotFound)

	require.NoError(t, r.Refresh(ctx))
	require.Equal(t, map[string]string{"lr": "0.01"}, r.Data.Params)
	require.Equal(t, 0.25, r.Data.Metrics["loss"].Value)
	require.Equal(t, int64(2), r.Data.Metrics["loss"].Step)
	require.Equal(t, 0.9, r.Data.Metrics["acc"].Value)
	require.Equal(t, "w", r.Data.Tags["k"])
	require.NotContains(t, r.Data.Tags, "gone")

	require.NoError(t, r.Update(ctx, mlflow.RunUpdate{Name: "second"}))
	require.NoError(t, r.End(ctx, mlflow.Finished))
	require.Equal(t, mlflow.Finished, r.Info.Status)
	read, err := c.Runs.Get(ctx, r.Info.ID)
	require.NoError(t, err)
	require.Equal(t, "second", read.Info.Name)
	require.WithinDuration(t, time.Now(), read.Info.End, time.Minute)
	require.False(t, read.Info.Start.After(read.Info.End))

	resumed, err := c.Start(ctx, &mlflow.StartOptions{RunID: r.Info.ID, Tags: map[string]string{"again": "1"}})
	require.NoError(t, err)
	require.Equal(t, mlflow.Running, resumed.Info.Status)
	require.NoError(t, resumed.End(ctx, mlflow.Failed))

	require.NoError(t, r.Delete(ctx))
	read, err = c.Runs.Get(ctx, r.Info.ID)
	require.NoError(t, err)
	require.True(t, read.Info.Deleted)
	require.Error(t, r.LogMetric(ctx, "loss", 1, 9), "a deleted run takes nothing")
	_, err = c.Start(ctx, &mlflow.StartOptions{RunID: r.Info.ID})
	require.ErrorContains(t, err, "deleted")
	require.NoError(t, c.Runs.Restore(ctx, r.Info.ID))
	require.NoError(t, r.LogMetric(ctx, "loss", 1, 9))
}

func batch(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	b := mlflow.Batch{Params: map[string]string{}, Tags: map[string]string{}}
	at := time.UnixMilli(1_700_000_000_000)
	for i := range 2345 {
		b.Metrics = append(b.Metrics, mlflow.Metric{Key: "m", Value: float64(i), Step: int64(i), Time: at.Add(time.Duration(i) * time.Millisecond)})
	}
	for i := range 234 {
		b.Params[fmt.Sprintf("p%d", i)] = fmt.Sprint(i)
	}
	for i := range 123 {
		b.Tags[fmt.Sprintf("t%d", i)] = fmt.Sprint(i)
	}
	require.NoError(t, r.LogBatch(ctx, b))
	require.NoError(t, r.Refresh(ctx))
	require.Len(t, r.Data.Params, 234)
	require.Equal(t, "233", r.Data.Params["p233"])
	require.Equal(t, "122", r.Data.Tags["t122"])
	points := collect(t, r.History(ctx, "m"))
	require.Equal(t, b.Metrics[2344].Value, points[2344].Value)
	require.Len(t, points, 2345)
	for i, p := range points {
		require.Equal(t, int64(i), p.Step)
		require.True(t, b.Metrics[i].Time.Equal(p.Time))
	}
}

func values(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	for key, v := range map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "minus": math.Inf(-1), "tiny": 5e-324, "big": 1.5e308, "third": 1.0 / 3} {
		require.NoError(t, r.LogMetric(ctx, key, v, -7))
	}
	require.NoError(t, r.Refresh(ctx))
	require.True(t, math.IsNaN(r.Data.Metrics["nan"].Value))
	require.GreaterOrEqual(t, r.Data.Metrics["inf"].Value, math.MaxFloat64)
	require.LessOrEqual(t, r.Data.Metrics["minus"].Value, -math.MaxFloat64)
	require.Equal(t, 1.5e308, r.Data.Metrics["big"].Value)
	require.Equal(t, 5e-324, r.Data.Metrics["tiny"].Value)
	require.Equal(t, 1.0/3, r.Data.Metrics["third"].Value)
	require.Equal(t, int64(-7), r.Data.Metrics["third"].Step)
	long := string(slices.Repeat([]rune{'ä'}, 7000))
	require.NoError(t, r.LogParam(ctx, "long", long))
	require.NoError(t, r.LogParam(ctx, "quotes", "a \"b\" \\ \n\t ☃ 💡"))
	require.NoError(t, r.Refresh(ctx))
	require.Len(t, []rune(r.Data.Params["long"]), 6000)
	require.Equal(t, "a \"b\" \\ \n\t ☃ 💡", r.Data.Params["quotes"])
}

func history(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	const n = 30_000 // more than a page
	b := mlflow.Batch{}
	at := time.UnixMilli(1_700_000_000_000)
	for i := range n {
		b.Metrics = append(b.Metrics, mlflow.Metric{Key: "x", Value: float64(i) / 3, Step: int64(i), Time: at.Add(time.Duration(i) * time.Millisecond)})
	}
	require.NoError(t, r.LogBatch(ctx, b))
	points := collect(t, r.History(ctx, "x"))
	require.Len(t, points, n)
	require.Equal(t, float64(n-1)/3, points[n-1].Value)
	require.Empty(t, collect(t, r.History(ctx, "nothing")))

	low, high := int64(100), int64(199)
	some, err := c.Runs.HistoryInterval(ctx, []string{r.Info.ID}, "x", &mlflow.IntervalOptions{StartStep: &low, EndStep: &high, Points: 10})
	require.NoError(t, err)
	require.NotEmpty(t, some)
	require.LessOrEqual(t, len(some), 12)
	require.Equal(t, r.Info.ID, some[0].RunID)
	require.Equal(t, high, some[len(some)-1].Step)
	for _, p := range some {
		require.True(t, p.Step >= low && p.Step <= high)
	}
	// An iterator that is left early asks for no more.
	for range r.History(ctx, "x") {
		break
	}
}

func nested(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	for i := range 3 {
		child, err := r.StartChild(ctx, &mlflow.StartOptions{Name: fmt.Sprintf("child-%d", i)})
		require.NoError(t, err)
		require.Equal(t, r.Info.ID, child.Parent())
		require.Equal(t, r.Info.ExperimentID, child.Info.ExperimentID)
		require.NoError(t, child.End(ctx, mlflow.Finished))
	}
	require.Len(t, collect(t, r.Children(ctx)), 3)
	require.NoError(t, r.End(ctx, mlflow.Killed))
}

func searchRuns(t *testing.T, c *mlflow.Client) {
	ctx := t.Context()
	id, err := c.Experiments.Create(ctx, unique("search"), nil)
	require.NoError(t, err)
	for i := range 7 {
		r, err := c.Start(ctx, &mlflow.StartOptions{ExperimentID: id, Name: fmt.Sprintf("r%d", i)})
		require.NoError(t, err)
		require.NoError(t, r.LogMetric(ctx, "loss", float64(7-i), 0))
		require.NoError(t, r.LogParam(ctx, "odd size", i%2 == 1))
		require.NoError(t, r.End(ctx, mlflow.Finished))
	}
	names := func(q *mlflow.Search) []string {
		var out []string
		for _, r := range collect(t, c.Runs.All(ctx, []string{id}, q)) {
			out = append(out, r.Info.Name)
		}
		return out
	}
	require.Len(t, names(nil), 7)
	require.Equal(t, []string{"r6", "r5", "r4"}, names(&mlflow.Search{Filter: "metrics.loss < 4", OrderBy: []string{"metrics.loss ASC"}, PageSize: 2}))
	require.Equal(t, []string{"r1", "r3", "r5"}, names(&mlflow.Search{Filter: "params.`odd size` = 'true' AND attributes.status = 'FINISHED'", OrderBy: []string{"attributes.run_name"}}))
	require.Equal(t, []string{"r2"}, names(&mlflow.Search{Filter: "run_name ILIKE 'R2'"}))
	require.Empty(t, names(&mlflow.Search{View: mlflow.Deleted}))
	for _, err := range c.Runs.All(ctx, []string{id}, &mlflow.Search{Filter: "metrics.loss <"}) {
		require.ErrorIs(t, err, mlflow.ErrInvalid)
	}
	for _, err := range c.Runs.All(ctx, nil, nil) {
		require.ErrorIs(t, err, mlflow.ErrInvalid)
	}
}

func inputs(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	file := filepath.Join(t.TempDir(), "iris.csv")
	require.NoError(t, os.WriteFile(file, []byte("a,b\n1,2\n"), 0o666))
	digest, err := mlflow.FileDigest(file)
	require.NoError(t, err)
	in := mlflow.DatasetInput{
		Context: "training",
		Dataset: mlflow.Dataset{Name: "iris", Digest: digest, SourceType: "local", Source: mlflow.SourceURI("file:///iris.csv"), Schema: `{"a":"long"}`, Profile: `{"num_rows":1}`},
	}
	require.NoError(t, r.LogInputs(ctx, in))
	require.NoError(t, r.LogInputs(ctx, mlflow.DatasetInput{Dataset: mlflow.Dataset{Name: "other", Digest: "1"}}))
	require.NoError(t, r.Refresh(ctx))
	require.Len(t, r.Inputs, 2)
	slices.SortFunc(r.Inputs, func(a, b mlflow.DatasetInput) int { return len(a.Dataset.Name) - len(b.Dataset.Name) })
	require.Equal(t, in.Dataset, r.Inputs[0].Dataset)
	require.Equal(t, "training", r.Inputs[0].Context)
	require.ErrorIs(t, r.LogInputs(ctx), mlflow.ErrInvalid)
}

func artifacts(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	a := r.Artifacts()
	require.Empty(t, collect(t, a.All(ctx, "")))
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "deep", "er"), 0o777))
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * 7)
	}
	for name, content := range map[string][]byte{"a.txt": []byte("a"), "deep/b b+.bin": big, "deep/er/ü.json": []byte("{}"), "empty": nil} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), content, 0o666))
	}
	require.NoError(t, a.Upload(ctx, dir, "tree"))
	require.NoError(t, a.Upload(ctx, filepath.Join(dir, "a.txt"), ""))
	require.NoError(t, a.Text(ctx, "notes/hello.txt", "hello\n"))
	require.NoError(t, a.JSON(ctx, "notes/config.json", map[string]any{"x": 1.5}))
	require.NoError(t, a.Figure(ctx, "notes/plot.png", image.NewRGBA(image.Rect(0, 0, 4, 4))))

	names := func(list []mlflow.FileInfo) []string {
		var out []string
		for _, f := range list {
			if f.IsDir {
				out = append(out, f.Path+"/")
			} else {
				out = append(out, f.Path)
			}
		}
		return out
	}
	require.Equal(t, []string{"a.txt", "notes/", "tree/"}, names(collect(t, a.All(ctx, ""))))
	require.Equal(t, []string{"tree/a.txt", "tree/deep/", "tree/empty"}, names(collect(t, a.All(ctx, "tree"))))
	require.Empty(t, collect(t, a.All(ctx, "a.txt")), "a file has no children")
	require.Equal(t, []string{"tree/deep/b b+.bin", "tree/deep/er/ü.json"}, names(collect(t, a.Walk(ctx, "tree/deep"))))

	b, err := a.Read(ctx, "notes/config.json")
	require.NoError(t, err)
	require.JSONEq(t, `{"x":1.5}`, string(b))
	b, err = a.Read(ctx, "tree/deep/b b+.bin")
	require.NoError(t, err)
	require.Equal(t, big, b)
	_, err = a.Read(ctx, "nowhere.txt")
	require.Error(t, err)

	to := t.TempDir()
	written, err := a.Download(ctx, "tree", to)
	require.NoError(t, err)
	require.Len(t, written, 4)
	b, err = os.ReadFile(filepath.Join(to, "deep", "er", "ü.json"))
	require.NoError(t, err)
	require.Equal(t, "{}", string(b))
	b, err = os.ReadFile(filepath.Join(to, "empty"))
	require.NoError(t, err)
	require.Empty(t, b)
	written, err = c.Artifacts("runs:/"+r.Info.ID+"/notes").Download(ctx, "hello.txt", to)
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(to, "hello.txt")}, written)
	_, err = a.Download(ctx, "nowhere", to)
	require.Error(t, err)

	for _, p := range []string{"../x", "/etc/passwd", "a/../../b", `a\b`} {
		require.Error(t, a.Text(ctx, p, "x"), p)
		_, err := a.Download(ctx, p, to)
		require.Error(t, err, p)
	}
	require.Error(t, a.Upload(ctx, t.TempDir(), ""), "an empty folder")
	require.Error(t, a.Upload(ctx, filepath.Join(to, "missing"), ""))
	if err := a.Remove(ctx, "notes"); err != nil {
		require.ErrorIs(t, err, mlflow.ErrUnsupported)
	} else {
		require.Equal(t, []string{"a.txt", "tree/"}, names(collect(t, a.All(ctx, ""))))
	}
}

func refusals(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	for _, key := range []string{"", "a//b", "/a", "../a", "a/../b", "semi;colon", "nul\x00", string(make([]byte, 300)), "bad\xff"} {
		require.ErrorIs(t, r.LogMetric(ctx, key, 1, 0), mlflow.ErrInvalid, "%q", key)
		require.ErrorIs(t, r.LogParam(ctx, key, 1), mlflow.ErrInvalid, "%q", key)
		require.ErrorIs(t, r.SetTag(ctx, key, "1"), mlflow.ErrInvalid, "%q", key)
	}
	require.NoError(t, r.LogMetric(ctx, "a/b c.d:e-f_g", 1, 0))
	_, err := c.Runs.Get(ctx, "0123456789abcdef0123456789abcdef")
	require.ErrorIs(t, err, mlflow.ErrNotFound)
	var e *mlflow.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, mlflow.CodeDoesNotExist, e.Code)
	require.Equal(t, 404, e.Status)
	_, err = c.Runs.Create(ctx, mlflow.NewRun{ExperimentID: "99999999"})
	require.ErrorIs(t, err, mlflow.ErrNotFound)
}

func logger(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	m := r.Metrics()
	require.Same(t, m, r.Metrics())
	const n = 4321
	for i := range n {
		m.Log("loss", 1/float64(i+1), i)
	}
	m.LogAll(map[string]float64{"nan": math.NaN(), "inf": math.Inf(1)}, 7)
	require.NoError(t, m.Flush(ctx))
	points := collect(t, r.History(ctx, "loss"))
	require.Len(t, points, n)
	m.Log("loss", 0, n)
	require.NoError(t, r.End(ctx, mlflow.Finished))
	require.NoError(t, r.Refresh(ctx))
	require.Equal(t, int64(n), r.Data.Metrics["loss"].Step)
	require.True(t, math.IsNaN(r.Data.Metrics["nan"].Value))
}

func loggerRefused(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	m := r.Metrics()
	m.Log("good", 1, 1)
	m.Log("bad;name", 2, 2)
	m.Log("good", 3, 3)
	err := m.Close(ctx)
	var u *mlflow.UndeliveredError
	require.ErrorAs(t, err, &u)
	require.Equal(t, 1, u.RefusedCount)
	require.Equal(t, "bad;name", u.Refused[0].Metric.Key)
	require.Zero(t, u.Pending)
	require.Len(t, collect(t, r.History(ctx, "good")), 2)

	// A run that is gone: nothing is acknowledged, and all of it is named.
	gone := c.Runs.Handle("0123456789abcdef0123456789abcdef").Metrics()
	for i := range 5 {
		gone.Log("x", float64(i), i)
	}
	err = gone.Close(ctx)
	require.ErrorAs(t, err, &u)
	require.ErrorIs(t, err, mlflow.ErrNotFound)
	require.Equal(t, 5, u.Pending)
	require.FileExists(t, u.Spool)
	pending := collect(t, u.Unacknowledged())
	require.Len(t, pending, 5)
	require.Equal(t, 4.0, pending[4].Value)
}

func replay(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	dir := t.TempDir()
	// A process that had sent ten values and knew of three when it was killed.
	text := fmt.Sprintf("{\"mlflow_spool\":1,\"uri\":%q,\"run_id\":%q,\"pid\":1,\"started\":\"2024-01-01T00:00:00Z\"}\n", c.URI(), r.Info.ID)
	var lines string
	var acknowledged int
	b := mlflow.Batch{}
	for i := range 25 {
		v := mlflow.Metric{Key: []string{"a", "b"}[i%2], Value: float64(i) / 7, Step: int64(i), Time: time.UnixMilli(1_700_000_000_000 + int64(i))}
		if i == 12 {
			v.Value = math.NaN()
		}
		if i == 4 {
			v.Value = math.Inf(1)
		}
		line, err := v.MarshalJSON()
		require.NoError(t, err)
		lines += string(line) + "\n"
		if i == 2 {
			acknowledged = len(lines)
		}
		if i < 10 {
			b.Metrics = append(b.Metrics, v)
		}
	}
	text += fmt.Sprintf("acknowledged=%020d\n", acknowledged) + lines + `{"key":"torn","val`
	require.NoError(t, r.LogBatch(ctx, b))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.spool"), []byte(text), 0o600))
	done, err := mlflow.Replay(ctx, c, &mlflow.ReplayOptions{Dir: dir})
	require.NoError(t, err)
	require.Equal(t, mlflow.Replayed{Files: 1, Sent: 15, Present: 7}, done)
	require.Len(t, collect(t, r.History(ctx, "a")), 13)
	require.Len(t, collect(t, r.History(ctx, "b")), 12)
	done, err = mlflow.Replay(ctx, c, &mlflow.ReplayOptions{Dir: dir})
	require.NoError(t, err)
	require.Zero(t, done)
}

func system(t *testing.T, c *mlflow.Client) {
	ctx, r := t.Context(), start(t, c)
	mon := r.MonitorSystem(&mlflow.SystemOptions{Interval: 50 * time.Millisecond, Samples: 2, Node: "n0"})
	deadline, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for r.Data.Metrics["system/n0/disk_usage_megabytes"].Step < 1 {
		require.NoError(t, deadline.Err())
		require.NoError(t, r.Metrics().Flush(ctx))
		require.NoError(t, r.Refresh(ctx))
	}
	mon.Close()
	require.NoError(t, r.End(ctx, mlflow.Finished))
}

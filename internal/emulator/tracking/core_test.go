package tracking

import (
	"database/sql"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking/points"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

const ws = "sub/rg/ws"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open opens a store on a folder; everything is closed when the test ends.
func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, end := openUntil(t, dir)
	t.Cleanup(end)
	return s
}

func openUntil(t testing.TB, dir string) (*Store, func()) {
	t.Helper()
	db, err := store.Open(store.Options{Dir: dir})
	require.NoError(t, err)
	blobs, err := blob.New(db, filepath.Join(dir, "blobs"), nil)
	require.NoError(t, err)
	s, err := New(db, blobs, nil)
	require.NoError(t, err)
	return s, func() {
		require.NoError(t, s.Close())
		require.NoError(t, blobs.Close())
		require.NoError(t, db.Close())
	}
}

func newRun(t testing.TB, s *Store) string {
	t.Helper()
	r, err := s.CreateRun(t.Context(), ws, &NewRun{})
	require.NoError(t, err)
	return r.ID
}

func TestRunsOfGo(t *testing.T) {
	s := open(t, t.TempDir())
	id, err := s.EnsureExperiment(t.Context(), ws, "Default")
	require.NoError(t, err)
	require.Equal(t, "0", id)
	id, err = s.EnsureExperiment(t.Context(), ws, "train")
	require.NoError(t, err)
	require.Equal(t, "1", id)
	again, err := s.EnsureExperiment(t.Context(), ws, "train")
	require.NoError(t, err)
	require.Equal(t, id, again)
	other, err := s.EnsureExperiment(t.Context(), "other", "train")
	require.NoError(t, err)
	require.Equal(t, "1", other, "each workspace counts for itself")

	start := time.UnixMilli(1700000000000).UTC()
	r, err := s.CreateRun(t.Context(), ws, &NewRun{ID: "job-1", ExperimentID: id, Name: "n", User: "me", Parent: "p", Status: Scheduled, Start: start,
		Tags: map[string]string{"a": "b"}, Params: map[string]string{"lr": "0.1"}})
	require.NoError(t, err)
	require.Equal(t, &Run{ID: "job-1", ExperimentID: "1", Name: "n", User: "me", Status: Scheduled, Parent: "p", ArtifactURI: "mlflow-artifacts:/1/job-1/artifacts", Start: start,
		Tags: map[string]string{"a": "b", "mlflow.parentRunId": "p", "mlflow.user": "me", "mlflow.runName": "n"}, Params: map[string]string{"lr": "0.1"}, Metrics: map[string]Metric{}}, r)
	_, err = s.CreateRun(t.Context(), ws, &NewRun{ID: "job-1"})
	require.ErrorContains(t, err, AlreadyExists)
	_, err = s.CreateRun(t.Context(), ws, &NewRun{ExperimentID: "77"})
	require.ErrorIs(t, err, store.ErrNotFound)

	b, done, name, end := "c", Finished, "m", start.Add(time.Hour)
	require.NoError(t, s.UpdateRun(t.Context(), ws, "job-1", &RunUpdate{Status: &done, End: &end, Name: &name, Tags: map[string]*string{"a": &b, "x": &b, "mlflow.user": nil}, Params: map[string]string{"lr": "9", "bs": "2"}}))
	r, err = s.Run(t.Context(), ws, "job-1")
	require.NoError(t, err)
	require.Equal(t, Finished, r.Status)
	require.Equal(t, end, r.End)
	require.Equal(t, "m", r.Name)
	require.Equal(t, map[string]string{"a": "c", "x": "c", "mlflow.parentRunId": "p", "mlflow.runName": "m"}, r.Tags)
	require.Equal(t, map[string]string{"lr": "0.1", "bs": "2"}, r.Params)

	kids, err := s.Children(t.Context(), ws, "p")
	require.NoError(t, err)
	require.Len(t, kids, 1)
	require.Equal(t, "job-1", kids[0].ID)
	_, err = s.Run(t.Context(), "other", "job-1")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.ErrorIs(t, s.UpdateRun(t.Context(), ws, "no", &RunUpdate{}), store.ErrNotFound)
}

func TestTransactionsOfOthers(t *testing.T) {
	s := open(t, t.TempDir())
	undo := errors.New("undo")
	require.ErrorIs(t, s.db.Update(t.Context(), func(tx *sql.Tx) error {
		err := s.CreateRunTx(tx, "new", &NewRun{ID: "j", Tags: map[string]string{"fresh": "key"}})
		require.NoError(t, err)
		return undo
	}), undo)
	_, err := s.Run(t.Context(), "new", "j")
	require.ErrorIs(t, err, store.ErrNotFound)
	r, err := s.CreateRun(t.Context(), "new", &NewRun{ID: "j", Tags: map[string]string{"fresh": "key"}})
	require.NoError(t, err)
	require.Equal(t, "key", r.Tags["fresh"])
}

// Whatever the order of logging, moving and asking, and whatever restarts in
// between: the history is all values once, sorted, and the latest is MLflow's.
func TestMetricsAreKept(t *testing.T) {
	dir := t.TempDir()
	s, end := openUntil(t, dir)
	defer func() { end() }()
	rapid.Check(t, func(rt *rapid.T) {
		run := newRun(t, s)
		want := map[string][]points.Point{}
		newest := map[string]points.Point{}
		value := rapid.SampledFrom([]float64{1, 2, 2.5, math.NaN(), math.Inf(1), -1})
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 15).Draw(rt, "what") {
			case 0, 2:
				require.NoError(rt, s.settle(t.Context()))
			case 1:
				end()
				s, end = openUntil(t, dir)
			default:
				var ms []Metric
				for range rapid.IntRange(1, 30).Draw(rt, "n") {
					m := Metric{Key: rapid.SampledFrom([]string{"a", "b/c", "d e"}).Draw(rt, "key"), Value: value.Draw(rt, "value"),
						Timestamp: rapid.Int64Range(0, 20).Draw(rt, "time"), Step: rapid.Int64Range(-3, 20).Draw(rt, "step")}
					p := m.point()
					want[m.Key] = append(want[m.Key], p)
					if old, ok := newest[m.Key]; !ok || p.After(old) {
						newest[m.Key] = p
					}
					ms = append(ms, m)
				}
				require.NoError(rt, s.LogMetrics(t.Context(), ws, run, ms))
			}
		}
		r, err := s.Run(t.Context(), ws, run)
		require.NoError(rt, err)
		require.Len(rt, r.Metrics, len(newest))
		for key, ps := range want {
			ps = points.Sort(slices.Clone(ps))
			var got []points.Point
			for m, err := range s.History(t.Context(), ws, run, key) {
				require.NoError(rt, err)
				got = append(got, m.point())
			}
			require.True(rt, slices.EqualFunc(ps, got, samePoint), "%v\n%v", ps, got)
			m := r.Metrics[key]
			p := m.point()
			require.Equal(rt, newest[key].Step, p.Step)
			require.Equal(rt, newest[key].Time, p.Time)
			require.Equal(rt, newest[key].Rank(), p.Rank())
		}
	})
}

func samePoint(a, b points.Point) bool { return points.Compare(a, b) == 0 }

func TestPagesOfHistory(t *testing.T) {
	s := open(t, t.TempDir())
	run := newRun(t, s)
	const total = 30000
	for from := 0; from < total; from += 1000 {
		var ms []Metric
		for i := from; i < from+1000; i++ {
			ms = append(ms, Metric{Key: "m", Value: float64(i), Timestamp: int64(i), Step: int64(i)})
		}
		require.NoError(t, s.LogMetrics(t.Context(), ws, run, ms))
	}
	require.NoError(t, s.settle(t.Context()))
	var rid int64
	require.NoError(t, s.db.View(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT rid FROM tracking_runs WHERE run_id = ?`, run).Scan(&rid)
	}))
	for _, page := range []int{1, 999, 8192, 10000, total, total + 1} {
		next := 0
		for offset := 0; ; offset += page {
			if page == 1 {
				offset += 7777 // not all of thirty thousand pages
				next = offset
			}
			var ps []points.Point
			var more bool
			require.NoError(t, s.db.View(t.Context(), func(tx *sql.Tx) (err error) {
				ps, more, err = s.history(tx, rid, "m", offset, page)
				return err
			}))
			for _, p := range ps {
				require.Equal(t, int64(next), p.Step)
				next++
			}
			if !more {
				break
			}
			require.Len(t, ps, page)
		}
		if page != 1 {
			require.Equal(t, total, next)
		}
	}
}

func TestSubscribers(t *testing.T) {
	s := open(t, t.TempDir())
	run := newRun(t, s)
	metrics, cancel := s.Subscribe(ws, run)
	defer cancel()
	for i := range 100 {
		require.NoError(t, s.LogMetrics(t.Context(), ws, run, []Metric{{Key: "m", Value: float64(i), Step: int64(i)}}))
	}
	for i := range 100 {
		require.Equal(t, int64(i), (<-metrics).Step)
	}
	cancel()
	cancel()
	_, ok := <-metrics
	require.False(t, ok)
}

func TestRefusals(t *testing.T) {
	s := open(t, t.TempDir())
	run := newRun(t, s)
	for _, c := range []struct {
		m    Metric
		want string
	}{
		{Metric{Key: "../x"}, "would resolve to '../x'"}, {Metric{Key: ""}, "would resolve to '.'"}, {Metric{Key: "a$"}, "may only contain"},
		{Metric{Key: "a", Timestamp: -1}, "nonnegative long"}, {Metric{Key: strings.Repeat("k", 251)}, "maximum length of 250"},
	} {
		require.ErrorContains(t, s.LogMetrics(t.Context(), ws, run, []Metric{c.m}), c.want)
	}
	require.ErrorIs(t, s.LogMetrics(t.Context(), ws, "no", []Metric{{Key: "a"}}), store.ErrNotFound)
	hidden := true
	require.NoError(t, s.UpdateRun(t.Context(), ws, run, &RunUpdate{Hidden: &hidden}))
	require.ErrorContains(t, s.LogMetrics(t.Context(), ws, run, []Metric{{Key: "a"}}), "must be in the 'active' state")
}

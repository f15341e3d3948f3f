package points

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func drawPoint(t *rapid.T) Point {
	v := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, math.NaN(), math.MaxFloat64})).Draw(t, "value")
	small := rapid.Int64Range(0, 5)
	whole := rapid.OneOf(small, rapid.Int64())
	return Point{whole.Draw(t, "time"), whole.Draw(t, "step"), v}
}

func same(a, b Point) bool {
	return a.Time == b.Time && a.Step == b.Step && math.Float64bits(a.Value) == math.Float64bits(b.Value)
}

func TestSegmentsKeepWhatTheyGot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points")
		got, err := Segment(AppendSegment(nil, ps), nil)
		require.NoError(t, err)
		require.True(t, slices.EqualFunc(ps, got, same))
	})
}

func TestBatchesKeepWhatTheyGot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points")
		keys := rapid.SliceOfN(rapid.Int64Range(1, 1<<40), len(ps), len(ps)).Draw(t, "keys")
		var got []Point
		var gotKeys []int64
		require.NoError(t, Batch(AppendBatch(nil, keys, ps), func(k int64, p Point) { got, gotKeys = append(got, p), append(gotKeys, k) }))
		require.True(t, slices.EqualFunc(ps, got, same))
		require.True(t, slices.Equal(keys, gotKeys))
	})
}

func TestSortDropsTwins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ps := rapid.SliceOf(rapid.Custom(drawPoint)).Draw(t, "points")
		sorted := Sort(slices.Clone(ps))
		require.True(t, slices.IsSortedFunc(sorted, Compare))
		for i := 1; i < len(sorted); i++ {
			require.Negative(t, Compare(sorted[i-1], sorted[i]))
		}
		for _, p := range ps {
			_, ok := slices.BinarySearchFunc(sorted, p, Compare)
			require.True(t, ok)
		}
	})
}

func TestLatest(t *testing.T) {
	require.True(t, Point{1, 2, 0}.After(Point{9, 1, 9}))
	require.True(t, Point{2, 1, 0}.After(Point{1, 1, 9}))
	require.True(t, Point{1, 1, 2}.After(Point{1, 1, 1}))
	require.False(t, Point{1, 1, 1}.After(Point{1, 1, 1}))
	require.False(t, Point{1, 1, math.NaN()}.After(Point{1, 1, 0}))
}

func TestSample(t *testing.T) {
	var ps []Point
	for i := range int64(10) {
		ps = append(ps, Point{Step: i})
	}
	steps := func(n int) (s []int64) {
		for _, p := range Sample(ps, n) {
			s = append(s, p.Step)
		}
		return s
	}
	require.Equal(t, []int64{0, 4, 9}, steps(3)) // buckets 0-3, 4-6, 7-9
	require.Equal(t, []int64{9}, steps(1))
	require.Len(t, steps(10), 10)
	require.Len(t, steps(20), 10)
	require.Equal(t, int64(9), steps(9)[8])
	require.Empty(t, Sample(nil, 3))
}

func FuzzDecode(f *testing.F) {
	f.Add(AppendSegment(nil, []Point{{1, 2, 3}, {2, 3, 4}}))
	f.Add(AppendBatch(nil, []int64{1, 2}, []Point{{1, 2, 3}, {2, 3, 4}}))
	f.Add([]byte{200, 1, 0})
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = Segment(b, nil)
		_ = Batch(b, func(int64, Point) {})
	})
}

func BenchmarkSegment(b *testing.B) {
	var ps []Point
	for i := range int64(4096) {
		ps = append(ps, Point{1700000000000 + i*37, i, 1 / float64(i+1)})
	}
	data := AppendSegment(nil, ps)
	b.ReportMetric(float64(len(data))/4096, "bytes/point")
	for b.Loop() {
		ps, _ = Segment(data, ps[:0])
	}
}

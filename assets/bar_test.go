package assets

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBarIsQuietWhereThereIsNoTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	Bar(&out)(Progress{Phase: PhaseUpload, Bytes: 1, TotalBytes: 2, Elapsed: time.Second})
	require.Empty(t, out.String())
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	Bar(f)(Progress{Phase: PhaseUpload, Bytes: 1, TotalBytes: 2, Elapsed: time.Second})
	info, err := f.Stat()
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Zero(t, info.Size())
}

func TestBar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := newBar(&out)
	at := func(ms, files int, bytes int64, rate float64) {
		b.show(Progress{Phase: PhaseUpload, Bytes: bytes << 20, TotalBytes: 40 << 20, Files: files, TotalFiles: 4, Elapsed: time.Duration(ms) * time.Millisecond, Rate: rate * (1 << 20)})
	}
	at(0, 0, 0, 0)
	at(200, 1, 10, 50)
	at(250, 1, 11, 50) // too soon
	at(400, 2, 20, 9)
	at(500, 4, 40, 80)
	require.Equal(t, []string{
		"",
		"upload   [======>                 ] 1/4 files, 10.0/40.0 MB, 50.0 MB/s",
		"upload   [============>           ] 2/4 files, 20.0/40.0 MB, 9.0 MB/s ",
		"upload   [========================] 4/4 files, 40.0/40.0 MB, 80.0 MB/s\n",
	}, strings.Split(out.String(), "\r"))

	out.Reset()
	b.show(Progress{Phase: PhaseHash, TotalFiles: 1, TotalBytes: 1})
	b.show(Progress{Phase: PhaseHash, TotalFiles: 1, TotalBytes: 1, Files: 1, Bytes: 1, Elapsed: time.Millisecond})
	require.Empty(t, out.String(), "a phase that ends at once is not shown")

	b.show(Progress{Phase: PhaseDelete, Files: 1, TotalFiles: 2, Elapsed: time.Second})
	b.show(Progress{Phase: PhaseConfirm, TotalFiles: 1})
	require.Equal(t, "\rdelete   [============>           ] 1/2 files\n", out.String(), "a phase that breaks off ends its line")
}

func TestRate(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	var last Progress
	p := newProgress(func(p Progress) { last = p }, func() time.Time { return now })
	p.begin(PhaseUpload, 1, 1000)
	require.Zero(t, last.Rate)
	for range 10 { // 10 bytes a second
		now = now.Add(time.Second)
		p.add(0, 10)
	}
	require.InDelta(t, 10, last.Rate, 0.01)
	for range 12 { // then 50: what was long ago does not count
		now = now.Add(time.Second)
		p.add(0, 50)
	}
	require.InDelta(t, 50, last.Rate, 0.01)
	p.add(1, 300)
	require.True(t, last.Done())
	require.Equal(t, 22*time.Second, last.Elapsed)
}

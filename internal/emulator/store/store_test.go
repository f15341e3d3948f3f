package store_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedChild); dir != "" {
		writeUntilKilled(dir)
	}
	goleak.VerifyTestMain(m)
}

// open opens a store in a fresh folder, closed with the test.
func open(t testing.TB) *store.DB {
	t.Helper()
	d, err := store.Open(store.Options{Dir: filepath.Join(t.TempDir(), "ws")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

// table opens a store with the table n (v INTEGER).
func table(t testing.TB) *store.DB {
	t.Helper()
	d := open(t)
	require.NoError(t, d.Migrate("test", `CREATE TABLE n (v INTEGER)`))
	return d
}

// count counts the rows of n.
func count(t testing.TB, d *store.DB) int {
	t.Helper()
	var n int
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*) FROM n`).Scan(&n)
	}))
	return n
}

func insert(v int) func(tx *sql.Tx) error {
	return func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO n VALUES (?)`, v)
		return err
	}
}

func TestOpenMakesAPrivateFolder(t *testing.T) {
	d := open(t)
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, "state.db": 0o600, "lock": 0o600} {
		info, err := os.Stat(filepath.Join(d.Dir(), name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), name)
	}
}

func TestOpenOddFolders(t *testing.T) {
	for _, name := range []string{"a b", "50% off", "q&a=1", "naïve☃", "hash#1"} {
		d, err := store.Open(store.Options{Dir: filepath.Join(t.TempDir(), name)})
		require.NoError(t, err, name)
		_, err = os.Stat(filepath.Join(d.Dir(), "state.db-wal"))
		require.NoError(t, err, name)
		require.NoError(t, d.Close())
	}
	_, err := store.Open(store.Options{})
	require.ErrorContains(t, err, "Dir is empty")
}

func TestOpenTwiceIsRefused(t *testing.T) {
	d := open(t)
	_, err := store.Open(store.Options{Dir: d.Dir()})
	var locked *store.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, os.Getpid(), locked.PID)
	require.Equal(t, d.Dir(), locked.Dir)
	require.NoError(t, d.Close())
	again, err := store.Open(store.Options{Dir: d.Dir()})
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestClosed(t *testing.T) {
	d := table(t)
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())
	require.ErrorIs(t, d.Update(t.Context(), insert(1)), store.ErrClosed)
	require.ErrorIs(t, d.View(t.Context(), insert(1)), store.ErrClosed)
}

func TestViewIsASnapshot(t *testing.T) {
	d := table(t)
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		var before, after int
		require.NoError(t, tx.QueryRow(`SELECT count(*) FROM n`).Scan(&before))
		require.NoError(t, d.Update(t.Context(), insert(1)))
		require.NoError(t, tx.QueryRow(`SELECT count(*) FROM n`).Scan(&after))
		require.Equal(t, before, after)
		require.Equal(t, 1, count(t, d), "a view inside a view sees the present")
		return nil
	}))
}

func TestViewCannotWrite(t *testing.T) {
	d := table(t)
	require.Error(t, d.View(t.Context(), insert(1)))
	require.Zero(t, count(t, d))
}

func TestViewHonoursItsContext(t *testing.T) {
	d := table(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := d.View(ctx, func(tx *sql.Tx) error {
		var n int // counts for minutes
		return tx.QueryRowContext(ctx, `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x < 1000000000) SELECT count(*) FROM c`).Scan(&n)
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, count(t, d))
}

func TestNestedQueriesOfOneText(t *testing.T) {
	d := table(t)
	for i := range 3 {
		require.NoError(t, d.Update(t.Context(), insert(i)))
	}
	pairs := 0
	each := func(tx *sql.Tx, f func(v int)) {
		rows, err := tx.Query(`SELECT v FROM n`)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var v int
			require.NoError(t, rows.Scan(&v))
			f(v)
		}
		require.NoError(t, rows.Err())
	}
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		each(tx, func(int) { each(tx, func(int) { pairs++ }) })
		return nil
	}))
	require.Equal(t, 9, pairs)
}

func TestOpenIsFast(t *testing.T) {
	best := time.Hour
	for range 5 {
		begin := time.Now()
		d, err := store.Open(store.Options{Dir: filepath.Join(t.TempDir(), "ws")})
		best = min(best, time.Since(begin))
		require.NoError(t, err)
		require.NoError(t, d.Close())
	}
	t.Logf("a fresh folder opens in %v", best)
	require.Less(t, best, 200*time.Millisecond)
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		d, err := store.Open(store.Options{Dir: filepath.Join(b.TempDir(), "ws")})
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, d.Close())
		b.StartTimer()
	}
}

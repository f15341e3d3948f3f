package store_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// killedChild names the folder for the child of TestUpdatesSurviveSIGKILL.
const killedChild = "STORE_TEST_KILLED_CHILD"

func TestUpdateErrorUndoesItselfAlone(t *testing.T) {
	d := table(t)
	const callers = 200
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			err := d.Update(t.Context(), func(tx *sql.Tx) error {
				if err := insert(i)(tx); err != nil {
					return err
				}
				if i%3 == 0 {
					return refused
				}
				return nil
			})
			if i%3 == 0 {
				require.ErrorIs(t, err, refused)
			} else {
				require.NoError(t, err)
			}
		})
	}
	wg.Wait()
	var kept, wrong int
	require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
		return tx.QueryRow(`SELECT count(*), count(*) FILTER (WHERE v % 3 = 0) FROM n`).Scan(&kept, &wrong)
	}))
	require.Equal(t, callers-67, kept)
	require.Zero(t, wrong)
}

// Whoever is told that something is there already finds it.
func TestUpdateErrorComesAfterWhatItSaw(t *testing.T) {
	d := table(t)
	taken := errors.New("taken")
	for round := range 50 {
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				count := func(tx *sql.Tx) (n int, err error) {
					err = tx.QueryRow(`SELECT count(*) FROM n WHERE v = ?`, round).Scan(&n)
					return n, err
				}
				err := d.Update(t.Context(), func(tx *sql.Tx) error {
					n, err := count(tx)
					if err == nil && n > 0 {
						err = taken
					}
					if err != nil {
						return err
					}
					return insert(round)(tx)
				})
				if err != nil {
					require.ErrorIs(t, err, taken)
				}
				require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
					n, err := count(tx)
					require.Equal(t, 1, n)
					return err
				}))
			})
		}
		wg.Wait()
	}
}

func TestUpdateSeesWhatCameBefore(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d, err := store.Open(store.Options{Dir: filepath.Join(t.TempDir(), "ws")})
		require.NoError(rt, err)
		defer d.Close()
		require.NoError(rt, d.Migrate("test", `CREATE TABLE c (v INTEGER); INSERT INTO c VALUES (0)`))
		steps := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 40).Draw(rt, "steps")
		var wg sync.WaitGroup
		want := 0
		for _, step := range steps {
			want += step
			wg.Go(func() {
				err := d.Update(context.Background(), func(tx *sql.Tx) error { // read, change, write
					var v int
					if err := tx.QueryRow(`SELECT v FROM c`).Scan(&v); err != nil {
						return err
					}
					_, err := tx.Exec(`UPDATE c SET v = ?`, v+step)
					return err
				})
				if err != nil {
					panic(err)
				}
			})
		}
		wg.Wait()
		var got int
		require.NoError(rt, d.View(context.Background(), func(tx *sql.Tx) error { return tx.QueryRow(`SELECT v FROM c`).Scan(&got) }))
		require.Equal(rt, want, got)
	})
}

func TestUpdateQueuedHonoursItsContext(t *testing.T) {
	d := table(t)
	running, release := make(chan struct{}), make(chan struct{})
	first := make(chan error)
	go func() {
		first <- d.Update(t.Context(), func(tx *sql.Tx) error {
			close(running)
			<-release
			return insert(1)(tx)
		})
	}()
	<-running
	ctx, cancel := context.WithCancel(t.Context())
	queued := make(chan error)
	go func() { queued <- d.Update(ctx, insert(2)) }()
	cancel()
	require.ErrorIs(t, <-queued, context.Canceled)
	close(release)
	require.NoError(t, <-first)
	require.Equal(t, 1, count(t, d))
	require.ErrorIs(t, d.Update(ctx, insert(3)), context.Canceled)
}

// A cancelled caller's statements must not take its neighbours' changes along.
func TestUpdateCancelledBesideOthers(t *testing.T) {
	d := table(t)
	var wg sync.WaitGroup
	kept := make([]bool, 100)
	for i := range kept {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			defer cancel()
			kept[i] = nil == d.Update(ctx, func(tx *sql.Tx) error {
				if i%2 == 0 {
					go cancel()
				}
				for range 20 {
					if _, err := tx.ExecContext(ctx, `INSERT INTO n VALUES (?)`, i); err != nil {
						return err
					}
				}
				return nil
			})
			require.True(t, kept[i] || i%2 == 0)
		})
	}
	wg.Wait()
	want := 0
	for _, k := range kept {
		if k {
			want += 20
		}
	}
	require.Equal(t, want, count(t, d))
}

func TestUpdatePanicAndGoexit(t *testing.T) {
	d := table(t)
	require.PanicsWithValue(t, "oops", func() {
		_ = d.Update(t.Context(), func(tx *sql.Tx) error {
			require.NoError(t, insert(1)(tx))
			panic("oops")
		})
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = d.Update(t.Context(), func(tx *sql.Tx) error {
			require.NoError(t, insert(2)(tx))
			runtime.Goexit()
			return nil
		})
	}()
	<-ended
	require.NoError(t, d.Update(t.Context(), insert(3)))
	require.Equal(t, 1, count(t, d))
}

// A transaction that f ended by itself must not pass as kept.
func TestUpdateThatEndsTheTransaction(t *testing.T) {
	d := table(t)
	err := d.Update(t.Context(), func(tx *sql.Tx) error {
		require.NoError(t, insert(1)(tx))
		_, err := tx.Exec(`ROLLBACK`)
		return err
	})
	require.ErrorContains(t, err, "not kept")
	require.NoError(t, d.Update(t.Context(), insert(2)))
	require.Equal(t, 1, count(t, d))
}

func TestUpdatesAcrossReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	for i := range 3 {
		d, err := store.Open(store.Options{Dir: dir, Full: i%2 == 1})
		require.NoError(t, err)
		require.NoError(t, d.Migrate("test", `CREATE TABLE n (v INTEGER)`))
		require.NoError(t, d.Update(t.Context(), insert(i)))
		require.Equal(t, i+1, count(t, d))
		require.NoError(t, d.Close())
	}
}

// writeUntilKilled is the child: many writers, each of which tells what was
// acknowledged, until the parent kills the process.
func writeUntilKilled(dir string) {
	d, err := store.Open(store.Options{Dir: dir})
	if err == nil {
		err = d.Migrate("test", `CREATE TABLE n (v INTEGER)`)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				v := i*8 + w
				if err := d.Update(context.Background(), insert(v)); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Printf("%d\n", v) // one write: whole lines
			}
		}()
	}
	select {}
}

func TestUpdatesSurviveSIGKILL(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	acked := map[int]bool{}
	for round := range 3 {
		if round > 0 { // its writers begin at 0 again
			d, err := store.Open(store.Options{Dir: dir})
			require.NoError(t, err, "the lock of a killed process is taken over")
			require.NoError(t, d.Update(t.Context(), func(tx *sql.Tx) error { _, err := tx.Exec(`DELETE FROM n`); return err }))
			require.NoError(t, d.Close())
			clear(acked)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killedChild+"="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			v, err := strconv.Atoi(strings.TrimSpace(lines.Text()))
			require.NoError(t, err, lines.Text())
			acked[v] = true
			if len(acked) == 500*(round+1) {
				_, err := store.Open(store.Options{Dir: dir})
				var locked *store.LockedError
				require.ErrorAs(t, err, &locked)
				require.Equal(t, cmd.Process.Pid, locked.PID)
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait())
		d, err := store.Open(store.Options{Dir: dir})
		require.NoError(t, err)
		there := map[int]bool{}
		require.NoError(t, d.View(t.Context(), func(tx *sql.Tx) error {
			rows, err := tx.Query(`SELECT v FROM n`)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var v int
				if err := rows.Scan(&v); err != nil {
					return err
				}
				there[v] = true
			}
			return rows.Err()
		}))
		for v := range acked {
			require.True(t, there[v], "update %d was acknowledged and is gone", v)
		}
		require.NoError(t, d.Close())
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 64} {
		for _, full := range []bool{false, true} {
			b.Run(fmt.Sprintf("callers=%d/full=%v", callers, full), func(b *testing.B) {
				d, err := store.Open(store.Options{Dir: filepath.Join(b.TempDir(), "ws"), Full: full})
				require.NoError(b, err)
				defer d.Close()
				var wg sync.WaitGroup
				work := make(chan int, callers)
				begin := time.Now()
				b.ResetTimer()
				for range callers {
					wg.Go(func() {
						for i := range work {
							err := d.Update(context.Background(), func(tx *sql.Tx) error {
								_, err := store.Put(tx, &store.Document{ID: fmt.Sprintf("/jobs/%d", i%1000), Type: "jobs", Body: []byte(`{"properties":{}}`)})
								return err
							})
							if err != nil {
								panic(err)
							}
						}
					})
				}
				for i := range b.N {
					work <- i
				}
				close(work)
				wg.Wait()
				b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "updates/s")
			})
		}
	}
}

func BenchmarkView(b *testing.B) {
	d := open(b)
	require.NoError(b, d.Update(b.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: "/jobs/a", Body: []byte(`{}`)})
		return err
	}))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			err := d.View(context.Background(), func(tx *sql.Tx) error { _, err := store.Get(tx, "/jobs/a"); return err })
			if err != nil {
				panic(err)
			}
		}
	})
}

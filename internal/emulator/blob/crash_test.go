package blob_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// killedChild names the folder for the child of TestBlobsSurviveSIGKILL.
const killedChild = "BLOB_TEST_KILLED_CHILD"

// putUntilKilled is the child: writers that tell what was acknowledged, among them
// some that replace, and a growing log, until the parent kills the process.
func putUntilKilled(dir string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	ctx := context.Background()
	db, err := store.Open(store.Options{Dir: dir})
	fail(err)
	s, err := blob.New(db, filepath.Join(dir, "blobs"), nil)
	fail(err)
	fail(s.EnsureContainer(ctx, account, container))
	log, err := s.Live(ctx, account, container, "log")
	fail(err)
	for w := range 4 {
		go func() {
			for i := 0; ; i++ {
				size := (i*4+w)*97%30_000 + 1
				name := fmt.Sprintf("w%d/%d", w, i)
				if i%5 == 0 {
					name = fmt.Sprintf("w%d/same", w) // replaced again and again
				}
				_, err := s.Put(ctx, account, container, name, bytes.NewReader(random(size)), nil)
				fail(err)
				_, err = fmt.Fprintf(log, "%s %d\n", name, size)
				fail(err)
				fmt.Printf("%s %d\n", name, size)
			}
		}()
	}
	select {}
}

func TestBlobsSurviveSIGKILL(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killedChild+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	acked := map[string]int{}
	count := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var name string
		var size int
		_, err := fmt.Sscanf(lines.Text(), "%s %d", &name, &size)
		require.NoError(t, err, lines.Text())
		acked[name] = size
		if count++; count == 1000 {
			require.NoError(t, cmd.Process.Kill())
		}
	}
	require.Error(t, cmd.Wait())
	// What a write that was cut off leaves.
	stray := filepath.Join(dir, "blobs", "1", "0", "stray")
	require.NoError(t, os.WriteFile(stray, []byte("x"), 0o600))

	begin := time.Now()
	s := openFolder(t, dir, nil)
	t.Logf("%d acknowledged; opened again in %v", count, time.Since(begin))
	for name, size := range acked {
		got := read(t, s.Service, name)
		if bytes.HasSuffix([]byte(name), []byte("same")) {
			require.True(t, bytes.Equal(random(len(got)), got), "whole, whichever write it is of")
			continue
		}
		require.True(t, bytes.Equal(random(size), got), name)
	}
	log := read(t, s.Service, "log")
	require.GreaterOrEqual(t, bytes.Count(log, []byte("\n")), count, "every line that was written before it was acknowledged")
	// Only what is named stays.
	require.Eventually(t, func() bool { _, err := os.Stat(stray); return os.IsNotExist(err) }, 5*time.Second, time.Millisecond)
	large := 1 // the log
	for item, err := range s.List(t.Context(), account, container, "w") {
		require.NoError(t, err)
		if item.Size > 8192 {
			large++
		}
	}
	s.waitForFiles(t, large)
	s.close(t)
}

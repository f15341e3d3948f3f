package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func lengths(ctx context.Context, files []string) ([]string, error) {
	var out []string
	for _, f := range files {
		switch f {
		case "bad":
			return nil, errors.New("bad file")
		case "panic":
			panic("unlucky")
		case "slow":
			<-ctx.Done()
			return nil, ctx.Err()
		}
		out = append(out, fmt.Sprintf("%s,%d <é>", f, len(f)))
	}
	return out, nil
}

func TestRunBatch(t *testing.T) {
	t.Setenv("AZUREML_MODEL_DIR", "/m")
	var out bytes.Buffer
	in := strings.Join([]string{`{"files":["a","bb"]}`, `{"files":["bad"]}`, ``, `no json`, `{"files":["panic"]}`, `{"files":["slow"]}`, `{"files":[]}`, `{"files":["last"]}`}, "\n")
	err := RunBatch(t.Context(), func(_ context.Context, dir string) (ScoreBatch, error) {
		require.Equal(t, "/m", dir)
		return lengths, nil
	}, &BatchOptions{In: strings.NewReader(in), Out: &out, Timeout: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 8)
	require.Equal(t, `{"ready":true}`, lines[0])
	require.Equal(t, `{"results":["a,1 <é>","bb,2 <é>"]}`, lines[1])
	require.Equal(t, `{"error":"bad file"}`, lines[2])
	require.Contains(t, lines[3], "no mini-batch")
	require.Equal(t, `{"error":"scoring panicked: unlucky"}`, lines[4])
	require.Contains(t, lines[5], "deadline")
	require.Equal(t, `{}`, lines[6])
	require.Equal(t, `{"results":["last,4 <é>"]}`, lines[7])
}

func TestRunBatchLoadFails(t *testing.T) {
	var out bytes.Buffer
	err := RunBatch(t.Context(), func(context.Context, string) (ScoreBatch, error) { return nil, errors.New("no weights") }, &BatchOptions{In: strings.NewReader(""), Out: &out})
	require.EqualError(t, err, "serve: load the model: no weights")
	require.Equal(t, `{"error":"serve: load the model: no weights"}`+"\n", out.String())
}

// A program that is told to stop ends in the middle of its work.
func TestRunBatchStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- RunBatch(ctx, func(context.Context, string) (ScoreBatch, error) { return lengths, nil }, &BatchOptions{In: r, Out: io.Discard, Logger: slog.New(slog.DiscardHandler)})
	}()
	_, err := io.WriteString(w, `{"files":["slow"]}`+"\n")
	require.NoError(t, err)
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	require.NoError(t, w.Close())
	err = RunBatch(ctx, func(context.Context, string) (ScoreBatch, error) { return lengths, nil }, &BatchOptions{In: strings.NewReader(""), Out: io.Discard})
	require.True(t, err == nil || errors.Is(err, context.Canceled), err)
}

const batchMain = `package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	fmt.Println("{\"ready\":true}")
	s := bufio.NewScanner(os.Stdin)
	for s.Scan() {
		fmt.Printf("{\"results\":[\"%d\"]}\n", strings.Count(s.Text(), ".csv"))
	}
}
`

// The folder that Azure is given: its script drives the program.
func TestBatchCode(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n\ngo 1.26\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(batchMain), 0o600))
	out, err := BatchCode(t.Context(), ".", &BatchCodeOptions{Dir: dir, GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, Output: filepath.Join(t.TempDir(), "code")})
	require.NoError(t, err)
	_, err = BatchCode(t.Context(), ".", &BatchCodeOptions{Dir: dir, Output: out})
	require.ErrorContains(t, err, "not empty")
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not in PATH: the entry script is not run")
	}
	run := exec.Command(python, "-c", "import score\nscore.init()\nprint(score.run(['a.csv','b.csv']), score.run(['c.csv']))\nscore.shutdown()")
	run.Dir = out
	run.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	said, err := run.CombinedOutput()
	require.NoError(t, err, string(said))
	require.Equal(t, "['2'] ['1']", strings.TrimSpace(string(said)))
}

package conformance

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/workspace"
)

// TestMovingBytes measures how files are hashed, uploaded and followed, as ratios to
// azure-ai-ml's own way, to azblob alone, and to the floors of the machine, all in one
// run, and prints them with the machine's load. With AZUREML_BYTES=full (`bash .ci/run
// bytes` installs what it needs and sets it) sizes are the full ones and each ratio
// must meet its bound; otherwise sizes are a tenth or less, and a ratio only must not
// be on the wrong side of one, or of what the loaded machine of a CI job cannot blur.
func TestMovingBytes(t *testing.T) {
	m := &moving{full: os.Getenv("AZUREML_BYTES") == "full"}
	t.Cleanup(m.print)
	t.Run("upload", m.uploads)
	t.Run("large", m.large)
	t.Run("tree", m.trees)
	t.Run("log", m.log)
}

// moving holds what was measured.
type moving struct {
	full bool
	rows []ratio
}

// ratio is one line of the table: ours against another's, in the same unit.
type ratio struct {
	what, unit  string
	ours, other float64
	than        string
	faster      float64 // other/ours is to be at least so much; or
	within      float64 // ours/other is to be at most so much
	load        string
}

// size is the full one, or the one for a quick run.
func (m *moving) size(full, quick int) int {
	if m.full {
		return full
	}
	return quick
}

// found adds a line, and fails the test when its bound is not met.
func (m *moving) found(t *testing.T, r ratio) {
	t.Helper()
	r.load = load()
	m.rows = append(m.rows, r)
	got := r.other / r.ours
	if r.within > 0 {
		got = r.ours / r.other
	}
	t.Logf("%s: %.4g %s, %s %.4g %s: %.2f", r.what, r.ours, r.unit, r.than, r.other, r.unit, got)
	// A quick run is short: it tells what is grossly wrong.
	faster, within := r.faster, r.within
	if !m.full {
		faster, within = min(faster/3, 3), within*3
	}
	if r.faster > 0 && got < faster || r.within > 0 && got > within {
		t.Errorf("%s: %.2f, wanted %s", r.what, got, r.bound())
	}
}

func (r *ratio) bound() string {
	if r.within > 0 {
		return fmt.Sprintf("at most %g times", r.within)
	}
	return fmt.Sprintf("at least %g times faster", r.faster)
}

func (m *moving) print() {
	var b strings.Builder
	kind := "quick run: bounds hold for AZUREML_BYTES=full"
	if m.full {
		kind = "full run"
	}
	fmt.Fprintf(&b, "\nmoving bytes, %d processors, %s\n| what | ours | other | ratio | bound | load |\n|---|---|---|---|---|---|\n", runtime.NumCPU(), kind)
	for _, r := range m.rows {
		got := fmt.Sprintf("%.1f times faster", r.other/r.ours)
		if r.within > 0 {
			got = fmt.Sprintf("%.3f times", r.ours/r.other)
		}
		fmt.Fprintf(&b, "| %s | %.4g %s | %s %.4g %s | %s | %s | %s |\n", r.what, r.ours, r.unit, r.than, r.other, r.unit, got, r.bound(), r.load)
	}
	fmt.Println(b.String())
}

// load is the machine's load average over a minute, where there is one.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	return cmp.Or(strings.Fields(string(b))...)
}

// seconds times f.
func seconds(f func()) float64 {
	began := time.Now()
	f()
	return time.Since(began).Seconds()
}

// best is the least of n measurements: what else the machine does only adds.
func best(n int, measure func(i int) float64) float64 {
	least := measure(0)
	for i := 1; i < n; i++ {
		least = min(least, measure(i))
	}
	return least
}

// reference runs bytes/reference.py, an answer of which is JSON.
func reference(t *testing.T, py, what string, ask map[string]any) (answer struct {
	Seconds             float64
	Files, Uploaded     int
	Path, Name, Version string
}) {
	t.Helper()
	in, err := json.Marshal(ask)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), py, filepath.Join(root(t), "internal/conformance/bytes/reference.py"), what, string(in))
	c.Env = append(os.Environ(), "HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=127.0.0.1")
	c.Stderr = os.Stderr
	out, err := c.Output()
	require.NoError(t, err, string(out))
	require.NoError(t, json.Unmarshal(out, &answer), string(out))
	return answer
}

// tree makes a folder of n files of different random content, 100 to a folder.
func tree(t *testing.T, n, size int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tree")
	seed := uint64(time.Now().UnixNano())
	for i := range n {
		at := filepath.Join(dir, fmt.Sprintf("d%03d", i/100))
		if i%100 == 0 {
			require.NoError(t, os.MkdirAll(at, 0o755))
		}
		require.NoError(t, os.WriteFile(filepath.Join(at, fmt.Sprintf("f%05d", i)), noise(&seed, size), 0o644))
	}
	return dir
}

// noise is bytes that do not repeat and cost little.
func noise(seed *uint64, n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i++ {
		if i%8 == 0 {
			*seed ^= *seed << 13
			*seed ^= *seed >> 7
			*seed ^= *seed << 17
		}
		b[i] = byte(*seed >> (8 * (i % 8)))
	}
	return b
}

// overHTTP is our client of a server, as any program would make it.
func overHTTP(t *testing.T, s *server, o *workspace.Options) *workspace.Client {
	t.Helper()
	if o == nil {
		o = &workspace.Options{}
	}
	o.Endpoint, o.HashCache = s.URL, t.TempDir()
	ws, err := workspace.New(workspace.ID{Subscription: s.SubscriptionID, ResourceGroup: s.ResourceGroup, Name: s.WorkspaceName}, workspace.StaticToken(s.Token), o)
	require.NoError(t, err)
	return ws
}

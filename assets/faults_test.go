package assets_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// site is a local workspace with two clients: one over HTTP, whose requests to storage
// can go wrong, and the workspace's own, which sees what is there.
type site struct {
	*testing.T
	whole *testing.T // the operation's test, of which T is a case
	lw    *local.Workspace
	ws    *workspace.Client
	wrong *wrong
	// sources are what the cases of one operation share: a folder and what was made of it.
	sources map[string][2]string
	hits    map[string]int // by fault: cases in which it was met
}

// shared is what is made once for all cases of an operation.
func (s *site) shared(what string, make func() (string, string)) (string, string) {
	if _, ok := s.sources[what]; !ok {
		a, b := make()
		s.sources[what] = [2]string{a, b}
	}
	return s.sources[what][0], s.sources[what][1]
}

// wrong is the transport of a client whose requests to storage go wrong on purpose.
type wrong struct {
	mu     sync.Mutex
	do     string // a fault's Do, "cancel", or "" for none
	skip   int    // requests that pass first
	times  int    // how many fail after them; 0: all
	seen   int
	cancel func()
	later  *time.Duration // the server's clock goes on when secrets are asked for: a fresh signature is another
}

func (w *wrong) set(do string, skip, times int, cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.do, w.skip, w.times, w.seen, w.cancel = do, skip, times, 0, cancel
}

// of chooses what goes wrong with a request.
func (w *wrong) of(r *http.Request) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/listSecrets") || strings.HasSuffix(r.URL.Path, "/startPendingUpload") || strings.Contains(r.URL.Path, "/history/") {
		*w.later += 2 * time.Second
	}
	if w.do == "" || r.URL.Query().Get("sig") == "" { // signatures are storage's
		return ""
	}
	if w.seen++; w.seen <= w.skip || w.times > 0 && w.seen > w.skip+w.times {
		return ""
	}
	if w.do == "cancel" {
		w.cancel()
		return ""
	}
	return w.do
}

func (w *wrong) Do(r *http.Request) (*http.Response, error) {
	if do := w.of(r); do != "" {
		r = r.Clone(r.Context())
		r.Header.Set("x-azureml-fault", do)
	}
	return http.DefaultClient.Do(r)
}

func newSite(t *testing.T) *site {
	t.Helper()
	var later time.Duration
	w := &wrong{later: &later}
	lw, err := local.Start(t.Context(), &local.Options{Clock: func() time.Time {
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Now().Add(later)
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lw.Close()) })
	url, err := lw.URL()
	require.NoError(t, err)
	o := &workspace.Options{Endpoint: url, HashCache: "-"}
	o.ClientOptions = azcore.ClientOptions{Transport: w, Retry: policy.RetryOptions{MaxRetries: 3, RetryDelay: time.Millisecond, MaxRetryDelay: 50 * time.Millisecond}}
	ws, err := workspace.New(lw.ID(), workspace.StaticToken(lw.Token()), o)
	require.NoError(t, err)
	return &site{t, t, lw, ws, w, map[string][2]string{}, map[string]int{}}
}

// files makes a folder of n files of a size, in folders of ten.
func (s *site) files(n, size int) string {
	dir := filepath.Join(s.whole.TempDir(), "src")
	for i := range n {
		at := filepath.Join(dir, fmt.Sprint("d", i/10), fmt.Sprint("f", i))
		require.NoError(s, os.MkdirAll(filepath.Dir(at), 0o755))
		data := bytes.Repeat([]byte(fmt.Sprint(s.Name(), i, " ")), size/8+1)[:size]
		require.NoError(s, os.WriteFile(at, data, 0o644))
	}
	return dir
}

// same compares a folder with the source: a file that is there must be whole, and when
// all is set, all must be there. It returns how many are there.
func (s *site) same(want, got string, all bool) (n int) {
	s.Helper()
	require.NoError(s, filepath.WalkDir(want, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(want, p)
		require.NoError(s, err)
		b, err := os.ReadFile(filepath.Join(got, rel))
		if os.IsNotExist(err) && !all {
			return nil
		}
		require.NoError(s, err)
		source, err := os.ReadFile(p)
		require.NoError(s, err)
		require.True(s, bytes.Equal(source, b), "%s: %d bytes, and not the %d of the source", rel, len(b), len(source))
		n++
		return nil
	}))
	return n
}

// action is an operation of the table: run may be called again after it failed, and
// whole checks its result when it did not.
type action struct {
	run   func(ctx context.Context) error
	whole func()
	// partly checks what a failed run left, where something can be seen.
	partly func()
	names  string // what an error must name
}

// actions are the operations of the table, by name; each call makes a fresh one.
var actions = map[string]func(s *site) *action{
	"upload small":  func(s *site) *action { return uploading(s, 1, 1<<10) },
	"upload large":  func(s *site) *action { return uploading(s, 1, 17<<20) },
	"upload folder": func(s *site) *action { return uploading(s, 30, 2<<10) },
	"download large": func(s *site) *action {
		return downloading(s, 1, 17<<20)
	},
	"download folder": func(s *site) *action { return downloading(s, 30, 2<<10) },
	"snapshot":        snapshot,
	"follow log":      following,
}

func uploading(s *site, n, size int) *action {
	src := s.files(n, size)
	var up *assets.Upload
	return &action{
		run: func(ctx context.Context) (err error) {
			up, err = s.ws.Datastores.Upload(ctx, src, nil)
			return err
		},
		whole: func() { s.same(src, s.fetched(up.ShortURI()), true) },
		names: src,
	}
}

// fetched downloads by the client with which nothing goes wrong.
func (s *site) fetched(uri string) string {
	dir := s.TempDir()
	_, err := s.lw.Client.Datastores.Download(s.Context(), uri, dir, nil)
	require.NoError(s, err)
	return dir
}

func downloading(s *site, n, size int) *action {
	to := filepath.Join(s.TempDir(), "to")
	src, uri := s.shared("download", func() (string, string) {
		src := s.files(n, size)
		up, err := s.lw.Client.Datastores.Upload(s.Context(), src, nil)
		require.NoError(s, err)
		return src, up.ShortURI()
	})
	return &action{
		run: func(ctx context.Context) error {
			_, err := s.ws.Datastores.Download(ctx, uri, to, nil)
			return err
		},
		whole: func() {
			s.same(src, to, true)
			left, err := os.ReadDir(to)
			require.NoError(s, err)
			want, err := os.ReadDir(src)
			require.NoError(s, err)
			require.Len(s, left, len(want), "nothing else is left in the folder")
		},
		partly: func() { s.same(src, to, false) },
		names:  uri,
	}
}

func snapshot(s *site) *action {
	src := s.files(12, 2<<10)
	var code *assets.Code
	return &action{
		run: func(ctx context.Context) (err error) {
			code, err = s.ws.Code.Create(ctx, &assets.Code{Path: src}, nil)
			return err
		},
		whole: func() {
			back, err := s.lw.Client.Code.Get(s.Context(), code.Name, code.Version)
			require.NoError(s, err)
			s.same(src, s.snapshotted(back.Path, src), true)
		},
		names: src,
	}
}

// snapshotted brings the files of a snapshot to a folder by the workspace's token, which
// opens every container of its account.
func (s *site) snapshotted(address, src string) string {
	dir := s.TempDir()
	url, err := s.lw.URL()
	require.NoError(s, err)
	host, path, ok := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	require.True(s, ok, address)
	account, _, _ := strings.Cut(host, ".")
	require.NoError(s, filepath.WalkDir(src, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(src, p)
		require.NoError(s, err)
		r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, url+"/"+account+"/"+path+"/"+filepath.ToSlash(rel), nil)
		require.NoError(s, err)
		r.Header.Set("Authorization", "Bearer "+s.lw.Token())
		a, err := http.DefaultClient.Do(r)
		require.NoError(s, err)
		defer a.Body.Close()
		require.Equal(s, http.StatusOK, a.StatusCode, rel)
		b, err := io.ReadAll(a.Body)
		require.NoError(s, err)
		require.NoError(s, os.MkdirAll(filepath.Dir(filepath.Join(dir, rel)), 0o755))
		return os.WriteFile(filepath.Join(dir, rel), b, 0o644)
	}))
	return dir
}

// following reads the log of a job that has ended: what is there must come once, in
// order.
func following(s *site) *action {
	const lines = 20000
	name, _ := s.shared("log", func() (string, string) {
		run, err := s.lw.Client.Jobs.Submit(s.Context(), jobs.Command(fmt.Sprintf("i=0; while [ $i -lt %d ]; do echo \"line $i of many that fill a log\"; i=$((i+1)); done", lines)).
			In(&assets.Environment{Image: "debian"}).On("cpu-cluster"), nil)
		require.NoError(s, err)
		_, err = s.lw.Client.Jobs.Wait(s.Context(), run.Name, nil)
		require.NoError(s, err)
		return run.Name, ""
	})
	next := 0
	return &action{
		run: func(ctx context.Context) error {
			next = 0
			for line, err := range s.ws.Jobs.Logs(ctx, name, &jobs.LogsOptions{Poll: 5 * time.Millisecond, Outage: 300 * time.Millisecond}) {
				if err != nil {
					return err
				}
				if strings.HasPrefix(line, "line ") {
					require.Equal(s, fmt.Sprintf("line %d of many that fill a log", next), line)
					next++
				}
			}
			return nil
		},
		whole: func() { require.Equal(s, lines, next) },
		names: name,
	}
}

// faultRow is one fault of the table. Those that pass are overcome by the operation
// itself; the others make it fail, and when they are over a second call completes it.
type faultRow struct {
	do    string
	times int // 0: all
	fails bool
}

var faultRows = []faultRow{
	{"429,retry-after=10ms", 2, false}, {"503,retry-after=10ms", 2, false}, {"503", 2, false}, {"500", 1, false}, {"reset-before", 1, false}, {"reset-after", 1, false},
	{"truncate", 1, false}, {"truncate-request", 1, false}, {"slow=2ms", 1, false}, {"expired-sas", 1, false},
	{"503", 0, true}, {"reset-before", 0, true}, {"reset-after", 0, true}, {"truncate-request", 0, true}, {"expired-sas", 0, true}, {"disk-full", 0, true}, {"cancel", 1, true},
}

// TestFaults is the table of operation × fault × outcome: at every fault either the
// whole result is there and verified, or an error says what is missing, nothing that
// is there is less than whole, and a second call completes it.
func TestFaults(t *testing.T) {
	for name, make := range actions {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			skips := []int{0, 3} // at the beginning, and in the middle
			if strings.HasSuffix(name, "large") {
				skips = skips[1:] // they take long
			}
			for _, row := range faultRows {
				for _, skip := range skips {
					times := "for good"
					if row.times > 0 {
						times = fmt.Sprint(row.times, " times")
					}
					t.Run(fmt.Sprintf("%s %s after %d", row.do, times, skip), func(t *testing.T) {
						at := *s
						at.T, at.whole = t, s.T
						at.outcome(make(&at), row, skip)
					})
				}
				require.NotZero(t, s.hits[row.do], "no request met %s", row.do)
			}
		})
	}
}

func (s *site) outcome(a *action, row faultRow, skip int) {
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	s.wrong.set(row.do, skip, row.times, cancel)
	err := a.run(ctx)
	hit := s.wrong.seen > skip
	if hit {
		s.hits[row.do]++
	}
	s.wrong.set("", 0, 0, nil)
	if err == nil {
		// A fault that asks for nothing of this operation's, or came too late, is none.
		require.False(s, row.fails && hit && s.fatal(row.do, a), "the fault was not seen, and nothing was said")
		a.whole()
		return
	}
	require.True(s, row.fails && hit, "it should have been overcome: %v", err)
	if row.do == "cancel" {
		require.ErrorIs(s, err, context.Canceled)
	}
	require.ErrorContains(s, err, a.names, "the error names what it is about")
	if a.partly != nil {
		a.partly()
	}
	require.NoError(s, a.run(s.Context()), "a second call completes it, after: %v", err)
	a.whole()
}

// fatal reports whether a fault that stays must be told by the operation: what is only
// read needs no space, and a request without a body cannot be cut.
func (s *site) fatal(do string, a *action) bool {
	reads := strings.Contains(s.Name(), "download") || strings.Contains(s.Name(), "follow")
	return do != "cancel" && !(reads && (do == "disk-full" || strings.HasPrefix(do, "truncate-request") || do == "reset-after"))
}

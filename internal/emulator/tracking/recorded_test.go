package tracking

import (
	"bufio"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/azureml-go/azureml/internal/emulator/blob"
	"github.com/azureml-go/azureml/internal/emulator/store"
	"github.com/azureml-go/azureml/internal/emulator/tracking/request"
	"github.com/stretchr/testify/require"
)

// step is a request to MLflow's own server, with its answer.
type step struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   [][2]string       `json:"query"`
	Body    *string           `json:"body"`
	Headers map[string]string `json:"headers"`
	Status  int               `json:"status"`
	Answer  string            `json:"answer"`
}

// ticking is a store whose clock goes on by a millisecond whenever it is read.
func ticking(t *testing.T) *Store {
	dir := t.TempDir()
	db, err := store.Open(store.Options{Dir: dir})
	require.NoError(t, err)
	blobs, err := blob.New(db, filepath.Join(dir, "blobs"), nil)
	require.NoError(t, err)
	var now atomic.Int64
	now.Store(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	s, err := New(db, blobs, &Options{Clock: func() time.Time { return time.UnixMilli(now.Add(1)) }})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, blobs.Close())
		require.NoError(t, db.Close())
	})
	return s
}

// TestLikeMLflow plays requests that MLflow's server was sent, and compares the
// answers with those it gave, but for ids, times, generated names and what its
// database says of itself. The recording is made by internal/conformance/mlflow.
func TestLikeMLflow(t *testing.T) {
	h := ticking(t).Handler(ws, HandlerOptions{})
	recorded(t, func(t *testing.T, steps []step) {
		theirs, ours := &side{ids: map[string]int{}}, &side{ids: map[string]int{}}
		for i := range steps {
			w := steps[i].send(h, theirs, ours)
			compareAnswers(t, &steps[i], w, theirs, ours)
		}
	})
}

// Requests that are like those that clients send, but for one thing, do not fail
// the service either.
func TestBentRequests(t *testing.T) {
	h := ticking(t).Handler(ws, HandlerOptions{})
	rng := rand.New(rand.NewPCG(1, 1))
	recorded(t, func(t *testing.T, steps []step) {
		theirs, ours := &side{ids: map[string]int{}}, &side{ids: map[string]int{}}
		for _, x := range steps {
			if w := x.send(h, theirs, ours); x.Status < 400 {
				a, errA := request.Parse([]byte(x.Answer))
				b, errB := request.Parse(w.Body.Bytes())
				if errA == nil && errB == nil { // for the ids
					theirs.normal(a, "")
					ours.normal(b, "")
				}
			}
			for range 3 {
				bent := x
				bent.Query = slices.Clone(x.Query)
				if len(bent.Query) > 0 {
					bent.Query[rng.IntN(len(bent.Query))][1] = fmt.Sprint(odd(rng))
				}
				if x.Body != nil && len(*x.Body) < 20000 {
					if v, err := request.Parse([]byte(*x.Body)); err == nil {
						text := request.Print(bend(rng, v))
						bent.Body = &text
					}
				}
				w := bent.send(h, theirs, ours)
				if w.Code >= 500 {
					require.Contains(t, w.Body.String(), NotImplemented, "%s %s %v %v", bent.Method, bent.Path, bent.Query, bent.Body)
				}
			}
		}
	})
}

// odd is a value that is out of place.
func odd(rng *rand.Rand) any {
	all := []any{nil, true, "", "x", int64(-1), int64(1) << 62, request.Big("99999999999999999999"), 1e308, 0.5, []any{}, []any{nil}, &request.Object{}, "\x00", "\xed\xa0\x80", "' OR 1=1", "%", strings.Repeat("y", 5000), []any{"a", int64(1)}, "metrics.a > 1 AND", "0", int64(0), "1e400"}
	return all[rng.IntN(len(all))]
}

// bend replaces one value inside of another, or leaves one out.
func bend(rng *rand.Rand, v any) any {
	switch v := v.(type) {
	case *request.Object:
		if len(v.Keys) == 0 || rng.IntN(12) == 0 {
			return odd(rng)
		}
		o := &request.Object{}
		at, drop := rng.IntN(len(v.Keys)), rng.IntN(5) == 0
		for i, k := range v.Keys {
			switch {
			case i != at:
				o.Set(k, v.Values[k])
			case !drop:
				o.Set(k, bend(rng, v.Values[k]))
			}
		}
		return o
	case []any:
		if len(v) == 0 || rng.IntN(6) == 0 {
			return odd(rng)
		}
		list := slices.Clone(v)
		at := rng.IntN(len(list))
		list[at] = bend(rng, list[at])
		return list
	}
	return odd(rng)
}

// recorded calls f with what was recorded of each subject.
func recorded(t *testing.T, f func(t *testing.T, steps []step)) {
	file, err := os.Open("testdata/mlflow.jsonl.gz")
	require.NoError(t, err)
	defer file.Close()
	z, err := gzip.NewReader(file)
	require.NoError(t, err)
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var play struct {
			Name  string `json:"name"`
			Steps []step `json:"steps"`
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &play))
		t.Run(play.Name, func(t *testing.T) { f(t, play.Steps) })
	}
	require.NoError(t, lines.Err())
}

// side numbers the ids of one server in the order of their appearance.
type side struct {
	ids  map[string]int
	list []string
}

func (s *side) id(id string) string {
	n, ok := s.ids[id]
	if !ok {
		n = len(s.list)
		s.ids[id] = n
		s.list = append(s.list, id)
	}
	return fmt.Sprintf("<id %d>", n)
}

var (
	someID     = regexp.MustCompile(`\b(m-|tr-|a-)?[0-9a-f]{32}\b`)
	madeName   = regexp.MustCompile(`^[a-z]+-[a-z]+-\d{1,4}$`)
	someTime   = regexp.MustCompile(`^\d{4}-\d\d-\d\dT[\d:.]+Z$`)
	someDigest = regexp.MustCompile(`^[0-9a-f]{8}$`)
	timeWithin = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)
	someSet    = regexp.MustCompile(`\{'[^{}]*'\}`)
	ofDatabase = regexp.MustCompile(`(?s)\s*(Error: )?\((raised as|sqlite3\.|builtins\.).*`)
	loose      = regexp.MustCompile(`sqlite3|sqlalchemy|SQL|Python int|UNIQUE|FOREIGN KEY|Invalid page token: .*char 0`)
	unordered  = strings.Fields("tags params metrics request_metadata aliases latest_versions dataset_summaries model_inputs model_outputs dataset_inputs assessments")
)

// fixed reports whether an id is one that a request chose.
func fixed(id string) bool { return strings.Contains(id, strings.Repeat("0", 20)) }

func replaceIDs(text string, f func(string) string) string {
	return someID.ReplaceAllStringFunc(text, func(id string) string {
		if fixed(id) {
			return id
		}
		return f(id)
	})
}

// send sends the request, with our ids for theirs.
func (x *step) send(h http.Handler, theirs, ours *side) *httptest.ResponseRecorder {
	own := func(id string) string {
		if n, ok := theirs.ids[id]; ok && n < len(ours.list) {
			return ours.list[n]
		}
		return id
	}
	body := ""
	if x.Body != nil {
		body = replaceIDs(*x.Body, own)
		if raw, ok := strings.CutPrefix(*x.Body, "base64:"); ok {
			plain, err := base64.StdEncoding.DecodeString(raw)
			if err == nil {
				body = string(plain)
			}
		}
	}
	target := replaceIDs(x.Path, own)
	query := url.Values{}
	for _, kv := range x.Query {
		query.Add(kv[0], replaceIDs(kv[1], own))
	}
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r := httptest.NewRequest(x.Method, target, strings.NewReader(body))
	for k, v := range x.Headers {
		r.Header[http.CanonicalHeaderKey(k)] = []string{replaceIDs(v, own)}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func compareAnswers(t *testing.T, x *step, w *httptest.ResponseRecorder, theirs, ours *side) {
	t.Helper()
	shown := fmt.Sprint(x.Method, " ", x.Path, " ", x.Query)
	if x.Body != nil {
		shown += " " + (*x.Body)[:min(len(*x.Body), 500)]
	}
	wanted, errA := request.Parse([]byte(x.Answer))
	got, errB := request.Parse(w.Body.Bytes())
	a, isObject := wanted.(*request.Object)
	b, too := got.(*request.Object)
	code := func(o *request.Object) any {
		if o == nil {
			return nil
		}
		return o.Values["error_code"]
	}
	switch {
	case x.Status >= 500 && (code(a) == InvalidState || code(a) == NotImplemented):
		require.Equal(t, code(a), code(b), shown)
	case x.Status >= 500:
		require.Less(t, w.Code, 500, shown+"\n"+w.Body.String())
	case errA != nil || errB != nil || !isObject || !too:
		require.Equal(t, x.Status, w.Code, shown)
		if x.Status < 400 {
			require.Equal(t, x.Answer, w.Body.String(), shown)
		}
	default:
		require.Equal(t, x.Status, w.Code, "%s\n%s\n%s", shown, x.Answer, w.Body)
		message, _ := a.Values["message"].(string)
		if x.Status >= 400 && loose.MatchString(message) {
			require.Equal(t, code(a), code(b), shown)
			return
		}
		require.Equal(t, request.Dumps(theirs.normal(wanted, "")), request.Dumps(ours.normal(got, "")), shown)
	}
}

// normal is an answer without what differs between two servers that agree.
func (s *side) normal(v any, key string) any {
	switch v := v.(type) {
	case *request.Object:
		o := &request.Object{}
		for _, k := range slices.Sorted(slices.Values(v.Keys)) {
			o.Set(k, s.normal(v.Values[k], k))
		}
		return o
	case []any:
		list := slices.Clone(v)
		if slices.Contains(unordered, key) {
			slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(withoutIDs(a), withoutIDs(b)) })
		}
		for i := range list {
			list[i] = s.normal(list[i], key)
		}
		return list
	case int64:
		if v > 1_600_000_000_000 {
			return "<time>"
		}
	case float64:
		if key == "npmi" || key == "npmi_smoothed" {
			return math.Round(v*1e12) / 1e12
		}
	case string:
		switch {
		case key == "records": // their order is that of random ids
			replaceIDs(v, s.id)
			return "<records>"
		case key == "next_page_token" && len(v) > 60: // a time and an id
			return "<token>"
		case key == "digest" && someDigest.MatchString(v):
			return "<digest>"
		case slices.Contains([]string{"run_name", "value", "name"}, key) && madeName.MatchString(v):
			return "<name>"
		case someTime.MatchString(v):
			return "<time>"
		case key == "message":
			v = ofDatabase.ReplaceAllString(v, "")
			v = someSet.ReplaceAllStringFunc(v, func(set string) string {
				items := strings.Split(strings.Trim(set, "{}"), ", ")
				slices.Sort(items)
				return "{" + strings.Join(items, ", ") + "}"
			})
		}
		return replaceIDs(v, s.id)
	}
	return v
}

func withoutIDs(v any) string {
	return timeWithin.ReplaceAllString(replaceIDs(request.Dumps(v), func(string) string { return "" }), "")
}

package conformance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// route is a method and a path whose segments may be wild: "{name}".
type route struct{ method, path string }

// routes are templates by method and number of segments.
type routes map[string][][]string

func (rs routes) add(r route) {
	parts := strings.Split(strings.Trim(strings.ToLower(r.path), "/"), "/")
	key := r.method + string(rune('0'+len(parts)))
	if !slices.ContainsFunc(rs[key], func(o []string) bool { return slices.Equal(o, parts) }) {
		rs[key] = append(rs[key], parts)
	}
}

// find is the template of a request.
func (rs routes) find(r route) (string, bool) {
	parts := strings.Split(strings.Trim(strings.ToLower(r.path), "/"), "/")
	for _, t := range rs[r.method+string(rune('0'+len(parts)))] {
		ok := true
		for i, p := range parts {
			ok = ok && segmentLike(t[i], p)
		}
		if ok {
			return "/" + strings.Join(t, "/"), true
		}
	}
	return "", false
}

// segmentLike matches "jobs" with "jobs", "{id}" with anything, "{name}:getNextVersion" with its ending.
func segmentLike(template, s string) bool {
	open, end := strings.IndexByte(template, '{'), strings.LastIndexByte(template, '}')
	if open < 0 || end < open {
		return template == s
	}
	return len(s) > len(template)-(end-open+1) && strings.HasPrefix(s, template[:open]) && strings.HasSuffix(s, template[end+1:])
}

var (
	goPath     = regexp.MustCompile(`urlPath := "(/[^"]*)"`)
	goMethod   = regexp.MustCompile(`NewRequest\(ctx, http\.Method(\w+),`)
	pythonPath = regexp.MustCompile(`(?:template_url", |_url = )"(/[^"]*)"`)
	pythonVerb = regexp.MustCompile(`\bmethod="([A-Z]+)"`)
)

// generated are the routes in the source of a generated client: a line with the path, then one with the method.
func generated(t *testing.T, dir, ending string, path, method *regexp.Regexp) routes {
	t.Helper()
	found := routes{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(p, ending) {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		at := ""
		for line := range strings.Lines(string(b)) {
			if m := path.FindStringSubmatch(line); m != nil {
				at = m[1]
			}
			if m := method.FindStringSubmatch(line); m != nil && at != "" {
				found.add(route{strings.ToUpper(m[1]), at})
				at = ""
			}
		}
		return nil
	}))
	require.NotEmpty(t, found, "routes in %s", dir)
	return found
}

// recorded are the requests of the oracle's recordings, as they are.
func recorded(t *testing.T, dir string) routes {
	t.Helper()
	found := routes{}
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "recordings"), func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".json" {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		var rec struct {
			Requests []struct{ Method, Path, URL string } `json:"requests"`
		}
		if json.Unmarshal(b, &rec) != nil {
			return nil // a summary, not a recording
		}
		for _, r := range rec.Requests {
			u, err := url.Parse(r.Path + r.URL)
			if err != nil {
				continue
			}
			found.add(route{r.Method, wild(u.Path)})
		}
		return nil
	}))
	return found
}

var workspacePath = regexp.MustCompile(`(?i)/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.MachineLearningServices/(workspaces|registries)/[^/]+`)

// wild replaces what names a workspace, and each second segment behind it.
func wild(path string) string {
	at := workspacePath.FindStringIndex(path)
	if at == nil {
		return path
	}
	m := workspacePath.FindStringSubmatch(path)
	behind := strings.Split(strings.Trim(path[at[1]:], "/"), "/")
	for i := 1; i < len(behind); i += 2 {
		behind[i] = "{name}"
	}
	return path[:at[0]] + "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.MachineLearningServices/" + m[1] + "/{w}/" + strings.Join(behind, "/")
}

// elsewhere are requests that other suites prove: blobs (Azurite), tracking (MLflow's server), scoring (the inference
// servers), and ids that a unit test made up.
var elsewhere = regexp.MustCompile(`^/(amllocal|devstoreaccount1|account|api/2\.0|api/3\.0|ajax-api|mlflow/v|score|endpoints/)|/mlflow/v[12]\.0/|^/h/[^/]+/(score|api/)|^/subscriptions/s/resourceGroups/g/[A-Z]$`)

var outgoing = regexp.MustCompile(`^\s+(GET|HEAD|PUT|POST|PATCH|DELETE) (https?://\S+)`)

// TestRequestsHaveASource runs our own suites with azcore's log of requests
// (AZURE_SDK_GO_LOGGING) and asks of each request to the resource manager or
// the data plane: is it a route of Microsoft's generated Go client, of
// azure-ai-ml's own clients, of a recording of azure-ai-ml, or one of
// sources.json, which says where it is documented? So no request of ours is one
// that only our emulator understands.
func TestRequestsHaveASource(t *testing.T) {
	t.Parallel()
	py := python(t, "azure.ai.ml")
	arm, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/machinelearning/armmachinelearning/v4").Output()
	require.NoError(t, err)
	ml, err := exec.Command(py, "-c", "import importlib.util as u; print(u.find_spec('azure.ai.ml').submodule_search_locations[0])").Output()
	require.NoError(t, err)
	known := []struct {
		name string
		routes
	}{
		{"armmachinelearning", generated(t, strings.TrimSpace(string(arm)), "_client.go", goPath, goMethod)},
		{"azure-ai-ml's generated clients", generated(t, filepath.Join(strings.TrimSpace(string(ml)), "_restclient"), "_operations.py", pythonPath, pythonVerb)},
		{"recordings of azure-ai-ml", recorded(t, oracle(t))},
		{"sources.json", routes{}},
	}
	var listed map[string]string
	b, err := os.ReadFile("sources.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &listed))
	for r, why := range listed {
		require.NotEmpty(t, why, r)
		method, path, _ := strings.Cut(r, " ")
		known[3].add(route{method, path})
	}

	seen := map[string]bool{}
	used := map[string]bool{}
	var ops []operation
	counts := map[string]int{}
	for _, r := range ourRequests(t) {
		found := false
		for _, k := range known {
			template, ok := k.find(r)
			if !ok {
				continue
			}
			found = true
			if k.name == "sources.json" {
				used[r.method+" "+template] = true
			}
			if key := r.method + " " + template; !seen[key] {
				seen[key] = true
				counts[k.name]++
				ops = append(ops, operation{Name: key, Outcome: passed, Calls: 1, Detail: k.name})
			}
			break
		}
		if !found {
			if key := r.method + " " + wild(r.path); !seen[key] {
				seen[key] = true
				ops = append(ops, operation{Name: key, Outcome: failed, Detail: "no client of Microsoft's has this route, and sources.json does not say where it is documented: " + r.path})
			}
		}
	}
	for _, k := range known {
		t.Logf("%d routes of our requests are known to %s", counts[k.name], k.name)
	}
	for r := range listed {
		method, path, _ := strings.Cut(r, " ")
		if !used[method+" "+strings.ToLower(path)] {
			t.Errorf("sources.json: %s: none of our requests needs it", r)
		}
	}
	testifies(t, &witness{Name: "routes of Microsoft's clients", Version: "armmachinelearning v4, azure-ai-ml 1.35.2", What: "each request of our own suites has a source", Unit: "routes", Operations: ops})
}

var (
	failedPackage = regexp.MustCompile(`(?m)^FAIL\t(\S+)`)
	failedTest    = regexp.MustCompile(`(?m)^ *(--- FAIL: .*|panic: .*|\S+_test\.go:\d+:\d+: .*)`)
)

// ourRequests are what our clients sent in their own suites.
func ourRequests(t *testing.T) []route {
	t.Helper()
	packages := []string{"./assets", "./compute", "./endpoints/...", "./jobs/...", "./pipeline", "./workspace/...", "./examples/..."}
	var out []byte
	for again := range 2 {
		c := exec.Command("go", append([]string{"test", "-v", "-count=1"}, packages...)...)
		c.Dir = root(t)
		c.Env = append(os.Environ(), "AZURE_SDK_GO_LOGGING=all")
		said, err := c.CombinedOutput()
		out = append(out, said...)
		if err == nil {
			break
		}
		// What fails is a matter of its own suite; here it is run once more, for its requests.
		packages = nil
		for _, m := range failedPackage.FindAllSubmatch(said, -1) {
			packages = append(packages, string(m[1]))
		}
		for _, m := range failedTest.FindAll(said, -1) {
			t.Log(string(m))
		}
		require.NotEmpty(t, packages, "our own suites, with azcore's log: %v", err)
		require.Zero(t, again, "our own suites, with azcore's log, twice: %v", err)
	}
	distinct := map[route]bool{}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		m := outgoing.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		u, err := url.Parse(m[2])
		if err != nil || strings.Contains(u.Host, ".blob.") || strings.Contains(u.Host, ".dfs.") || strings.Contains(u.Host, ".file.") || elsewhere.MatchString(u.Path) {
			continue
		}
		path := strings.TrimPrefix(u.Path, "/mferp/managementfrontend")
		if rest, ok := strings.CutPrefix(path, "/h/"); ok { // a host of Azure, over one port
			_, path, _ = strings.Cut(rest, "/")
			path = "/" + path
		}
		distinct[route{m[1], path}] = true
	}
	require.NoError(t, lines.Err())
	require.Greater(t, len(distinct), 200, "requests in azcore's log")
	all := make([]route, 0, len(distinct))
	for r := range distinct {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b route) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

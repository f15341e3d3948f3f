package emulator

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// style is how a call that takes time answers.
type style string

const (
	styleNone     style = ""
	styleAsync    style = "Azure-AsyncOperation" // 201 or 200 with Azure-AsyncOperation; the resource is read at its own address at the end
	styleLocation style = "Location"             // 202 with Location, whose last answer is the result
	styleBoth     style = "Azure-AsyncOperation, Location"
)

// route is one line of the table from which the router, the coverage print and the documentation are made.
type route struct {
	plane     plane
	method    string
	pattern   string
	kind      string // what it is about, "workspaces/jobs"
	operation string // Microsoft's name of the operation, or what the data plane calls it
	since     string // oldest api-version; empty where the path carries the version
	body      bool   // a JSON body is needed
	lro       style
	run       bool // a run's own token may call it, for its own run
	open      bool // no token is needed
	create    bool // the run in the path is about to be made
	handle    func(*call) error

	segments []string
}

// Route is a route as the coverage print and the documentation show it.
type Route struct {
	Method, Path, Kind, Operation string
	APIVersions                   []string
	NeedsBody                     bool
	LongRunning                   string // the headers of its answers
}

// Routes are all routes that the resource manager and the regional API serve here.
func Routes() []Route { return newTable().routes() }

func (t *routeTable) routes() []Route {
	var out []Route
	for _, r := range t.all {
		out = append(out, Route{r.method, r.pattern, r.kind, r.operation, known2(r.since), r.body, string(r.lro)})
	}
	slices.SortStableFunc(out, func(a, b Route) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	return out
}

func known2(since string) []string {
	if since == sinceAny {
		return nil
	}
	return known(since, false)
}

// Paths that patterns begin with.
const (
	pSub = "/subscriptions/{sub}"
	pRG  = pSub + "/resourceGroups/{rg}"
	pRP  = pSub + "/providers/" + arm.Provider
	pGP  = pRG + "/providers/" + arm.Provider
	pW   = pGP + "/workspaces/{ws}"
	pReg = pGP + "/registries/{registry}"
	pLoc = pRP + "/locations/{location}"
)

type routeTable struct {
	all   []*route
	index map[plane]map[int][]*route // by number of segments
}

// newTable is the same for all servers.
func newTable() *routeTable {
	t := &routeTable{index: map[plane]map[int][]*route{}}
	for _, group := range [][]route{
		subscriptionRoutes(), workspaceRoutes(), networkRoutes(), connectionRoutes(), computeRoutes(), datastoreRoutes(), jobRoutes(), scheduleRoutes(), assetRoutes(),
		featureRoutes(), onlineRoutes(), batchRoutes(), serverlessRoutes(), registryRoutes(), operationRoutes(),
		discoveryRoutes(), reuseRoutes(), historyRoutes(), queryRoutes(), artifactRoutes(), metricRoutes(), dataplaneRoutes(), indexRoutes(),
	} {
		for i := range group {
			t.add(&group[i])
		}
	}
	return t
}

func (t *routeTable) add(r *route) {
	r.segments = strings.Split(strings.Trim(r.pattern, "/"), "/")
	if t.index[r.plane] == nil {
		t.index[r.plane] = map[int][]*route{}
	}
	t.all = append(t.all, r)
	t.index[r.plane][len(r.segments)] = append(t.index[r.plane][len(r.segments)], r)
}

// find gives the route of a path, the values of its braces, and, when only the method is wrong, the methods that there are.
// Words compare without regard to case; a pattern that says more words goes before one that says fewer.
func (t *routeTable) find(p plane, method string, path []string) (*route, map[string]string, []string) {
	var best *route
	words := -1
	var methods []string
	for _, r := range t.index[p][len(path)] {
		n, ok := r.match(path)
		if !ok {
			continue
		}
		if r.method != method {
			methods = append(methods, r.method)
			continue
		}
		if n > words {
			best, words = r, n
		}
	}
	if best == nil {
		return nil, nil, methods
	}
	v := map[string]string{}
	for i, s := range best.segments {
		if name, suffix, ok := brace(s); ok {
			v[name] = path[i][:len(path[i])-len(suffix)]
		}
	}
	return best, v, nil
}

// brace reads "{name}" and "{name}:word".
func brace(s string) (name, suffix string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", "", false
	}
	name, suffix, _ = strings.Cut(s[1:], "}")
	return name, suffix, true
}

func (r *route) match(path []string) (words int, ok bool) {
	for i, s := range r.segments {
		if _, suffix, is := brace(s); is {
			if suffix != "" {
				if len(path[i]) <= len(suffix) || !strings.EqualFold(path[i][len(path[i])-len(suffix):], suffix) {
					return 0, false
				}
				words++
			}
			continue
		}
		if !strings.EqualFold(s, path[i]) {
			return 0, false
		}
		words += 2
	}
	return words, true
}

// split takes an escaped path apart into unescaped segments. A segment that is a dot, two dots, or holds a slash, a backslash or a control character is refused: no
// name has them. Experiments, whose names are free, may hold a slash.
func split(escaped string, p plane) ([]string, error) {
	escaped = strings.Trim(escaped, "/")
	if escaped == "" {
		return nil, nil
	}
	parts := strings.Split(escaped, "/")
	for i, x := range parts {
		u, err := url.PathUnescape(x)
		if err != nil || u == "" || u == "." || u == ".." || strings.ContainsFunc(u, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' || r == '/' && p == planeARM }) {
			return nil, arm.BadRequest("InvalidRequestUri", "The request path has an empty or forbidden segment.")
		}
		parts[i] = u
	}
	return parts, nil
}

func methodNotAllowed(w http.ResponseWriter, methods []string) *arm.Error {
	slices.Sort(methods)
	w.Header().Set("Allow", strings.Join(slices.Compact(methods), ", "))
	return &arm.Error{Status: http.StatusMethodNotAllowed, Code: "MethodNotAllowed", Message: "The method is not allowed for this path."}
}

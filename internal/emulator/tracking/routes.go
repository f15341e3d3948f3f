package tracking

import (
	"net/http"
	"net/url"
	"strings"
)

type handler = func(c *call) error

// routes are the fixed paths behind /api/2.0/ and the like, with the versions
// that they exist in. A star stands for one segment.
var routes = map[string]map[string]handler{
	"2.0/mlflow/experiments/create":                {"POST": createExperiment},
	"2.0/mlflow/experiments/get":                   {"GET": getExperiment},
	"2.0/mlflow/experiments/get-by-name":           {"GET": getExperimentByName},
	"2.0/mlflow/experiments/search":                {"GET": searchExperiments, "POST": searchExperiments},
	"2.0/mlflow/experiments/update":                {"POST": updateExperiment},
	"2.0/mlflow/experiments/delete":                {"POST": deleteExperiment},
	"2.0/mlflow/experiments/restore":               {"POST": restoreExperiment},
	"2.0/mlflow/experiments/set-experiment-tag":    {"POST": setExperimentTag},
	"2.0/mlflow/experiments/delete-experiment-tag": {"POST": deleteExperimentTag},
	"2.0/mlflow/experiments/search-datasets":       {"POST": searchDatasets},

	"2.0/mlflow/runs/create":                      {"POST": createRun},
	"2.0/mlflow/runs/get":                         {"GET": getRun},
	"2.0/mlflow/runs/update":                      {"POST": updateRun},
	"2.0/mlflow/runs/delete":                      {"POST": deleteRun},
	"2.0/mlflow/runs/restore":                     {"POST": restoreRun},
	"2.0/mlflow/runs/search":                      {"POST": searchRuns},
	"2.0/mlflow/runs/log-metric":                  {"POST": logMetric},
	"2.0/mlflow/runs/log-parameter":               {"POST": logParam},
	"2.0/mlflow/runs/set-tag":                     {"POST": setTag},
	"2.0/mlflow/runs/delete-tag":                  {"POST": deleteTag},
	"2.0/mlflow/runs/log-batch":                   {"POST": logBatch},
	"2.0/mlflow/runs/log-model":                   {"POST": logModel},
	"2.0/mlflow/runs/log-inputs":                  {"POST": logInputs},
	"2.0/mlflow/runs/outputs":                     {"POST": logOutputs},
	"2.0/preview/mlflow/runs/log-batch-async":     {"POST": logBatchAsync},
	"2.0/preview/mlflow/runs/get-run-data-status": {"GET": runDataStatus},

	"2.0/mlflow/metrics/get-history":               {"GET": getHistory},
	"2.0/mlflow/metrics/get-history-bulk":          {"GET": getHistoryBulk},
	"2.0/mlflow/metrics/get-history-bulk-interval": {"GET": getHistoryInterval},
}

// route finds what serves a request.
func (c *call) route() (handler, error) {
	path := c.r.URL.EscapedPath()
	switch path {
	case "/health":
		return text("OK"), nil
	case "/version":
		return text(Version), nil
	}
	return c.routeAPI(path)
}

// routeAPI finds a route of the API.
func (c *call) routeAPI(path string) (handler, error) {
	rest, ok := strings.CutPrefix(path, "/api/")
	if !ok {
		rest, ok = strings.CutPrefix(path, "/ajax-api/")
	}
	if !ok {
		return nil, noEndpoint(c.r)
	}
	methods, found := routes[rest]
	if !found {
		methods, found = c.routeVars(rest)
	}
	if !found {
		return nil, noEndpoint(c.r)
	}
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h, ok := methods[method]
	if !ok {
		return nil, &Error{Code: BadRequest, Status: http.StatusMethodNotAllowed, Message: "The method " + c.r.Method + " is not allowed for " + c.r.URL.Path}
	}
	return h, nil
}

// patterns are the routes with stars, by their number of segments.
var patterns = func() map[int][][]string {
	m := map[int][][]string{}
	for r := range routes {
		if strings.Contains(r, "*") {
			segments := strings.Split(r, "/")
			m[len(segments)] = append(m[len(segments)], segments)
		}
	}
	return m
}()

// routeVars finds a route with stars, and what they stand for.
func (c *call) routeVars(path string) (map[string]handler, bool) {
	segments := strings.Split(path, "/")
next:
	for _, pattern := range patterns[len(segments)] {
		var vars []string
		for i, p := range pattern {
			if p == "*" && segments[i] != "" {
				v, err := url.PathUnescape(segments[i])
				if err != nil {
					continue next
				}
				vars = append(vars, v)
			} else if p != segments[i] {
				continue next
			}
		}
		c.vars = vars
		return routes[strings.Join(pattern, "/")], true
	}
	return nil, false
}

func noEndpoint(r *http.Request) error {
	return errorf(EndpointNotFound, "The requested URL %s was not found on the server.", r.URL.Path)
}

// text answers with a plain text.
func text(s string) handler {
	return func(c *call) error {
		c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		c.send([]byte(s))
		return nil
	}
}

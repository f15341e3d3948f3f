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

	"2.0/mlflow/artifacts/list":                   {"GET": listArtifacts},
	"2.0/mlflow/artifacts/presigned-upload-url":   {"POST": presignedUpload},
	"2.0/mlflow/artifacts/presigned-download-url": {"POST": presignedDownload},
	"2.0/mlflow/upload-artifact":                  {"POST": uploadArtifact},
	"2.0/mlflow-artifacts/artifacts":              {"GET": listProxied},
	"2.0/mlflow-artifacts/mpu/part/*/*":           {"PUT": putPart},

	"2.0/mlflow/logged-models":                         {"POST": createLogged},
	"2.0/mlflow/logged-models/search":                  {"POST": searchLogged},
	"2.0/mlflow/logged-models/*":                       {"GET": getLogged, "PATCH": finalizeLogged, "DELETE": deleteLogged},
	"2.0/mlflow/logged-models/*/tags":                  {"PATCH": tagLoggedModel},
	"2.0/mlflow/logged-models/*/tags/*":                {"DELETE": untagLoggedModel},
	"2.0/mlflow/logged-models/*/params":                {"POST": logLoggedParams},
	"2.0/mlflow/logged-models/*/artifacts/directories": {"GET": listLoggedFiles},
	"2.0/mlflow/logged-models/*/artifacts/files":       {"GET": getLoggedFile},

	"2.0/mlflow/registered-models/create":              {"POST": createModel},
	"2.0/mlflow/registered-models/get":                 {"GET": getModel},
	"2.0/mlflow/registered-models/update":              {"PATCH": updateModel},
	"2.0/mlflow/registered-models/rename":              {"POST": renameModel},
	"2.0/mlflow/registered-models/delete":              {"DELETE": deleteModel},
	"2.0/mlflow/registered-models/search":              {"GET": searchModels},
	"2.0/mlflow/registered-models/get-latest-versions": {"GET": latestVersions, "POST": latestVersions},
	"2.0/mlflow/registered-models/set-tag":             {"POST": tagModel},
	"2.0/mlflow/registered-models/delete-tag":          {"DELETE": untagModel},
	"2.0/mlflow/registered-models/alias":               {"POST": setAlias, "DELETE": deleteAlias, "GET": getByAlias},
	"2.0/mlflow/model-versions/create":                 {"POST": createVersion},
	"2.0/mlflow/model-versions/get":                    {"GET": getVersion},
	"2.0/mlflow/model-versions/update":                 {"PATCH": updateVersion},
	"2.0/mlflow/model-versions/transition-stage":       {"POST": transitionStage},
	"2.0/mlflow/model-versions/delete":                 {"DELETE": deleteVersion},
	"2.0/mlflow/model-versions/search":                 {"GET": searchVersions},
	"2.0/mlflow/model-versions/get-download-uri":       {"GET": downloadURI},
	"2.0/mlflow/model-versions/set-tag":                {"POST": tagVersion},
	"2.0/mlflow/model-versions/delete-tag":             {"DELETE": untagVersion},

	"2.0/mlflow/traces":                              {"POST": startOldTrace, "GET": searchOldTraces},
	"2.0/mlflow/traces/*":                            {"PATCH": endOldTrace},
	"2.0/mlflow/traces/*/info":                       {"GET": getOldTrace},
	"2.0/mlflow/traces/*/tags":                       {"PATCH": tagTrace, "DELETE": untagTrace},
	"2.0/mlflow/traces/delete-traces":                {"POST": deleteTraces},
	"2.0/mlflow/traces/link-to-run":                  {"POST": linkTraces},
	"2.0/mlflow/traces/link-prompts":                 {"POST": linkPrompts},
	"2.0/mlflow/get-trace-artifact":                  {"GET": getTraceArtifact},
	"3.0/mlflow/get-trace-artifact":                  {"GET": getTraceArtifact},
	"3.0/mlflow/traces":                              {"POST": startTrace},
	"3.0/mlflow/traces/search":                       {"POST": searchTraces},
	"3.0/mlflow/traces/get":                          {"GET": getTrace},
	"3.0/mlflow/traces/batchGet":                     {"GET": batchGetTraces},
	"3.0/mlflow/traces/batchGetInfos":                {"POST": batchGetInfos},
	"3.0/mlflow/traces/delete-traces":                {"POST": deleteTraces},
	"3.0/mlflow/traces/*":                            {"GET": getTraceInfo},
	"3.0/mlflow/traces/*/tags":                       {"PATCH": tagTrace, "DELETE": untagTrace},
	"3.0/mlflow/traces/*/assessments":                {"POST": createAssessment},
	"3.0/mlflow/traces/*/assessments/*":              {"GET": getAssessment, "PATCH": updateAssessment, "DELETE": deleteAssessment},
	"3.0/mlflow/traces/calculate-filter-correlation": {"POST": correlateTraces},
	"3.0/mlflow/traces/metrics":                      {"POST": measureTraces},

	"3.0/mlflow/datasets/create":               {"POST": createEvaluation},
	"3.0/mlflow/datasets/search":               {"POST": searchEvaluations, "GET": searchEvaluations},
	"3.0/mlflow/datasets/*":                    {"GET": getEvaluation, "DELETE": deleteEvaluation},
	"3.0/mlflow/datasets/*/tags":               {"PATCH": tagEvaluation},
	"3.0/mlflow/datasets/*/tags/*":             {"DELETE": untagEvaluation},
	"3.0/mlflow/datasets/*/records":            {"GET": getRecords, "POST": upsertRecords, "DELETE": deleteRecords},
	"3.0/mlflow/datasets/*/experiment-ids":     {"GET": evaluationExperiments},
	"3.0/mlflow/datasets/*/add-experiments":    {"POST": joinEvaluation},
	"3.0/mlflow/datasets/*/remove-experiments": {"POST": leaveEvaluation},

	"3.0/mlflow/server-info": {"GET": serverInfo},
}

// folders are the routes that an artifact's path follows.
var folders = map[string]map[string]handler{
	"2.0/mlflow-artifacts/artifacts/":    {"GET": download, "PUT": upload, "DELETE": deleteProxied},
	"2.0/mlflow-artifacts/mpu/create/":   {"POST": createMultipart},
	"2.0/mlflow-artifacts/mpu/complete/": {"POST": completeMultipart},
	"2.0/mlflow-artifacts/mpu/abort/":    {"POST": abortMultipart},
	"2.0/mlflow-artifacts/presigned/":    {"GET": presignedProxied},
}

// route finds what serves a request.
func (c *call) route() (handler, error) {
	path := "/" + strings.TrimLeft(c.r.URL.EscapedPath(), "/") // slashes are merged, as MLflow does
	methods, found := others[path]
	if !found {
		rest, ok := strings.CutPrefix(path, "/api/")
		if !ok {
			rest, ok = strings.CutPrefix(path, "/ajax-api/")
		}
		if ok {
			methods, found = c.routeAPI(rest)
		}
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

// others are the paths outside the API.
var others = map[string]map[string]handler{
	"/health":                      {"GET": text("OK")},
	"/version":                     {"GET": text(Version)},
	"/get-artifact":                {"GET": getArtifact},
	"/model-versions/get-artifact": {"GET": getVersionArtifact},
	"/v1/traces":                   {"POST": exportSpans},
	"/graphql":                     {"GET": graphql, "POST": graphql},
}

// routeAPI finds a route of the API, by its path behind the prefix.
func (c *call) routeAPI(path string) (map[string]handler, bool) {
	if methods, ok := routes[path]; ok {
		return methods, true
	}
	for folder, methods := range folders {
		if rest, ok := strings.CutPrefix(path, folder); ok && rest != "" {
			return methods, true
		}
	}
	return c.routeVars(path)
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

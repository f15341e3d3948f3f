package emulator

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// history is an address of run history.
func history(path string) string {
	return "https://" + arm.APIHost + "/history/v1.0" + DefaultScope.ID() + path + "?api-version=v1.0"
}

// runIDs are the ids of the runs in an answer.
func runIDs(r *reply) (all []string) {
	for _, v := range r.want(200).doc()["value"].([]any) {
		all = append(all, document(v.(map[string]any)).text("runId"))
	}
	return all
}

func TestRunsAreQueried(t *testing.T) {
	t.Parallel()
	at := newClock()
	c := inside(t, open(t, Options{Clock: at.Now}))
	var runs []any
	for i := range 5 {
		runs = append(runs, map[string]any{"runId": fmt.Sprint("r", i), "displayName": fmt.Sprint("run ", i), "tags": map[string]any{"n": fmt.Sprint(i), "odd": fmt.Sprint(i%2 == 1)}, "properties": map[string]any{"azureml.p": "x"}})
	}
	done := c.do("PATCH", history("/experiments/first/batch/runs"), map[string]any{"runs": append(runs, map[string]any{"runId": "bad name!"})}).want(200).doc()
	require.Len(t, done["runs"], 5)
	require.Contains(t, done.object("errors"), "bad name!")
	at.Move(time.Minute)
	c.do("PATCH", history("/experiments/second/batch/runs"), map[string]any{"runs": []any{map[string]any{"runId": "other", "parentRunId": "r1"}}}).want(200)
	c.do("PATCH", history("/experiments/first/batch/runs"), map[string]any{"runs": []any{map[string]any{"runId": "r4", "status": "Completed", "tags": map[string]any{"more": "1"}}}}).want(200)
	c.do("PATCH", history("/batch/runs"), map[string]any{"runs": []any{map[string]any{"displayName": "x"}}}).want(400)

	query := func(where string, body map[string]any) *reply {
		return c.do("POST", history(where+"/runs:query"), body)
	}
	require.Len(t, runIDs(query("", map[string]any{})), 6)
	require.Equal(t, []string{"other"}, runIDs(query("/experiments/second", map[string]any{})))
	guid := c.do("GET", history("/experiments/second"), nil).want(200).doc().text("experimentId")
	require.Equal(t, []string{"other"}, runIDs(query("/experimentids/"+guid, map[string]any{})))
	for filter, want := range map[string][]string{
		"RunId eq 'r2'":         {"r2"},
		"tags/odd eq 'true'":    {"r1", "r3"},
		"Status eq 'Completed'": {"r4"},
		"parentRunId ne null":   {"other"},
		"PARENTRUNID eq 'r1'":   {"other"},
		"not (tags/n eq '1' or tags/n eq '2') and tags/odd eq 'true'":                {"r3"},
		"tags/n ge '2' and tags/n lt '4'":                                            {"r2", "r3"},
		"startswith(displayName, 'run') and endswith(displayName, '3')":              {"r3"},
		"contains(displayName, 'n 1')":                                               {"r1"},
		"createdUtc gt 2026-03-01T12:00:30Z":                                         {"other"},
		"properties/azureml.p eq 'x' and properties/none eq 'y'":                     nil,
		"displayName eq 'it''s' or (displayName eq 'run 0' and status eq 'Running')": {"r0"},
		"properties/azureml.p eq 'x' and (runId eq 'r0' or runId eq 'r4')":           {"r0", "r4"},
		"endTimeUtc ne null":                                                         {"r4"},
		"(((runId eq 'r0')))":                                                        {"r0"},
	} {
		require.Equal(t, want, runIDs(query("", map[string]any{"filter": filter, "orderBy": "runId asc"})), filter)
	}
	for _, filter := range []string{"runId", "runId eq", "runId is 'x'", "(runId eq 'x'", "runId eq 'x", "runId eq 'x' and", "nothing eq 'x'", "length(runId) eq 2", "runId eq 'x' 'y'", "eq", "contains(runId 'x')", "contains(runId, 'x'"} {
		query("", map[string]any{"filter": filter}).want(400)
	}
	require.Equal(t, []string{"r4", "r3", "r2", "r1", "r0"}, runIDs(query("/experiments/first", map[string]any{"orderBy": "displayName desc"})))
	first := query("", map[string]any{"top": 4, "orderBy": "runId"})
	require.Equal(t, []string{"other", "r0", "r1", "r2"}, runIDs(first))
	require.Equal(t, []string{"r3", "r4"}, runIDs(query("", map[string]any{"top": 4, "orderBy": "runId", "continuationToken": first.doc().text("continuationToken")})))
	query("", map[string]any{"orderBy": "nothing"}).want(400)
	query("", map[string]any{"orderBy": "runId down"}).want(400)
	query("", map[string]any{"continuationToken": "nonsense"}).want(400)
	query("/experiments/none", map[string]any{}).want(404)
	require.Empty(t, runIDs(c.do("GET", history("/computes/cpu-cluster/runs"), nil)))
	c.do("GET", history("/computes/none/runs"), nil).want(404)
	c.do("DELETE", history("/runs/r0/services"), map[string]any{"servicesToDelete": []any{"none"}}).want(404)
}

func TestExperimentsOfHistory(t *testing.T) {
	t.Parallel()
	c := inside(t, open(t, Options{}))
	names := func(body map[string]any) (all []string) {
		for _, v := range c.do("POST", history("/experiments:query"), body).want(200).doc()["value"].([]any) {
			all = append(all, document(v.(map[string]any)).text("name"))
		}
		return all
	}
	id := c.do("POST", history("/experiments/one"), nil).want(200).doc().text("experimentId")
	c.do("POST", history("/experiments/two"), nil).want(200)
	require.Equal(t, []string{"Default", "one", "two"}, names(map[string]any{"orderBy": "name"}))
	require.Equal(t, []string{"one"}, names(map[string]any{"filter": "name eq 'one'"}))
	d := c.do("PATCH", history("/experimentids/"+id), map[string]any{"name": "uno", "description": "words", "tags": map[string]any{"a": "1", "b": "2"}, "archive": true}).want(200).doc()
	require.Equal(t, "uno", d.text("name"))
	require.Equal(t, "words", d.text("description"))
	require.NotEmpty(t, d.text("archivedTime"))
	require.Equal(t, []string{"uno"}, names(map[string]any{"viewType": "ArchivedOnly"}))
	require.Equal(t, []string{"Default", "two", "uno"}, names(map[string]any{"viewType": "All", "orderBy": "name asc"}))
	require.Equal(t, []string{"Default", "two"}, names(map[string]any{"viewType": "ActiveOnly", "orderBy": "name asc"}))
	c.do("POST", history("/experiments:query"), map[string]any{"viewType": "Some"}).want(400)
	d = c.do("PATCH", history("/experimentids/"+id), map[string]any{"archive": false}).want(200).doc()
	require.Nil(t, d["archivedTime"])
	c.do("POST", history("/experimentids/"+id+"/tags:delete"), map[string]any{"tags": []any{"a"}}).want(200)
	require.NotContains(t, c.do("GET", history("/experimentids/"+id), nil).want(200).doc().object("tags"), "a")
	c.do("POST", history("/experiments/uno/runs/r"), map[string]any{}).want(200)
	c.do("DELETE", history("/experimentids/"+id), nil).want(409)
	two := c.do("GET", history("/experiments/two"), nil).want(200).doc().text("experimentId")
	c.do("DELETE", history("/experimentids/"+two), nil).want(200)
	require.Equal(t, []string{"Default", "uno"}, names(map[string]any{"orderBy": "name"}))
	c.do("PATCH", history("/experimentids/none"), map[string]any{"name": "x"}).want(404)
}

func TestSpansOfRuns(t *testing.T) {
	t.Parallel()
	c := inside(t, open(t, Options{}))
	at := "https://" + arm.APIHost + "/history/v1.0/private" + DefaultScope.ID() + "/runs/r/spans"
	c.do("GET", at, nil).want(404)
	c.do("POST", history("/experiments/e/runs/r"), map[string]any{}).want(200)
	span := func(id, end string) map[string]any {
		s := map[string]any{"context": map[string]any{"spanId": id}, "name": "Running", "startTimestamp": "2026-03-01T12:00:00Z"}
		if end != "" {
			s["endTimestamp"] = end
		}
		return s
	}
	c.do("POST", at, map[string]any{"spans": []any{span("1", ""), span("2", "")}}).want(200)
	c.do("POST", at, map[string]any{"spans": []any{span("1", "2026-03-01T12:00:01Z")}}).want(200)
	require.Len(t, c.do("GET", at, nil).want(200).doc()["value"], 2)
	active := c.do("GET", at+"/active", nil).want(200).doc()["value"].([]any)
	require.Len(t, active, 1)
	require.Equal(t, "2", document(active[0].(map[string]any)).text("context", "spanId"))
}

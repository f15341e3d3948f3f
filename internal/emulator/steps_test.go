package emulator

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/emulator/store"
)

// A job's document with undecoded steps says the same as the decoded one.
func TestUndecodedSteps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "x", "https://api.azureml.ms/x", "azureml://datastores/d/paths/p", "<a&b>", "\u2028é"})
		props := map[string]any{"jobType": "Pipeline", "properties": map[string]any{"a": text.Draw(t, "a")}, "tags": nil}
		switch rapid.IntRange(0, 3).Draw(t, "steps") {
		case 1:
			props["jobs"] = nil
		case 2:
			props["jobs"] = map[string]any{"s": map[string]any{"type": "command", "inputs": map[string]any{"u": text.Draw(t, "u"), "n": 1.5}}}
		case 3:
			props["jobs"] = map[string]any{}
		}
		body, err := encode(map[string]any{"id": "/x", "name": text.Draw(t, "name"), "properties": props})
		require.NoError(t, err)
		whole, err := read(&store.Document{ID: "/x", Body: body})
		require.NoError(t, err)
		part, err := readJob(&store.Document{ID: "/x", Body: body})
		require.NoError(t, err)
		a, err := encode(whole)
		require.NoError(t, err)
		b, err := encode(part)
		require.NoError(t, err)
		require.JSONEq(t, string(a), string(b))
		if steps := takeSteps(part); steps != nil {
			parts, err := around(part, steps)
			require.NoError(t, err)
			require.JSONEq(t, string(a), string(bytes.Join(parts, nil)))
			part.props()[stepsKey] = steps
		}
		b, err = encodeProps(part)
		require.NoError(t, err)
		a, err = encode(whole.props())
		require.NoError(t, err)
		require.JSONEq(t, string(a), string(b))

		e := &edge{host: "127.0.0.1:1", account: func(string) bool { return true }}
		if steps := takeSteps(part); steps != nil {
			got, err := e.outRaw(steps)
			require.NoError(t, err)
			want, err := encode(e.out(whole.props()[stepsKey]))
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(got))
		}
	})
	_, err := readJob(&store.Document{ID: "/x", Body: json.RawMessage(`[]`)})
	require.ErrorContains(t, err, "the document of /x")
}

// A submitted job with undecoded steps is the decoded one, addresses of the
// listener included.
func TestSubmittedSteps(t *testing.T) {
	t.Parallel()
	e := &edge{host: "127.0.0.1:1", aliases: []string{"127.0.0.1:1"}, account: func(string) bool { return true }}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"x && y", "http://127.0.0.1:1/subscriptions/s", `http:\/\/127.0.0.1:1\/subscriptions\/s`, `\u0068ttp://127.0.0.1:1/subscriptions/s`, `h\u0074tp\u003a//127.0.0.1:1/subscriptions/s`, `http:/\u002f127.0.0.1:1/subscriptions/s`, `\u0026\u0026`})
		body := fmt.Sprintf(`{"properties":{"jobType":"Pipeline","description":"%s","jobs":{"s":{"command":"%s","n":1.50}}},"extra":1}`, text.Draw(t, "d"), text.Draw(t, "s"))
		sent := func() *call {
			return &call{w: httptest.NewRecorder(), r: httptest.NewRequest(http.MethodPut, "/", strings.NewReader(body)), edge: e, rt: &route{body: true}}
		}
		whole, err := sent().document()
		require.NoError(t, err)
		part, err := sent().jobDocument()
		require.NoError(t, err)
		require.NoError(t, part.decodeSteps())
		require.Equal(t, whole, part)
	})
	for _, bad := range []string{``, `[]`, `{`, `{"properties":{"jobs":{}}} x`, `{"properties":{"jobs":{"a":}}}`} {
		sent := func() *call {
			return &call{w: httptest.NewRecorder(), r: httptest.NewRequest(http.MethodPut, "/", strings.NewReader(bad)), edge: e, rt: &route{body: true}}
		}
		_, want := sent().document()
		_, got := sent().jobDocument()
		require.Error(t, want, bad)
		require.Equal(t, want, got, bad)
	}
}

// The many steps of a large pipeline are in one place, and everywhere they are asked for.
func TestManySteps(t *testing.T) {
	needShell(t)
	t.Parallel()
	clk := newClock()
	c := outside(t, open(t, Options{Clock: clk.Now}))
	c.do("PUT", at("components", "no", "versions", "1"), o{"properties": o{"componentSpec": o{
		"name": "no", "version": "1", "type": "command", "command": "true ${{inputs.n}}", "inputs": o{"n": o{"type": "string"}},
		"environment": "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"}}}).want(201)
	steps := o{}
	for i := range 3 {
		steps[fmt.Sprintf("s%d", i)] = o{"type": "command", "componentId": DefaultScope.AssetID("components", "no", "1"), "computeId": DefaultScope.Child("computes", "cpu-cluster"),
			"inputs": o{"n": o{"job_input_type": "literal", "value": strings.Repeat(fmt.Sprint(i), thickJob/2)}}}
	}
	sent := o{"properties": o{"jobType": "Pipeline", "experimentName": "many", "jobs": steps, "inputs": o{}, "outputs": o{}}}
	c.do("PUT", at("jobs", "many"), sent).want(201)
	require.Equal(t, "Completed", c.ended("many").text("properties", "status"))
	want, err := encode(steps)
	require.NoError(t, err)
	same := func(d document) {
		t.Helper()
		got, err := encode(d.at("properties", "jobs"))
		require.NoError(t, err)
		require.JSONEq(t, string(want), string(got))
	}
	same(c.do("GET", at("jobs", "many"), nil).want(200).doc())
	list := c.do("GET", DefaultScope.ID()+"/jobs"+version, nil).want(200).doc()
	require.Len(t, list["value"], 1)
	same(document(list["value"].([]any)[0].(map[string]any))) //nolint:forcetypeassert // as lists are
	// Sent again it is the same job; with another step it is none.
	sent["properties"].(o)["displayName"] = "named" //nolint:forcetypeassert // made above
	same(c.do("PUT", at("jobs", "many"), sent).want(200).doc())
	require.Equal(t, "named", c.do("GET", at("jobs", "many"), nil).want(200).doc().text("properties", "displayName"))
	steps["s3"] = steps["s0"]
	require.Contains(t, string(c.do("PUT", at("jobs", "many"), sent).want(409).body), "jobs cannot be changed")
	delete(steps, "s3")
	// A schedule runs it again, and a component takes its steps.
	def := o{"jobType": "Pipeline", "sourceJobId": DefaultScope.Child("jobs", "many")}
	c.do("PUT", at("schedules", "daily"), scheduleOf(cron("* * * * *"), def)).want(201)
	clk.Move(time.Minute)
	same(c.ended(c.started("daily", 1)[0]))
	spec := c.do("PUT", at("components", "of", "versions", "1"), o{"properties": o{"componentSpec": o{"name": "of", "version": "1", "type": "pipeline", "jobs": o{}, "sourceJobId": "many"}}}).want(201).doc()
	same(document{"properties": spec.at("properties", "componentSpec")})
}

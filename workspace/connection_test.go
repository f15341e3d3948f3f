package workspace

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

func restBody(t *testing.T, v any) string {
	t.Helper()
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

// golden compares a YAML file with the body that the reference SDK was recorded to send for it, and sees that both
// spellings round trip.
func golden[T any](t *testing.T, name string, prepare func(*T)) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".yml"))
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	require.NoError(t, err)
	load := func(text []byte) *T {
		v := new(T)
		require.NoError(t, wire.LoadYAML(text, name+".yml", v, nil), "%s", text)
		return v
	}
	done := func(v *T) *T {
		if prepare != nil {
			prepare(v)
		}
		return v
	}
	v := load(data)
	out, err := wire.DumpYAML(v)
	require.NoError(t, err)
	require.Equal(t, v, load(out), "the YAML that is written loads to the same: %s", out)
	require.JSONEq(t, string(want), restBody(t, done(v)))

	back := new(T)
	require.NoError(t, wire.FromREST(want, back))
	require.JSONEq(t, string(want), restBody(t, back), "what was read sends the same")
}

func TestConnectionBodies(t *testing.T) {
	files, err := filepath.Glob("testdata/connection-*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yml")
		t.Run(name, func(t *testing.T) { golden[Connection](t, name, nil) })
	}
}

// anyConnection is one that its type's rules allow.
func anyConnection(t *rapid.T) Connection {
	word := rapid.StringMatching(`[a-z]{1,8}`)
	c := Connection{Name: word.Draw(t, "name"), Type: ConnectionType(rapid.SampledFrom(connectionTypes.Values()).Draw(t, "type")), Target: "https://" + word.Draw(t, "target")}
	r := ruleOf(c.Type)
	if c.Type == ConnectionOpenAI || c.Type == ConnectionSerp {
		c.Target = ""
	}
	for _, f := range c.metadataFields() {
		*f = word.Draw(t, "field")
	}
	if rapid.Bool().Draw(t, "more") {
		c.Metadata = map[string]any{"owner": word.Draw(t, "owner")}
		c.Shared = new(rapid.Bool().Draw(t, "shared"))
		c.Description = word.Draw(t, "description")
	}
	kinds := []ConnectionCredentials{
		{}, {PAT: &PersonalAccessToken{"p"}}, {SAS: &ConnectionSAS{"s"}}, {UserPassword: &UserPassword{"u", "p"}}, {ManagedIdentity: &ConnectionIdentity{"c", "r"}},
		{ServicePrincipal: &ConnectionPrincipal{"c", "s", "t"}}, {AccessKey: &AccessKey{"i", "s"}}, {APIKey: &APIKey{"k"}},
		{AccountKey: &ConnectionAccountKey{"k"}}, {AAD: &AADCredentials{}}, {None: &NoCredentials{}}, {CustomKeys: &CustomKeys{map[string]string{"a": "b"}}}, {OAuth2: &OAuth2{ClientID: "c"}},
	}
	kinds = slices.DeleteFunc(kinds, func(k ConnectionCredentials) bool {
		changed := Connection{Type: c.Type, Credentials: k}
		changed.normalize()
		return c.Type.refuses(&k, r, "") != "" || changed.Credentials.AuthType() != k.AuthType()
	})
	c.Credentials = rapid.SampledFrom(kinds).Draw(t, "credentials")
	return c
}

func TestConnectionKind(t *testing.T) { wiretest.Kind[Connection](t, wiretest.Value(anyConnection)) }

func TestConnectionFaults(t *testing.T) {
	for text, want := range map[string][]string{
		"name: a\ntype: gitt\ntarget: x":                                      {`c.yml:2:7: type: "gitt" is none of`, `did you mean "git"?`},
		"name: a\ntype: git":                                                  {`required field "target"`},
		"type: git\ntarget: x":                                                {`required field "name"`},
		"name: a\ntarget: x":                                                  {`required field "type"`},
		"name: a\ntype: git\ntarget: x\nendpoint: y":                          {`c.yml:4:1: endpoint: a connection of the type git does not have it; did you mean "target"?`},
		"name: a\ntype: azure_open_ai\nendpoint: y":                           {`did you mean "azure_endpoint"?`, `required field "azure_endpoint"`},
		"name: a\ntype: azure_open_ai\nazure_endpont: y":                      {`azure_endpont: unknown field; did you mean "azure_endpoint"?`},
		"name: a\ntype: azure_ai_services\nendpoint: y":                       {`"ai_services_resource_id"`},
		"name: a\ntype: azure_blob\nurl: y\ncredentials: {type: pat, pat: p}": {`"account_name"`, `"container_name"`, "c.yml:4:14: credentials: ", "SAS, AccountKey, AAD, not PAT"},
		"name: a\ntype: azure_data_lake_gen2\ntarget: x\ncredentials: {type: sas, sas_token: s}": {"ServicePrincipal, AAD, ManagedIdentity"},
		"name: a\ntype: azure_one_lake\nendpoint: x":                                             {"one_lake_workspace_name and artifact"},
		"name: a\ntype: azure_one_lake\ntarget: x":                                               {`"endpoint"`},
		"name: a\ntype: open_ai":                                                                 {`"api_key"`},
		"name: a\ntype: serp\napi_key: \"\"":                                                     {"needs api_key"},
		"name: a\ntype: serverless\napi_key: k\nendpoint: 5":                                     {"endpoint: wants a string"},
		"name: a\ntype: azure_ai_search\nendpoint: x\ncredentials: {type: pat, pat: p}":          {"takes an api_key"},
		"name: a\ntype: git\ntarget: x\ncredentials: {type: pat}":                                {`required field "pat"`},
		"name: a\ntype: git\ntarget: x\ncredentials: {type: pass}":                               {"credentials.type"},
		"name: a\ntype: git\ntarget: x\ncredentials: null":                                       {"is null"},
		"name: a\ntype: git\ntarget: x\ncredentials: {type: none, pat: p}":                       {"credentials.pat: unknown field"},
		"name: a\ntype: git\ntarget: x\nis_shared: perhaps\nmetadata: []":                        {"is_shared", "metadata"},
	} {
		err := wire.LoadYAML([]byte(text), "c.yml", &Connection{}, nil)
		for _, w := range want {
			require.ErrorContains(t, err, w, text)
		}
	}
}

// What services answer is read, with words for what they name otherwise.
func TestConnectionAnswers(t *testing.T) {
	read := func(props string) *Connection {
		c := &Connection{}
		require.NoError(t, wire.FromREST([]byte(`{"id":"/W/connections/n","name":"n","properties":`+props+`}`), c))
		return c
	}
	c := read(`{"authType":"None","category":"AzureBlob","target":"t","metadata":{"AccountName":"a","ContainerName":"b","x":"y"},"group":"Azure","isSharedToAll":false}`)
	require.Equal(t, Connection{Meta: c.Meta, Name: "n", Type: ConnectionBlob, Target: "t", Account: "a", Container: "b", Group: "Azure", Shared: new(false), Metadata: map[string]any{"x": "y"},
		Credentials: ConnectionCredentials{AAD: &AADCredentials{}}, doc: c.doc}, *c)
	body, err := wire.Body(c, c.ID)
	require.NoError(t, err)
	require.Equal(t, "None", body["properties"].(map[string]any)["authType"], "nothing was changed")

	c = read(`{"authType":"ApiKey","category":"AzureOpenAI","credentials":{"key":null},"metadata":{"ApiType":"Azure","ApiVersion":"1","ResourceId":null}}`)
	require.Equal(t, []any{ConnectionAzureOpenAI, "1", &APIKey{}}, []any{c.Type, c.APIVersion, c.Credentials.APIKey})
	c = read(`{"authType":"AAD","category":"CognitiveService","metadata":{"Kind":"Speech"}}`)
	require.Equal(t, ConnectionSpeech, c.Type)
	c = read(`{"authType":"AAD","category":"CognitiveService","metadata":{"Kind":"Vision"}}`)
	require.Equal(t, []any{ConnectionType("CognitiveService"), map[string]any{"Kind": "Vision"}}, []any{c.Type, c.Metadata})
	require.JSONEq(t, `{"properties":{"authType":"AAD","category":"CognitiveService","isSharedToAll":true,"metadata":{"Kind":"Vision"}}}`, restBody(t, c))

	// A kind of credentials and a category that nobody knows are kept.
	c = read(`{"authType":"DelegatedSAS","category":"Redis","target":"t","credentials":{"later":{"x":1}},"metadata":{},"isSharedToAll":true}`)
	require.Equal(t, []any{ConnectionType("Redis"), "DelegatedSAS"}, []any{c.Type, c.Credentials.AuthType()})
	c.Target = "u"
	body, err = wire.Body(c, c.ID)
	require.NoError(t, err)
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties":{"authType":"DelegatedSAS","category":"Redis","target":"u","credentials":{"later":{"x":1}},"metadata":{},"isSharedToAll":true}}`, string(raw))
	c.Credentials = ConnectionCredentials{PAT: &PersonalAccessToken{"p"}}
	body, err = wire.Body(c, c.ID)
	require.NoError(t, err)
	require.Equal(t, map[string]any{"pat": "p"}, body["properties"].(map[string]any)["credentials"], "nothing of the other kind is left")
}

func TestConnectionSecretsAreNotPrinted(t *testing.T) {
	for _, x := range []any{
		PersonalAccessToken{"SECRET"}, ConnectionSAS{"SECRET"}, UserPassword{"u", "SECRET"}, ConnectionPrincipal{"c", "SECRET", "t"}, AccessKey{"i", "SECRET"},
		APIKey{"SECRET"}, ConnectionAccountKey{"SECRET"}, CustomKeys{map[string]string{"a": "SECRET"}}, OAuth2{ClientSecret: "SECRET", Password: "SECRET"},
	} {
		require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", x, x, x, x), "SECRET")
	}
}

func TestOneLakeTargets(t *testing.T) {
	require.Equal(t, "https://host/ws/house.Lakehouse", oneLakeTarget("host", "ws", "house"))
	require.Equal(t, "https://host/ws/house.Lakehouse", oneLakeTarget("https://host/", "ws", "house"))
	require.Equal(t, "https://host/ws/0a1b2c3d-0000-4000-8000-00000000ffff", oneLakeTarget("host", "ws", "0a1b2c3d-0000-4000-8000-00000000ffff"))
}

package endpoints

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("ENDPOINTS_TEST_SERVER"); name != "" {
		serveForTest(name)
		return
	}
	goleak.VerifyTestMain(m)
}

// serveForTest is the scoring server of a deployment whose image is this test program.
func serveForTest(name string) {
	if name == "broken" {
		fmt.Println("broken beyond repair")
		os.Exit(3)
	}
	var model []byte
	err := filepath.WalkDir(os.Getenv("AZUREML_MODEL_DIR"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			model, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/live", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/score", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if string(b) == `"fail"` {
			http.Error(w, "the model failed", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"by":%q,"asked":%s,"model":%q}`, name, b, model)
	})
	fmt.Println(name, "serves")
	fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
	os.Exit(1)
}

func TestDeclarations(t *testing.T) {
	for _, k := range []any{
		OnlineEndpoint{}, OnlineDeployment{}, BatchEndpoint{}, ModelBatchDeployment{}, PipelineBatchDeployment{}, OtherBatchDeployment{},
		ServerlessEndpoint{}, MarketplaceSubscription{},
	} {
		require.NoError(t, wire.Check(k), "%T", k)
	}
}

func body(t *testing.T, v any) string {
	t.Helper()
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	return string(b)
}

func load[T any](t *testing.T, name string) (*T, string) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name + ".yml")
	require.NoError(t, err)
	want, err := os.ReadFile("testdata/" + name + ".json")
	require.NoError(t, err)
	v := new(T)
	require.NoError(t, wire.LoadYAML(data, "testdata/"+name+".yml", v, nil))
	return v, string(want)
}

// golden compares a YAML file with the body that the reference SDK was recorded to send for it. What only a workspace can
// fill in (location, resolved references, a default identity) is written into the YAML or left out of the body.
func golden[T any](t *testing.T, name string, prepare func(*T)) {
	t.Run(name, func(t *testing.T) {
		v, want := load[T](t, name)
		if prepare != nil {
			prepare(v)
		}
		require.JSONEq(t, want, body(t, v))

		back := new(T)
		require.NoError(t, wire.FromREST([]byte(want), back))
		require.JSONEq(t, want, body(t, back), "what was read sends the same")

		out, err := wire.DumpYAML(v)
		require.NoError(t, err)
		again := new(T)
		require.NoError(t, wire.LoadYAML(out, "testdata/"+name+".yml", again, nil), "%s", out)
		if prepare != nil {
			prepare(again)
		}
		require.JSONEq(t, want, body(t, again), "the YAML that is written sends the same")
	})
}

func TestOnlineYAMLToREST(t *testing.T) {
	identity := func(e *OnlineEndpoint) {
		if e.Identity == nil {
			e.Identity = &azureml.ResourceIdentity{Type: azureml.SystemAssigned}
		}
		e.Location, e.Traffic, e.MirrorTraffic = "eastus", e.Traffic.sent(), e.MirrorTraffic.sent()
	}
	golden(t, "online-endpoint", identity)
	golden(t, "online-endpoint-aad", identity)
	golden(t, "online-endpoint-kubernetes", identity)
	place := func(d *OnlineDeployment) { d.Location = "eastus" }
	golden(t, "online-deployment", place)
	golden(t, "online-deployment-mlflow", place)
	golden(t, "online-deployment-registry", place)
	golden(t, "online-deployment-kubernetes", place)
}

func TestBatchYAMLToREST(t *testing.T) {
	golden(t, "batch-endpoint", func(e *BatchEndpoint) { e.Location = "eastus" })
	place := func(d *BatchDeployment) {
		switch d := (*d).(type) {
		case *ModelBatchDeployment:
			d.Location = "eastus"
		case *PipelineBatchDeployment:
			d.Location = "eastus"
		}
	}
	golden(t, "batch-model", place)
	golden(t, "batch-model-old", place)
	golden(t, "batch-pipeline", place)
	golden(t, "serverless", func(e *ServerlessEndpoint) { e.Location = "eastus" })
	golden[MarketplaceSubscription](t, "marketplace", nil)
}

func TestBatchFaults(t *testing.T) {
	const head = "name: dep\nendpoint_name: epp\n"
	for text, want := range map[string]string{
		"type: model\n": "compute",
		"type: model\ncompute: azureml:c\nsettings: {wrong: 1}":                                             "settings.wrong",
		"type: model\ncompute: azureml:c\nsettings: {instance_count: 1}\nresources: {instance_count: 2}":    "settings.instance_count",
		"type: model\ncompute: azureml:c\nsettings: {output_action: summary_only, output_file_name: x.csv}": "output_file_name",
		"type: flow\n":                          "model and pipeline are known",
		"type: pipeline\ncomponent: ./body.yml": "body.yml cannot be read",
	} {
		var d BatchDeployment
		require.ErrorContains(t, wire.LoadYAML([]byte(head+text), "d.yml", &d, nil), want, text)
	}
}

func TestUnknownBatchDeploymentIsAValue(t *testing.T) {
	var d BatchDeployment
	doc := `{"id":"/W/batchEndpoints/epp/deployments/x","name":"x","properties":{"deploymentConfiguration":{"deploymentConfigurationType":"Quantum"}}}`
	require.NoError(t, wire.FromREST([]byte(doc), &d))
	require.IsType(t, &OtherBatchDeployment{}, d)
	require.Equal(t, "epp/x", d.EndpointName()+"/"+d.DeploymentName())
}

func TestOnlineFaults(t *testing.T) {
	for text, want := range map[string][]string{
		"name: ep\ntraffic: {blue: 60, green: 60}":                      {"traffic", "makes 120 in all"},
		"name: epp\ntraffic: {blue: 60, green: -60}\nunknown: 1":        {"traffic.green", "is -60", "unknown"},
		"name: epp\nauth_mode: password":                                {"auth_mode"},
		"name: epp\ntraffic: {blue: 50}":                                {"makes 50 in all; 100 is wanted"},
		"traffic: {}":                                                   {"name", "required"},
		"name: epp\nidentity: {type: nobody}\npublic_network_access: x": {"identity.type", "public_network_access"},
	} {
		err := wire.LoadYAML([]byte(text), "e.yml", &OnlineEndpoint{}, nil)
		for _, w := range want {
			require.ErrorContains(t, err, w, text)
		}
	}
	for text, want := range map[string]string{
		"name: blue\nendpoint_name: epp": "instance_type",
		"name: blue\nendpoint_name: epp\ninstance_type: x\nscale_settings: {type: magic}":                          "scale_settings",
		"name: blue\nendpoint_name: epp\ninstance_type: x\ndata_collector: {collections: {a: {enabled: perhaps}}}": "enabled",
		"name: blue\ninstance_type: x": "endpoint_name",
	} {
		require.ErrorContains(t, wire.LoadYAML([]byte(text), "d.yml", &OnlineDeployment{}, nil), want, text)
	}
	require.ErrorContains(t, (&OnlineEndpoint{Name: "1x", MirrorTraffic: Traffic{"a": 51}, AuthMode: "x"}).check("o"), "o: ")
	for _, name := range []string{"", "ab", "1abc", "abc-", "a_bc", "a23456789012345678901234567890123"} {
		var f faults
		f.name("name", name)
		require.Error(t, f.err("o"), name)
	}
}

// A deployment that is read and changed sends what the service said and the struct does not know.
func TestOnlineUpdateKeepsTheUnknown(t *testing.T) {
	doc := `{"id":"/W/onlineEndpoints/epp/deployments/blue","name":"blue","location":"eastus","tags":{"a":"b"},"sku":{"name":"Default","capacity":2,"tier":"Standard"},
		"properties":{"endpointComputeType":"Managed","instanceType":"X","model":"/W/models/m/versions/1","provisioningState":"Succeeded","future":{"x":1},
		"requestSettings":{"requestTimeout":"PT5S","later":true},"appInsightsEnabled":false,"environmentVariables":{},"properties":{}}}`
	d := &OnlineDeployment{}
	require.NoError(t, wire.FromREST([]byte(doc), d))
	require.Equal(t, "epp", d.Endpoint)
	require.Equal(t, azureml.Ref("/W/models/m/versions/1"), d.Model.ModelRef())
	d.InstanceCount = 3
	d.Requests.MaxConcurrent = 4
	m, err := wire.Body(d, d.ID)
	require.NoError(t, err)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	require.JSONEq(t, `{"location":"eastus","tags":{"a":"b"},"sku":{"name":"Default","capacity":3,"tier":"Standard"},
		"properties":{"endpointComputeType":"Managed","instanceType":"X","model":"/W/models/m/versions/1","future":{"x":1},
		"requestSettings":{"requestTimeout":"PT5S","later":true,"maxConcurrentRequestsPerInstance":4},"appInsightsEnabled":false,"environmentVariables":{},"properties":{}}}`, string(b))
}

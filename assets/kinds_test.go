package assets

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/wire"
)

func TestKindsAreDeclaredWell(t *testing.T) {
	for _, v := range []any{Data{}, Model{}, Environment{}, Code{}, BlobStorage{}, FileShare{}, DataLakeGen1{}, DataLakeGen2{}, OneLake{}, UnknownDatastore{}} {
		require.NoError(t, wire.Check(v), "%T", v)
	}
}

// body is what ToREST makes of a kind, as JSON.
func body(t *testing.T, v any) string {
	t.Helper()
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	raw, err := json.Marshal(m)
	require.NoError(t, err)
	return string(raw)
}

func TestBodies(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "conda.yml"), []byte("name: c\nchannels: [conda-forge]\ndependencies:\n  - python=3.10\n  - pip: [numpy]\n"), 0o644))
	for _, c := range []struct {
		name, yaml string
		into       any
		want       string
	}{
		{"data", "name: cloud\nversion: 1\ntype: uri_folder\npath: azureml://datastores/workspaceblobstore/paths/rows/\nauto_delete_setting: {condition: created_greater_than, value: 30d}", &Data{}, `{"properties":{"autoDeleteSetting":{"condition":"createdGreaterThan","value":"30d"},"dataType":"uri_folder","dataUri":"azureml://datastores/workspaceblobstore/paths/rows/","isAnonymous":false,"isArchived":false,"properties":{},"tags":{}}}`},
		{"data, plain", "name: a\npath: https://x/y", &Data{}, `{"properties":{"dataType":"uri_folder","dataUri":"https://x/y","isAnonymous":false,"isArchived":false,"properties":{},"tags":{}}}`},
		{"model", "name: jobnet\ntype: mlflow_model\npath: azureml://jobs/old_job_1/outputs/artifacts/paths/model/\ntags: {n: 3}\nproperties: {p: 1, q: true}\nstage: Production\nflavors:\n  sklearn: {sklearn_version: 1.2.2}\n  python_function: {python_version: 3.10.4, loader_module: mlflow.sklearn}", &Model{}, `{"properties":{"flavors":{"python_function":{"data":{"loader_module":"mlflow.sklearn","python_version":"3.10.4"}},"sklearn":{"data":{"sklearn_version":"1.2.2"}}},"isAnonymous":false,"isArchived":false,"modelType":"mlflow_model","modelUri":"azureml://jobs/old_job_1/outputs/artifacts/paths/model/","properties":{"p":"1","q":"True"},"stage":"Production","tags":{"n":"3"}}}`},
		{"environment", "name: condaed\nimage: docker.io/python:3.10\nconda_file: conda.yml", &Environment{}, `{"properties":{"condaFile":"channels:\n- conda-forge\ndependencies:\n- python=3.10\n- pip:\n  - numpy\nname: c\n","image":"docker.io/python:3.10","isAnonymous":false,"isArchived":false}}`},
		{"environment, served", "name: served\nversion: 5\nimage: i\nos_type: Linux\ninference_config:\n  liveness_route: {port: 8080, path: /ping}\n  readiness_route: {port: 8080, path: /ping}\n  scoring_route: {port: 8080, path: /x}", &Environment{}, `{"properties":{"image":"i","inferenceConfig":{"livenessRoute":{"path":"/ping","port":8080},"readinessRoute":{"path":"/ping","port":8080},"scoringRoute":{"path":"/x","port":8080}},"isAnonymous":false,"isArchived":false,"osType":"linux"}}`},
		{"environment, built", "name: dockered\nbuild: {path: https://x/y, dockerfile_path: Dockerfile}\ntags: {a: b}", &Environment{}, `{"properties":{"build":{"contextUri":"https://x/y","dockerfilePath":"Dockerfile"},"isAnonymous":false,"isArchived":false,"tags":{"a":"b"}}}`},
		{"conda in line", "image: i\nconda_file: {name: x, dependencies: [python=3.9]}", &Environment{}, `{"properties":{"condaFile":"dependencies:\n- python=3.9\nname: x\n","image":"i","isAnonymous":false,"isArchived":false}}`},
		{"code", "path: https://a/b", &Code{}, `{"properties":{"codeUri":"https://a/b","isAnonymous":false,"properties":{}}}`},
		{"blob, none", "type: azure_blob\nname: blob_none\naccount_name: acct\ncontainer_name: box\ndescription: no credentials\ntags: {a: b}", new(Datastore), `{"properties":{"accountName":"acct","containerName":"box","credentials":{"credentialsType":"None"},"datastoreType":"AzureBlob","description":"no credentials","endpoint":"core.windows.net","protocol":"https","tags":{"a":"b"}}}`},
		{"blob, sas", "type: azure_blob\nname: blob_sas\naccount_name: acct\ncontainer_name: box\nprotocol: wasbs\nendpoint: core.usgovcloudapi.net\ncredentials: {sas_token: \"?sv=x\"}", new(Datastore), `{"properties":{"accountName":"acct","containerName":"box","credentials":{"credentialsType":"Sas","secrets":{"sasToken":"?sv=x","secretsType":"Sas"}},"datastoreType":"AzureBlob","endpoint":"core.usgovcloudapi.net","protocol":"wasbs","tags":{}}}`},
		{"file", "type: azure_file\nname: file_key\naccount_name: acct\nfile_share_name: share\ncredentials: {account_key: key}", new(Datastore), `{"properties":{"accountName":"acct","credentials":{"credentialsType":"AccountKey","secrets":{"key":"key","secretsType":"AccountKey"}},"datastoreType":"AzureFile","endpoint":"core.windows.net","fileShareName":"share","protocol":"https","tags":{}}}`},
		{"gen1", "type: azure_data_lake_gen1\nname: gen1_sp\nstore_name: lake\ncredentials: {tenant_id: t, client_id: c, client_secret: s}", new(Datastore), `{"properties":{"credentials":{"authorityUrl":"https://login.microsoftonline.com","clientId":"c","credentialsType":"ServicePrincipal","secrets":{"clientSecret":"s","secretsType":"ServicePrincipal"},"tenantId":"t"},"datastoreType":"AzureDataLakeGen1","storeName":"lake","tags":{}}}`},
		{"gen2", "type: azure_data_lake_gen2\nname: gen2_cert\naccount_name: acct\nfilesystem: fs\ncredentials: {tenant_id: t, client_id: c, certificate: pem, thumbprint: aa}", new(Datastore), `{"properties":{"accountName":"acct","credentials":{"authorityUrl":"https://login.microsoftonline.com","clientId":"c","credentialsType":"Certificate","secrets":{"certificate":"pem","secretsType":"Certificate"},"tenantId":"t","thumbprint":"aa"},"datastoreType":"AzureDataLakeGen2","endpoint":"core.windows.net","filesystem":"fs","protocol":"https","tags":{}}}`},
		{"onelake", "type: one_lake\nname: onelake\none_lake_workspace_name: team\nendpoint: onelake.dfs.fabric.microsoft.com\nartifact: {type: lake_house, name: house}", new(Datastore), `{"properties":{"artifact":{"artifactName":"house","artifactType":"LakeHouse"},"credentials":{"credentialsType":"None"},"datastoreType":"OneLake","endpoint":"onelake.dfs.fabric.microsoft.com","oneLakeWorkspaceName":"team","tags":{}}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, wire.LoadYAML([]byte(c.yaml), "", c.into, &wire.LoadOptions{Dir: dir}))
			v := c.into
			if s, ok := v.(*Datastore); ok {
				v = *s
			}
			require.JSONEq(t, c.want, body(t, v))
		})
	}
}

func TestReadVersion(t *testing.T) {
	var d Data
	require.NoError(t, wire.FromREST([]byte(`{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/iris/versions/7","name":"7",
		"systemData":{"createdBy":"me"},"properties":{"dataType":"UriFile","dataUri":"azureml://x","isArchived":true,"futureField":{"a":1}}}`), &d))
	require.Equal(t, []string{"iris", "7", "azureml://x", "me"}, []string{d.Name, d.Version, d.Path, d.SystemData.CreatedBy})
	require.True(t, d.Archived)
	require.Equal(t, URIFile, d.Type)
	m, err := wire.Body(&d, d.ID)
	require.NoError(t, err)
	require.Contains(t, m["properties"], "futureField")

	var shelf Model
	require.NoError(t, wire.FromREST([]byte(`{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/models/net","properties":{"latestVersion":"3","nextVersion":"4"}}`), &shelf))
	require.Equal(t, []string{"net", "", "3", "4"}, []string{shelf.Name, shelf.Version, shelf.LatestVersion, shelf.NextVersion})

	var s Datastore
	require.NoError(t, wire.FromREST([]byte(`{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/datastores/blob","properties":{"datastoreType":"AzureBlob","accountName":"a","containerName":"c","isDefault":true,"credentials":{"credentialsType":"AccountKey"}}}`), &s))
	require.Equal(t, "blob", s.DatastoreName())
	require.NotNil(t, s.(*BlobStorage).Credentials.AccountKey)
	require.True(t, s.(*BlobStorage).IsDefault)
	require.NoError(t, wire.FromREST([]byte(`{"name":"h","properties":{"datastoreType":"Hdfs"}}`), &s))
	require.Equal(t, "h", s.(*UnknownDatastore).DatastoreName())
}

// The versions of anonymous environments, as recorded of the reference.
func TestAnonymousEnvironment(t *testing.T) {
	route := func(path string, port int) *Route { return &Route{Path: path, Port: port} }
	for _, c := range []struct {
		e    Environment
		hash string
		want string
	}{
		{Environment{Image: "mcr/x", Conda: Conda{Text: "dependencies:\n- python=3.9\nname: x\n"}}, "", "d22999caeb6fdcad9e6e2f526798d8c12961a500f8790d999f34d0deb989dd2a"},
		{Environment{Image: "placeholder.azurecr.io/repo/img:v1", InferenceConfig: &InferenceConfig{route("/", 5001), route("/", 5001), route("/score", 5001)}}, "", "0b01ee52a5926fa6fac8733e8fbab86fa2058861ef3a11f7164395f612117ab5"},
		{Environment{Image: "mcr.microsoft.com/azureml/minimal-ubuntu20.04-py38-cpu-inference:latest", InferenceConfig: &InferenceConfig{route("/", 5001), route("/ready", 5001), route("/score", 5001)}}, "", "8c6d5ea82d8847fb5914369465338f52767e6677508d63210e172d1afafdd9cf"},
		{Environment{Build: &Build{Dockerfile: "Dockerfile"}}, "be818538f1501688447983138bd302160e041b8c9a3d59632d2ed69b42f4f7b9", "35225616cd95c9df0e9faa08aebecaf793760e0218b32c4ea126855484aa12ef"},
	} {
		got, err := c.e.anonymousVersion(c.hash)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestSources(t *testing.T) {
	type job struct {
		Environment EnvironmentSource `yaml:"environment" json:"environmentId"`
		Model       ModelSource       `yaml:"model" json:"model"`
	}
	var j job
	require.NoError(t, wire.LoadYAML([]byte("environment: azureml:sk@latest\nmodel: {path: /m, type: mlflow_model}"), "", &j, nil))
	require.Equal(t, azureml.Ref("azureml:sk@latest"), j.Environment)
	require.Equal(t, MLflowModel, j.Model.(*Model).Type)
	require.NoError(t, wire.LoadYAML([]byte("environment: {image: i}\nmodel: azureml:m:1"), "", &j, nil))
	require.Equal(t, "i", j.Environment.(*Environment).Image)
	require.Equal(t, azureml.Ref("azureml:m:1"), j.Model)
	require.NoError(t, wire.FromREST([]byte(`{"environmentId":"/subscriptions/x"}`), &j))
	require.Equal(t, azureml.Ref("/subscriptions/x"), j.Environment)
}

// Secrets are not printed.
func TestCredentialsAreNotPrinted(t *testing.T) {
	for _, v := range []any{AccountKey{"sekret"}, SAS{"sekret"}, ServicePrincipal{ClientSecret: "sekret"}, Certificate{Certificate: "sekret"}} {
		for _, f := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(f, v), "sekret")
		}
	}
}

func faultsOf(err error) azureml.Faults { return wire.FaultsOf(err) }

package wire_test

import (
	"encoding/json"
	. "github.com/azureml-go/azureml/internal/wire"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestDeclarations(t *testing.T) {
	for _, v := range []any{cluster{}, vm{}, blobStore{}, autoML{}, pipeline{}, commandNode{}} {
		require.NoError(t, Check(v), "%T", v)
	}
}

func TestClusterYAMLToREST(t *testing.T) {
	var c compute
	err := LoadYAML([]byte(`
$schema: x
name: full
type: amlcompute
description: with everything
tags: {a: b}
location: westus2
tier: Low-Priority
min_instances: 1
max_instances: 5
idle_time_before_scale_down: 240
ssh_settings: {admin_username: me, admin_password: pw}
enable_node_public_ip: no
provisioning_state: whatever
`), "c.yml", &c, nil)
	require.NoError(t, err)
	require.Equal(t, tier("low_priority"), c.(*cluster).Tier)
	require.Equal(t, 4*time.Minute, c.(*cluster).Idle)
	m, err := ToREST(c)
	require.NoError(t, err)
	require.JSONEq(t, `{"location":"westus2","tags":{"a":"b"},"properties":{"computeType":"AmlCompute","description":"with everything","properties":{
		"enableNodePublicIp":false,"osType":"Linux","remoteLoginPortPublicAccess":"NotSpecified","scaleSettings":{"maxNodeCount":5,"minNodeCount":1,"nodeIdleTimeBeforeScaleDown":"PT4M"},
		"userAccountCredentials":{"adminUserName":"me","adminUserPassword":"pw"},"vmPriority":"LowPriority","vmSize":"STANDARD_DS3_V2"}}}`, asJSON(t, m))
	text, err := DumpYAML(c)
	require.NoError(t, err)
	var again compute
	require.NoError(t, LoadYAML(text, "", &again, nil), string(text))
	require.Equal(t, c, again)
}

func TestFaultsAllAtOnce(t *testing.T) {
	var c compute
	err := LoadYAML([]byte(`name: 5
type: amlcompute
minn_instances: 1
max_instances: lots
tier: dedicate
idle_time_before_scale_down: {}
ssh_settings: {admin_usrname: me}
tags: [a]
location:
`), "a/c.yml", &c, nil)
	require.EqualError(t, err, `a/c.yml:1:7: name: wants a string, not an integer (5); quote it if it is text
a/c.yml:3:1: minn_instances: unknown field; did you mean "min_instances"?
a/c.yml:4:16: max_instances: wants an integer, not a string (lots)
a/c.yml:5:7: tier: "dedicate" is none of low_priority or dedicated; did you mean "dedicated"?
a/c.yml:6:30: idle_time_before_scale_down: wants a number of seconds, not a mapping
a/c.yml:7:15: ssh_settings: the required field "admin_username" is missing
a/c.yml:7:16: ssh_settings.admin_usrname: unknown field; did you mean "admin_username"?
a/c.yml:8:7: tags: wants a mapping, not a list
a/c.yml:9:10: location: is null; leave the key out, or give a value`)
}

func TestDatastoreCredentials(t *testing.T) {
	for _, x := range []struct{ yaml, rest string }{
		{`credentials: {account_key: k}`, `"credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"k"}}`},
		{`credentials: {sas_token: s}`, `"credentials":{"credentialsType":"Sas","secrets":{"secretsType":"Sas","sasToken":"s"}}`},
		{`credentials: {tenant_id: t, client_id: c, client_secret: s}`, `"credentials":{"credentialsType":"ServicePrincipal","tenantId":"t","clientId":"c","authorityUrl":"https://login.microsoftonline.com","secrets":{"secretsType":"ServicePrincipal","clientSecret":"s"}}`},
	} {
		var b blobStore
		require.NoError(t, LoadYAML([]byte("name: n\ntype: azure_blob\naccount_name: a\ncontainer_name: c\n"+x.yaml), "", &b, nil))
		m, err := ToREST(&b)
		require.NoError(t, err)
		want := `{"properties":{"datastoreType":"AzureBlob","accountName":"a","containerName":"c","endpoint":"core.windows.net",` + x.rest + `}}`
		require.JSONEq(t, want, asJSON(t, m))
		var back blobStore
		require.NoError(t, FromREST([]byte(want), &back))
		again, err := ToREST(back)
		require.NoError(t, err)
		require.JSONEq(t, want, asJSON(t, again))
	}
}

func TestAutoML(t *testing.T) {
	var j job
	require.NoError(t, LoadYAML([]byte("type: automl\ntask: classification\nname: x\ntarget_column_name: y\nlimits: {max_trials: 3, timeout_minutes: 60}\npositive_label: '1'\nn_cross_validations: auto\n"), "", &j, nil))
	m, err := ToREST(j)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties":{"jobType":"AutoML","tags":{},"taskDetails":{"taskType":"Classification","targetColumnName":"y","positiveLabel":"1","nCrossValidations":{"mode":"Auto"},"limitSettings":{"maxTrials":3,"timeout":"PT1H"}}}}`, asJSON(t, m))
	text, err := DumpYAML(j)
	require.NoError(t, err)
	var again job
	require.NoError(t, LoadYAML(text, "", &again, nil), string(text))
	require.Equal(t, j, again)
	var bad job
	require.EqualError(t, LoadYAML([]byte("type: automl\ntask: classification\ntarget_colum_name: y\n"), "", &bad, nil), `line 1:1: the required field "target_column_name" is missing
line 3:1: target_colum_name: unknown field; did you mean "target_column_name"?`)
}

func TestPipelineNode(t *testing.T) {
	var j job
	require.NoError(t, LoadYAML([]byte(`
type: pipeline
jobs:
  train:
    component: azureml:x:1
    compute: azureml:cpu
    inputs: {lr: 0.1, data: {type: uri_folder, path: a}}
    limits: {timeout: 60}
    distribution: {type: PyTorch, process_count_per_instance: 2}
    resources: {instance_count: "${{parent.inputs.n}}", anything: {goes: 1}}
    retry_settings: {timeout: 30, max_retries: 2}
`), "", &j, nil))
	m, err := ToREST(j)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties":{"jobType":"Pipeline","jobs":{"train":{"type":"command","componentId":"azureml:x:1","computeId":"azureml:cpu",
		"inputs":{"lr":{"job_input_type":"literal","value":"0.1"},"data":{"job_input_type":"uri_folder","uri":"a"}},
		"limits":{"job_limits_type":"Command","timeout":"PT1M"},"distribution":{"distribution_type":"PyTorch","process_count_per_instance":2},
		"resources":{"instance_count":"${{parent.inputs.n}}","anything":{"goes":1}},"retry_settings":{"timeout":30,"max_retries":2}}}}}`, asJSON(t, m))
	var back job
	require.NoError(t, FromREST([]byte(asJSON(t, m)), &back))
	require.Equal(t, j.(*pipeline).Jobs, back.(*pipeline).Jobs)
}

func TestUpdateKeepsWhatNobodyKnows(t *testing.T) {
	doc := `{"id":"/x/computes/c","name":"c","type":"T","location":"eastus","future":{"a":1},"properties":{"computeType":"AmlCompute","description":"d","provisioningState":"Succeeded","new":[1],
		"properties":{"vmSize":"S","scaleSettings":{"minNodeCount":1,"maxNodeCount":3,"nodeIdleTimeBeforeScaleDown":"PT120S","later":true},"userAccountCredentials":{"adminUserName":"u","x":1}}}}`
	var c cluster
	require.NoError(t, FromREST([]byte(doc), &c))
	require.Equal(t, "Succeeded", c.State)
	body, err := Body(&c, "/x/computes/C")
	require.NoError(t, err)
	require.JSONEq(t, `{"location":"eastus","future":{"a":1},"properties":{"computeType":"AmlCompute","description":"d","new":[1],
		"properties":{"vmSize":"S","scaleSettings":{"minNodeCount":1,"maxNodeCount":3,"nodeIdleTimeBeforeScaleDown":"PT120S","later":true},"userAccountCredentials":{"adminUserName":"u","x":1}}}}`, asJSON(t, body))
	cc := c
	cc.Min, cc.Description, cc.SSH = 0, "", nil
	body, err = Body(&cc, "/x/computes/c")
	require.NoError(t, err)
	require.JSONEq(t, `{"location":"eastus","future":{"a":1},"properties":{"computeType":"AmlCompute","new":[1],
		"properties":{"vmSize":"S","scaleSettings":{"minNodeCount":0,"maxNodeCount":3,"nodeIdleTimeBeforeScaleDown":"PT120S","later":true}}}}`, asJSON(t, body))
	body, err = Body(&cc, "/x/computes/other")
	require.NoError(t, err)
	require.NotContains(t, asJSON(t, body), "future")
	require.NotContains(t, asJSON(t, body), "provisioningState")
}

func TestArmSwitchLeaksNothing(t *testing.T) {
	doc := `{"id":"/d","properties":{"datastoreType":"AzureBlob","accountName":"a","containerName":"c","credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"k","hidden":1},"old":true}}}`
	var b blobStore
	require.NoError(t, FromREST([]byte(doc), &b))
	b.Credentials = credentials{SAS: &sasToken{Token: "s"}}
	body, err := Body(&b, "/d")
	require.NoError(t, err)
	require.JSONEq(t, `{"properties":{"datastoreType":"AzureBlob","accountName":"a","containerName":"c","credentials":{"credentialsType":"Sas","secrets":{"secretsType":"Sas","sasToken":"s"}}}}`, asJSON(t, body))
}

func TestUnknownKindIsAValue(t *testing.T) {
	doc := `{"id":"/x","properties":{"computeType":"Quantum","qubits":1.50}}`
	var c compute
	require.NoError(t, FromREST([]byte(doc), &c))
	require.IsType(t, &otherCompute{}, c)
	m, err := Body(c, "/x")
	require.NoError(t, err)
	require.Equal(t, `{"properties":{"computeType":"Quantum","qubits":1.50}}`, asJSON(t, m))
}

func TestPatchIsWhatChanged(t *testing.T) {
	doc := `{"id":"/d","tags":{"a":"b"},"properties":{"datastoreType":"AzureBlob","accountName":"a","containerName":"c","new":1,"credentials":{"credentialsType":"AccountKey","secrets":{"secretsType":"AccountKey","key":"k"}},"tags":{"x":"1","y":"2"}}}`
	var b blobStore
	require.NoError(t, FromREST([]byte(doc), &b))
	m, err := Patch(&b)
	require.NoError(t, err)
	require.Empty(t, m)
	b.Account = "z"
	b.Tags = map[string]string{"x": "1", "w": "3"}
	b.Credentials = credentials{SAS: &sasToken{Token: "s"}}
	m, err = Patch(&b)
	require.NoError(t, err)
	require.JSONEq(t, `{"properties":{"accountName":"z","credentials":{"credentialsType":"Sas","secrets":{"secretsType":"Sas","sasToken":"s","key":null}},"tags":{"y":null,"w":"3"}}}`, asJSON(t, m))
}

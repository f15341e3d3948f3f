package workspace

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/internal/rest"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
)

// manager is a resource manager that is a table of documents, and keeps what is sent to it.
type manager struct {
	docs map[string]string // path below /subscriptions/s/resourceGroups/ → document
	// refuse answers calls, by method and the beginning of the path, with a status.
	refuse map[string]int

	mu   sync.Mutex
	sent []string
	body map[string]map[string]any // "PUT path" → the last body
}

func (m *manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/subscriptions/s/resourceGroups/")
	if path == "/discovery" {
		fmt.Fprintf(w, `{"api":"http://%s"}`, r.Host)
		return
	}
	if i := strings.Index(path, "/deployments/"); i >= 0 {
		path = path[:i+len("/deployments/")] + "*" // its name is another each time
	}
	key := r.Method + " " + path
	m.sent = append(m.sent, key)
	var body map[string]any
	if json.NewDecoder(r.Body).Decode(&body) == nil {
		m.body[key] = body
	}
	for prefix, status := range m.refuse {
		if strings.HasPrefix(key, prefix) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"error":{"code":"Refused","message":"no"}}`)
			return
		}
	}
	doc, ok := m.docs[path]
	switch {
	case ok:
		fmt.Fprint(w, strings.ReplaceAll(doc, "HOST", r.Host))
	case r.Method == http.MethodPut, r.Method == http.MethodPatch:
		_ = json.NewEncoder(w).Encode(body)
	case r.Method == http.MethodDelete:
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"ResourceNotFound","message":"none"}}`)
	}
}

const machineLearning = "g/providers/Microsoft.MachineLearningServices/workspaces/"

func managed(t *testing.T, m *manager) *WorkspacesClient {
	t.Helper()
	m.body = map[string]map[string]any{}
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	r, err := rest.New(rest.ID{Subscription: "s", ResourceGroup: "g", Name: "w"}, rest.StaticToken("t"), &rest.Options{Endpoint: srv.URL})
	require.NoError(t, err)
	return &WorkspacesClient{rest: r}
}

func TestRuleResourceKind(t *testing.T) {
	wiretest.Kind[ruleResource](t, wiretest.Value(func(t *rapid.T) OutboundRule {
		word := rapid.StringMatching(`[a-z]{3,8}`)
		return rapid.SampledFrom([]OutboundRule{
			{FQDN: word.Draw(t, "host"), Category: "Recommended"}, {ServiceTag: &ServiceTagRule{Tag: word.Draw(t, "tag"), Protocol: "TCP", Ports: "80"}, Category: "UserDefined"},
			{PrivateEndpoint: &PrivateEndpointRule{ResourceID: word.Draw(t, "id"), Subresource: "blob", Spark: true}, FQDNs: []string{"x"}, Category: "UserDefined"},
		}).Draw(t, "rule")
	}))
}

func TestWhatAnUpdateSends(t *testing.T) {
	user := func(ids ...string) *azureml.ResourceIdentity {
		i := &azureml.ResourceIdentity{Type: azureml.UserAssigned}
		for _, id := range ids {
			i.UserAssigned = append(i.UserAssigned, azureml.UserAssignedIdentity{ResourceID: id})
		}
		return i
	}
	for name, c := range map[string]struct {
		now, was Workspace
		want     string
	}{
		"nothing":   {want: `{}`},
		"texts":     {now: Workspace{Description: "d", DisplayName: "n", Location: "ignored", StorageAccount: "ignored", HighBusinessImpact: true}, want: `{"properties":{"description":"d","friendlyName":"n"}}`},
		"tags":      {now: Workspace{Tags: map[string]*string{"a": new("b"), "AttachKeyVaultToWorkspace": new("true")}}, want: `{"tags":{"a":"b"}}`},
		"key":       {now: Workspace{CustomerKey: &CustomerKey{KeyURI: "https://k", KeyVault: "/v"}}, want: `{"properties":{"encryption":{"keyVaultProperties":{"keyIdentifier":"https://k"}}}}`},
		"open":      {now: Workspace{NetworkACLs: &NetworkACLs{DefaultAction: Deny, IPRules: []IPRule{{Value: "1.2.3.4"}}}}, want: `{"properties":{"networkAcls":{"defaultAction":"Deny","ipRules":[{"value":"1.2.3.4"}]}}}`},
		"closed":    {now: Workspace{NetworkACLs: &NetworkACLs{DefaultAction: Deny}}, was: Workspace{PublicNetworkAccess: Disabled}, want: `{"properties":{"networkAcls":{"defaultAction":"Allow"}}}`},
		"identity":  {now: Workspace{Identity: user("/b")}, was: Workspace{Identity: user("/A", "/B")}, want: `{"identity":{"type":"UserAssigned","userAssignedIdentities":{"/b":{},"/A":null}}}`},
		"no other":  {now: Workspace{Identity: user("/b")}, want: `{"identity":{"type":"UserAssigned","userAssignedIdentities":{"/b":{}}}}`},
		"own rules": {now: Workspace{ManagedNetwork: &ManagedNetwork{IsolationMode: AllowInternetOutbound, Rules: OutboundRules{{Name: "a", FQDN: "x.org"}, {Name: "b", FQDN: "y.org", Category: "Required"}}}}, want: `{"properties":{"managedNetwork":{"isolationMode":"AllowInternetOutbound","firewallSku":"Standard","outboundRules":{"a":{"type":"FQDN","category":"UserDefined","destination":"x.org"}}}}}`},
	} {
		c.now.Name = "w"
		body, err := patchOf(&c.now, &c.was)
		require.NoError(t, err, name)
		got, err := json.Marshal(body)
		require.NoError(t, err, name)
		require.JSONEq(t, c.want, string(got), name)
	}
}

func TestUpdateIsRefused(t *testing.T) {
	registry := someGroup + "/providers/Microsoft.ContainerRegistry/registries/"
	insights := someGroup + "/providers/Microsoft.Insights/components/i"
	c := managed(t, &manager{docs: map[string]string{machineLearning + "w": `{"name":"w","properties":{"containerRegistry":"` + registry + `a","applicationInsights":"` + insights + `"}}`}})
	_, err := c.BeginUpdate(t.Context(), &Workspace{Name: "w", ContainerRegistry: registry + "b", ApplicationInsights: strings.ToUpper(insights)}, nil)
	require.ErrorContains(t, err, "ChangeDependents")
	require.NotContains(t, err.Error(), "application_insights", "the same but for case")
	_, err = c.BeginUpdate(t.Context(), &Workspace{Name: "w", ContainerRegistry: registry + "b"}, &ProvisionOptions{ChangeDependents: true})
	require.NoError(t, err)
	_, err = c.BeginUpdate(t.Context(), nil, nil)
	require.ErrorContains(t, err, "nil")
	_, err = c.BeginUpdate(t.Context(), &Workspace{Name: "other"}, nil)
	require.ErrorIs(t, err, azureml.ErrNotFound)
}

func TestStoresOfAFeatureStoreAreChanged(t *testing.T) {
	const identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u"
	const container = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/new/blobServices/default/containers/c"
	m := &manager{docs: map[string]string{
		machineLearning + "w":                 `{"name":"w","kind":"FeatureStore","properties":{"featureStoreSettings":{"offlineStoreConnectionName":"off","computeRuntime":{"sparkRuntimeVersion":"3.3"}}}}`,
		machineLearning + "w/connections/off": `{"name":"off","properties":{"category":"AzureDataLakeGen2","authType":"ManagedIdentity","target":"/subscriptions/s/old"}}`,
	}}
	c := managed(t, m)
	w := &Workspace{Name: "w", OfflineStore: &MaterializationStore{Type: "azure_data_lake_gen2", Target: container}}
	_, err := c.BeginUpdate(t.Context(), w, nil)
	require.ErrorContains(t, err, "offline_store: needs a materialization_identity")
	w.MaterializationIdentity = &MaterializationIdentity{ResourceID: identity, ClientID: "client"}
	_, err = c.BeginUpdate(t.Context(), w, nil)
	require.NoError(t, err)
	var made, name string
	for _, s := range m.sent {
		if strings.Contains(s, "PUT "+machineLearning+"w/connections/"+offlineConnection) {
			made, name = s, s[strings.LastIndexByte(s, '/')+1:]
		}
	}
	require.NotEmpty(t, made)
	props, _ := m.body[made]["properties"].(map[string]any)
	require.Equal(t, []any{container, "ManagedIdentity", map[string]any{"clientId": "client", "resourceId": identity}}, []any{props["target"], props["authType"], props["credentials"]})
	require.Equal(t, map[string]any{
		"identity": map[string]any{"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": map[string]any{identity: map[string]any{}}},
		"properties": map[string]any{"featureStoreSettings": map[string]any{
			"offlineStoreConnectionName": name, "computeRuntime": map[string]any{"sparkRuntimeVersion": "3.3"},
		}},
	}, m.body["PATCH "+machineLearning+"w"])
	roles, err := json.Marshal(m.body["PUT g/providers/Microsoft.Resources/deployments/*"])
	require.NoError(t, err)
	require.Contains(t, string(roles), blobContributor)
	require.Contains(t, string(roles), dataScientist)

	m.sent = nil
	_, err = c.BeginUpdate(t.Context(), w, &ProvisionOptions{NoRoles: true})
	require.NoError(t, err)
	require.NotContains(t, strings.Join(m.sent, " "), "deployments")
}

func TestAProjectJoinsItsHub(t *testing.T) {
	hub := "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/hub"
	project := &Workspace{Name: "p", Hub: hub, Description: "d"}
	doc := func(group string) map[string]string {
		return map[string]string{machineLearning + "hub": `{"id":"` + hub + `","name":"hub","location":"westus","kind":"Hub","properties":{"publicNetworkAccess":"Disabled","discoveryUrl":"http://HOST/discovery","workspaceHubConfig":{"defaultWorkspaceResourceGroup":"/subscriptions/s/resourceGroups/` + group + `"}}}`}
	}
	refuse := map[string]int{"PUT g/providers/Microsoft.Resources": http.StatusForbidden}
	m := &manager{docs: doc("other"), refuse: refuse}
	_, err := managed(t, m).BeginCreate(t.Context(), project, nil)
	require.ErrorIs(t, err, azureml.ErrForbidden)

	m = &manager{docs: doc("G"), refuse: refuse}
	_, err = managed(t, m).BeginCreate(t.Context(), project, nil)
	require.NoError(t, err)
	last := m.sent[len(m.sent)-1]
	require.True(t, strings.HasPrefix(last, "PUT /rp/workspaces/") && strings.HasSuffix(last, "/workspaces/hub/join/p"), last)
	got, _ := m.body[last]["properties"].(map[string]any)
	require.Equal(t, []any{"westus", "d", "Disabled"}, []any{m.body[last]["location"], got["description"], got["publicNetworkAccess"]})

	// A hub that may not be read decides nothing.
	m = &manager{refuse: map[string]int{"GET " + machineLearning + "hub": http.StatusForbidden}, docs: map[string]string{"g": `{"location":"northeurope"}`}}
	_, err = managed(t, m).BeginCreate(t.Context(), project, nil)
	require.NoError(t, err)
	template, err := json.Marshal(m.body["PUT g/providers/Microsoft.Resources/deployments/*"])
	require.NoError(t, err)
	require.Contains(t, string(template), "northeurope")
	require.Empty(t, project.Location, "what is given is not changed")

	_, err = managed(t, &manager{}).BeginCreate(t.Context(), &Workspace{Name: "p", Hub: "nonsense"}, nil)
	require.ErrorContains(t, err, "hub")
}

func TestDependentsAreDeleted(t *testing.T) {
	doc := func(kind string) map[string]string {
		return map[string]string{
			machineLearning + "w": `{"name":"w","kind":"` + kind + `","properties":{"storageAccount":"/subscriptions/s/resourceGroups/g/S","keyVault":"/subscriptions/s/resourceGroups/g/K","applicationInsights":"/subscriptions/s/resourceGroups/g/I"}}`,
			"g/I":                 `{"properties":{"WorkspaceResourceId":"/subscriptions/s/resourceGroups/g/L"}}`,
		}
	}
	m := &manager{docs: doc("Default"), refuse: map[string]int{"DELETE g/K": http.StatusNotFound}}
	_, err := managed(t, m).BeginDelete(t.Context(), "w", &DeleteOptions{Dependents: true})
	require.NoError(t, err)
	require.Equal(t, []string{"GET " + machineLearning + "w", "GET g/I", "DELETE g/L", "DELETE g/I", "DELETE g/S", "DELETE g/K", "DELETE " + machineLearning + "w"}, m.sent)

	m = &manager{docs: doc("Project")}
	_, err = managed(t, m).BeginDelete(t.Context(), "w", &DeleteOptions{Dependents: true})
	require.NoError(t, err)
	require.NotContains(t, m.sent, "DELETE g/S")

	m = &manager{docs: doc("Default"), refuse: map[string]int{"DELETE g/S": http.StatusForbidden}}
	_, err = managed(t, m).BeginDelete(t.Context(), "w", &DeleteOptions{Dependents: true})
	require.ErrorIs(t, err, azureml.ErrForbidden)
	require.NotContains(t, m.sent, "DELETE "+machineLearning+"w", "nothing is deleted after what could not be")
}

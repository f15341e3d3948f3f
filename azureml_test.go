package azureml

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/azureml-go/azureml/internal/wire"
	"github.com/azureml-go/azureml/internal/wire/wiretest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type thing struct {
	Meta
	Name      string            `yaml:"name" json:"name,ro"`
	Env       Ref               `yaml:"environment" json:"environmentId"`
	Identity  Identity          `yaml:"identity" json:"identity"`
	Resources *Resources        `yaml:"resources" json:"resources"`
	Owner     *ResourceIdentity `yaml:"owner" json:"owner"`
	doc       wire.Document
}

var thingLayout = wire.Layout{Name: "thing", Base: "properties", At: wire.Table{"owner": "/identity", "name": "/name"}}

func (t *thing) WireDocument() *wire.Document { return &t.doc }
func (thing) WireLayout() *wire.Layout        { return &thingLayout }

func TestSharedTypesBothWays(t *testing.T) {
	require.NoError(t, wire.Check(thing{}))
	for name, x := range map[string]struct{ yaml, rest string }{
		"managed":   {"identity: {type: managed_identity, client_id: c}", `{"properties":{"identity":{"identityType":"Managed","clientId":"c"}}}`},
		"aml token": {"identity: {type: AmlToken}", `{"properties":{"identity":{"identityType":"AMLToken"}}}`},
		"user":      {"identity: {type: user_identity}", `{"properties":{"identity":{"identityType":"UserIdentity"}}}`},
		"id":        {"environment: azureml:/subscriptions/s/x", `{"properties":{"environmentId":"/subscriptions/s/x"}}`},
		"asset":     {"environment: azureml:a:1", `{"properties":{"environmentId":"azureml:a:1"}}`},
		"line":      {"resources: {docker_args: --a b, instance_count: '2'}", `{"properties":{"resources":{"dockerArgs":"--a b","instanceCount":2,"properties":{}}}}`},
		"list":      {"resources: {docker_args: [a, b], properties: {singularity: {x: 1}}}", `{"properties":{"resources":{"dockerArgsList":["a","b"],"properties":{"AISuperComputer":{"x":1}}}}}`},
		"owner":     {"owner: {type: user_assigned, user_assigned_identities: [{resource_id: /a}]}", `{"identity":{"type":"UserAssigned","userAssignedIdentities":{"/a":{}}}}`},
		"both":      {"owner: {type: 'SystemAssigned, UserAssigned', user_assigned_identities: {/a: {}}}", `{"identity":{"type":"SystemAssigned,UserAssigned","userAssignedIdentities":{"/a":{}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			var v thing
			require.NoError(t, wire.LoadYAML([]byte(x.yaml), "", &v, nil))
			m, err := wire.ToREST(v)
			require.NoError(t, err)
			b, err := json.Marshal(m)
			require.NoError(t, err)
			require.JSONEq(t, x.rest, string(b))
			var back thing
			require.NoError(t, wire.FromREST([]byte(x.rest), &back))
			again, err := wire.ToREST(back)
			require.NoError(t, err)
			require.Equal(t, m, again)
			text, err := wire.DumpYAML(v)
			require.NoError(t, err)
			var loaded thing
			require.NoError(t, wire.LoadYAML(text, "", &loaded, nil))
			require.Equal(t, v, loaded)
		})
	}
}

func TestSharedTypesHold(t *testing.T) {
	wiretest.Kind[thing](t,
		wiretest.Value(func(t *rapid.T) DockerArgs {
			return rapid.SampledFrom([]DockerArgs{{}, {Line: "--a b"}, {List: []string{"a", "b"}}}).Draw(t, "docker args")
		}),
		wiretest.Value(func(t *rapid.T) UserAssignedIdentities {
			return rapid.SampledFrom([]UserAssignedIdentities{nil, {{ResourceID: "/a"}}, {{ResourceID: "/a"}, {ResourceID: "/b"}}}).Draw(t, "identities")
		}))
}

func TestMetaIsReadAndNeverSent(t *testing.T) {
	var v thing
	require.NoError(t, wire.FromREST([]byte(`{"id":"/x","name":"n","systemData":{"createdAt":"2024-05-01T08:00:00.5Z","createdBy":"me"},"properties":{}}`), &v))
	require.Equal(t, "/x", v.ID)
	require.Equal(t, "n", v.Name)
	require.Equal(t, "me", v.SystemData.CreatedBy)
	require.Equal(t, 2024, v.SystemData.CreatedAt.Year())
	m, err := wire.ToREST(v)
	require.NoError(t, err)
	require.Empty(t, m)
}

func TestErrors(t *testing.T) {
	require.ErrorIs(t, StatusError(http.StatusPreconditionFailed), ErrConflict)
	require.ErrorIs(t, StatusError(404), ErrNotFound)
	require.NoError(t, StatusError(200))
	err := fmt.Errorf("jobs: get: %w", &azcore.ResponseError{ErrorCode: "ResourceNotFound", StatusCode: 404})
	require.True(t, HasCode(err, "x", "resourcenotfound"))
	require.False(t, HasCode(err, "x"))
	require.False(t, HasCode(errors.New("x"), "x"))
}

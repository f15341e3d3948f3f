package arm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseID(t *testing.T) {
	id, err := ParseID("azureml:/Subscriptions/s/resourcegroups/g/providers/microsoft.machinelearningservices/Workspaces/w/ONLINEENDPOINTS/e/deployments/d/")
	require.NoError(t, err)
	require.Equal(t, "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/e/deployments/d", id.String())
	require.Equal(t, "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments", id.Type())
	require.Equal(t, "d", id.Name())
	require.Equal(t, "e", id.Parent().Name())
	sc, ok := id.Scope()
	require.True(t, ok)
	require.Equal(t, Scope{"s", "g", "w"}, sc)
	require.Equal(t, "s/g/w", sc.Key())
	require.True(t, id.Is("onlineendpoints"))
	require.False(t, id.Is(Jobs))

	id, err = ParseID("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/registries/r/models/m/versions/2")
	require.NoError(t, err)
	r, ok := id.Registry()
	require.True(t, ok)
	require.Equal(t, "r", r)
	_, ok = id.Scope()
	require.False(t, ok)

	list, err := ParseID("/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/jobs")
	require.NoError(t, err)
	require.Empty(t, list.Name())
	require.Equal(t, "w", list.Parent().Name())

	group, err := ParseID("/subscriptions/s/resourceGroups/g")
	require.NoError(t, err)
	require.Equal(t, "/subscriptions/s/resourceGroups/g", group.String())

	for _, bad := range []string{"", "/", "azureml://datastores/d/paths/p", "/subscriptions", "/subscriptions/s//providers/p", "/subscriptions/s/other/x", "jobs/j"} {
		_, err := ParseID(bad)
		require.Error(t, err, bad)
	}
}

func TestParseIDAgainIsTheSame(t *testing.T) {
	word := rapid.StringMatching(`[A-Za-z0-9_.\-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		sc := Scope{word.Draw(t, "sub"), word.Draw(t, "rg"), word.Draw(t, "ws")}
		at := sc.AssetID(rapid.SampledFrom([]string{Data, Models, FeatureEntities}).Draw(t, "collection"), word.Draw(t, "name"), word.Draw(t, "version"))
		id, err := ParseID(at)
		require.NoError(t, err)
		require.Equal(t, at, id.String())
		low, err := ParseID(strings.ToLower(at))
		require.NoError(t, err)
		require.Equal(t, strings.ToLower(at), strings.ToLower(low.String()))
		require.Equal(t, sc.Key(), Scope{strings.ToUpper(sc.Subscription), strings.ToUpper(sc.ResourceGroup), strings.ToUpper(sc.Workspace)}.Key())
	})
}

func TestScopeNames(t *testing.T) {
	sc := Scope{"sub", "rg", "ws"}
	require.Regexp(t, `^amllocal[0-9a-f]{8}$`, sc.Account())
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, sc.WorkspaceID())
	require.NotEqual(t, sc.Account(), Scope{"sub", "rg", "other"}.Account())
	require.LessOrEqual(t, len(sc.BlobContainer()), 63)
}

func FuzzParseID(f *testing.F) {
	for _, s := range []string{"/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/data/d/versions/1", "azureml:/subscriptions/s", "/subscriptions/s/providers/p/locations/l", "//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseID(s)
		if err != nil {
			return
		}
		again, err := ParseID(id.String())
		require.NoError(t, err)
		require.Equal(t, id.String(), again.String())
	})
}

package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const wsID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"

func TestReferences(t *testing.T) {
	for in, want := range map[string]Reference{
		"azureml:iris:1":                                 {Kind: AssetRef, Name: "iris", Version: "1"},
		"azureml:iris:2024:01":                           {Kind: AssetRef, Name: "iris", Version: "2024:01"},
		"azureml:iris@latest":                            {Kind: AssetRef, Name: "iris", Label: "latest"},
		"azureml:cpu":                                    {Kind: AssetRef, Name: "cpu"},
		"azureml:" + wsID + "/data/d/versions/2":         {Kind: ResourceRef, Subscription: "s", ResourceGroup: "g", Workspace: "w", Collection: "data", Name: "d", Version: "2"},
		wsID + "/components/c/labels/default":            {Kind: ResourceRef, Subscription: "s", ResourceGroup: "g", Workspace: "w", Collection: "components", Name: "c", Label: "default"},
		wsID + "/computes/c":                             {Kind: ResourceRef, Subscription: "s", ResourceGroup: "g", Workspace: "w", Collection: "computes", Name: "c"},
		"azureml://registries/r/models/m/versions/3":     {Kind: RegistryRef, Registry: "r", Collection: "models", Name: "m", Version: "3"},
		"azureml://registries/r/models/m/labels/latest":  {Kind: RegistryRef, Registry: "r", Collection: "models", Name: "m", Label: "latest"},
		"azureml://datastores/d/paths/a/b/":              {Kind: DatastoreRef, Datastore: "d", Path: "a/b/"},
		"azureml://datastores/d/ExperimentRun/dcid.x/f":  {Kind: DatastoreRef, Datastore: "d", Path: "ExperimentRun/dcid.x/f"},
		"azureml://datastores/workspacemanageddatastore": {Kind: DatastoreRef, Datastore: "workspacemanageddatastore"},
		"azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/p": {Kind: DatastoreRef, Subscription: "s", ResourceGroup: "g", Workspace: "w", Datastore: "d", Path: "p"},
		"azureml://jobs/j/outputs/o/paths/p/q":                                         {Kind: JobRef, Job: "j", Output: "o", Path: "p/q"},
		"azureml://jobs/j/outputs/o":                                                   {Kind: JobRef, Job: "j", Output: "o"},
		"runs:/r1/model":                                                               {Kind: RunRef, Job: "r1", Path: "model"},
		"azureml://locations/l/workspaces/guid/models/m/versions/1":                    {Kind: WorkspaceRef, Location: "l", Workspace: "guid", Collection: "models", Name: "m", Version: "1"},
		"azureml://models/m/versions/1":                                                {Kind: WorkspaceRef, Collection: "models", Name: "m", Version: "1"},
		"azureml://subscriptions/s/resourceGroups/g/workspaces/w/data/d/versions/1":    {Kind: WorkspaceRef, Subscription: "s", ResourceGroup: "g", Workspace: "w", Collection: "data", Name: "d", Version: "1"},
		"https://x.blob.core.windows.net/c/b":                                          {Kind: URLRef},
		"wasbs://c@x.blob/b":                                                           {Kind: URLRef},
		"git+https://github.com/x/y":                                                   {Kind: GitRef},
		"${{parent.inputs.x}}":                                                         {Kind: ExpressionRef},
		"./src":                                                                        {Kind: LocalRef, Path: "./src"},
		"data:1":                                                                       {Kind: LocalRef, Path: "data:1"},
		"file:./a.csv":                                                                 {Kind: LocalRef, Path: "./a.csv"},
		"folder:a":                                                                     {Kind: LocalRef, Path: "a"},
	} {
		got, err := ParseReference(in)
		require.NoError(t, err, in)
		want.Text = in
		require.Equal(t, want, got, in)
	}
	for _, in := range []string{"", "azureml:", "azureml::1", "azureml:a:", "azureml:a@", "azureml:a/b", "azureml://", "azureml://x", "azureml://datastores/", "azureml://registries/r", "azureml:/subscriptions/s/x", "runs:/", "azureml://jobs/j/outputs/o/p", "azureml://datastores/d/other/p"} {
		_, err := ParseReference(in)
		require.Error(t, err, in)
	}
}

func TestARMIDs(t *testing.T) {
	id, err := ParseARMID("azureml:/Subscriptions/s/resourcegroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints/e/deployments/d")
	require.NoError(t, err)
	require.Equal(t, "w", id.Workspace())
	require.Equal(t, ARMPart{"deployments", "d"}, id.Asset())
	require.Equal(t, "e", id.Name("onlineendpoints"))
	require.Equal(t, wsID+"/onlineEndpoints/e/deployments/d", id.String())
	require.True(t, id.In("S", "G", "W"))
	require.Equal(t, wsID+"/models/m/versions/1", WorkspaceID("s", "g", "w", "models", "m", "versions", "1"))
	require.True(t, SameID("/A/b/", "a/B"))
	group, err := ParseARMID("/subscriptions/s/resourceGroups/g")
	require.NoError(t, err)
	require.Equal(t, ARMPart{}, group.Asset())
	for _, s := range []string{"", "/", "x", "/subscriptions", "/subscriptions/s/x", "/subscriptions/s/resourceGroups/g/providers/P", "/subscriptions/s//g", "/subscriptions/s/resourceGroups/g/providers/P/t"} {
		_, err := ParseARMID(s)
		require.Error(t, err, s)
	}
}

func TestARMIDsRoundTrip(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9_.:@ -]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		id := ARMID{Subscription: name.Draw(t, "s"), ResourceGroup: name.Draw(t, "g"), Provider: MachineLearning}
		for range rapid.IntRange(1, 4).Draw(t, "n") {
			id.Parts = append(id.Parts, ARMPart{name.Draw(t, "type"), name.Draw(t, "name")})
		}
		back, err := ParseARMID(id.String())
		require.NoError(t, err)
		require.Equal(t, id, back)
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"azureml:a:1", "azureml:a@l", wsID, "azureml://registries/r/models/m/versions/1", "azureml://datastores/d/paths/p", "azureml://jobs/j/outputs/o/paths/p", "runs:/r/p", "file:x", "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/p"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		if err != nil {
			return
		}
		if r.Text != s {
			t.Fatalf("%q became %q", s, r.Text)
		}
		if r.Kind == DatastoreRef && r.Workspace == "" && r.Path != "" {
			again, err := ParseReference(DatastorePath(r.Datastore, r.Path))
			if err != nil || again.Datastore != r.Datastore {
				t.Fatalf("%q: %v %+v", s, err, again)
			}
		}
	})
}

func FuzzARMID(f *testing.F) {
	for _, s := range []string{wsID, wsID + "/models/m/versions/1", "azureml:/subscriptions/s", "/subscriptions/s/providers/P/a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := ParseARMID(s)
		if err != nil {
			return
		}
		again, err := ParseARMID(id.String())
		if err != nil || again.String() != id.String() {
			t.Fatalf("%q → %q → %q (%v)", s, id, again, err)
		}
	})
}

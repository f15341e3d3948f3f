package jobs

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/assets"
)

func messages(t *testing.T, err error) map[string]string {
	t.Helper()
	var faults azureml.Faults
	require.ErrorAs(t, err, &faults)
	m := map[string]string{}
	for _, f := range faults {
		_, twice := m[f.Field]
		require.False(t, twice, "%s has two faults: %v", f.Field, err)
		m[f.Field] = f.Message
	}
	return m
}

// What a job names and the workspace does not have is refused with everything else, before anything is sent.
func TestSubmitMissesWhatIsNotThere(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x.py"), nil, 0o666))
	empty := t.TempDir()
	in := Inputs{
		"data": URIFile("azureml:gone:3"), "label": URIFile("azureml:gonetoo@latest"), "model": CustomModel("azureml:gone:1"), "store": URIFolder("azureml://datastores/gone/paths/x"),
		"there": URIFile("azureml:rows:1"), "elsewhere": URIFile("azureml://registries/r/data/gone/versions/1"), "empty": URIFolder(empty), "web": URIFile("https://gone.example/x"),
		"other": URIFile("/subscriptions/x/resourceGroups/y/providers/Microsoft.MachineLearningServices/workspaces/z/data/gone/versions/1"),
	}
	_, err := c.Submit(t.Context(), &CommandJob{
		Name: "a", Command: "x ${{foo.bar}} ${{inputs.}} ${{inputs.data", Code: Folder(dir), Environment: azureml.Ref("azureml:gone:2"), Compute: "a/b", Inputs: in, Experiment: "a/b",
		Outputs: Outputs{"o": OutputFolder().At("azureml://datastores/gone/paths/${{name}}/"), "p": OutputFolder().At("azureml://datastores/gone/paths/p/")},
	}, nil)
	var commands []string
	var faults azureml.Faults
	require.ErrorAs(t, err, &faults)
	rest := azureml.Faults{}
	for _, f := range faults {
		if f.Field == "command" {
			commands = append(commands, f.Message)
		} else {
			rest = append(rest, f)
		}
	}
	require.Equal(t, []string{
		"${{foo.bar}} is no reference: write ${{inputs.NAME}} or ${{outputs.NAME}}", "${{inputs.}} is no reference: write ${{inputs.NAME}} or ${{outputs.NAME}}",
		"${{inputs.data is no reference: write ${{inputs.NAME}} or ${{outputs.NAME}}",
	}, commands)
	got := messages(t, rest)
	require.Equal(t, "data: get \"gonetoo\" latest: it has no versions: not found", got["inputs.label.path"])
	require.Contains(t, got["inputs.empty.path"], "is empty")
	delete(got, "inputs.label.path")
	delete(got, "inputs.empty.path")
	require.Equal(t, map[string]string{
		"environment": `the workspace has no environment "gone:2"`, "inputs.data.path": `the workspace has no data "gone:3"`, "inputs.model.path": `the workspace has no model "gone:1"`,
		"inputs.store.path": `the workspace has no datastore "gone"`, "outputs.p.path": `the workspace has no datastore "gone"`, "compute": `"a/b" is neither the name of a compute nor its resource id`,
		"experiment_name": `"a/b" cannot be an experiment's name: letters, digits, '-', '_' and blanks, beginning with a letter or digit, 256 at most`,
	}, got)
	require.ErrorIs(t, err, azureml.ErrNotFound)
	for _, s := range w.calls("") {
		require.Equal(t, http.MethodGet, s.method, s.path)
	}
}

// What a builder has met comes together with what only the submission sees.
func TestSubmitOfABuilderReportsAll(t *testing.T) {
	w := newWorld(t)
	c, _ := w.client()
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	b := Command("x ${{inputs.1st}} ${{inputs.none}}").Named("a b").Code(nowhere).On("missing").Input("1st", Literal(1)).Timeout(-1).Service("s", Service{LogDir: "x"}).
		In(&assets.Environment{Build: &assets.Build{Path: nowhere}})
	_, err := c.Submit(t.Context(), b, nil)
	require.ErrorContains(t, err, `jobs: submit "a b": `)
	got := messages(t, err)
	for field, part := range map[string]string{
		"name": "letters, digits", "code": "there is no folder", "compute": `no compute "missing"`, "inputs.1st": "letters, digits", "limits.timeout": "positive",
		"services.s": "", "command": "${{inputs.none}} is no input", "environment.build.path": "there is no folder",
	} {
		require.Contains(t, got, field)
		require.Contains(t, got[field], part)
		delete(got, field)
	}
	require.Empty(t, got)
	_, err = b.Build()
	require.Len(t, messages(t, err), 4)
	require.ErrorContains(t, c.Validate(t.Context(), b, nil), "inputs.none")
	for _, s := range w.calls("") {
		require.Equal(t, http.MethodGet, s.method, s.path)
	}
}

func TestDefaultExperimentIsOneThatTheServiceTakes(t *testing.T) {
	base := t.TempDir()
	for name, want := range map[string]string{"my.proj.x": "my-proj", "_a b": "ab", "été": "t-", "-": "Default", "plain_1-2": "plain_1-2"} {
		dir := filepath.Join(base, name)
		require.NoError(t, os.Mkdir(dir, 0o777))
		require.Equal(t, want, defaultExperiment(dir), name)
	}
}

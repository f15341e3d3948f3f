package jobs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/wire"
)

// What a file says is empty is sent as empty text, and written again as such.
func TestEmptyText(t *testing.T) {
	t.Parallel()
	for _, said := range []bool{true, false} {
		description, display := "", ""
		if said {
			description, display = "description: ''\n", "display_name: ''\n"
		}
		var j Spec
		require.NoError(t, wire.LoadYAML([]byte("type: command\ncommand: x\nenvironment: azureml:e:1\n"+description), "", &j, nil))
		body, err := wire.ToREST(j)
		require.NoError(t, err)
		text, sent := body["properties"].(map[string]any)["description"]
		require.Equal(t, said, sent)
		if said {
			require.Empty(t, text)
			j.(*CommandJob).Description = "now"
			body, err = wire.ToREST(j)
			require.NoError(t, err)
			require.Equal(t, "now", body["properties"].(map[string]any)["description"])
		}

		c := loadComponentText(t, "name: a\ncommand: x\nenvironment: azureml:e:1\n"+description+display+
			"inputs: {i: {type: string, "+orNothing(said, "description: ''")+"}}\noutputs: {o: {type: uri_folder, "+orNothing(said, "description: ''")+"}}\n", "")
		body, _, _, err = componentBody(c)
		require.NoError(t, err)
		props := body["properties"].(map[string]any)
		spec := props["componentSpec"].(map[string]any)
		for _, where := range []map[string]any{props, spec, spec["inputs"].(map[string]any)["i"].(map[string]any), spec["outputs"].(map[string]any)["o"].(map[string]any)} {
			_, sent := where["description"]
			require.Equal(t, said, sent)
		}
		_, sent = spec["display_name"]
		require.Equal(t, said, sent)
	}
}

func orNothing(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

func TestNullsAndLiteralsOfSteps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a: {component: 'azureml:c:1', inputs: {x: null}}":                                                                    "jobs.a.inputs.x: is null",
		"a: {type: data_transfer, task: copy_data, inputs: {x: 5}, outputs: {o: {type: uri_folder}}}":                         "jobs.a.inputs.x: a transfer takes data",
		"a: {type: data_transfer, task: copy_data, inputs: {x: '${{parent.inputs.word}}'}, outputs: {o: {type: uri_folder}}}": "jobs.a.inputs.x: a transfer takes data",
	} {
		err := wire.LoadYAML([]byte("type: pipeline\ncompute: azureml:cpu\ninputs: {word: w}\njobs:\n  "+text+"\n"), "", new(PipelineJob), nil)
		require.ErrorContains(t, err, want, text)
	}
	for _, in := range []string{"{type: string, default: null}", "{type: integer, min: null}", "{type: uri_file, default: null}"} {
		err := wire.LoadYAML([]byte("name: a\ncommand: x\nenvironment: azureml:e:1\ninputs: {i: "+in+"}\n"), "", new(CommandComponent), nil)
		require.ErrorContains(t, err, "is null", in)
	}
}

// Properties in the file of a pipeline or a transfer are the version's.
func TestPropertiesOfComponents(t *testing.T) {
	t.Parallel()
	c := loadComponentText(t, "name: a\ntype: data_transfer\ntask: copy_data\nproperties: {p: q}\ninputs: {i: {type: uri_folder}}\noutputs: {o: {type: uri_folder}}\n", "")
	body, _, _, err := componentBody(c)
	require.NoError(t, err)
	props := body["properties"].(map[string]any)
	require.Equal(t, "q", props["properties"].(map[string]any)["p"])
	require.NotContains(t, props["componentSpec"], "properties")
}

func TestSparkEntryIsInTheCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.py"), nil, 0o600))
	for file, fault := range map[string]string{"main.py": "", "none.py": "there is no file none.py in the code " + dir} {
		c := &checker{}
		c.sparkEntry(Folder(dir), SparkEntry{File: file}, nil)
		if fault == "" {
			require.Empty(t, c.faults)
			continue
		}
		require.Len(t, c.faults, 1)
		require.Equal(t, fault, c.faults[0].Message)
	}
}

// The data of a signal of one's own is named as it is written.
func TestDataOfCustomSignals(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"./rel/data", "rel", "azureml:d:1", "azureml://datastores/d/paths/x"} {
		var s CustomSignal
		require.NoError(t, wire.LoadYAML([]byte("type: custom\ncomponent_id: azureml:c:1\ninput_data: {t: {input_data: {path: '"+path+"', type: uri_folder}}}\nmetric_thresholds: [{metric_name: m, threshold: 1}]\n"), filepath.Join(t.TempDir(), "s.yml"), &s, nil))
		require.Equal(t, path, s.InputData["t"].InputData.Path)
	}
}

// Types and modes are written as they are listed, in any case; the service's own spellings are none of a file's.
func TestCaseOfTypesAndModes(t *testing.T) {
	t.Parallel()
	for text, right := range map[string]bool{
		"inputs: {a: {type: Uri_File, path: 'azureml:x:1', mode: RO_MOUNT}}":      true,
		"inputs: {a: {type: UriFile, path: 'azureml:x:1'}}":                       false,
		"inputs: {a: {type: uri_file, path: 'azureml:x:1', mode: ReadOnlyMount}}": false,
		"outputs: {a: {type: uri_folder, mode: Upload}}":                          true,
		"outputs: {a: {type: uri_folder, mode: ReadWriteMount}}":                  false,
	} {
		err := wire.LoadYAML([]byte("command: x\nenvironment: azureml:e:1\n"+text+"\n"), "", new(CommandJob), nil)
		if right {
			require.NoError(t, err, text)
		} else {
			require.ErrorContains(t, err, "is none of", text)
		}
	}
}

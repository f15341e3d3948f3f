//go:build unix

package execution

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// An MLTable's paths may lie anywhere in the workspace's storage, with wildcards,
// too, and be assets.
func TestParallelTableElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("lines", "lines.sh", lines, tableInput)
	for name, text := range map[string]string{"far/a/1.csv": "x\n1\n", "far/a/2.csv": "x\n2\n", "far/b/3.csv": "x\n3\n", "far/b/4.txt": "x\n4\n"} {
		w.put(scope.BlobContainer(), name, text)
	}
	w.document(scope.AssetID(arm.Data, "far", "1"), m{"dataUri": scope.DatastoreURI(arm.BlobStore, "far/b/"), "dataType": "uri_folder"})
	https := arm.BlobURL(scope.Account(), scope.BlobContainer(), "far")
	for path, want := range map[string][]string{
		"file: azureml://datastores/workspaceblobstore/paths/far/a/2.csv":                                       {"|x;2;"},
		"folder: azureml://datastores/workspaceblobstore/paths/far/a":                                           {"|x;1;", "|x;2;"},
		"pattern: azureml://datastores/workspaceblobstore/paths/far/**/*.csv":                                   {"|x;1;", "|x;2;", "|x;3;"},
		"pattern: azureml://datastores/workspaceblobstore/paths/far/[a]/?.csv":                                  {"|x;1;", "|x;2;"},
		"file: " + scope.DatastoreURI(arm.BlobStore, "far/b/3.csv"):                                             {"|x;3;"},
		"file: " + https + "/a/1.csv":                                                                           {"|x;1;"},
		"pattern: " + https + "/b/*.csv":                                                                        {"|x;3;"},
		"folder: azureml:far:1":                                                                                 {"|x;3;", "|x;4;"},
		"pattern: azureml://datastores/workspaceblobstore/paths/far/a/1.csv":                                    {"|x;1;"},
		"file: wasbs://" + scope.BlobContainer() + "@" + scope.Account() + ".blob.core.windows.net/far/a/1.csv": {"|x;1;"},
	} {
		in := w.table("t", "paths:\n- "+path+"\ntransformations:\n- read_delimited\n", nil)
		r := w.runParallel("p"+runName(path), c, in, nil)
		require.Nil(t, r.Error, path)
		require.Equal(t, want, w.tableRows(r), path)
	}
}

func runName(path string) string {
	var out []rune
	for _, r := range path {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			out = append(out, r)
		}
	}
	if len(out) > 60 {
		out = out[len(out)-60:]
	}
	return string(out)
}

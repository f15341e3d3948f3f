//go:build unix

package execution

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// A job's name may be any part of an address that is not new for that.
func TestAMountIsToldByItsReference(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(scope.BlobContainer(), "train/checkpoints/last", "3")
	out := m{"outputs": m{"o": m{"jobOutputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "train/checkpoints/")}}}
	r := w.run("train", command("cat ${{outputs.o}}/last", out))
	require.Nil(t, r.Error, "what is there is seen")

	p := pipelineJob(m{"fit": m{"type": "command", "componentId": w.componentOf("fit", "cat ${{outputs.o}}/last", nil, m{"o": folder}),
		"outputs": m{"o": m{"type": "literal", "value": "${{parent.outputs.o}}"}}}}, out)
	require.Nil(t, w.run("check", p).Error)
}

// The default datastore of a pipeline has its own outputs too, and nested steps'.
func TestTheDefaultDatastoreHasAllOutputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.blobs.EnsureContainer(t.Context(), scope.Account(), "other"))
	w.document(scope.Child(arm.Datastores, "other"), m{"datastoreType": "AzureBlob", "accountName": scope.Account(), "containerName": "other"})
	say := w.componentOf("say", "echo hi >${{outputs.o}}/w", nil, m{"o": folder})
	inner := scope.AssetID("components", "inner", "1")
	w.document(inner, m{"componentSpec": m{"name": "inner", "type": "pipeline", "outputs": m{"deep": folder}, "jobs": m{
		"say": m{"type": "command", "componentId": say, "outputs": m{"o": binding("${{parent.outputs.deep}}")}},
	}}})
	more := m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "default_datastore": "other"},
		"outputs": m{"a": m{"jobOutputType": "uri_folder"}, "b": m{"jobOutputType": "uri_folder"}}}
	jobs := m{"own": m{"type": "command", "componentId": say, "outputs": m{"o": binding("${{parent.outputs.a}}")}},
		"in": m{"type": "pipeline", "componentId": inner, "outputs": m{"deep": binding("${{parent.outputs.b}}")}}}
	r := w.run("p", pipelineJob(jobs, more))
	require.Nil(t, r.Error)
	require.Equal(t, "hi\n", w.get("other", "azureml/p/a/w"))
	require.Equal(t, "hi\n", w.get("other", "azureml/p/b/w"))
	require.Equal(t, scope.DatastoreURI("other", "azureml/p/a/"), r.Outputs["a"].URI)
	again := w.run("q", pipelineJob(jobs, more))
	require.Nil(t, again.Error)
	require.Equal(t, r.Outputs["b"].URI, again.Outputs["b"].URI, "and are reused")
}

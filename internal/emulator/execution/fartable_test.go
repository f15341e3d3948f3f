//go:build unix

package execution

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// What a table names elsewhere is read by its step, and counts.
func TestATablesFilesElsewhereCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	far := scope.DatastoreURI(arm.BlobStore, "far/")
	w.put(scope.BlobContainer(), "far/a.csv", "x\n1\n")
	w.put(scope.BlobContainer(), "table/MLTable", "paths:\n- pattern: "+far+"*.csv\n- folder: ./own\n")
	w.put(scope.BlobContainer(), "table/own/a", "x")
	read := w.componentOf("read", `echo run >>"`+w.dir+`/read"`, m{"t": m{"type": "mltable"}}, nil)
	p := pipelineJob(m{"read": step1(read, m{"t": binding("${{parent.inputs.t}}")})}, m{"inputs": m{"t": m{"jobInputType": "mltable", "uri": scope.DatastoreURI(arm.BlobStore, "table/")}}})
	require.Nil(t, w.run("a", p).Error)
	require.Nil(t, w.run("b", p).Error)
	require.Equal(t, 1, w.ran("read"))
	w.put(scope.BlobContainer(), "far/a.csv", "x\n2\n")
	require.Nil(t, w.run("c", p).Error)
	require.Equal(t, 2, w.ran("read"))
}

// The name of a deleted job is refused as one that is there.
func TestADeletedJobsNameIsAConflict(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Nil(t, w.run("j", command("true", nil)).Error)
	require.NoError(t, w.e.Delete(t.Context(), scope, "j"))
	require.Equal(t, http.StatusConflict, arm.As(w.e.Submit(t.Context(), scope, "j", command("true", nil))).Status)
}

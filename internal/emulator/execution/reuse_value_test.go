//go:build unix

package execution

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
	"github.com/azureml-go/azureml/internal/emulator/store"
)

// say gives a run the values of its outputs as programs do by MLflow: in a property.
func (w *world) say(run, values string) {
	require.NoError(w.t, w.db.Update(w.t.Context(), func(tx *sql.Tx) error {
		_, err := store.Put(tx, &store.Document{ID: scope.Child("runExtras", run), Type: "runExtras", Body: []byte(`{"` + controlProperty + `":` + values + `}`)})
		return err
	}))
}

func TestReusedRoundsHaveTheirValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	turn := w.componentOf("turn", "true", m{"n": integer}, m{"more": boolean})
	jobs := func(loop m) m {
		loop["body"] = "${{parent.jobs.turn}}"
		return m{"turn": step1(turn, m{"n": binding("1")}), "loop": loop}
	}
	do := jobs(m{"type": "do_while", "condition": "more", "limits": m{"max_iteration_count": 5}})
	w.say(childName(&Record{Scope: scope, Name: "a"}, "turn", 0), `"{\"more\": \"False\"}"`)
	require.Nil(t, w.run("a", pipelineJob(do, nil)).Error)
	require.Nil(t, w.run("b", pipelineJob(do, nil)).Error, "the reused round says what the first one said")

	each := jobs(m{"type": "parallel_for", "items": `[{"n": 7}]`})
	w.say(childName(&Record{Scope: scope, Name: "c"}, "turn", 0), `"{\"more\": \"False\"}"`)
	require.Nil(t, w.run("c", pipelineJob(each, nil)).Error)
	require.Nil(t, w.run("d", pipelineJob(each, nil)).Error)
}

// An output whose address is another one is not where an earlier run left it.
func TestAnotherAddressIsNotReused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(scope.BlobContainer(), "raw/a", "one")
	at := func(path string) m {
		return m{"outputs": m{"n": m{"jobOutputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, path)}}}
	}
	jobs, rest := w.reusable("x", at("first/"))
	require.Nil(t, w.run("a", pipelineJob(jobs, rest)).Error)
	jobs, rest = w.reusable("x", at("second/"))
	require.Equal(t, "run", w.planOf(jobs, rest)["fit"].Decision)
	r := w.run("b", pipelineJob(jobs, rest))
	require.Nil(t, r.Error)
	require.Equal(t, scope.DatastoreURI(arm.BlobStore, "second/"), r.Outputs["n"].URI)
	require.NotEmpty(t, w.get(scope.BlobContainer(), "second/n"))
	require.Equal(t, [2]int{1, 2}, [2]int{w.ran("prep"), w.ran("fit")})
	require.Nil(t, w.run("c", pipelineJob(jobs, rest)).Error)
	require.Equal(t, [2]int{1, 2}, [2]int{w.ran("prep"), w.ran("fit")}, "the same address is")

	jobs, rest = w.reusable("x", at("runs/${{name}}/"))
	require.Nil(t, w.run("d", pipelineJob(jobs, rest)).Error)
	require.Nil(t, w.run("e", pipelineJob(jobs, rest)).Error)
	require.Equal(t, [2]int{1, 3}, [2]int{w.ran("prep"), w.ran("fit")}, "an address with the pipeline's name is as it is written")
}

// A round may leave empty what the next one reads, as any step may.
func TestALoopPassesOnAnEmptyFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	turn := w.componentOf("turn", `echo False >${{outputs.more}}; [ -n "$(ls ${{inputs.i}})" ] && echo True >${{outputs.more}}; true`, m{"i": m{"type": "uri_folder", "mode": "ro_mount"}}, m{"o": folder, "more": boolean})
	w.put(scope.BlobContainer(), "start/n", "0\n")
	body := step1(turn, m{"i": m{"job_input_type": "literal", "value": "${{parent.inputs.start}}", "mode": "Download"}})
	r := w.run("p", pipelineJob(m{"turn": body, "again": m{"type": "do_while", "body": "${{parent.jobs.turn}}", "condition": "more", "mapping": m{"o": "i"}, "limits": m{"max_iteration_count": 5}}},
		m{"inputs": m{"start": m{"jobInputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "start/")}}}))
	require.Nil(t, r.Error)
	c, err := w.e.Children(t.Context(), scope, "p")
	require.NoError(t, err)
	require.Len(t, c, 2)
	require.Contains(t, string(c[1].Spec), `"mode":"Download"`, "the mode stays what the body says")
}

//go:build unix

package execution

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// reusable is a pipeline of two steps that count how often they ran.
func (w *world) reusable(word string, more m) (jobs m, rest m) {
	prep := w.componentOf("prep", `echo run >>"`+w.dir+`/prep"; cat ${{inputs.raw}}/* >${{outputs.o}}/all; echo ${{inputs.word}} >>${{outputs.o}}/all`, m{"raw": folder, "word": m{"type": "string"}}, m{"o": folder})
	fit := w.componentOf("fit", `echo run >>"`+w.dir+`/fit"; wc -c <${{inputs.i}}/all >${{outputs.o}}/n`, m{"i": folder}, m{"o": folder})
	last := step1(fit, m{"i": binding("${{parent.jobs.prep.outputs.o}}")})
	last["outputs"] = m{"o": m{"type": "literal", "value": "${{parent.outputs.n}}"}}
	rest = m{"inputs": m{"raw": m{"jobInputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "raw/")}}, "outputs": m{"n": m{"jobOutputType": "uri_folder"}}}
	for k, v := range more {
		rest[k] = v
	}
	return m{"prep": step1(prep, m{"raw": binding("${{parent.inputs.raw}}"), "word": binding(word)}), "fit": last}, rest
}

func (w *world) ran(step string) int {
	b, err := os.ReadFile(filepath.Join(w.dir, step))
	if os.IsNotExist(err) {
		return 0
	}
	require.NoError(w.t, err)
	return len(b) / len("run\n")
}

func (w *world) planOf(jobs, rest m) map[string]StepPlan {
	steps, err := w.e.Plan(w.t.Context(), scope, pipelineJob(jobs, rest))
	require.NoError(w.t, err)
	out := map[string]StepPlan{}
	for _, s := range steps {
		out[s.Name] = s
	}
	return out
}

func TestReuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(scope.BlobContainer(), "raw/a", "one")
	jobs, rest := w.reusable("x", nil)
	plan := w.planOf(jobs, rest)
	require.Equal(t, StepPlan{Name: "prep", Decision: "run", Reason: "no earlier run of it completed"}, plan["prep"])
	require.Equal(t, StepPlan{Name: "fit", Decision: "run", Reason: "its input data comes from prep, which runs"}, plan["fit"])
	require.Zero(t, w.ran("prep"), "a plan runs nothing")
	require.Equal(t, Completed, w.run("a", pipelineJob(jobs, rest)).Status)

	plan = w.planOf(jobs, rest)
	require.Equal(t, StepPlan{Name: "prep", Decision: "reuse", Run: child("a", "prep")}, plan["prep"])
	require.Equal(t, StepPlan{Name: "fit", Decision: "reuse", Run: child("a", "fit")}, plan["fit"])
	r := w.run("b", pipelineJob(jobs, rest))
	require.Equal(t, Completed, r.Status)
	require.Equal(t, [2]int{1, 1}, [2]int{w.ran("prep"), w.ran("fit")}, "neither ran again")
	c := w.wait(child("b", "prep"))
	require.Equal(t, "true", c.Properties["azureml.isreused"])
	require.Equal(t, child("a", "prep"), c.Properties["azureml.reusedrunid"])
	require.Equal(t, "a", c.Properties["azureml.reusedpipelinerunid"])
	require.Equal(t, scope.DatastoreURI(arm.BlobStore, "azureml/a/n/"), r.Outputs["n"].URI, "the output is the earlier run's")

	w.put(scope.BlobContainer(), "raw/a", "onf") // one byte
	require.Contains(t, w.planOf(jobs, rest)["prep"].Reason, "its input raw changed since its run "+child("a", "prep"))
	require.Equal(t, Completed, w.run("c", pipelineJob(jobs, rest)).Status)
	require.Equal(t, [2]int{2, 2}, [2]int{w.ran("prep"), w.ran("fit")})

	changed, _ := w.reusable("yy", nil)
	require.Contains(t, w.planOf(changed, rest)["prep"].Reason, "its input word changed")
	require.Equal(t, Completed, w.run("d", pipelineJob(changed, rest)).Status)
	require.Equal(t, [2]int{3, 3}, [2]int{w.ran("prep"), w.ran("fit")})

	w.put(scope.BlobContainer(), "raw/a", "one") // back to what the first run read
	require.Equal(t, Completed, w.run("e", pipelineJob(jobs, rest)).Status)
	require.Equal(t, [2]int{3, 3}, [2]int{w.ran("prep"), w.ran("fit")}, "not only the last run is reused")

	w.put(scope.BlobContainer(), "azureml/a/n/n", "spoilt")
	require.Contains(t, w.planOf(jobs, rest)["fit"].Reason, "the output o of its run "+child("a", "fit")+" was changed or deleted")
	require.Equal(t, Completed, w.run("f", pipelineJob(jobs, rest)).Status)
	require.Equal(t, [2]int{3, 4}, [2]int{w.ran("prep"), w.ran("fit")})

	_, forced := w.reusable("x", m{"settings": m{"default_compute": scope.Child(arm.Computes, "cpu"), "force_rerun": true}})
	require.Equal(t, "the pipeline forces all its steps to run", w.planOf(jobs, forced)["prep"].Reason)
	require.Equal(t, Completed, w.run("g", pipelineJob(jobs, forced)).Status)
	require.Equal(t, [2]int{4, 5}, [2]int{w.ran("prep"), w.ran("fit")})
}

// Code is known by the hash that its client took, whatever the asset's name.
func TestReuseOfCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code := func(name, hash, text string) string {
		w.put(scope.BlobContainer(), name+"/run.sh", text)
		id := scope.AssetID(arm.Codes, name, "1")
		w.document(id, m{"codeUri": arm.BlobURL(scope.Account(), scope.BlobContainer(), name), "properties": m{"hash_sha256": hash}})
		return "azureml:" + id
	}
	component := func(code string, extra m) m {
		spec := m{"name": "c", "type": "command", "command": "sh run.sh", "code": code, "environment": "azureml:" + scope.AssetID(arm.Environments, "env", "1")}
		for k, v := range extra {
			spec[k] = v
		}
		return spec
	}
	register := func(version string, spec m) string {
		id := scope.AssetID("components", "c", version)
		w.document(id, m{"componentSpec": spec})
		return id
	}
	say := "echo run >>'" + w.dir + "/prep'"
	first := register("1", component(code("one", "h1", say), nil))
	require.Equal(t, Completed, w.run("a", pipelineJob(m{"s": step1(first, nil)}, nil)).Status)
	same := register("2", component(code("two", "h1", say), nil))
	require.Equal(t, Completed, w.run("b", pipelineJob(m{"s": step1(same, nil)}, nil)).Status)
	require.Equal(t, 1, w.ran("prep"))
	other := register("3", component(code("three", "h2", say+" "), nil))
	require.Contains(t, w.planOf(m{"s": step1(other, nil)}, nil)["s"].Reason, "its code changed since its run "+child("a", "s"))
	require.Equal(t, Completed, w.run("c", pipelineJob(m{"s": step1(other, nil)}, nil)).Status)
	require.Equal(t, 2, w.ran("prep"))
	moody := register("4", component(code("four", "h1", say), m{"is_deterministic": false}))
	require.Equal(t, "its component is not deterministic", w.planOf(m{"s": step1(moody, nil)}, nil)["s"].Reason)

	inline := func(hash string) m { return m{"type": "command", "component": component("planned:"+hash, nil)} }
	require.Equal(t, "reuse", w.planOf(m{"s": inline("h2")}, nil)["s"].Decision, "code that is not uploaded is known by its hash")
	require.Contains(t, w.planOf(m{"s": inline("h3")}, nil)["s"].Reason, "its code changed")
	require.Contains(t, w.planOf(m{"s": step1(scope.AssetID("components", "azureml_anonymous", "x"), nil)}, nil)["s"].Reason, "its component is new: azureml_anonymous:x is not registered")

	require.NoError(t, w.e.Delete(t.Context(), scope, child("a", "s")))
	require.Equal(t, "run", w.planOf(m{"s": step1(first, nil)}, nil)["s"].Decision, "a deleted run is not reused")
}

func TestDataTransfer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	copyOf := func(version, mode string) string {
		id := scope.AssetID("components", "copy", version)
		w.document(id, m{"componentSpec": m{"name": "copy", "type": "data_transfer", "task": "copy_data", "data_copy_mode": mode, "inputs": m{"a": folder, "b": folder}, "outputs": m{"o": folder}}})
		return id
	}
	for name, text := range map[string]string{"a/x": "ax", "a/same": "from a", "b/d/y": "by", "b/same": "from b"} {
		w.put(scope.BlobContainer(), name, text)
	}
	job := func(id string) m {
		s := m{"type": "data_transfer", "task": "copy_data", "componentId": id, "inputs": m{"a": binding("${{parent.inputs.a}}"), "b": binding("${{parent.inputs.b}}")}}
		s["outputs"] = m{"o": m{"type": "literal", "value": "${{parent.outputs.all}}"}}
		return m{"merge": s}
	}
	in := func(p string) m {
		return m{"jobInputType": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, p)}
	}
	rest := m{"inputs": m{"a": in("a/"), "b": in("b/")}, "outputs": m{"all": m{"jobOutputType": "uri_folder", "assetName": "all"}}}
	r := w.run("p", pipelineJob(job(copyOf("1", mergeWithOverwrite)), rest))
	require.Nil(t, r.Error)
	for name, want := range map[string]string{"x": "ax", "d/y": "by", "same": "from b"} {
		require.Equal(t, want, w.get(scope.BlobContainer(), "azureml/p/all/"+name))
	}
	require.Len(t, w.registered, 1)
	r = w.run("q", pipelineJob(job(copyOf("2", failIfConflict)), rest))
	require.Equal(t, Failed, r.Status)
	require.Contains(t, r.Error.Message, "the inputs a and b both have same, and data_copy_mode is fail_if_conflict")
	err := arm.As(w.e.Check(t.Context(), scope, "p", pipelineJob(job(copyOf("3", "some")), rest)))
	require.Contains(t, err.Message, "want merge_with_overwrite or fail_if_conflict")
}

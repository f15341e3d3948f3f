package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/assets"
	"github.com/azureml-go/azureml/jobs"
	"github.com/azureml-go/azureml/workspace"
	"github.com/azureml-go/azureml/workspace/local"
)

// published is a pipeline of the corpus.
type published struct {
	file string // below the corpus
	job  *jobs.PipelineJob
}

// corpusPipelines loads what the corpus has: its pipelines, and by their names
// the assets and components that its files define. refused are files that say
// they are pipelines and cannot be loaded.
func corpusPipelines(t *testing.T, dir string) (pipelines []published, assets map[string]any, refused []operation) {
	t.Helper()
	assets = map[string]any{}
	require.NoError(t, filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(p) != ".yml" && filepath.Ext(p) != ".yaml" {
			return err
		}
		file, err := filepath.Rel(dir, p)
		require.NoError(t, err)
		text, err := os.ReadFile(p)
		require.NoError(t, err)
		e, err := workspace.Load(p, nil)
		switch e := e.(type) {
		case nil:
			if strings.Contains(string(text), "pipelineJob.schema.json") {
				refused = append(refused, notAccepted(file, err))
			}
		case *jobs.PipelineJob:
			pipelines = append(pipelines, published{file, e})
		default:
			if n := nameOf(e); n != "" && assets[n] == nil {
				assets[n] = e
			}
		}
		return nil
	}))
	return pipelines, assets, refused
}

// nameOf is the name of what a pipeline can refer to; "" for other kinds.
func nameOf(e any) string {
	switch e := e.(type) {
	case *assets.Data:
		return e.Name
	case *assets.Model:
		return e.Name
	case *assets.Environment:
		return e.Name
	case *jobs.CommandComponent:
		return e.Name
	}
	return ""
}

// reasonOf is the first line of an error.
func reasonOf(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if len(line) > 1400 {
		line = line[:1400] + "…"
	}
	return line
}

var (
	computeIn   = regexp.MustCompile(`(?m)compute: *"?(?:azureml:)?([a-zA-Z][a-zA-Z0-9-]+)"? *$`)
	referenceIn = regexp.MustCompile(`azureml:([a-zA-Z0-9_.-]+)[:@]`)
)

// TestCorpusPipelines submits every pipeline of the corpus to a local
// workspace and runs what is accepted. The scripts that their authors wrote
// are stubs there, which do nothing in whatever arguments they get; what the
// commands say, and how the steps hang together, is the authors'.
//
// Clusters of the names that they use, and the assets and components that
// other files of the corpus define, are made before, as the examples' readers
// are told to. A pipeline is not run when its commands need a program that
// this machine does not have, or the network. All others end Completed.
func TestCorpusPipelines(t *testing.T) {
	dir := filepath.Join(oracle(t), "corpus")
	if p := os.Getenv("AZUREML_PYTHON"); p != "" { // it has what the commands' python needs
		t.Setenv("PATH", filepath.Dir(p)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	pipelines, assets, ops := corpusPipelines(t, dir)
	require.NotEmpty(t, pipelines)

	computes, referred := map[string]bool{}, map[string]bool{}
	for _, p := range pipelines {
		text, err := os.ReadFile(filepath.Join(dir, p.file))
		require.NoError(t, err)
		for _, m := range computeIn.FindAllStringSubmatch(string(text), -1) {
			computes[m[1]] = m[1] != "serverless"
		}
		for _, m := range referenceIn.FindAllStringSubmatch(string(text), -1) {
			referred[m[1]] = true
		}
	}
	o := &local.Options{Dir: t.TempDir()}
	for _, name := range slices.Sorted(maps.Keys(computes)) {
		if computes[name] {
			o.Computes = append(o.Computes, local.Compute{Name: name, Nodes: 8})
		}
	}
	w, err := local.Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	for _, name := range slices.Sorted(maps.Keys(referred)) {
		if assets[name] != nil {
			if _, err := w.Client.Apply(t.Context(), assets[name], nil); err != nil {
				t.Logf("%s is not made: %s", name, reasonOf(err))
			}
		}
	}

	// What the examples' readers are told to have in their storage.
	titanic := filepath.Join(t.TempDir(), "data", "titanic.csv")
	require.NoError(t, os.MkdirAll(filepath.Dir(titanic), 0o700))
	require.NoError(t, os.WriteFile(titanic, []byte("PassengerId,Pclass,Age\n1,3,22\n2,1,\n"), 0o600))
	_, err = w.Client.Datastores.Sync(t.Context(), filepath.Dir(titanic), "azureml://datastores/workspaceblobstore/paths/data", nil)
	require.NoError(t, err)

	ran := make([]operation, len(pipelines))
	var wg sync.WaitGroup
	slots := make(chan struct{}, 4)
	for i, p := range pipelines {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ran[i] = p.run(t.Context(), w.Client)
		})
	}
	wg.Wait()
	ops = append(ops, ran...)
	counts := map[string]int{}
	for _, o := range ops {
		counts[o.Outcome]++
		t.Logf("%s: %s %s", o.Name, o.Outcome, o.Detail)
		if strings.HasSuffix(o.Name, "schedules/simple-pipeline-job.yml") || strings.HasSuffix(o.Name, "hello-batch/pipeline-job.yml") { // a shell is all they need
			require.Equal(t, passed, o.Outcome, o.Name)
		}
	}
	fmt.Printf("pipelines of the corpus: %d run, %d refused by name, %d not run for want of what this machine or the corpus lacks, %d failed; %d in total\n",
		counts[passed], counts[refused], counts[notCalled], counts[failed], len(ops))
	testifies(t, &witness{Name: "published pipelines", Version: "azureml-examples", What: "the corpus's pipelines, run on a local workspace; scripts are stubs", Unit: "pipelines", Operations: ops})
}

// run submits a pipeline and waits for its end.
func (p *published) run(ctx context.Context, ws *workspace.Client) operation {
	op := operation{Name: p.file, Calls: 1}
	p.job.Name = "" // some have the name of an example
	r, err := ws.Jobs.Submit(ctx, p.job, &jobs.SubmitOptions{NoGit: true})
	if err != nil {
		return notAccepted(p.file, err)
	}
	_, err = ws.Jobs.Wait(ctx, r.Name, &jobs.WaitOptions{Poll: 50 * time.Millisecond})
	if err == nil {
		op.Outcome = passed
		return op
	}
	op.Outcome, op.Detail = failed, err.Error()
	if _, ok := errors.AsType[*jobs.FailedError](err); !ok {
		return op
	}
	for _, l := range lacks {
		if m := l.evidence.FindString(op.Detail); m != "" {
			op.Outcome, op.Detail = notCalled, "could not go on: "+l.what+": "+m
			return op
		}
	}
	return op
}

// notAccepted is what became of a pipeline that was not accepted. One that does not
// name what cannot be had is a failure.
func notAccepted(file string, err error) operation {
	op := operation{Name: file, Outcome: failed, Calls: 1, Detail: reasonOf(err)}
	if named.MatchString(err.Error()) {
		op.Outcome = refused
	}
	return op
}

// named finds what a refusal names: files that the corpus leaves out, assets
// and computes that nobody made, components and labels of Microsoft's
// registry, what local workspaces do not do, programs, faults of the file.
var named = regexp.MustCompile(`there is no file or folder /|the workspace has no (?:data|model|compute|environment) "|: it has no versions: not found|The (?:component version|environment label) "[^"]+" was not found|` +
	`trains no AutoML models|a Spark job needs the program spark-submit|the local workspace runs no flows|has no module pandas|the MLTable of the input "\w+" has no transformation that reads rows|the required field "path" is missing`)

// lacks are what a step can fail for that is not there on this machine, or in
// the corpus, and what it says then.
var lacks = []struct {
	what     string
	evidence *regexp.Regexp
}{
	{"it needs the network", regexp.MustCompile(`the input ("\w+" )?could not be fetched: Get "https?://[^"]*"|wget: unable to resolve host address .*`)},
	{"it needs a program", regexp.MustCompile(`\d+: \S+: (?:command )?not found`)},
	{"it needs a Python package", regexp.MustCompile(`ModuleNotFoundError: No module named '[^']*'`)},
	{"the script, a stub, was to write it", regexp.MustCompile(`the input is an mltable, and its folder has no file MLTable`)},
	{"the corpus does not have it", regexp.MustCompile(`the MLTable: there is nothing at \S+`)},
}

//go:build unix

package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

const reuseFile = `
inputs: {rows: {type: uri_folder, path: rows}, word: WORD}
outputs: {n: {type: uri_folder}}
jobs:
  prep: {type: command, ENV, code: src, command: "sh prep.sh ${{inputs.rows}} ${{outputs.o}}", inputs: {rows: "${{parent.inputs.rows}}"}, outputs: {o: {type: uri_folder}}}
  count: {type: command, ENV, command: "echo count >>DIR/ran; echo counted; wc -l <${{inputs.i}}/rows >${{outputs.o}}/n; echo ${{inputs.word}} >>${{outputs.o}}/n", inputs: {i: "${{parent.jobs.prep.outputs.o}}", word: "${{parent.inputs.word}}"}, outputs: {o: "${{parent.outputs.n}}"}}
`

// A step runs again when a byte of what it depends on has changed, and only
// then; the plan says the same before.
func TestPipelineReuse(t *testing.T) {
	p := &performed{T: t, ws: grounds(t), dir: t.TempDir()}
	files := map[string]string{"rows/a": "one\ntwo\n", "src/prep.sh": "echo prep >>DIR/ran; sort $1/* >$2/rows\n"}
	word, settings := "x", ""
	turn := func(why string, ran ...string) {
		t.Helper()
		file := p.write(files, settings+strings.Replace(reuseFile, "WORD", word, 1))
		spec, err := jobs.Load(file)
		require.NoError(t, err)
		plan, err := p.ws.Client.Jobs.Plan(t.Context(), spec, &jobs.SubmitOptions{NoGit: true})
		require.NoError(t, err)
		require.NoError(t, os.RemoveAll(filepath.Join(p.dir, "ran")))
		p.play(file)
		require.NoError(t, p.err)
		require.Equal(t, strings.Join(ran, " "), strings.Join(strings.Fields(p.noted("ran")), " "), why)
		text := plan.String()
		for _, step := range []string{"prep", "count"} {
			again := strings.Contains(" "+strings.Join(ran, " ")+" ", " "+step+" ")
			require.Equal(t, !again, p.step(step).Properties["azureml.isreused"] == "true", "%s: %s\n%s", why, step, text)
		}
	}
	turn("the first time", "prep", "count")
	first := p.run.Name
	turn("nothing changed")
	require.Equal(t, "2\nx\n", strings.ReplaceAll(p.out("n", "n"), " ", ""), "a reused step's output is there")
	require.NotEmpty(t, p.step("prep").Properties["azureml.reusedrunid"])
	var said []string
	for line, err := range p.ws.Client.Jobs.Logs(t.Context(), p.step("count").Name, nil) {
		require.NoError(t, err)
		said = append(said, line)
	}
	require.Contains(t, said, "counted", "the log of a reused step is that of the run it took")
	logs, err := p.ws.Client.Jobs.LogFiles(t.Context(), p.step("count").Name)
	require.NoError(t, err)
	require.Contains(t, logs, "user_logs/std_log.txt")
	require.Equal(t, first, p.step("prep").Properties["azureml.reusedpipelinerunid"])
	files["rows/a"] = "one\ntwp\n"
	turn("a byte of the data", "prep", "count")
	files["src/prep.sh"] += "#"
	turn("a byte of the code: the same result is found behind it", "prep")
	word = "y"
	turn("a parameter", "count")
	settings = "settings: {default_compute: azureml:cpu-cluster, force_rerun: true}\n"
	turn("forced", "prep", "count")
}

// Reuse survives a restart, and a step that may give something else each time
// is not reused.
func TestPipelineReuseAfterRestart(t *testing.T) {
	dir := t.TempDir()
	var runs []string
	p := &performed{T: t, dir: t.TempDir()}
	for range 2 {
		w := groundsIn(t, dir)
		p.ws = w
		p.play(p.write(map[string]string{"dice.yml": "type: command\nname: dice\nversion: \"1\"\nis_deterministic: false\nENV\ncommand: \"echo dice >>DIR/ran\"\n"}, `
jobs:
  fixed: {type: command, ENV, command: "echo fixed >>DIR/ran"}
  dice: {type: command, component: ./dice.yml}
`))
		require.NoError(t, p.err)
		runs = append(runs, p.run.Name)
		require.NoError(t, w.Close())
	}
	require.NotEqual(t, runs[0], runs[1])
	ran := strings.Fields(p.noted("ran"))
	require.Len(t, ran, 3)
	require.Equal(t, 1, strings.Count(p.noted("ran"), "fixed"))
}

// A step's logs are its own: the pipeline's default output has none of them.
func TestPipelineDownload(t *testing.T) {
	p := &performed{T: t, ws: grounds(t), dir: t.TempDir()}
	p.play(p.write(nil, "jobs:\n  a: {type: command, ENV, command: \"echo mine; mkdir outputs; echo kept >outputs/kept\"}\n"))
	require.NoError(t, p.err)
	to := t.TempDir()
	_, err := p.ws.Client.Jobs.Download(t.Context(), p.run.Name, to, &jobs.DownloadOptions{All: true})
	require.NoError(t, err)
	var files []string
	require.NoError(t, filepath.WalkDir(to, func(f string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(to, f)
			files = append(files, rel)
		}
		return err
	}))
	require.Equal(t, []string{filepath.Join("artifacts", "logs", "azureml", "executionlogs.txt")}, files)
	_, err = p.ws.Client.Jobs.Download(t.Context(), p.step("a").Name, to, &jobs.DownloadOptions{All: true})
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(to, "artifacts", "outputs", "kept"))
	require.NoError(t, err)
	require.Equal(t, "kept\n", string(b))
}

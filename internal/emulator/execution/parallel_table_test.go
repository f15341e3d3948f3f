//go:build unix

package execution

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// table stores an MLTable with files beside it.
func (w *world) table(name, spec string, files map[string]string) m {
	w.put(scope.BlobContainer(), name+"/MLTable", spec)
	for f, text := range files {
		w.put(scope.BlobContainer(), name+"/"+f, text)
	}
	return m{"job_input_type": "mltable", "mode": "Direct", "uri": scope.DatastoreURI(arm.BlobStore, name+"/")}
}

// lines answers a mini-batch with its lines, commas for blanks.
const lines = `#!/bin/sh
echo '{"ready":true}'
while read -r line; do
	f=$(printf '%s' "$line" | sed 's/.*"files":\["\([^"]*\)".*/\1/')
	p=$(printf '%s' "$line" | sed -n 's/.*"partition":{\([^}]*\)}.*/\1/p' | tr -d '"')
	n=$(($(wc -l <$f) - ${HEADER:-1}))
	echo "{\"results\":[\"$p|$(tr '\n"' ';.' <$f)\"],\"count\":$n}"
done
`

func (w *world) tableRows(r *Record) []string {
	w.t.Helper()
	require.Nil(w.t, r.Error)
	return strings.Split(strings.TrimSpace(w.get(scope.BlobContainer(), "azureml/"+r.Name+"/scores/parallel_run_step.txt")), "\n")
}

var tableInput = m{"inputs": m{"rows": m{"type": "mltable"}}, "max_concurrency_per_instance": 1}

func TestParallelTables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("lines", "lines.sh", lines, tableInput)
	files := map[string]string{"a.csv": "x,y\n1,a\n2,b\n3,\"c\nd\"\n", "b.csv": "x,y\n4,a\n"}
	in := w.table("t", "paths:\n- pattern: ./*.csv\ntransformations:\n- read_delimited:\n    delimiter: ','\n    support_multi_line: true\n", files)
	require.Equal(t, []string{"|x,y;1,a;2,b;", "|x,y;3,.c;d.;", "|x,y;4,a;"}, w.tableRows(w.runParallel("bytes", c, in, m{"mini_batch_size": 8, "error_threshold": -1})), "by bytes, not over the ends of files")
	require.Equal(t, []string{"|x,y;1,a;2,b;3,.c;d.;", "|x,y;4,a;"}, w.tableRows(w.runParallel("big", c, in, nil)), "1 MB by default")
	in = w.table("k", "paths:\n- pattern: ./*.csv\ntransformations:\n- read_delimited\n", map[string]string{"a.csv": "x,y\n1,a\n2,b\n3,a\n", "b.csv": "x,y\n4,a\n"})
	require.Equal(t, []string{"y:a|x,y;1,a;3,a;4,a;", "y:b|x,y;2,b;"}, w.tableRows(w.runParallel("keys", c, in, m{"partition_keys": `["y"]`})))
	in = w.table("u", `
paths:
- folder: data
transformations:
- read_delimited:
    delimiter: ";"
    header: no_header
    include_path_column: true
- skip: 1
- take: 2
- drop_columns: Column2
- extract_columns_from_partition_format:
    partition_format: /{store}/{year}.txt
`, map[string]string{"data/north/1.txt": "a;b;c\nd;e;f\n", "data/south/2.txt": "g;h;i\nj;k;l\n"})
	require.Equal(t, []string{"|Path;Column1;Column3;store;year;data/north/1.txt;d;f;north;1;", "|Path;Column1;Column3;store;year;data/south/2.txt;g;i;south;2;"}, w.tableRows(w.runParallel("columns", c, in, nil)))
	in = w.table("j", "paths:\n- file: r.jsonl\ntransformations:\n- read_json_lines\n- keep_columns: [k, v]\n", map[string]string{"r.jsonl": `{"k":1,"v":"a"}` + "\n\n" + `{"k":2,"v":"b","w":0}` + "\n"})
	require.Equal(t, []string{"|{.k.:1,.v.:.a.};{.k.:2,.v.:.b.};"}, w.tableRows(w.runParallel("json", c, in, m{"environment_variables": m{"HEADER": "0"}})))
	// Files by an MLTable, cut by their number and by the folders that they lie in.
	f := w.parallelComponent("files", "f.sh", shellScorer("basename $f"), m{"inputs": m{"rows": m{"type": "mltable"}}})
	in = w.table("v", "paths:\n- pattern: '**/*.png'\ntransformations:\n- extract_columns_from_partition_format:\n    partition_format: '{set}/*.png'\n", map[string]string{"a/1.png": "", "a/2.png": "", "b/3.png": "", "b/x.txt": ""})
	in["mode"] = "EvalMount"
	require.Equal(t, []string{"1.png", "2.png", "3.png"}, w.tableRows(w.runParallel("eval", f, in, m{"mini_batch_size": 2})))
	r := w.runParallel("sets", f, in, m{"partition_keys": []string{"set"}})
	require.Equal(t, []string{"1.png", "2.png", "3.png"}, w.tableRows(r))
	require.Contains(t, w.artifact(r, progressLog), "2 mini-batches")
	refused := 0
	for spec, want := range map[string]string{
		"paths:\n- file: a.csv\n": "has no transformation that reads rows",
		"paths:\n- file: nope.csv\ntransformations: [read_delimited]\n":                                             "there is nothing at nope.csv",
		"paths:\n- pattern: '*.xyz'\ntransformations: [read_delimited]\n":                                           "no file is found at its paths",
		"paths:\n- glob: '*.xyz'\n":                                                                                 `paths[0] has one of file, folder, pattern, not "glob"`,
		"paths: 3":                                                                                                  "cannot unmarshal",
		"paths:\n- file: a.csv\ntransformations:\n- read_delta_lake: {}\n":                                          `does not know the transformation "read_delta_lake"`,
		"paths:\n- file: a.csv\ntransformations:\n- read_delimited: {encoding: utf7}\n":                             `encoding: "utf7" is not one of`,
		"paths:\n- file: a.csv\ntransformations:\n- read_delimited\n- keep_columns: [z]\n":                          "no column is left of: x, y",
		"paths:\n- file: bad.csv\ntransformations:\n- read_delimited\n":                                             "bad.csv has other columns (x, y, Column3) than the rows of the same mini-batch before it (x, y)",
		"paths:\n- file: a.csv\ntransformations:\n- read_json_lines\n":                                              "a.csv: line 1: ",
		"paths:\n- file: ../a.csv\ntransformations: [read_delimited]\n":                                             "the path ../a.csv is not below the table's own folder",
		"paths:\n- file: azureml://datastores/none/paths/x\ntransformations:\n- read_delimited\n":                   `The datastore "none" was not found`,
		"paths:\n- file: a.csv\ntransformations:\n- extract_columns_from_partition_format: {partition_format: 'x'}": `names no column in braces`,
	} {
		files["bad.csv"] = "x,y\n1,2\n1,2,3\n"
		rows := w.table("bad", spec, files)
		// What the file alone shows is refused before anything runs.
		if err := w.e.Check(t.Context(), scope, "bad", pipelineJob(m{"score": m{"type": "parallel", "componentId": c, "inputs": m{"rows": rows}}}, nil)); err != nil {
			require.ErrorContains(t, err, want)
			require.Equal(t, "properties.jobs.score.inputs.rows", arm.As(err).Target)
			refused++
			continue
		}
		r := w.runParallel("bad"+strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' {
				return r
			}
			return -1
		}, want), c, rows, nil)
		require.Equal(t, Failed, r.Status, spec)
		require.Contains(t, r.Error.Message, want)
	}
	require.Equal(t, 6, refused)
	r = w.runParallel("nokey", c, w.table("t", "paths:\n- file: a.csv\ntransformations:\n- read_delimited\n", files), m{"partition_keys": []string{"z"}})
	require.Contains(t, r.Error.Message, `partition_keys: a.csv has no column "z"; it has: x, y`)
}

// needPython skips where an interpreter or its modules are missing.
func needPython(t *testing.T, modules ...string) {
	t.Helper()
	python := findIn(BaseEnv(nil), "python3", "python")
	if python == "" {
		t.Skip("neither python3 nor python is in PATH: entry scripts in Python are not run")
	}
	for _, m := range modules {
		if exec.Command(python, "-c", "import "+m).Run() != nil {
			t.Skipf("%s has no module %s: what needs it is not run", python, m)
		}
	}
}

const pythonScorer = `
import argparse, logging, os, sys
from azureml_user.parallel_run import EntryScript
import beside

def init():
    global add
    p = argparse.ArgumentParser()
    p.add_argument("--add", type=int)
    add = p.parse_known_args()[0].add
    print("printed in init", EntryScript().agent_name)
    logging.info("logged in init")
    logging.debug("not to be seen")
    EntryScript().logger.info("to the entry script's log")

def run(mini_batch, context):
    if context.minibatch_index == 1 and not os.path.exists("once"):
        open("once", "w").close()
        raise ValueError("nothing today")
    print("from", context.global_row_index_lower_bound, "to", context.global_row_index_higher_bound)
    sys.stdin.read()  # is empty: the channel is not the script's
    return [(os.path.basename(f), int(open(f).read()) + add + beside.ONE) for f in mini_batch]

def shutdown():
    print("shut down")
`

func TestParallelPython(t *testing.T) {
	t.Parallel()
	needPython(t)
	w := newWorld(t)
	w.put(scope.BlobContainer(), "code-py/src/beside.py", "ONE = 1\n")
	c := w.parallelComponent("py", "src/score.py", pythonScorer, m{"task": m{"program_arguments": "--add ${{inputs.add}}"}, "inputs": m{"rows": folder, "add": integer}, "max_concurrency_per_instance": 1})
	in := w.rows(5)
	r := w.runParallel("p", c, nil, m{"mini_batch_size": 2, "inputs": m{"rows": in, "add": binding("100")}})
	require.Nil(t, r.Error)
	require.Equal(t, "('00.txt', 101)\n('01.txt', 102)\n('02.txt', 103)\n('03.txt', 104)\n('04.txt', 105)\n", w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/parallel_run_step.txt"))
	out := w.artifact(r, "logs/user/stdout/0/process000.stdout.txt")
	require.Contains(t, out, "printed in init process000\n")
	require.Contains(t, out, "logged in init")
	require.NotContains(t, out, "not to be seen")
	require.Contains(t, out, "shut down\n")
	require.Contains(t, out, "from 4 to 5\n")
	require.Contains(t, w.artifact(r, "logs/user/entry_script_log/0/process000.log.txt"), "to the entry script's log")
	trace := w.artifact(r, "logs/user/error/0/process000.txt")
	require.Contains(t, trace, `raise ValueError("nothing today")`)
	require.Contains(t, w.artifact(r, parallelLog), "mini-batch 1: try 1 of 3 failed in process000 on node 0: ValueError: nothing today")
	for want, script := range map[string]string{
		"The actual type of output is NoneType.":   "def run(b): pass",
		"SystemExit: 7":                            "import sys\ndef init(): sys.exit(7)\ndef run(b): return b",
		"has no function run(mini_batch)":          "def init(): pass",
		"SyntaxError":                              "def run(b:",
		"ModuleNotFoundError: No module named 'no": "import no_such_module\ndef run(b): return b",
	} {
		name := "bad" + strings.ReplaceAll(strings.Fields(want)[0], ":", "")
		r := w.runParallel(name, w.parallelComponent(name, "s.py", script, nil), in, m{"retry_settings": m{"max_retries": 0}})
		require.Equal(t, Failed, r.Status, script)
		require.Contains(t, r.Error.Message, want)
	}
}

func TestParallelPandas(t *testing.T) {
	t.Parallel()
	in := m{"inputs": m{"rows": m{"type": "mltable"}}, "max_concurrency_per_instance": 1}
	script := "def run(frame):\n    frame['z'] = frame['x'] * 2\n    return frame\n"
	t.Run("missing", func(t *testing.T) {
		needPython(t)
		if exec.Command(findIn(BaseEnv(nil), "python3", "python"), "-c", "import pandas").Run() == nil {
			t.Skip("pandas is there: nothing to refuse")
		}
		w := newWorld(t)
		c := w.parallelComponent("c", "s.py", script, in)
		table := w.table("t", "paths:\n- file: a.csv\ntransformations: [read_delimited]\n", map[string]string{"a.csv": "x\n1\n"})
		err := w.e.Check(t.Context(), scope, "p", pipelineJob(m{"score": m{"type": "parallel", "componentId": c, "inputs": m{"rows": table}}}, nil))
		require.ErrorContains(t, err, "mini-batches of rows are pandas data frames, and ")
		require.ErrorContains(t, err, "has no module pandas")
		require.Equal(t, "properties.jobs.score.task.entry_script", arm.As(err).Target)
	})
	t.Run("frames", func(t *testing.T) {
		needPython(t, "pandas")
		w := newWorld(t)
		c := w.parallelComponent("c", "s.py", script, in)
		table := w.table("t", "paths:\n- file: a.csv\ntransformations: [read_delimited]\n", map[string]string{"a.csv": "x,y\n1,a b\n2,c\n3,d\n"})
		require.Equal(t, []string{`1 "a b" 2`, "2 c 4", "3 d 6"}, w.tableRows(w.runParallel("p", c, table, m{"mini_batch_size": 8, "error_threshold": 0})))
	})
	t.Run("types", func(t *testing.T) {
		needPython(t, "pandas")
		w := newWorld(t)
		c := w.parallelComponent("c", "s.py", "def run(f):\n    return [str([t.kind if t.kind in 'iufbM' else 'O' for t in f.dtypes]) + ' ' + ' '.join(map(str, r)) for r in f.fillna('-').astype(object).values.tolist()]\n", in)
		table := w.table("t", "paths:\n- pattern: '*.csv'\ntransformations:\n- read_delimited\n- filter: 'col(\"i\") > 1'\n- drop_columns: gone\n",
			map[string]string{"a.csv": "i,f,b,s,d,n,gone\n1,1,true,x,2020-01-02,1,z\n2,1.5,false,007,2020-01-03,,z\n3,2,true,,2020-01-04 05:06:07,4,z\n"})
		require.Equal(t, []string{
			"['i', 'f', 'b', 'O', 'M', 'f'] 2 1.5 False 007 2020-01-03 00:00:00 -",
			"['i', 'f', 'b', 'O', 'M', 'f'] 3 2.0 True - 2020-01-04 05:06:07 4.0",
		}, w.tableRows(w.runParallel("p", c, table, m{"error_threshold": 0})))
	})
}

//go:build unix

package execution

import (
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/internal/emulator/arm"
)

// shellScorer is an entry program that answers each file with what body prints
// for it, $f.
func shellScorer(body string) string {
	return `#!/bin/sh
echo '{"ready":true}'
while read -r line; do
	out=
	for f in $(printf '%s' "$line" | sed 's/.*"files":\[\([^]]*\)\].*/\1/; s/"//g; s/,/ /g'); do
		r=$(` + body + `) || { echo "{\"error\":\"$r\"}"; continue 2; }
		out="$out,\"$r\""
	done
	echo "{\"results\":[${out#,}]}"
done
echo bye >&2
`
}

// parallelComponent stores a component whose code has one entry script.
func (w *world) parallelComponent(name, script, source string, more m) string {
	w.put(scope.BlobContainer(), "code-"+name+"/"+script, source)
	w.document(scope.AssetID(arm.Codes, name, "1"), m{"codeUri": arm.BlobURL(scope.Account(), scope.BlobContainer(), "code-"+name)})
	spec := m{
		"name": name, "type": "parallel", "inputs": m{"rows": folder}, "outputs": m{"scores": folder}, "input_data": "${{inputs.rows}}",
		"max_concurrency_per_instance": 2, "is_deterministic": false,
		"task": m{
			"type": "run_function", "code": "azureml:" + scope.AssetID(arm.Codes, name, "1"), "entry_script": script,
			"environment": "azureml:" + scope.AssetID(arm.Environments, "env", "1"), "append_row_to": "${{outputs.scores}}",
		},
	}
	for k, v := range more {
		if task, ok := v.(m); ok && k == "task" {
			maps.Copy(spec["task"].(m), task)
			continue
		}
		spec[k] = v
	}
	id := scope.AssetID("components", name, "1")
	w.document(id, m{"componentSpec": spec})
	return id
}

// rows stores a folder of n files, which hold their numbers.
func (w *world) rows(n int) m {
	for i := range n {
		w.put(scope.BlobContainer(), fmt.Sprintf("rows/%02d.txt", i), strconv.Itoa(i))
	}
	return m{"job_input_type": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "rows/")}
}

// runParallel runs a pipeline of one parallel step, score, and returns the step's record.
func (w *world) runParallel(name, component string, input m, node m) *Record {
	w.t.Helper()
	step := m{"type": "parallel", "componentId": component, "inputs": m{"rows": input}}
	maps.Copy(step, node)
	w.run(name, pipelineJob(m{"score": step}, nil))
	r, err := w.e.Record(w.t.Context(), scope, child(name, "score"))
	require.NoError(w.t, err)
	return r
}

func (w *world) artifact(r *Record, path string) string {
	w.t.Helper()
	return w.get(arm.ArtifactContainer, arm.RunPrefix(r.Name)+"/"+path)
}

func TestParallelFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("square", "square.sh", shellScorer(`x=$(cat $f); echo $((x*x))`), nil)
	r := w.runParallel("p", c, w.rows(10), m{"mini_batch_size": 3, "resources": m{"instance_count": 2}})
	require.Nil(t, r.Error)
	require.Equal(t, Completed, r.Status)
	require.Equal(t, "0\n1\n4\n9\n16\n25\n36\n49\n64\n81\n", w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/parallel_run_step.txt"), "in the order of the files")
	require.Equal(t, 2, r.Nodes)
	progress := w.artifact(r, progressLog)
	require.Contains(t, progress, "4 mini-batches, 2 nodes with 2 processes each")
	require.Contains(t, progress, "4 of 4 mini-batches processed, 0 failed; 10 items, 0 failed")
	require.Contains(t, progress, "the run succeeded")
	for _, l := range []string{"user_logs/std_log_0.txt", "logs/sys/master_role.txt", "logs/sys/node/0/process000.txt", "logs/sys/node/1/process000.txt", "logs/sys/node/1/process001.txt", "logs/user/stdout/0/process000.stdout.txt"} {
		require.Contains(t, r.Logs, l)
	}
	require.Contains(t, w.artifact(r, "logs/user/stderr/0/process001.stderr.txt"), "bye", "a process ends by itself when its input ends")
	// One file by name, to a file, under another name.
	c = w.parallelComponent("one", "bin/one", shellScorer(`cat $f`), m{"inputs": m{"rows": m{"type": "uri_file"}}, "outputs": m{"scores": m{"type": "uri_file"}}})
	r = w.runParallel("q", c, m{"job_input_type": "uri_file", "uri": scope.DatastoreURI(arm.BlobStore, "rows/07.txt")}, nil)
	require.Nil(t, r.Error)
	require.Equal(t, "7\n", w.get(scope.BlobContainer(), "azureml/"+child("q", "score")+"/scores"))
	r = w.runParallel("r", w.parallelComponent("named", "n.sh", shellScorer(`cat $f`), nil), w.rows(10), m{"task": m{"program_arguments": "--append_row_file_name all.csv"}})
	require.Nil(t, r.Error)
	require.Equal(t, "0\n1\n2\n", w.get(scope.BlobContainer(), "azureml/"+child("r", "score")+"/scores/all.csv")[:6])
}

// What a script writes itself, its arguments and its variables.
func TestParallelSummaryOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(scope.BlobContainer(), "words/a b.txt", "hello")
	script := "#!/bin/sh\necho \"$*\" >$AZUREML_BI_OUTPUT_PATH/args; echo $SECRET_NOT $MINE $AZUREML_RUN_ID $AZUREML_NODE_COUNT >$AZUREML_BI_OUTPUT_PATH/vars\n" + strings.TrimPrefix(shellScorer(`cp $f $AZUREML_BI_OUTPUT_PATH/$(basename $f).copy; echo x`), "#!/bin/sh\n")
	c := w.parallelComponent("copy", "copy.sh", script, m{
		"inputs": m{"rows": folder, "words": folder, "n": m{"type": "integer", "default": "5"}, "none": m{"type": "string", "optional": true}}, "environment_variables": m{"MINE": "${{parent.inputs.mine}}"},
		"task": m{"append_row_to": nil, "program_arguments": `--n ${{inputs.n}} $[[--none ${{inputs.none}}]] --file "${{ inputs.words }}/a b.txt" --error_threshold=0`},
	})
	p := pipelineJob(m{"score": m{"type": "parallel", "componentId": c, "environment_variables": m{"MINE": "${{parent.inputs.mine}}"}, "mini_batch_size": "${{parent.inputs.size}}", "inputs": m{
		"rows": w.rows(3), "words": m{"job_input_type": "uri_folder", "uri": scope.DatastoreURI(arm.BlobStore, "words/"), "mode": "Download"},
	}}}, m{"inputs": m{"mine": m{"jobInputType": "literal", "value": "yours"}, "size": m{"jobInputType": "literal", "value": "2"}}})
	r := w.run("p", p)
	require.Nil(t, r.Error)
	for i := range 3 {
		require.Equal(t, strconv.Itoa(i), w.get(scope.BlobContainer(), fmt.Sprintf("azureml/"+child("p", "score")+"/scores/%02d.txt.copy", i)))
	}
	require.Regexp(t, `^--n 5 --file /.*/words/a b.txt --error_threshold=0 --logging_level INFO\n$`, w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/args"))
	require.Equal(t, "yours "+child("p", "score")+" 1\n", w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/vars"))
}

// Processes work side by side, and no more of them than were asked for.
func TestParallelOverlap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Each call waits until another process is inside a call, too: alone it would end by its timeout.
	meet := t.TempDir()
	c := w.parallelComponent("meet", "meet.sh", shellScorer(`touch `+meet+`/$$; while [ $(ls `+meet+` | wc -l) -lt 4 ]; do sleep 0.01; done; echo $$`), m{"retry_settings": m{"max_retries": 0, "timeout": 60}})
	r := w.runParallel("p", c, w.rows(12), m{"mini_batch_size": 1, "resources": m{"instance_count": 2}, "mini_batch_error_threshold": 0})
	require.Nil(t, r.Error)
	pids := map[string]int{}
	for _, l := range strings.Fields(w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/parallel_run_step.txt")) {
		pids[l]++
	}
	require.Len(t, pids, 4, "2 nodes with 2 processes each: %v", pids)
}

func TestParallelRetries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mark := t.TempDir()
	// 03 fails twice, 05 ends its process once, 07 stands still once.
	script := shellScorer(`n=$(basename $f .txt); echo x >>` + mark + `/$n; c=$(wc -l <` + mark + `/$n)
		if [ $n = 03 ] && [ $c -lt 3 ]; then echo "not yet"; exit 1; fi
		if [ $n = 05 ] && [ $c -lt 2 ]; then echo "lost my way" >&2; kill $$; fi
		if [ $n = 07 ] && [ $c -lt 2 ]; then sleep 100; fi
		echo $n`)
	c := w.parallelComponent("flaky", "flaky.sh", script, m{"retry_settings": m{"max_retries": 2, "timeout": 3}, "error_threshold": 0})
	r := w.runParallel("p", c, w.rows(9), m{"mini_batch_size": "1"})
	require.Nil(t, r.Error)
	require.Equal(t, "00\n01\n02\n03\n04\n05\n06\n07\n08\n", w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/parallel_run_step.txt"))
	std := w.artifact(r, parallelLog)
	require.Contains(t, std, "mini-batch 3: try 1 of 3 failed")
	require.Contains(t, std, "mini-batch 3: try 2 of 3 failed")
	require.Regexp(t, `mini-batch 5: try 1 of 3 failed .*the process was ended by signal SIGTERM. Error: .*lost my way`, strings.ReplaceAll(std, "\n", " "))
	require.Regexp(t, `mini-batch 7: try 1 of 3 failed .*timeout of 3 seconds`, std)
	require.Contains(t, strings.Join(r.Logs, " "), "process002", "processes that were lost are replaced")
}

func TestParallelThresholds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Odd files fail; 00 gives no result.
	c := w.parallelComponent("odd", "odd.sh", shellScorer(`x=$(cat $f); [ $((x%2)) = 0 ] || { echo "$x is odd"; exit 1; }; echo $x`), m{"retry_settings": m{"max_retries": 0}, "max_concurrency_per_instance": 1})
	in := w.rows(6)
	for name, test := range map[string]struct {
		node m
		want string // "" for success
	}{
		"items":    {m{"error_threshold": 2}, `The number of failed items, 3, has exceeded the error_threshold of 2. The last error: 5 is odd`},
		"argument": {m{"error_threshold": 5, "task": m{"program_arguments": "--error_threshold 1"}}, `The number of failed items, 2, has exceeded the error_threshold of 1.`},
		"batches":  {m{"mini_batch_error_threshold": 0}, `The number of failed mini-batches, 1, has exceeded the mini_batch_error_threshold of 0. The last error: 1 is odd`},
		"percent":  {m{"task": m{"program_arguments": "--allowed_failed_percent 30"}}, `2 of 6 mini-batches failed, more than the allowed_failed_percent of 30.`},
		"borne":    {m{"error_threshold": 3, "mini_batch_error_threshold": 3, "task": m{"program_arguments": "--allowed_failed_perc 50"}}, ""},
		"any":      {m{"error_threshold": -1}, ""},
		"none":     {m{"inputs": m{"rows": m{"job_input_type": "uri_file", "uri": scope.DatastoreURI(arm.BlobStore, "rows/01.txt")}}}, "There is no succeeded mini batch item returned from run(). Please check 'response: run()'"},
	} {
		r := w.runParallel(name, c, in, test.node)
		if test.want == "" {
			require.Nil(t, r.Error, name)
			require.Equal(t, "0\n2\n4\n", w.get(scope.BlobContainer(), "azureml/"+child(name, "score")+"/scores/parallel_run_step.txt"))
			require.Contains(t, w.artifact(r, errorLog), "mini-batch 3 (03.txt): 3 is odd")
			continue
		}
		require.Equal(t, Failed, r.Status, name)
		require.Equal(t, "UserError", r.Error.Code)
		require.Contains(t, r.Error.Message, "Please check log file 'logs/user/error.txt' for error details. Error: "+test.want, name)
		parent, err := w.e.Record(t.Context(), scope, name)
		require.NoError(t, err)
		require.Contains(t, parent.Error.Message, test.want)
		_, err = w.blobs.Stat(t.Context(), scope.Account(), scope.BlobContainer(), "azureml/"+child(name, "score")+"/scores/parallel_run_step.txt")
		require.Error(t, err, "a run that failed leaves no rows")
	}
}

// A script that returns fewer results than it had items.
func TestParallelFewerResults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("few", "few.sh", "#!/bin/sh\necho '{\"ready\":true}'\nwhile read -r line; do echo '{\"results\":[\"one\"]}'; done\n", nil)
	r := w.runParallel("p", c, w.rows(3), m{"mini_batch_size": 3, "error_threshold": 2})
	require.Nil(t, r.Error)
	require.Equal(t, "one\n", w.get(scope.BlobContainer(), "azureml/"+child("p", "score")+"/scores/parallel_run_step.txt"))
	require.Contains(t, w.artifact(r, errorLog), "run() returned 1 results for the 3 items of mini-batch 0")
	r = w.runParallel("q", c, w.rows(3), m{"mini_batch_size": 3, "error_threshold": 1})
	require.Contains(t, r.Error.Message, "The number of failed items, 2, has exceeded the error_threshold of 1")
}

func TestParallelInitFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("bad", "bad.sh", "#!/bin/sh\necho no weights >&2; exit 3\n", nil)
	r := w.runParallel("p", c, w.rows(3), m{"task": m{"program_arguments": "--copy_logs_to_parent True"}})
	require.Equal(t, Failed, r.Status)
	require.Regexp(t, `init\(\) of the entry script failed 3 times: the process ended with exit code 3 Error: no weights$`, r.Error.Message)
	parent, err := w.e.Record(t.Context(), scope, "p")
	require.NoError(t, err)
	require.Contains(t, parent.Logs, "logs/"+child("p", "score")+"/"+progressLog)
	require.Contains(t, w.artifact(parent, "logs/"+child("p", "score")+"/"+parallelLog), "no weights")
	for want, script := range map[string]string{
		`a line that is not of the protocol: "hello"`: "#!/bin/sh\necho hello; sleep 100\n",
		"did not say that it is ready":                "#!/bin/sh\necho '{}'; sleep 100\n",
		"no model here":                               "#!/bin/sh\necho '{\"error\":\"no model here\"}'; exit 1\n",
		"(task_overhead_timeout)":                     "#!/bin/sh\nsleep 100\n",
	} {
		name := "x" + regexp.MustCompile(`\W`).ReplaceAllString(want, "")
		c := w.parallelComponent(name, "s.sh", script, nil)
		r := w.runParallel(name, c, w.rows(1), m{"task": m{"program_arguments": "--task_overhead_timeout 1"}})
		require.Contains(t, r.Error.Message, want)
	}
	c = w.parallelComponent("slow", "slow.sh", shellScorer("sleep 100"), nil)
	r = w.runParallel("slow", c, w.rows(2), m{"task": m{"program_arguments": "--progress_update_timeout 1"}})
	require.Contains(t, r.Error.Message, "No progress update in 1 seconds (progress_update_timeout).")
}

func TestParallelCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mark := t.TempDir()
	c := w.parallelComponent("hang", "hang.sh", shellScorer(`touch `+mark+`/$$; sleep 1000 & echo $! >`+mark+`/child; wait`), nil)
	w.submit("p", pipelineJob(m{"score": m{"type": "parallel", "componentId": c, "inputs": m{"rows": w.rows(4)}}}, nil))
	require.Eventually(t, func() bool {
		files, err := filesBelow(mark)
		return err == nil && len(files) >= 2
	}, waitFor, tick)
	began := time.Now()
	require.NoError(t, w.e.Cancel(t.Context(), scope, "p", "changed my mind"))
	r := w.wait("p")
	require.Equal(t, Canceled, r.Status)
	r, err := w.e.Record(t.Context(), scope, child("p", "score"))
	require.NoError(t, err)
	require.Equal(t, Canceled, r.Status)
	require.Less(t, time.Since(began), 60*time.Second)
	require.Eventually(t, func() bool { // gone, or a zombie that nobody reaps
		out, err := exec.Command("sh", "-c", "ps -o stat= -p $(cat "+mark+"/child)").Output()
		return err != nil || strings.HasPrefix(string(out), "Z")
	}, waitFor, tick, "children of workers end, too")
	busy, _ := w.e.Load(scope, "cpu")
	require.Zero(t, busy)
}

func TestParallelRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.parallelComponent("c", "s.sh", shellScorer("cat $f"), nil)
	in := w.rows(1)
	for want, node := range map[string]m{
		`"x" is not one of DEBUG`:                                          {"logging_level": "x"},
		`from 1 to 259200, got "0"`:                                        {"retry_settings": m{"timeout": 0}},
		`from 0 to 2147483647, got "-1"`:                                   {"retry_settings": m{"max_retries": -1}},
		`from -1 to 2147483647, got "-2"`:                                  {"error_threshold": -2},
		`from 1 to 1024, got "0"`:                                          {"max_concurrency_per_instance": 0},
		`may end in kb, mb or gb, got "ten"`:                               {"mini_batch_size": "ten"},
		`"${{inputs.rows}}" is not one of the step's outputs`:              {"task": m{"append_row_to": "${{inputs.rows}}"}},
		`${{inputs.nope}} is not one of the step's inputs`:                 {"input_data": "${{inputs.nope}}"},
		`${{inputs.z}}: there is no such value`:                            {"task": m{"program_arguments": "--a ${{inputs.z}}"}},
		`a quotation mark " is not closed`:                                 {"task": m{"program_arguments": `--a "b`}},
		`The code has no file "none.sh"`:                                   {"task": m{"entry_script": "none.sh"}},
		`only an mltable has columns to partition by`:                      {"partition_keys": `["a"]`},
		`a list of columns is wanted`:                                      {"partition_keys": m{"a": 1}},
		`"spell" is not one of run_function, model`:                        {"task": m{"type": "spell"}},
		`logs no metrics of its own`:                                       {"task": m{"program_arguments": "--push_metrics_to_parent True"}},
		`want True or False, got "maybe"`:                                  {"task": m{"program_arguments": "--copy_logs_to_parent maybe"}},
		`want the name of a file without a folder, got "../x"`:             {"task": m{"program_arguments": "--append_row_file_name ../x"}},
		`rows are appended to a file, so that the output cannot be Direct`: {"outputs": m{"scores": m{"mode": "Direct"}}},
		`9 nodes are asked for; the compute "cpu" has 2`:                   {"resources": m{"instance_count": 9}},
		`The model version "nope:1" was not found`:                         {"task": m{"model": "azureml:nope:1"}},
	} {
		step := m{"type": "parallel", "componentId": c, "inputs": m{"rows": in}}
		maps.Copy(step, node)
		err := w.e.Check(t.Context(), scope, "p", pipelineJob(m{"score": step}, nil))
		require.Error(t, err, want)
		require.Contains(t, strings.ToLower(fmt.Sprint(err, arm.As(err).Details)), strings.ToLower(want))
	}
	p := command("x", m{"jobType": "Parallel"})
	require.ErrorContains(t, w.e.Check(t.Context(), scope, "p", p), `"Parallel" is not among them`)
}

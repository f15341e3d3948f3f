package jobs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml/jobs"
)

const sparkFile = `
type: spark
name: words
code: src
entry: {file: words.py}
py_files: [lib.py]
conf: {spark.driver.cores: 1, spark.driver.memory: 1g, spark.executor.cores: 1, spark.executor.memory: 1g, spark.executor.instances: 2, spark.sql.shuffle.partitions: 2}
args: --text ${{inputs.text}} --least ${{inputs.least}} --out ${{outputs.counts}}
inputs:
  text: {type: uri_file, path: text.txt, mode: direct}
  least: 2
outputs:
  counts: {type: uri_folder, mode: direct}
resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
identity: {type: user_identity}
`

const sparkPipelineFile = `
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
inputs: {text: {type: uri_file, path: text.txt}}
outputs: {shown: {type: uri_folder}}
jobs:
  words:
    type: spark
    component: words.yml
    inputs: {text: "${{parent.inputs.text}}"}
    resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
    identity: {type: user_identity}
  show:
    type: command
    command: cat ${{inputs.counts}}/* > ${{outputs.o}}/all.txt
    environment: {image: host}
    inputs: {counts: "${{parent.jobs.words.outputs.counts}}"}
    outputs: {o: "${{parent.outputs.shown}}"}
`

const sparkComponentFile = `
type: spark
name: words
version: 1
code: src
entry: {file: words.py}
conf: {spark.driver.cores: 1, spark.driver.memory: 1g, spark.executor.cores: 1, spark.executor.memory: 1g, spark.executor.instances: 1}
args: --text ${{inputs.text}} --least ${{inputs.least}} --out ${{outputs.counts}}
inputs: {text: {type: uri_file, mode: direct}, least: {type: integer, default: 2}}
outputs: {counts: {type: uri_folder, mode: direct}}
`

const sparkProgram = `
import argparse
from pyspark.sql import SparkSession
p = argparse.ArgumentParser()
p.add_argument("--text"); p.add_argument("--least", type=int); p.add_argument("--out")
a = p.parse_args()
spark = SparkSession.builder.getOrCreate()
words = spark.read.text(a.text).rdd.flatMap(lambda r: r[0].split()).map(lambda w: (w, 1)).reduceByKey(lambda x, y: x + y)
rows = sorted(r for r in words.collect() if r[1] >= a.least)
with open(a.out + "/counts.txt", "w") as f:
    f.writelines("%s %d\n" % r for r in rows)
print("master", spark.sparkContext.master)
`

func sparkFiles(t *testing.T) string {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "text.txt"), "b a c a b a\n")
	write(t, filepath.Join(dir, "src", "words.py"), sparkProgram)
	write(t, filepath.Join(dir, "src", "lib.py"), "")
	write(t, filepath.Join(dir, "job.yml"), sparkFile)
	write(t, filepath.Join(dir, "words.yml"), sparkComponentFile)
	write(t, filepath.Join(dir, "pipeline.yml"), sparkPipelineFile)
	return dir
}

func sparkSpecs(t *testing.T, dir string) (alone, piped jobs.Spec) {
	alone, err := jobs.Load(filepath.Join(dir, "job.yml"))
	require.NoError(t, err)
	piped, err = jobs.Load(filepath.Join(dir, "pipeline.yml"))
	require.NoError(t, err)
	return alone, piped
}

// The launcher is a script that writes what it was called with.
func TestLocalSpark(t *testing.T) {
	shell(t)
	if runtime.GOOS == "windows" {
		t.Skip("the launcher of this test is a shell script, which Windows does not start by its name")
	}
	dir, bin := sparkFiles(t), t.TempDir()
	fake := write(t, filepath.Join(bin, "spark-submit"), `#!/bin/sh
printf '%s\n' "$@"
echo "ip $SPARK_LOCAL_IP run $AZUREML_RUN_ID"
while [ $# -gt 0 ]; do
  case "$1" in --text) text=$2;; --least) least=$2;; --out) out=$2;; esac
  shift
done
tr ' ' '\n' < "$text" | sort | uniq -c | while read n w; do [ "$n" -ge "$least" ] && echo "$w $n"; done > "$out/counts.txt"
exit 0
`)
	require.NoError(t, os.Chmod(fake, 0o700))
	t.Setenv("SPARK_HOME", "")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	w := open(t)
	c := w.Client.Jobs
	alone, piped := sparkSpecs(t, dir)
	run := done(t, c, alone)
	require.Equal(t, "Spark", run.Type)
	to := t.TempDir()
	_, err := c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "counts"})
	require.NoError(t, err)
	require.Equal(t, "a 3\nb 2\n", read(t, to, "named-outputs", "counts", "counts.txt"))
	var log strings.Builder
	for l, err := range c.Logs(t.Context(), run.Name, nil) {
		require.NoError(t, err)
		log.WriteString(l + "\n")
	}
	for _, want := range []string{"--master\nlocal[2]\n", "--conf\nspark.sql.shuffle.partitions=2\n", "--driver-memory\n1g\n", "--executor-memory\n1g\n", "--py-files\nlib.py\n", "\nwords.py\n--text\n", "--least\n2\n", "ip 127.0.0.1 run words\n"} {
		require.Contains(t, log.String(), want)
	}

	run = done(t, c, piped)
	to = t.TempDir()
	_, err = c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "shown"})
	require.NoError(t, err)
	require.Equal(t, "a 3\nb 2\n", read(t, to, "named-outputs", "shown", "all.txt"))

	// Without it, Spark jobs are refused by its name.
	require.NoError(t, os.Remove(fake))
	if p, err := exec.LookPath("spark-submit"); err == nil {
		t.Log("another spark-submit is on this machine, at", p)
		return
	}
	again, _ := sparkSpecs(t, dir)
	again.(*jobs.SparkJob).Name = "again"
	_, err = c.Submit(t.Context(), again, nil)
	require.ErrorContains(t, err, "spark-submit")
}

// Spark itself, where it is on the machine.
func TestLocalSparkItself(t *testing.T) {
	shell(t)
	if p, err := exec.LookPath("spark-submit"); err != nil {
		t.Skip("spark-submit is not in PATH; pip install pyspark brings it")
	} else {
		t.Log("with", p)
	}
	dir := sparkFiles(t)
	c := open(t).Client.Jobs
	_, piped := sparkSpecs(t, dir)
	run := done(t, c, piped)
	to := t.TempDir()
	_, err := c.Download(t.Context(), run.Name, to, &jobs.DownloadOptions{Output: "shown"})
	require.NoError(t, err)
	require.Equal(t, "a 3\nb 2\n", read(t, to, "named-outputs", "shown", "all.txt"))
}

package execution

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSplitReadsWhatIsQuoted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-z '"\\$;&|*\n\t]*`)).Draw(rt, "words")
		var parts []string
		for _, w := range words {
			parts = append(parts, quoted(w))
		}
		got, err := split(strings.Join(parts, " "))
		require.NoError(rt, err)
		require.Len(rt, got, len(words))
		for i := range words {
			require.Equal(rt, words[i], got[i])
		}
	})
	_, err := split(`a "b`)
	require.Error(t, err)
}

func TestSparkArguments(t *testing.T) {
	t.Parallel()
	got, err := arguments(`--in ${{inputs.data}} '--name=${{ inputs.who }}' $[[--opt ${{inputs.none}}]] --out ${{outputs.o}}; rm -rf /`,
		map[string]string{"inputs.data": "/tmp/a b", "inputs.who": `it's "me"`, "outputs.o": "/o"})
	require.NoError(t, err)
	require.Equal(t, []string{"--in", "/tmp/a b", `--name=it's "me"`, "--out", "/o;", "rm", "-rf", "/"}, got)
	_, err = arguments("${{inputs.none}}", nil)
	require.ErrorContains(t, err, "no such value")
}

func TestSparkLine(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.py"), nil, 0o600))
	t.Setenv("SPARK_HOME", "")
	t.Setenv("PATH", "")
	s := &sparkSpec{sparkApplication: sparkApplication{
		Conf:    map[string]scalar{"spark.executor.cores": "2", "spark.executor.instances": "3", "spark.driver.memory": "2g", "spark.executor.memory": "1g", "spark.x": "a b"},
		PyFiles: []string{"lib.py", "more.zip"}, Jars: []string{"j.jar"}, Files: []string{"f.txt"}, Archives: []string{"a.zip#a"}, Args: "--n 1",
	}}
	s.Entry.File = "main.py"
	line, err := s.line("spark-submit", "job-1", &paths{code: dir, temp: "/t"})
	require.NoError(t, err)
	require.Equal(t, "exec spark-submit --master 'local[6]' --name job-1 --conf spark.driver.bindAddress=127.0.0.1 --conf spark.driver.host=127.0.0.1 --conf spark.driver.memory=2g"+
		" --conf spark.executor.cores=2 --conf spark.executor.instances=3 --conf spark.executor.memory=1g --conf spark.local.dir=/t --conf "+quoted("spark.sql.warehouse.dir="+filepath.Join("/t", "warehouse"))+
		" --conf spark.ui.enabled=false --conf 'spark.x=a b' --driver-memory 2g --executor-memory 1g --py-files lib.py,more.zip --jars j.jar --files f.txt --archives 'a.zip#a' main.py --n 1", line)
	s.Entry.File = "other.py"
	_, err = s.line("spark-submit", "job-1", &paths{code: dir})
	require.ErrorContains(t, err, "other.py is not in the code")
}

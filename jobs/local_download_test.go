package jobs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/azureml-go/azureml"
	"github.com/azureml-go/azureml/jobs"
)

// Files of a job's outputs are chosen by patterns: its logs alone, or its models alone.
func TestLocalDownloadByPatterns(t *testing.T) {
	shell(t)
	c := open(t).Client.Jobs
	run := done(t, c, jobs.Command(`mkdir -p outputs/m ${{outputs.out}}/a/b; echo hi; echo 1 > outputs/m/x.onnx; echo 2 > outputs/m/x.tmp; echo 3 > ${{outputs.out}}/a/b/y.onnx; echo 4 > ${{outputs.out}}/a/z`).
		In(host).On("cpu-cluster").Output("out", jobs.OutputFolder()))
	require.Equal(t, jobs.Completed, run.Status)
	for _, x := range []struct {
		o    jobs.DownloadOptions
		want []string
	}{
		{jobs.DownloadOptions{Match: []string{"user_logs/"}}, []string{"artifacts/user_logs/std_log.txt"}},
		{jobs.DownloadOptions{Match: []string{"outputs/**/*.onnx"}}, []string{"artifacts/outputs/m/x.onnx"}},
		{jobs.DownloadOptions{Match: []string{"outputs/", "!*.tmp"}}, []string{"artifacts/outputs/m/x.onnx"}},
		{jobs.DownloadOptions{All: true, Match: []string{"*.onnx"}}, []string{"artifacts/outputs/m/x.onnx", "named-outputs/out/a/b/y.onnx"}},
		{jobs.DownloadOptions{All: true, Match: []string{"a/b/"}}, []string{"named-outputs/out/a/b/y.onnx"}},
		{jobs.DownloadOptions{Output: "out", Match: []string{"*z"}}, []string{"named-outputs/out/a/z"}},
	} {
		to := t.TempDir()
		_, err := c.Download(t.Context(), run.Name, to, &x.o)
		require.NoError(t, err, "%q", x.o.Match)
		var got []string
		require.NoError(t, filepath.WalkDir(to, func(p string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				rel, rerr := filepath.Rel(to, p)
				require.NoError(t, rerr)
				got = append(got, filepath.ToSlash(rel))
			}
			return err
		}))
		require.Equal(t, x.want, got, "%q", x.o.Match)
	}
	for _, o := range []jobs.DownloadOptions{{Match: []string{"*.none"}}, {All: true, Match: []string{"*.none"}}, {Output: "out", Match: []string{"*.none"}}} {
		to := t.TempDir()
		_, err := c.Download(t.Context(), run.Name, to, &o)
		require.ErrorIs(t, err, azureml.ErrNotFound)
		require.ErrorContains(t, err, "match")
		left, rerr := os.ReadDir(to)
		require.NoError(t, rerr)
		require.Empty(t, left)
	}
	_, err := c.Download(t.Context(), run.Name, t.TempDir(), &jobs.DownloadOptions{Match: []string{"[b-a]"}})
	require.ErrorContains(t, err, `Match: the pattern "[b-a]" is not valid`)
}

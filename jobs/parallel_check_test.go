package jobs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is wrong with a parallel step of a file is said before anything is sent, all of it and once.
func TestParallelStepFaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "src"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "src", "score.py"), []byte("def run(b): return b\n"), 0o600))
	file := filepath.Join(dir, "pipeline.yml")
	require.NoError(t, os.WriteFile(file, []byte(`type: pipeline
settings: {default_compute: azureml:cpu-cluster}
jobs:
  bad:
    type: parallel
    inputs: {data: {type: uri_folder, path: ./src}}
    outputs: {rows: {type: uri_file}}
    input_data: ${{inputs.nope}}
    mini_batch_size: "4xb"
    error_threshold: -5
    retry_settings: {max_retries: -1, timeout: 0}
    max_concurrency_per_instance: 0
    task:
      type: run_function
      code: ./src
      entry_script: other.py
      environment: {image: host}
      append_row_to: ${{outputs.other}}
`), 0o600))
	spec, err := Load(file)
	require.NoError(t, err)
	p, ok := spec.(*PipelineJob)
	require.True(t, ok)
	c := &checker{}
	p.Jobs["bad"].checkNode(t.Context(), c)
	var fields []string
	for _, f := range c.faults {
		fields = append(fields, f.Field)
	}
	require.Equal(t, []string{
		"component.mini_batch_size", "component.error_threshold", "component.max_concurrency_per_instance", "component.retry_settings.max_retries", "component.retry_settings.timeout",
		"component.task.entry_script", "component.input_data", "component.task.append_row_to",
	}, fields)
}

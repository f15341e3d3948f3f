//go:build unix

package local_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A trial that is worse, and ends later, leaves what the best one wrote alone.
const trialsFile = `
outputs: {best: {type: uri_folder}, file: {type: uri_file, path: "azureml://datastores/workspaceblobstore/paths/kept/best.txt"}}
jobs:
  tune:
    type: sweep
    search_space: {x: {type: choice, values: [1, 2, 3]}}
    sampling_algorithm: grid
    objective: {goal: minimize, primary_metric: loss}
    limits: {max_total_trials: 3, max_concurrent_trials: 1}
    outputs: {o: "${{parent.outputs.best}}", f: "${{parent.outputs.file}}"}
    trial:
      type: command
      ENV
      inputs: {x: {type: number}}
      outputs: {o: {type: uri_folder}, f: {type: uri_file}}
      command: "echo ${{inputs.x}} >${{outputs.o}}/x; echo ${{inputs.x}} >${{outputs.o}}/x${{inputs.x}}; echo ${{inputs.x}} >${{outputs.f}}; python3 log.py loss ${{inputs.x}}"
      code: src
  after: {type: command, ENV, command: "cat ${{inputs.o}}/x ${{inputs.f}} >DIR/after; ls ${{inputs.o}} >>DIR/after", inputs: {o: "${{parent.jobs.tune.outputs.o}}", f: {type: uri_file, path: "${{parent.jobs.tune.outputs.f}}"}}}
`

func TestPipelinesSweepOutputs(t *testing.T) {
	t.Parallel()
	perform(t, map[string]flow{
		"the best trial's outputs are the pipeline's": {files: map[string]string{"src/log.py": logMetric}, yaml: trialsFile, check: func(p *performed) {
			require.Equal(p, "1\n1\nx\nx1\n", p.noted("after"))
			require.Equal(p, "1\n", p.out("best", "x"))
			require.Equal(p, "1\n", p.out("file", "best.txt"))
		}},
	})
}

// logMetric logs a metric of its job by MLflow's protocol.
const logMetric = `
import json, os, sys, urllib.request
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": sys.argv[1], "value": float(sys.argv[2]), "timestamp": 1, "step": 0}
head = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", json.dumps(body).encode(), head))
`

"""Parallel steps: mini-batches of files and of rows."""

import os

from azure.ai.ml import Input, Output, dsl, load_component, load_job
from azure.ai.ml.parallel import RunFunction, parallel_run_function
from batch import found
from main import ENVIRONMENT

SCORE = """
import argparse
import os


def init():
    global sign
    parser = argparse.ArgumentParser()
    parser.add_argument("--sign")
    sign = parser.parse_known_args()[0].sign


def run(mini_batch):
    return [os.path.basename(file) + sign + str(len(mini_batch)) for file in mini_batch]
"""
ROWS = "def run(frame):\n    return frame\n"


def run(w):
    ml, step = w.ml, w.step
    code = os.path.dirname(w.write("code/score.py", SCORE))
    w.write("code/rows.py", ROWS)
    for name in ("a", "b", "c", "d", "e"):
        w.write(f"data/{name}.txt", name)
    data = Input(type="uri_folder", path=w.folder + "/data")
    with step("parallel: a step built in Python"):
        each = parallel_run_function(
            name="each",
            inputs={"data": Input(type="uri_folder", description="d"), "sign": Input(type="string")},
            outputs={"out": Output(type="uri_folder")},
            input_data="${{inputs.data}}",
            instance_count=1,
            max_concurrency_per_instance=2,
            mini_batch_size="2",
            mini_batch_error_threshold=1,
            error_threshold=0,
            retry_settings={"max_retries": 1, "timeout": 60},
            logging_level="DEBUG",
            task=RunFunction(code=code, entry_script="score.py", environment=ENVIRONMENT, program_arguments="--sign ${{inputs.sign}} --error_threshold 0", append_row_to="${{outputs.out}}"),
        )

        @dsl.pipeline(default_compute="cpu-cluster")
        def pipe(data):
            return {"rows": each(data=data, sign="!").outputs.out}

        job = ml.jobs.create_or_update(pipe(data))
        done = w.finish(job, 120)
        assert done.status == "Completed", done
        ml.jobs.download(job.name, download_path=w.folder + "/rows", output_name="rows")
        assert w.read(found(w.folder + "/rows", "parallel_run_step.txt")) == "a.txt!2\nb.txt!2\nc.txt!2\nd.txt!2\ne.txt!1\n"
        (child,) = ml.jobs.list(parent_job_name=job.name)
        ml.jobs.download(child.name, download_path=w.folder + "/logs", all=True)
        said = w.read(found(w.folder + "/logs", "job_progress_overview.txt"))
        assert "3 of 3 mini-batches processed, 0 failed; 5 items, 0 failed" in said, said
    with step("parallel: a registered component of YAML, in a pipeline of YAML"):
        c = ml.components.create_or_update(load_component(w.write("each.yml", COMPONENT)))
        assert c.type == "parallel", c
        job = ml.jobs.create_or_update(load_job(w.write("pipeline.yml", PIPELINE)))
        done = w.finish(job, 120)
        assert done.status == "Completed", done
        ml.jobs.download(job.name, download_path=w.folder + "/yaml", output_name="scored")
        (file,) = [os.path.join(at, f) for at, _, files in os.walk(w.folder + "/yaml/named-outputs") for f in files]
        assert w.read(file).splitlines() == [x + ".txt?1" for x in "abcde"]
    with step("parallel: rows of an mltable"):
        w.write("table/MLTable", "paths:\n- file: ./rows.csv\ntransformations:\n- read_delimited:\n    delimiter: ','\n")
        w.write("table/rows.csv", "x,y\n1,2\n3,4\n")
        job = w.either("has no module pandas", ml.jobs.create_or_update, load_job(w.write("rows.yml", TABLE)))
        if job:
            assert w.finish(job, 120).status == "Completed"
            ml.jobs.download(job.name, download_path=w.folder + "/table-out", output_name="scored")
            (file,) = [os.path.join(at, f) for at, _, files in os.walk(w.folder + "/table-out/named-outputs") for f in files]
            assert w.read(file) == "1 2\n3 4\n"


COMPONENT = f"""
$schema: https://azuremlschemas.azureedge.net/latest/parallelComponent.schema.json
type: parallel
name: each_file
version: "1"
inputs: {{data: {{type: uri_folder}}}}
outputs: {{scored: {{type: uri_file}}}}
input_data: ${{{{inputs.data}}}}
mini_batch_size: "1"
resources: {{instance_count: 1}}
max_concurrency_per_instance: 2
retry_settings: {{max_retries: 1, timeout: 60}}
task:
  type: run_function
  code: ./code
  entry_script: score.py
  program_arguments: --sign ?
  environment: {ENVIRONMENT}
  append_row_to: ${{{{outputs.scored}}}}
"""
PIPELINE = """
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
settings: {default_compute: azureml:cpu-cluster}
outputs: {scored: {type: uri_file}}
jobs:
  each:
    type: parallel
    component: azureml:each_file:1
    inputs: {data: {type: uri_folder, path: ./data}}
    outputs: {scored: "${{parent.outputs.scored}}"}
"""
TABLE = f"""
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
settings: {{default_compute: azureml:cpu-cluster}}
outputs: {{scored: {{type: uri_file}}}}
jobs:
  each:
    type: parallel
    input_data: ${{{{inputs.data}}}}
    mini_batch_size: 1kb
    inputs: {{data: {{type: mltable, path: ./table, mode: direct}}}}
    outputs: {{scored: "${{{{parent.outputs.scored}}}}"}}
    task:
      type: run_function
      code: ./code
      entry_script: rows.py
      environment: {ENVIRONMENT}
      append_row_to: ${{{{outputs.scored}}}}
"""

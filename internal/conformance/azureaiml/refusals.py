"""Jobs of kinds that a local workspace runs, or refuses by name."""

from azure.ai.ml import Input, automl, command, dsl, load_component, load_job
from azure.ai.ml.data_transfer import Database, FileSystem
from azure.ai.ml.entities import DataImport
from azure.ai.ml.parallel import RunFunction, parallel_run_function
from main import ENVIRONMENT


def run(w):
    ml, step = w.ml, w.step
    table = w.write("table/MLTable", "paths:\n  - file: ./t.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n")
    w.write("table/t.csv", "a,y\n1,0\n2,1\n")
    with step("refusals: AutoML"):
        job = automl.classification(compute="cpu-cluster", experiment_name="automl", training_data=Input(type="mltable", path=table.rsplit("/", 1)[0]), target_column_name="y", primary_metric="accuracy")
        job.set_limits(timeout_minutes=10, max_trials=1)
        done = w.either("AutoML", ml.jobs.create_or_update, job)
        if done:
            assert w.finish(done).status in ("Completed", "Failed")
    with step("refusals: Spark"):
        w.write("spark/main.py", "print(1)\n")
        done = w.either("Spark", ml.jobs.create_or_update, load_job(w.write("spark.yml", SPARK)))
        if done:
            assert w.finish(done).status in ("Completed", "Failed")
    with step("refusals: a parallel step"):
        w.write("parallel/score.py", "def init():\n    pass\n\n\ndef run(batch):\n    return [str(x) for x in batch]\n")
        each = parallel_run_function(
            name="each",
            inputs={"data": Input(type="uri_folder", description="d")},
            outputs={"out": {"type": "uri_folder"}},
            input_data="${{inputs.data}}",
            instance_count=1,
            max_concurrency_per_instance=1,
            mini_batch_size="1",
            mini_batch_error_threshold=1,
            retry_settings={"max_retries": 1, "timeout": 60},
            task=RunFunction(code=w.folder + "/parallel", entry_script="score.py", environment=ENVIRONMENT, program_arguments="", append_row_to="${{outputs.out}}"),
        )

        @dsl.pipeline(default_compute="cpu-cluster")
        def pipe(data):
            each(data=data)

        done = w.either("parallel", ml.jobs.create_or_update, pipe(Input(type="uri_folder", path=w.folder + "/table")))
        if done:
            w.finish(done)
    with step("refusals: data imports"):
        source = Database(connection="azureml:snow", query="select 1")
        w.either("data_transfer", ml.data.import_data, DataImport(name="imported", path="azureml://datastores/workspaceblobstore/paths/imported", source=source))
        w.either("data_transfer", ml.data.import_data, DataImport(name="imported2", path="azureml://datastores/workspaceblobstore/paths/imported2", source=FileSystem(connection="azureml:s3", path="a/b")))


SPARK = """
type: spark
code: ./spark
entry: {file: main.py}
conf: {spark.driver.cores: 1, spark.driver.memory: 2g, spark.executor.cores: 1, spark.executor.memory: 2g, spark.executor.instances: 1}
resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
"""

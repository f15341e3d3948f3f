"""Jobs of kinds that a local workspace runs, or refuses by name."""

from azure.ai.ml import Input, automl, command, dsl, load_component, load_job
from azure.ai.ml.data_transfer import Database, FileSystem
from azure.ai.ml.entities import DataImport
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

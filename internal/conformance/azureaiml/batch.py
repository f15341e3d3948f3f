"""Batch endpoints and deployments; invocations."""

from azure.ai.ml import Input, dsl, command, load_batch_deployment
from azure.ai.ml.entities import BatchEndpoint, CodeConfiguration, Environment, Model, ModelBatchDeployment, ModelBatchDeploymentSettings, PipelineComponentBatchDeployment
from azure.ai.ml.entities import BatchRetrySettings
from azure.core.exceptions import ResourceNotFoundError
from main import ENVIRONMENT

SCORE = """
import os

def init():
    global word
    word = open([os.path.join(d, f) for d, _, fs in os.walk(os.environ["AZUREML_MODEL_DIR"]) for f in fs][0]).read()

def run(batch):
    return [word + os.path.basename(path) for path in batch]
"""
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"


def run(w):
    ml, step = w.ml, w.step
    w.write("code/score.py", SCORE)
    for name in ("a.txt", "b.txt", "c.txt"):
        w.write("data/" + name, name)
    ml.models.create_or_update(Model(name="batch-word", version="1", path=w.write("model/word.txt", "seen "), type="custom_model"))
    with step("batch: create an endpoint"):
        e = ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name="files", description="d", tags={"a": "b"}))
        assert isinstance(e, BatchEndpoint) and e.scoring_uri and e.provisioning_state == "Succeeded", e
    with step("batch: deploy a model"):
        d = ml.batch_deployments.begin_create_or_update(
            ModelBatchDeployment(
                name="first",
                endpoint_name="files",
                model="azureml:batch-word:1",
                code_configuration=CodeConfiguration(code=w.folder + "/code", scoring_script="score.py"),
                environment=Environment(image=IMAGE),
                compute="cpu-cluster",
                settings=ModelBatchDeploymentSettings(mini_batch_size=2, instance_count=1, max_concurrency_per_instance=1, output_action="append_row", output_file_name="out.csv", retry_settings=BatchRetrySettings(max_retries=1, timeout=60), error_threshold=-1),
            )
        )
        assert d.name == "first" and d.provisioning_state == "Succeeded", d
        d = ml.batch_deployments.get("first", "files")
        assert d.mini_batch_size == 2 and d.output_file_name == "out.csv" and "cpu-cluster" in d.compute, d
    with step("batch: from YAML, update, the default"):
        ml.batch_deployments.begin_create_or_update(load_batch_deployment(w.write("deployment.yml", YAML)))
        assert {d.name for d in ml.batch_deployments.list("files")} == {"first", "second"}
        e = ml.batch_endpoints.get("files")
        e.defaults.deployment_name = "first"
        e = ml.batch_endpoints.begin_create_or_update(e)
        assert ml.batch_endpoints.get("files").defaults.deployment_name == "first", e
    with step("batch: invoke"):
        job = w.either("does not run it", ml.batch_endpoints.invoke, "files", inputs={"data": Input(type="uri_folder", path=w.folder + "/data")})
        if job:
            done = w.finish(job.name, 180)
            assert done.status == "Completed", done
            assert job.name in {j.name for j in ml.batch_endpoints.list_jobs("files")}
            ml.jobs.download(job.name, download_path=w.folder + "/out", output_name="score")
    with step("batch: jobs"):
        assert isinstance(ml.batch_endpoints.list_jobs("files"), list)
        assert isinstance(ml.batch_deployments.list_jobs("files", name="first"), list)
    with step("batch: deploy a pipeline component"):
        tick = command(name="tick", command="echo tick", environment=ENVIRONMENT, compute="cpu-cluster")

        @dsl.pipeline(name="batchpipe", version="1", default_compute="cpu-cluster")
        def pipe():
            tick()

        component = ml.components.create_or_update(pipe)
        ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name="pipes"))
        d = ml.batch_deployments.begin_create_or_update(PipelineComponentBatchDeployment(name="one", endpoint_name="pipes", component=component, settings={"default_compute": "cpu-cluster"}))
        assert d.name == "one", d
        job = w.either("does not run it", ml.batch_endpoints.invoke, "pipes", deployment_name="one")
        if job:
            assert w.finish(job.name, 180).status == "Completed"
    with step("batch: list, delete, missing"):
        assert {"files", "pipes"} <= {e.name for e in ml.batch_endpoints.list()}
        ml.batch_deployments.begin_delete("second", "files")
        w.error(ResourceNotFoundError, "not found", ml.batch_deployments.get, "second", "files")
        for name in ("files", "pipes"):
            ml.batch_endpoints.begin_delete(name)
            w.error(ResourceNotFoundError, "not found", ml.batch_endpoints.get, name)


YAML = f"""
name: second
endpoint_name: files
type: model
model: azureml:batch-word:1
code_configuration: {{code: ./code, scoring_script: score.py}}
environment: {{image: {IMAGE}}}
compute: azureml:cpu-cluster
mini_batch_size: 5
output_action: summary_only
"""

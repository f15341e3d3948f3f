"""Batch endpoints and deployments; invocations."""

import os

from azure.ai.ml import Input, Output, command, dsl, load_batch_deployment
from azure.ai.ml.entities import BatchEndpoint, BatchJob, CodeConfiguration, Data, Environment, Model, ModelBatchDeployment, ModelBatchDeploymentSettings, PipelineComponentBatchDeployment
from azure.ai.ml.entities import BatchRetrySettings
from azure.ai.ml.exceptions import ValidationException
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


def found(folder, name):
    """The one file of that name below a folder."""
    all_of_them = [os.path.join(at, f) for at, _, files in os.walk(folder) for f in files]
    (one,) = [f for f in all_of_them if os.path.basename(f) == name]
    return one


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
    with step("batch: an endpoint without a default deployment"):
        # First of all: the client keeps the header of a named deployment for every later call.
        w.error(Exception, "No valid deployments to route to", ml.batch_endpoints.invoke, "files", inputs={"data": Input(type="uri_folder", path=w.folder + "/data")})
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
    with step("batch: invoke with a local folder"):
        job = ml.batch_endpoints.invoke("files", inputs={"data": Input(type="uri_folder", path=w.folder + "/data")})
        assert isinstance(job, BatchJob) and job.name and job.id and job.type and job.status, vars(job)
        done = w.finish(job.name, 180)
        assert done.status == "Completed" and done.tags["azureml.batchrun"] == "true", done
        child = list(ml.jobs.list(parent_job_name=job.name))
        assert [c.display_name for c in child] == ["batchscoring"], child
        ml.jobs.download(job.name, download_path=w.folder + "/out", output_name="score")
        assert w.read(found(w.folder + "/out", "out.csv")) == "seen a.txt\nseen b.txt\nseen c.txt\n"
    with step("batch: invoke with a registered asset, one file, outputs, settings and the other deployment"):
        data = ml.data.create_or_update(Data(name="batch-rows", version="1", type="uri_folder", path=w.folder + "/data"))
        name = "named-" + os.urandom(4).hex()
        job = ml.batch_endpoints.invoke("files", input=Input(type="uri_folder", path=data.id), experiment_name="scores", job_name=name)
        assert job.name == name, job.name
        assert w.finish(job.name, 180).experiment_name == "scores"
        job = ml.batch_endpoints.invoke(
            "files",
            deployment_name="first",
            inputs={"one": Input(type="uri_file", path=w.folder + "/data/b.txt")},
            outputs={"score": Output(type="uri_file", path="azureml://datastores/workspaceblobstore/paths/batch-witness/mine.csv")},
            params_override=[{"mini_batch_size": 1}, {"compute": {"instance_count": 1}}, {"error_threshold": 0}, {"retry_settings": {"max_retries": 0, "timeout": 60}}],
        )
        assert w.finish(job.name, 180).status == "Completed"
        ml.jobs.download(job.name, download_path=w.folder + "/mine", output_name="score")
        assert w.read(found(w.folder + "/mine", "mine.csv")) == "seen b.txt\n"
        second = ml.batch_endpoints.invoke("files", deployment_name="second", inputs={"data": Input(type="uri_folder", path="azureml:batch-rows:1")})
        assert w.finish(second.name, 180).status == "Completed"
    with step("batch: jobs"):
        assert {job.name, second.name} <= {j.name for j in ml.batch_endpoints.list_jobs("files")}
        assert all(isinstance(j, BatchJob) and j.status == "Completed" for j in ml.batch_endpoints.list_jobs("files"))
        assert [j.name for j in ml.batch_deployments.list_jobs("files", name="second")] == [second.name]
    with step("batch: what cannot be invoked"):
        w.error(ValidationException, "not found", ml.batch_endpoints.invoke, "files", deployment_name="nope", inputs={"data": Input(type="uri_folder", path="azureml:batch-rows:1")})
        w.error(Exception, "takes one input", ml.batch_endpoints.invoke, "files")
        w.error(Exception, "not found", ml.batch_endpoints.invoke, "files", inputs={"data": Input(type="uri_folder", path="azureml://datastores/none/paths/x")})
    with step("batch: an MLflow model without a script"):
        w.write("flow/MLmodel", MLMODEL)
        w.write("flow/code/doubling.py", DOUBLING)
        w.write("flow/data/factor.txt", "2")
        w.write("flow/requirements.txt", "")
        model = ml.models.create_or_update(Model(name="batch-flow", version="1", path=w.folder + "/flow", type="mlflow_model"))
        w.write("rows/a.csv", "x\n1\n2\n")
        w.write("rows/b.csv", "x\n3\n")
        ml.batch_deployments.begin_create_or_update(ModelBatchDeployment(name="flow", endpoint_name="files", model=model.id, compute="cpu-cluster", settings=ModelBatchDeploymentSettings(mini_batch_size=1)))
        flow = w.either("has no module mlflow", ml.batch_endpoints.invoke, "files", deployment_name="flow", inputs={"data": Input(type="uri_folder", path=w.folder + "/rows")})
        if flow:
            done = w.finish(flow.name, 180).status
            logs = "" if done == "Completed" else w.logs(flow.name)
            assert done == "Completed" or "No module named 'mlflow'" in logs, logs
        if flow and done == "Completed":
            ml.jobs.download(flow.name, download_path=w.folder + "/flow-out", output_name="score")
            assert w.read(found(w.folder + "/flow-out", "predictions.csv")) == "['a.csv', 2]\n['a.csv', 4]\n['b.csv', 6]\n"
    with step("batch: deploy a pipeline component"):
        count = command(
            name="count",
            command="ls ${{inputs.data}} >${{outputs.names}}; echo ${{inputs.note}} >>${{outputs.names}}",
            inputs={"data": Input(type="uri_folder"), "note": Input(type="string")},
            outputs={"names": Output(type="uri_file")},
            environment=ENVIRONMENT,
            compute="cpu-cluster",
        )

        @dsl.pipeline(name="batchpipe", version="1", default_compute="cpu-cluster")
        def pipe(data: Input(type="uri_folder"), note: str = "no note"):
            return {"names": count(data=data, note=note).outputs.names}

        component = ml.components.create_or_update(pipe)
        ml.batch_endpoints.begin_create_or_update(BatchEndpoint(name="pipes"))
        d = ml.batch_deployments.begin_create_or_update(PipelineComponentBatchDeployment(name="one", endpoint_name="pipes", component=component, settings={"default_compute": "cpu-cluster"}))
        assert d.name == "one", d
        job = ml.batch_endpoints.invoke(
            "pipes",
            deployment_name="one",
            inputs={"data": Input(type="uri_folder", path=data.id), "note": Input(type="string", default="well done")},
            outputs={"names": Output(type="uri_file", path="azureml://datastores/workspaceblobstore/paths/batch-witness/names.txt")},
        )
        assert w.finish(job.name, 180).status == "Completed"
        ml.jobs.download(job.name, download_path=w.folder + "/names", output_name="names")
        assert w.read(found(w.folder + "/names", "names.txt")) == "a.txt\nb.txt\nc.txt\nwell done\n"
        assert [j.name for j in ml.batch_endpoints.list_jobs("pipes")] == [job.name]
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
MLMODEL = """
flavors:
  python_function:
    loader_module: doubling
    code: code
    data: data
    python_version: 3.11.0
"""
DOUBLING = """
import os


class Model:
    def __init__(self, factor):
        self.factor = factor

    def predict(self, frame):
        return (frame["x"] * self.factor).to_numpy()


def _load_pyfunc(path):
    with open(os.path.join(path, "factor.txt"), encoding="utf-8") as f:
        return Model(int(f.read()))
"""

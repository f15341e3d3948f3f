"""azureml-mlflow, MLflow's plug-in for Azure ML, against a local workspace.

    dialect.py URL TOKEN SUBSCRIPTION GROUP WORKSPACE

The plug-in runs as its authors wrote it, but for two things that it has by hand: it forms https
addresses, and those of the one host are sent as http; and it downloads from Azure's storage hosts
alone (from others it downloads nothing and says nothing). Run in an environment of its own: it breaks with the newest mlflow.
"""
import os
import sys
import tempfile
import urllib.request
import json

url, token, sub, group, ws = sys.argv[1:6]
host = url.split("://")[1]

import requests

real = requests.Session.send


def send(self, request, **kw):
    if request.url.startswith(f"https://{host}/"):
        request.url = "http://" + request.url[len("https://"):]
    return real(self, request, **kw)


requests.Session.send = send
import azureml.mlflow._client.artifact._utils.blob_artifact_util as blobs

blobs.is_source_uri_matches_storage_blob = lambda uri, cloud=None: True

SCOPE = f"/subscriptions/{sub}/resourceGroups/{group}/providers/Microsoft.MachineLearningServices/workspaces/{ws}"


def rest(path, body):
    r = urllib.request.Request(f"{url}/mlflow/v2.0{SCOPE}/api/2.0/mlflow/{path}", json.dumps(body).encode(), {"Authorization": "Bearer " + token, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(r))


experiment = rest("experiments/create", {"name": "dialect"})["experiment_id"]
run_id = rest("runs/create", {"experiment_id": experiment, "start_time": 1, "tags": []})["run"]["info"]["run_id"]
# What the runtime of Azure ML sets inside a job.
os.environ.update(
    MLFLOW_TRACKING_URI=f"azureml://{host}/mlflow/v1.0{SCOPE}", MLFLOW_TRACKING_TOKEN=token, MLFLOW_RUN_ID=run_id,
    MLFLOW_EXPERIMENT_ID=experiment, MLFLOW_EXPERIMENT_NAME="dialect", AZUREML_RUN_ID=run_id, AZUREML_DISABLE_REFRESHED_TOKEN_SHARING="true",
)

import mlflow
from mlflow.tracking import MlflowClient

passed = 0


def check(what, ok):
    global passed
    if not ok:
        sys.exit(f"failed: {what}")
    passed += 1
    print("ok  ", what)


with mlflow.start_run() as run:
    check("the job's run is resumed", run.info.run_id == run_id)
    mlflow.log_param("rate", 0.1)
    mlflow.log_params({f"p{i}": i for i in range(120)})
    for i in range(5):
        mlflow.log_metric("loss", 1 / (i + 1), step=i)
    mlflow.log_metrics({"a": 1.5, "b": 2.5}, step=3)
    mlflow.set_tag("kind", "dialect")
    mlflow.log_text("hello", "notes/hello.txt")
    with tempfile.TemporaryDirectory() as tmp:
        for n in range(60):  # more than one batch of the plug-in
            with open(os.path.join(tmp, f"f{n}.txt"), "w") as f:
                f.write(str(n))
        mlflow.log_artifacts(tmp, "many")

    class Twice(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [2 * x for x in model_input]

    mlflow.pyfunc.log_model("model", python_model=Twice(), pip_requirements=[])

client = MlflowClient()
run = client.get_run(run_id)
check("params", run.data.params["rate"] == "0.1" and run.data.params["p119"] == "119")
check("latest metrics", run.data.metrics == {"loss": 0.2, "a": 1.5, "b": 2.5})
check("metric history", [m.value for m in client.get_metric_history(run_id, "loss")] == [1 / (i + 1) for i in range(5)])
check("tags", run.data.tags["kind"] == "dialect")
check("artifacts at the root", {f.path for f in client.list_artifacts(run_id)} >= {"notes", "many", "model"})
check("artifacts in a folder", len(client.list_artifacts(run_id, "many")) == 60)
with tempfile.TemporaryDirectory() as tmp:
    path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="notes/hello.txt", dst_path=tmp)
    check("download", open(path).read() == "hello")
    folder = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="model", dst_path=tmp)
    check("a model's folder", os.path.exists(os.path.join(folder, "MLmodel")))
version = mlflow.register_model(f"runs:/{run_id}/model", "twice")
check("a registered model", version.name == "twice" and str(version.version) == "1")
check("search", [r.info.run_id for r in client.search_runs([experiment], "params.rate = '0.1' and metrics.loss < 1")] == [run_id])
other = client.create_run(experiment)
client.log_batch(other.info.run_id, metrics=[mlflow.entities.Metric("m", float(i), 1, i) for i in range(1000)])
client.set_terminated(other.info.run_id)
check("another run ends", client.get_run(other.info.run_id).info.status == "FINISHED")
print(f"{passed} passed with mlflow {mlflow.__version__}")

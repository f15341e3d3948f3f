"""Models: uploads, stages, downloads, archive; code assets; the batch addresses of the model registry."""

import os

from azure.ai.ml import load_model
from azure.ai.ml.entities import Model, ModelPackage, AzureMLOnlineInferencingServer, AzureMLBatchInferencingServer
from azure.ai.ml.entities._assets._artifacts.code import Code
from azure.core.exceptions import ResourceNotFoundError


def run(w):
    ml, step = w.ml, w.step
    file = w.write("model/weights.txt", "0.5 0.25\n")
    folder = os.path.dirname(file)
    with step("models: upload a file"):
        m = ml.models.create_or_update(Model(name="net", version="1", path=file, type="custom_model", description="weights", tags={"a": "b"}))
        assert isinstance(m, Model) and m.version == "1" and m.path.endswith("weights.txt"), m
        m = ml.models.get("net", version="1")
        assert m.tags["a"] == "b" and m.type == "custom_model" and m.creation_context.created_by
    with step("models: upload a folder, the next version, stages"):
        m = ml.models.create_or_update(Model(name="net", path=folder, stage="Development"))
        assert m.version == "2" and m.stage == "Development", m
        assert ml.models.get("net", label="latest").version == "2"
        assert [x.version for x in ml.models.list("net", "Development")] == ["2"]
    with step("models: from YAML"):
        w.write("mlflow/MLmodel", "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    env: conda.yaml\n")
        path = w.write("model.yml", "name: flow\nversion: 7\npath: ./mlflow\ntype: mlflow_model\nproperties:\n  p: q\n")
        m = ml.models.create_or_update(load_model(path))
        assert m.type == "mlflow_model" and m.version == "7" and m.properties["p"] == "q"
    with step("models: update"):
        m = ml.models.get("net", version="1")
        m.description, m.stage = "changed", "Production"
        ml.models.create_or_update(m)
        m = ml.models.get("net", version="1")
        assert m.description == "changed" and m.stage == "Production", m
    with step("models: list"):
        assert {"net", "flow"} <= {m.name for m in ml.models.list()}
        assert [m.version for m in ml.models.list(name="net")] == ["2", "1"]
    with step("models: download"):
        ml.models.download("net", "1", download_path=w.folder + "/down")
        assert w.read(w.folder, "down/net/weights.txt") == "0.5 0.25\n"
        ml.models.download("net", "2", download_path=w.folder + "/down2")
        assert w.read(w.folder, "down2/net/model/weights.txt") == "0.5 0.25\n"
    with step("models: archive and restore"):
        ml.models.archive("net", version="1")
        assert [m.version for m in ml.models.list(name="net")] == ["2"]
        ml.models.restore("net", version="1")
        ml.models.archive("flow")
        assert "flow" not in {m.name for m in ml.models.list()}
        ml.models.restore("flow")
    with step("models: missing"):
        w.error(ResourceNotFoundError, "not found", ml.models.get, "nothing", version="1")
    with step("models: packages are images"):
        package = ModelPackage(target_environment="packed", inferencing_server=AzureMLOnlineInferencingServer())
        w.refused("container image", ml.models.package, "net", "1", package)
    codes(w)


def codes(w):
    ml, step = w.ml, w.step
    code = ml.hidden("_code")
    with step("code: upload, get"):
        w.write("code/train.py", "print('train')\n")
        w.write("code/left.log", "not sent\n")
        w.write("code/.gitignore", "*.log\n")
        made = code.create_or_update(Code(path=w.folder + "/code", name="snapshot", version="1"))
        got = code.get(made.name, made.version)
        assert isinstance(got, Code) and got.path, got
    with step("code: the same content is sent once"):
        again = code.create_or_update(Code(path=w.folder + "/code", name="snapshot", version="1"))
        assert again.path == made.path
    with step("code: download"):
        # It downloads with the signature of the default datastore, which opens that datastore's container and not the one that code is uploaded to.
        name, version, _ = w.stored_code("code/train.py")
        code.download(name, version, w.folder + "/codedown")
        assert w.read(w.folder, "codedown/train.py") == "print('train')\n"
    with step("code: missing"):
        w.error(Exception, "not found", code.get, "nothing", "1")

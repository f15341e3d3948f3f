"""Registries, their assets, shares, and deployment templates."""

from azure.ai.ml import load_component
from azure.ai.ml.entities import Data, DeploymentTemplate, Environment, Model, Registry, RegistryRegionDetails, SystemCreatedAcrAccount, SystemCreatedStorageAccount
from azure.core.exceptions import ResourceNotFoundError


def run(w):
    ml, step = w.ml, w.step
    with step("registries: create, get, list"):
        details = RegistryRegionDetails(
            location="eastus", acr_config=[SystemCreatedAcrAccount(acr_account_sku="Premium")], storage_config=SystemCreatedStorageAccount(storage_account_hns=False, storage_account_type="Standard_LRS")
        )
        made = ml.registries.begin_create(Registry(name="shelf", location="eastus", description="d", tags={"a": "b"}, replication_locations=[details]))
        assert made.name == "shelf", made
        got = ml.registries.get("shelf")
        assert got.tags["a"] == "b" and got.location == "eastus", got
        for scope in ("resource_group", "subscription"):
            assert "shelf" in [r.name for r in ml.registries.list(scope=scope)]
    reg = None
    with step("registries: a client of one"):
        reg = w.connect(registry_name="shelf")
    if reg:
        assets(w, reg)
        shares(w, reg)
        templates(w, reg)
    with step("registries: delete"):
        ml.registries.begin_delete(name="shelf")
        w.error(ResourceNotFoundError, "not found", ml.registries.get, "shelf")


def assets(w, reg):
    step = w.step
    file = w.write("asset/file.txt", "content\n")
    with step("registries: a model"):
        m = reg.models.create_or_update(Model(name="net", version="1", path=file, type="custom_model"))
        assert m.version == "1", m
        assert reg.models.get("net", version="1").path
        assert "net" in {x.name for x in reg.models.list()} and [x.version for x in reg.models.list(name="net")] == ["1"]
        reg.models.download("net", "1", download_path=w.folder + "/down")
        assert w.read(w.folder, "down/net/file.txt") == "content\n"
    with step("registries: data"):
        d = reg.data.create_or_update(Data(name="table", version="1", path=w.folder + "/asset", type="uri_folder"))
        assert d.version == "1", d
        assert reg.data.get("table", version="1").type == "uri_folder"
        assert [x.version for x in reg.data.list(name="table")] == ["1"]
    with step("registries: an environment"):
        e = reg.environments.create_or_update(Environment(name="env", version="1", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"))
        assert e.version == "1", e
        assert [x.version for x in reg.environments.list(name="env")] == ["1"]
    with step("registries: a component with code and environment of its own"):
        w.write("component/run.py", "print(1)\n")
        path = w.write("component.yml", COMPONENT)
        c = reg.components.create_or_update(load_component(path))
        assert c.version == "1", c
        assert reg.components.get("step", version="1").command == "python run.py"
        assert "step" in {x.name for x in reg.components.list()}


def shares(w, reg):
    ml, step = w.ml, w.step
    with step("registries: share what a workspace has"):
        file = w.write("asset/shared.txt", "shared\n")
        ml.models.create_or_update(Model(name="mine", version="1", path=file, type="custom_model"))
        ml.data.create_or_update(Data(name="mine-data", version="1", path=file, type="uri_file"))
        ml.environments.create_or_update(Environment(name="mine-env", version="1", image="mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"))
        ml.models.share("mine", "1", share_with_name="ours", share_with_version="3", registry_name="shelf")
        ml.data.share("mine-data", "1", share_with_name="ours-data", share_with_version="3", registry_name="shelf")
        ml.environments.share("mine-env", "1", share_with_name="ours-env", share_with_version="3", registry_name="shelf")
        assert reg.models.get("ours", version="3").path
        assert reg.data.get("ours-data", version="3").path
        assert reg.environments.get("ours-env", version="3").image


def templates(w, reg):
    step, t = w.step, reg.deployment_templates
    with step("deployment templates: create, get, list"):
        made = t.create_or_update(DeploymentTemplate(name="plan", version="1", environment="azureml://registries/shelf/environments/env/versions/1", description="d", default_instance_type="Standard_DS3_v2", allowed_instance_types=["Standard_DS3_v2"], instance_count=1, deployment_template_type="managed", model_mount_path="/m", scoring_path="/score", scoring_port=5001))
        assert made.name == "plan" and made.version == "1", made
        assert t.get("plan", version="1").description == "d"
        assert t.get("plan").version == "1"
        assert "plan" in [x.name for x in t.list()]
    with step("deployment templates: archive, restore, delete"):
        assert t.archive("plan", version="1").stage == "Archived"
        assert t.restore("plan", version="1").stage == "Development"
        t.delete("plan", version="1")
        w.error(ResourceNotFoundError, "not found", t.get, "plan", version="1")


COMPONENT = """
name: step
version: "1"
type: command
code: ./component
command: python run.py
environment: azureml://registries/shelf/environments/env/versions/1
"""

"""Environments: images, conda files, build contexts; Microsoft's own."""

from azure.ai.ml import load_environment
from azure.ai.ml.entities import BuildContext, Environment
from azure.core.exceptions import ResourceNotFoundError

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"
CONDA = "name: c\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - pip:\n      - numpy\n"


def run(w):
    ml, step = w.ml, w.step
    with step("environments: an image"):
        e = ml.environments.create_or_update(Environment(name="image", version="1", image=IMAGE, description="d", tags={"a": "b"}))
        assert isinstance(e, Environment) and e.image == IMAGE and e.version == "1", e
        e = ml.environments.get("image", version="1")
        assert e.tags["a"] == "b" and e.os_type.lower() == "linux", e
    with step("environments: a conda file"):
        e = ml.environments.create_or_update(Environment(name="conda", image=IMAGE, conda_file=w.write("conda.yml", CONDA)))
        assert e.conda_file["dependencies"][0] == "python=3.11" and e.version == "1", e
        assert ml.environments.create_or_update(Environment(name="conda", image=IMAGE, conda_file=w.write("conda.yml", CONDA + "      - scipy\n"))).version == "2"
        assert ml.environments.get("conda", label="latest").version == "2"
    with step("environments: a build context"):
        w.write("context/Dockerfile", "FROM scratch\nCOPY data /data\n")
        w.write("context/data", "x")
        e = ml.environments.create_or_update(Environment(name="built", version="1", build=BuildContext(path=w.folder + "/context")))
        assert e.build.path and e.build.dockerfile_path == "Dockerfile", e
    with step("environments: from YAML"):
        e = ml.environments.create_or_update(load_environment(w.write("env.yml", f"name: yaml\nversion: 4\nimage: {IMAGE}\ninference_config:\n  liveness_route: {{path: /, port: 5001}}\n  readiness_route: {{path: /, port: 5001}}\n  scoring_route: {{path: /score, port: 5001}}\n")))
        assert e.inference_config.scoring_route.path == "/score" if hasattr(e.inference_config, "scoring_route") else e.inference_config["scoring_route"], e
    with step("environments: update"):
        e = ml.environments.get("image", version="1")
        e.description = "changed"
        ml.environments.create_or_update(e)
        assert ml.environments.get("image", version="1").description == "changed"
    with step("environments: list"):
        assert {"image", "conda", "built", "yaml"} <= {e.name for e in ml.environments.list()}
        assert [e.version for e in ml.environments.list(name="conda")] == ["2", "1"]
    with step("environments: archive and restore"):
        ml.environments.archive("conda", version="1")
        assert [e.version for e in ml.environments.list(name="conda")] == ["2"]
        ml.environments.restore("conda", version="1")
        ml.environments.archive("image")
        assert "image" not in {e.name for e in ml.environments.list()}
        ml.environments.restore("image")
    with step("environments: missing"):
        w.error(ResourceNotFoundError, "not found", ml.environments.get, "nothing", version="1")

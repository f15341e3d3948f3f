"""Online endpoints: deployments of a Python scoring script, traffic, invoke, keys, tokens, logs."""

import json

from azure.ai.ml import load_online_deployment, load_online_endpoint
from azure.ai.ml.entities import CodeConfiguration, Environment, KubernetesOnlineEndpoint, ManagedOnlineDeployment, ManagedOnlineEndpoint, Model, OnlineRequestSettings, ProbeSettings
from azure.core.exceptions import ResourceNotFoundError

SCORE = """
import json, os

def init():
    global factor
    folder = os.environ["AZUREML_MODEL_DIR"]
    found = [os.path.join(d, f) for d, _, fs in os.walk(folder) for f in fs]
    factor = float(open(found[0]).read())
    print("init done", os.environ.get("WORD"))

def run(data):
    rows = json.loads(data)["data"]
    print("scored", len(rows))
    return {"factor": factor, "result": [factor * x for x in rows]}
"""
IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest"


def run(w):
    ml, step = w.ml, w.step
    w.write("code/score.py", SCORE)
    request = w.write("request.json", json.dumps({"data": [1, 2]}))
    for name, factor in (("double", "2"), ("triple", "3")):
        ml.models.create_or_update(Model(name=name, version="1", path=w.write(f"{name}/factor.txt", factor), type="custom_model"))

    def invoke(**options):
        # Its own quirk: deployment_name leaves a header behind for all later calls of the process.
        from azure.ai.ml.constants._endpoint import EndpointInvokeFields

        EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)
        return json.loads(ml.online_endpoints.invoke("numbers", request_file=request, **options))

    def deployment(name, model, **options):
        return ManagedOnlineDeployment(
            name=name,
            endpoint_name="numbers",
            model=f"azureml:{model}:1",
            code_configuration=CodeConfiguration(code=w.folder + "/code", scoring_script="score.py"),
            environment=Environment(image=IMAGE),
            instance_type="Standard_DS3_v2",
            instance_count=1,
            **options,
        )

    with step("online: create an endpoint"):
        e = ml.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name="numbers", auth_mode="key", description="d", tags={"a": "b"}))
        assert isinstance(e, ManagedOnlineEndpoint) and e.scoring_uri and e.provisioning_state == "Succeeded", e
        assert ml.online_endpoints.get("numbers").tags["a"] == "b"
    with step("online: deploy a scoring script"):
        d = ml.online_deployments.begin_create_or_update(
            deployment("blue", "double", environment_variables={"WORD": "blue"}, request_settings=OnlineRequestSettings(request_timeout_ms=20000), liveness_probe=ProbeSettings(initial_delay=10), tags={"c": "d"})
        )
        assert isinstance(d, ManagedOnlineDeployment) and d.provisioning_state == "Succeeded", d
        d = ml.online_deployments.get("blue", "numbers")
        assert d.environment_variables["WORD"] == "blue" and d.tags["c"] == "d" and d.model.endswith("double:1") or "double" in str(d.model), d
    with step("online: traffic and invoke"):
        e = ml.online_endpoints.get("numbers")
        e.traffic = {"blue": 100}
        assert ml.online_endpoints.begin_create_or_update(e).traffic == {"blue": 100}
        assert invoke() == {"factor": 2.0, "result": [2.0, 4.0]}
    with step("online: a second deployment, invoked by name, then all the traffic"):
        ml.online_deployments.begin_create_or_update(deployment("green", "triple"))
        assert invoke(deployment_name="green")["factor"] == 3.0
        assert invoke()["factor"] == 2.0
        e = ml.online_endpoints.get("numbers")
        e.traffic = {"blue": 0, "green": 100}
        ml.online_endpoints.begin_create_or_update(e)
        assert {invoke()["factor"] for _ in range(5)} == {3.0}
        assert {d.name for d in ml.online_deployments.list("numbers")} == {"blue", "green"}
    with step("online: mirrored traffic and update"):
        e = ml.online_endpoints.get("numbers")
        e.mirror_traffic, e.description = {"blue": 10}, "changed"
        e = ml.online_endpoints.begin_create_or_update(e)
        assert e.mirror_traffic == {"blue": 10} and e.description == "changed", e
    with step("online: logs"):
        said = ml.online_deployments.get_logs("blue", "numbers", lines=100)
        assert "init done blue" in said, said
        ml.online_deployments.get_logs("blue", "numbers", lines=10, container_type="storage-initializer")
    with step("online: keys"):
        keys = ml.online_endpoints.get_keys("numbers")
        assert keys.primary_key and keys.secondary_key
        ml.online_endpoints.begin_regenerate_keys("numbers", key_type="primary")
        after = ml.online_endpoints.get_keys("numbers")
        assert after.primary_key != keys.primary_key and after.secondary_key == keys.secondary_key
        assert invoke()["factor"] == 3.0
    with step("online: what a scoring script refuses"):
        bad = w.write("bad.json", "{}")
        w.error(Exception, "data", ml.online_endpoints.invoke, "numbers", request_file=bad)
    with step("online: an update of a deployment"):
        d = ml.online_deployments.get("blue", "numbers")
        d.instance_count = 2
        d.environment_variables = {"WORD": "again"}
        d = ml.online_deployments.begin_create_or_update(d)
        assert d.instance_count == 2, d
        assert invoke(deployment_name="blue")["factor"] == 2.0
    with step("online: a deployment that cannot start says its log"):
        w.write("broken/score.py", "raise RuntimeError('no such weights')\n")
        d = deployment("broken", "double")
        d.code_configuration = CodeConfiguration(code=w.folder + "/broken", scoring_script="score.py")
        w.error(Exception, "crashed", ml.online_deployments.begin_create_or_update, d)
        assert "no such weights" in ml.online_deployments.get_logs("broken", "numbers", lines=50)
        assert ml.online_deployments.get("broken", "numbers").provisioning_state == "Failed"
    with step("online: tokens"):
        ml.online_endpoints.begin_create_or_update(load_online_endpoint(w.write("endpoint.yml", "name: tokens\nauth_mode: aml_token\n")))
        path = w.write("deployment.yml", YAML)
        ml.online_deployments.begin_create_or_update(load_online_deployment(path))
        token = ml.online_endpoints.get_keys("tokens")
        assert token.access_token and token.expiry_time_utc, token
        from azure.ai.ml.constants._endpoint import EndpointInvokeFields

        EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)
        answer = ml.online_endpoints.invoke("tokens", request_file=request, deployment_name="only")
        assert json.loads(answer)["factor"] == 2.0
    with step("online: a Kubernetes endpoint needs its compute"):
        w.error(Exception, "nowhere", ml.online_endpoints.begin_create_or_update, KubernetesOnlineEndpoint(name="kube", compute="nowhere"))
    with step("online: list, delete, missing"):
        assert {"numbers", "tokens"} <= {e.name for e in ml.online_endpoints.list()}
        ml.online_deployments.begin_delete("blue", "numbers")
        assert "blue" not in {d.name for d in ml.online_deployments.list("numbers")}
        w.error(ResourceNotFoundError, "not found", ml.online_deployments.get, "blue", "numbers")
        for name in ("numbers", "tokens"):
            ml.online_endpoints.begin_delete(name)
            w.error(ResourceNotFoundError, "not found", ml.online_endpoints.get, name)


YAML = f"""
name: only
endpoint_name: tokens
model: azureml:double:1
code_configuration: {{code: ./code, scoring_script: score.py}}
environment: {{image: {IMAGE}}}
instance_type: Standard_DS3_v2
instance_count: 1
"""

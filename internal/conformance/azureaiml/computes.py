"""Computes: clusters, instances with their states, attached ones; sizes and usages."""

from azure.ai.ml import load_compute
from azure.ai.ml.entities import AmlCompute, ComputeInstance, KubernetesCompute, VirtualMachineCompute, VirtualMachineSshSettings
from azure.core.exceptions import ResourceNotFoundError

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/other/providers"


def run(w):
    ml, step = w.ml, w.step
    with step("computes: the cluster that is there at birth"):
        c = ml.compute.get("cpu-cluster")
        assert isinstance(c, AmlCompute) and c.max_instances >= 1 and c.provisioning_state == "Succeeded", c
        ml.compute.list_nodes("cpu-cluster")
    with step("computes: create a cluster"):
        c = ml.compute.begin_create_or_update(AmlCompute(name="made", size="STANDARD_DS3_V2", min_instances=0, max_instances=3, idle_time_before_scale_down=300, tier="low_priority", tags={"a": "b"}))
        assert isinstance(c, AmlCompute) and c.max_instances == 3, c
        c = ml.compute.get("made")
        assert c.idle_time_before_scale_down == 300 and c.tier.lower().replace("_", "") == "lowpriority" and c.location, c
    with step("computes: update a cluster"):
        c.max_instances = 5
        assert ml.compute.begin_update(c).max_instances == 5
        assert ml.compute.get("made").max_instances == 5
    with step("computes: from YAML"):
        c = ml.compute.begin_create_or_update(load_compute(w.write("cluster.yml", "name: fromyaml\ntype: amlcompute\nsize: STANDARD_DS3_V2\nmax_instances: 1\nidentity: {type: system_assigned}\n")))
        assert c.identity and c.identity.type, c
    with step("computes: an instance and its states"):
        i = ml.compute.begin_create_or_update(ComputeInstance(name="inst1", size="STANDARD_DS3_V2", idle_time_before_shutdown_minutes=30))
        assert isinstance(i, ComputeInstance) and i.state == "Running", i
        ml.compute.begin_stop("inst1")
        assert ml.compute.get("inst1").state == "Stopped"
        ml.compute.begin_start("inst1")
        assert ml.compute.get("inst1").state == "Running"
        ml.compute.begin_restart("inst1")
        assert ml.compute.get("inst1").state == "Running"
    with step("computes: single sign-on"):
        ml.compute.enable_sso(name="inst1", enable_sso=False)
        assert ml.compute.get("inst1").enable_sso is False
    with step("computes: attach Kubernetes and a virtual machine"):
        k = ml.compute.begin_attach(KubernetesCompute(name="kube", resource_id=f"{GROUP}/Microsoft.ContainerService/managedClusters/k", namespace="ml"))
        assert k.namespace == "ml", k
        v = ml.compute.begin_attach(VirtualMachineCompute(name="vm", resource_id=f"{GROUP}/Microsoft.Compute/virtualMachines/v", ssh_settings=VirtualMachineSshSettings(admin_username="me", admin_password="s3cret")))
        assert v.resource_id, v
    with step("computes: list"):
        names = {c.name for c in ml.compute.list()}
        assert {"cpu-cluster", "made", "fromyaml", "inst1", "kube", "vm"} <= names, names
        assert {c.name for c in ml.compute.list(compute_type="ComputeInstance")} == {"inst1"}
    with step("computes: sizes and usages"):
        sizes = ml.compute.list_sizes()
        assert sizes and sizes[0].name and sizes[0].vCPUs, vars(sizes[0])
        usages = ml.compute.list_usage()
        assert usages and usages[0].limit is not None, usages[:1]
    with step("computes: detach and delete"):
        ml.compute.begin_delete("vm", action="Detach")
        for name in ("kube", "inst1", "made", "fromyaml"):
            ml.compute.begin_delete(name)
        w.error(ResourceNotFoundError, "not found", ml.compute.get, "made")

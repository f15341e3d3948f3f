"""Workspaces, hubs, projects, their keys, networks and capability hosts."""

from azure.ai.ml import load_workspace
from azure.ai.ml.entities import CapabilityHost, FqdnDestination, Hub, ManagedNetwork, Project, ServiceTagDestination, Workspace
from azure.core.exceptions import ResourceNotFoundError


def run(w):
    ml, step = w.ml, w.step
    with step("workspaces: get"):
        ws = ml.workspaces.get()
        assert isinstance(ws, Workspace) and ws.name == ml.workspace_name and ws.location and ws.discovery_url and ws.mlflow_tracking_uri, ws
    with step("workspaces: list in the group and the subscription"):
        for scope in ("resource_group", "subscription"):
            assert ml.workspace_name in [x.name for x in ml.workspaces.list(scope=scope)]
        assert all(x._kind == "hub" for x in ml.workspaces.list(filtered_kinds="hub"))
    with step("workspaces: keys"):
        keys = ml.workspaces.get_keys()
        assert keys.user_storage_key, keys
        ml.workspaces.begin_sync_keys()
    with step("workspaces: create"):
        made = ml.workspaces.begin_create(Workspace(name="second", display_name="Second", description="made here", tags={"a": "1"}))
        assert made.name == "second" and made.display_name == "Second" and made.tags["a"] == "1", made
        made = ml.workspaces.begin_create(load_workspace(w.write("workspace.yml", "name: third\ndisplay_name: Third\nlocation: eastus\n")))
        assert made.location == "eastus"
    with step("workspaces: update"):
        ws = ml.workspaces.get("second")
        ws.description, ws.tags = "changed", {"b": "2"}
        ml.workspaces.begin_update(ws)
        ws = ml.workspaces.get("second")
        assert ws.description == "changed" and ws.tags["b"] == "2", ws
    with step("workspaces: a further workspace has assets of its own"):
        second = w.connect("second")
        assert second.datastores.get_default().name == "workspaceblobstore"
        assert second.data.list() == []
    with step("workspaces: diagnose"):
        assert ml.workspaces.begin_diagnose("second") is not None
    with step("workspaces: missing"):
        w.error(ResourceNotFoundError, "not found", ml.workspaces.get, "nowhere")
    with step("workspaces: delete"):
        for name in ("second", "third"):
            ml.workspaces.begin_delete(name, delete_dependent_resources=False)
            w.error(ResourceNotFoundError, "not found", ml.workspaces.get, name)
    networks(w)
    hubs(w)


def networks(w):
    ml, step = w.ml, w.step
    rules = ml.workspace_outbound_rules
    with step("outbound rules: a workspace with a managed network"):
        ml.workspaces.begin_create(Workspace(name="fenced", managed_network=ManagedNetwork(isolation_mode="allow_only_approved_outbound")))
    with step("outbound rules: create, get, update, list, remove"):
        made = rules.begin_create("fenced", FqdnDestination(name="pypi", destination="pypi.org"))
        assert made.destination == "pypi.org", made
        rules.begin_create("fenced", ServiceTagDestination(name="tag", service_tag="DataFactory", protocol="TCP", port_ranges="80, 8080-8089"))
        assert rules.get("fenced", "pypi").destination == "pypi.org"
        rules.begin_update("fenced", FqdnDestination(name="pypi", destination="*.pypi.org"))
        assert {r.name for r in rules.list("fenced")} >= {"pypi", "tag"}
        assert rules.get("fenced", "pypi").destination == "*.pypi.org"
        rules.begin_remove("fenced", "pypi")
        w.error(ResourceNotFoundError, "not found", rules.get, "fenced", "pypi")
    with step("workspaces: provision network"):
        ml.workspaces.begin_provision_network(workspace_name="fenced")
    ml.workspaces.begin_delete("fenced", delete_dependent_resources=False)


def hubs(w):
    ml, step = w.ml, w.step
    with step("hubs and projects"):
        hub = ml.workspaces.begin_create(Hub(name="hub"))
        assert isinstance(hub, Hub), hub
        project = ml.workspaces.begin_create(Project(name="project", hub_id=hub.id))
        assert isinstance(project, Project) and project.hub_id.lower() == hub.id.lower(), project
        assert "hub" in [x.name for x in ml.workspaces.list(filtered_kinds=["hub"])]
    with step("capability hosts: create, get, delete"):
        hosts = w.connect("hub").capability_hosts
        made = hosts.begin_create_or_update(CapabilityHost(name="agents", capability_host_kind="Agents", description="of the hub"))
        assert made.name == "agents", made
        assert hosts.get("agents").description == "of the hub"
        hosts.begin_delete("agents")
        w.error(ResourceNotFoundError, "not found", hosts.get, "agents")
    with step("capability hosts: of a workspace that is no hub"):
        w.error(Exception, "should be either 'Hub' or 'Project'", ml.capability_hosts.begin_create_or_update, CapabilityHost(name="agents"))
    ml.workspaces.begin_delete("project", delete_dependent_resources=False)
    ml.workspaces.begin_delete("hub", delete_dependent_resources=False)

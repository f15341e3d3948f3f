"""Connections of every common type, with their secrets."""

from azure.ai.ml import load_connection
from azure.ai.ml.entities import AccessKeyConfiguration, APIKeyConnection, ApiKeyConfiguration, AzureAISearchConnection, AzureAIServicesConnection
from azure.ai.ml.entities import AzureBlobStoreConnection, AzureContentSafetyConnection, AzureOpenAIConnection, AzureSpeechServicesConnection, OpenAIConnection
from azure.ai.ml.entities import PatTokenConfiguration, SasTokenConfiguration, SerpConnection, ServerlessConnection, UsernamePasswordConfiguration, WorkspaceConnection
from azure.core.exceptions import ResourceNotFoundError

AT = "https://example.openai.azure.com"


def run(w):
    ml, step = w.ml, w.step
    made = [
        AzureOpenAIConnection(name="openai", azure_endpoint=AT, api_key="k1", api_version="2024-02-01"),
        AzureOpenAIConnection(name="openai-entra", azure_endpoint=AT),
        AzureAIServicesConnection(name="services", endpoint=AT, api_key="k2", ai_services_resource_id="/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"),
        AzureAISearchConnection(name="find", endpoint=AT, api_key="k3"),
        AzureContentSafetyConnection(name="safety", endpoint=AT, api_key="k4"),
        AzureSpeechServicesConnection(name="speech", endpoint=AT, api_key="k5"),
        APIKeyConnection(name="api", api_base=AT, api_key="k6"),
        OpenAIConnection(name="oai", api_key="k7"),
        SerpConnection(name="serp", api_key="k8"),
        ServerlessConnection(name="less", endpoint=AT, api_key="k9"),
        AzureBlobStoreConnection(name="blob", url="https://acc.blob.core.windows.net", container_name="box", account_name="acc", credentials=SasTokenConfiguration(sas_token="sig=x")),
        WorkspaceConnection(name="git", type="git", target="https://github.com/a/b", credentials=PatTokenConfiguration(pat="p")),
        WorkspaceConnection(name="feed", type="python_feed", target="https://example.org/simple", credentials=UsernamePasswordConfiguration(username="u", password="p")),
        WorkspaceConnection(name="s3", type="s3", target="https://s3.amazonaws.com/b", credentials=AccessKeyConfiguration(access_key_id="i", secret_access_key="s")),
    ]
    with step("connections: create every type"):
        for c in made:
            got = ml.connections.create_or_update(c)
            assert got.name == c.name and type(got) is type(c), (c.name, got)
    with step("connections: get, with and without secrets"):
        for c in made:
            assert ml.connections.get(c.name).name == c.name
        c = ml.connections.get("openai", populate_secrets=True)
        assert isinstance(c.credentials, ApiKeyConfiguration) and c.credentials.key == "k1" and c.azure_endpoint == AT, c
        assert not ml.connections.get("openai").credentials.key
    with step("connections: list"):
        assert {c.name for c in made} <= {c.name for c in ml.connections.list(include_data_connections=True)}
        assert {c.name for c in ml.connections.list(connection_type="azure_open_ai")} == {"openai", "openai-entra"}
    with step("connections: from YAML, update"):
        path = w.write("connection.yml", "name: git\ntype: git\ntarget: https://github.com/c/d\ncredentials:\n  type: pat\n  pat: q\n")
        ml.connections.create_or_update(load_connection(path))
        assert ml.connections.get("git").target == "https://github.com/c/d"
    with step("connections: OpenAI deployments of a connection"):
        assert ml.azure_openai_deployments.list("openai") == []
    with step("connections: delete and missing"):
        for c in made:
            ml.connections.delete(c.name)
        w.error(ResourceNotFoundError, "not found", ml.connections.get, "openai")

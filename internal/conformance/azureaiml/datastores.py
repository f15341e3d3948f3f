"""Datastores and their secrets."""

from azure.ai.ml import load_datastore
from azure.ai.ml.entities import AccountKeyConfiguration, AzureBlobDatastore, AzureDataLakeGen1Datastore, AzureDataLakeGen2Datastore, AzureFileDatastore
from azure.ai.ml.entities import SasTokenConfiguration, ServicePrincipalConfiguration
from azure.core.exceptions import ResourceNotFoundError


def run(w):
    ml, step = w.ml, w.step
    with step("datastores: the default one, with secrets"):
        d = ml.datastores.get_default()
        assert isinstance(d, AzureBlobDatastore) and d.name == "workspaceblobstore" and d.account_name and d.container_name
        d = ml.datastores.get_default(include_secrets=True)
        assert "sig=" in d.credentials.sas_token  # the client asks for secrets that expire
    with step("datastores: list"):
        names = [d.name for d in ml.datastores.list()]
        assert {"workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory"} <= set(names), names
        assert ml.datastores.list(include_secrets=True)
    with step("datastores: create each type"):
        principal = ServicePrincipalConfiguration(tenant_id="t", client_id="c", client_secret="s")
        for d in (
            AzureBlobDatastore(name="blobs", account_name="acc", container_name="box", credentials=AccountKeyConfiguration(account_key="a2V5"), tags={"t": "1"}),
            AzureBlobDatastore(name="signed", account_name="acc", container_name="box", credentials=SasTokenConfiguration(sas_token="?sv=2021&sig=x")),
            AzureFileDatastore(name="files", account_name="acc", file_share_name="share", credentials=AccountKeyConfiguration(account_key="a2V5")),
            AzureDataLakeGen2Datastore(name="lake", account_name="acc", filesystem="lakefs", credentials=principal, description="a lake"),
            AzureDataLakeGen1Datastore(name="oldlake", store_name="store", credentials=principal),
        ):
            made = ml.datastores.create_or_update(d)
            assert type(made) is type(d) and made.name == d.name, made
        assert ml.datastores.get("lake").filesystem == "lakefs"
        assert ml.datastores.get("blobs").tags["t"] == "1"
    with step("datastores: secrets"):
        assert "sig=" in ml.datastores.get("blobs", include_secrets=True).credentials.sas_token
        assert not getattr(ml.datastores.get("blobs").credentials, "account_key", None)
    with step("datastores: from YAML, update"):
        path = w.write("datastore.yml", "name: blobs\ntype: azure_blob\naccount_name: acc\ncontainer_name: box\ndescription: changed\ncredentials:\n  account_key: a2V5\n")
        ml.datastores.create_or_update(load_datastore(path))
        assert ml.datastores.get("blobs").description == "changed"
    with step("datastores: delete and missing"):
        for name in ("blobs", "signed", "files", "lake", "oldlake"):
            ml.datastores.delete(name)
        w.error(ResourceNotFoundError, "not found", ml.datastores.get, "blobs")
        assert "blobs" not in [d.name for d in ml.datastores.list()]

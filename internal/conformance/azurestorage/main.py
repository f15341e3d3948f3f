"""Drives the stock azure-storage-blob against the local workspace's blob service: main.py SERVER.json RESULT.json.

SERVER.json holds the line that examples/localserver prints. Every method of its clients is called, or listed with the reason.
"""

import base64
import datetime
import json
import os
import platform
import sys
from importlib.metadata import version

import azure.storage.blob as storage
import world  # finds table
import table
from world import World
from azure.core import MatchConditions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobBlock, BlobClient, BlobServiceClient, ContainerClient, ContentSettings

CLIENTS = (BlobServiceClient, ContainerClient, BlobClient, storage.BlobLeaseClient)
METHODS = world.methods(CLIENTS)
NOT_CALLED = {
    "BlobServiceClient.get_service_stats": "goes to the account's second location, which a local workspace does not have",
    "BlobServiceClient.get_user_delegation_key": "needs a token, which the client sends over https only",
    "BlobClient.abort_copy": "needs a copy that is still going on; here a copy has ended when it is answered",
    "BlobLeaseClient.acquire": "leases are refused when they are asked for by acquire_lease, which calls it",
    "BlobLeaseClient.break_lease": "needs a lease, which is refused",
    "BlobLeaseClient.change": "needs a lease, which is refused",
    "BlobLeaseClient.release": "needs a lease, which is refused",
    "BlobLeaseClient.renew": "needs a lease, which is refused",
}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        server = json.load(f)
    log = table.Table()
    w = World(server, log)
    service = w.record(BlobServiceClient(w.url, credential={"account_name": w.account, "account_key": w.key}))
    for part in (accounts, containers, blobs, blocks, conditions, copies, appends, signatures, refusals):
        with log.step(f"{part.__name__}: all steps are reached"):
            part(w, service)
    with log.step("clients are closed"):
        c = service.get_container_client("box")
        c.get_blob_client("x").close()
        c.close()
        service.close()
    versions = {"python": platform.python_version(), "azure-storage-blob": version("azure-storage-blob")}
    table.write(sys.argv[2], log, NOT_CALLED, versions, METHODS)
    table.show(log.summary(NOT_CALLED, METHODS))


def accounts(w, service):
    with w.step("accounts: information and properties"):
        assert service.get_account_information()["account_kind"]
        assert "hour_metrics" in service.get_service_properties()
    with w.step("accounts: connection strings"):
        text = f"DefaultEndpointsProtocol=http;AccountName={w.account};AccountKey={w.key};BlobEndpoint={w.url};"
        assert any(c.name == "azureml" for c in w.note(BlobServiceClient, "from_connection_string")(text).list_containers())
        assert w.note(ContainerClient, "from_connection_string")(text, "azureml").exists()
        assert not w.note(BlobClient, "from_connection_string")(text, "azureml", "none").exists()
        credential = {"account_name": w.account, "account_key": w.key}
        assert w.note(ContainerClient, "from_container_url")(w.url + "/azureml", credential=credential).exists()
        assert not w.note(BlobClient, "from_blob_url")(w.url + "/azureml/none", credential=credential).exists()


def containers(w, service):
    with w.step("containers: create, properties, list, delete"):
        box = service.create_container("box", metadata={"a": "b"})
        w.error(ResourceExistsError, "exists", service.create_container, "box")
        assert box.get_container_properties().metadata == {"a": "b"}
        box.set_container_metadata({"c": "d"})
        assert box.get_container_properties().metadata == {"c": "d"} and box.exists()
        assert box.get_container_access_policy()["signed_identifiers"] == []
        assert box.get_account_information()["sku_name"]
        more = [f"many-{i}" for i in range(5)]
        for name in more:
            service.get_container_client(name).create_container()
        assert [c.name for c in service.list_containers(name_starts_with="many-", results_per_page=2)] == more
        for name in more[:-1]:
            service.delete_container(name)
        service.get_container_client(more[-1]).delete_container()
        assert service.list_containers(name_starts_with="many-") == []
        w.error(ResourceNotFoundError, "", service.delete_container, "many-0")


def blobs(w, service):
    box = service.get_container_client("box")
    with w.step("blobs: upload and download"):
        blob = box.upload_blob("dir/a.txt", b"hello", metadata={"k": "v"}, content_settings=ContentSettings(content_type="text/plain", cache_control="no-cache"))
        assert blob.download_blob().readall() == b"hello" and box.download_blob("dir/a.txt", offset=1, length=3).readall() == b"ell"
        p = blob.get_blob_properties()
        assert p.metadata == {"k": "v"} and p.content_settings.content_type == "text/plain" and p.size == 5 and p.etag and blob.exists(), p
        assert blob.get_account_information()["account_kind"]
        w.error(ResourceExistsError, "exists", blob.upload_blob, b"again")
        blob.upload_blob(b"again", overwrite=True)
        assert blob.download_blob().readall() == b"again"
    with w.step("blobs: headers, metadata, tier"):
        blob.set_http_headers(ContentSettings(content_type="text/csv"))
        blob.set_blob_metadata({"x": "y"})
        blob.set_standard_blob_tier("Cool")
        p = blob.get_blob_properties()
        w.error(HttpResponseError, "tier", blob.set_premium_page_blob_tier, "P10")
        assert p.content_settings.content_type == "text/csv" and p.metadata == {"x": "y"} and p.blob_tier == "Cool", p
    with w.step("blobs: large ones, in parallel parts"):
        data = os.urandom(9 << 20)
        big = service.get_blob_client("box", "big")
        big.upload_blob(data, max_concurrency=4, validate_content=True)
        assert big.download_blob(max_concurrency=4, validate_content=True).readall() == data
    with w.step("blobs: list, names, folders"):
        for i in range(7):
            box.upload_blob(f"list/{i % 2}/{i}", str(i))
        assert len(box.list_blobs(name_starts_with="list/", results_per_page=3)) == 7
        assert len(box.list_blob_names(name_starts_with="list/")) == 7
        assert [b.name for b in box.walk_blobs("list/", delimiter="/")] == ["list/0/", "list/1/"]
        assert [b.metadata for b in box.list_blobs(name_starts_with="dir/", include=["metadata"])] == [{"x": "y"}]
    with w.step("blobs: delete"):
        box.delete_blob("list/0/0")
        service.get_blob_client("box", "list/1/1").delete_blob()
        w.error(ResourceNotFoundError, "", box.delete_blob, "list/0/0")
        w.error(ResourceNotFoundError, "", box.download_blob, "list/0/0")
    with w.step("blobs: odd names"):
        for name in ("a b/c d.txt", "ä/日本", "per%cent", "plus+sign", "q?uestion#hash", "dots../x", "trail "):
            box.upload_blob(name, name.encode())
            assert box.download_blob(name).readall() == name.encode()
            assert name in box.list_blob_names(name_starts_with=name)


def blocks(w, service):
    with w.step("blocks: stage, commit, list"):
        blob = service.get_blob_client("box", "blocks")
        ids = [base64.b64encode(f"{i:04}".encode()).decode() for i in range(3)]
        for i, part in zip(ids, (b"one ", b"two ", b"three")):
            blob.stage_block(i, part, validate_content=True)
        committed, staged = blob.get_block_list("all")
        assert committed == [] and len(staged) == 3
        blob.commit_block_list([BlobBlock(i) for i in ids])
        assert blob.download_blob().readall() == b"one two three"
        blob.stage_block_from_url(ids[1], service.plain.get_blob_client("box", "dir/a.txt").url + "?" + w.sas(storage.generate_blob_sas, "box", "dir/a.txt", permission="r"))
        blob.commit_block_list([BlobBlock(ids[0]), BlobBlock(ids[1])])
        assert blob.download_blob().readall() == b"one again"
        w.error(HttpResponseError, "block", blob.commit_block_list, [BlobBlock(base64.b64encode(b"none").decode())])


def conditions(w, service):
    with w.step("conditions: etags and times"):
        blob = service.get_blob_client("box", "conditional")
        etag = blob.upload_blob(b"1")["etag"]
        blob.upload_blob(b"2", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        w.error(ResourceModifiedError, "condition", blob.upload_blob, b"3", overwrite=True, etag=etag, match_condition=MatchConditions.IfNotModified)
        w.error(ResourceModifiedError, "condition", blob.delete_blob, etag=etag, match_condition=MatchConditions.IfNotModified)
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        w.error(HttpResponseError, "condition", blob.get_blob_properties, if_unmodified_since=later - datetime.timedelta(hours=2))
        assert blob.download_blob().readall() == b"2"


def copies(w, service):
    with w.step("copies: within the account, from a signed address"):
        source = service.plain.get_blob_client("box", "dir/a.txt").url + "?" + w.sas(storage.generate_blob_sas, "box", "dir/a.txt", permission="r")
        blob = service.get_blob_client("box", "copied")
        assert blob.start_copy_from_url(source)["copy_status"] == "success"
        assert blob.download_blob().readall() == b"again"
        other = service.get_blob_client("box", "put-from-url")
        other.upload_blob_from_url(source)
        assert other.download_blob().readall() == b"again"


def appends(w, service):
    with w.step("append blobs"):
        blob = service.get_blob_client("box", "log")
        blob.create_append_blob()
        for line in (b"one\n", b"two\n"):
            blob.append_block(line)
        assert blob.download_blob().readall() == b"one\ntwo\n"
        source = service.plain.get_blob_client("box", "dir/a.txt").url + "?" + w.sas(storage.generate_blob_sas, "box", "dir/a.txt", permission="r")
        blob.append_block_from_url(source, source_offset=0, source_length=2)
        assert blob.download_blob().readall() == b"one\ntwo\nag"
        w.error(HttpResponseError, "condition", blob.append_block, b"x", appendpos_condition=3)
        w.error(HttpResponseError, "condition", blob.append_block, b"x", maxsize_condition=8)


def signatures(w, service):
    box = service.get_container_client("box")
    with w.step("signatures: of an account, a container, a blob"):
        account = w.sas(storage.generate_account_sas, permission="rl", resource_types=storage.ResourceTypes(container=True, object=True))
        assert BlobClient(w.url, "box", "log", credential=account).download_blob().readall() == b"one\ntwo\nag"
        w.error(HttpResponseError, "permission", w.record(BlobClient(w.url, "box", "log", credential=account)).delete_blob)
        container = ContainerClient(w.url, "box", credential=w.sas(storage.generate_container_sas, "box"))
        container.upload_blob("signed", b"s")
        assert "signed" in [b.name for b in container.list_blobs()]
        one = w.record(BlobClient(w.url, "box", "other", credential=w.sas(storage.generate_blob_sas, "box", "signed", permission="r")))
        w.error(ClientAuthenticationError, "signature", one.download_blob)
    with w.step("signatures: expired, forged, none"):
        expired = w.sas(storage.generate_container_sas, "box", permission="rl", minutes=-5)
        w.error(ClientAuthenticationError, "", w.record(ContainerClient(w.url, "box", credential=expired)).list_blobs)
        forged = base64.b64encode(b"another key of the same length..").decode()
        w.error(ClientAuthenticationError, "", w.record(ContainerClient(w.url, "box", credential={"account_name": w.account, "account_key": forged})).list_blobs)
        w.error(HttpResponseError, "", w.record(ContainerClient(w.url, "box")).list_blobs)
    assert box.exists()


def refusals(w, service):
    box, blob = service.get_container_client("box"), service.get_blob_client("box", "log")
    page = service.get_blob_client("box", "page")
    text = "local workspace"
    now = datetime.datetime.now(datetime.timezone.utc)
    for name, call in {
        "service properties": lambda: service.set_service_properties(hour_metrics=storage.Metrics(enabled=False)),
        "deleted containers": lambda: service.undelete_container("box", "1"), "tags over all containers": lambda: service.find_blobs_by_tags("a='b'"),
        "leases of containers": box.acquire_lease, "leases of blobs": blob.acquire_lease, "tags in a container": lambda: box.find_blobs_by_tags("a='b'"),
        "access policies": lambda: box.set_container_access_policy({}), "batches": lambda: box.delete_blobs("log"), "batches of tiers": lambda: box.set_standard_blob_tier_blobs("Cool", "log"),
        "batches of page tiers": lambda: box.set_premium_page_blob_tier_blobs("P10", "log"), "page blobs": lambda: page.create_page_blob(512), "pages": lambda: page.upload_page(b"0" * 512, 0, 512),
        "clearing pages": lambda: page.clear_page(0, 512), "pages from elsewhere": lambda: page.upload_pages_from_url(w.url + "/box/log", 0, 512, 0), "page ranges": page.get_page_ranges,
        "lists of page ranges": page.list_page_ranges, "ranges of disks": lambda: page.get_page_range_diff_for_managed_disk(w.url + "/box/log"), "resizing": lambda: page.resize_blob(1024),
        "sequence numbers": lambda: page.set_sequence_number("max", "1"), "snapshots": blob.create_snapshot,
        "tags": blob.get_blob_tags, "setting tags": lambda: blob.set_blob_tags({"a": "b"}), "sealing": blob.seal_append_blob, "undelete": blob.undelete_blob,
        "queries": lambda: blob.query_blob("select * from BlobStorage"), "legal holds": lambda: blob.set_legal_hold(True),
        "immutability": lambda: blob.set_immutability_policy(storage.ImmutabilityPolicy(expiry_time=now, policy_mode="Unlocked")), "no immutability": blob.delete_immutability_policy,
    }.items():  # fmt: skip
        with w.step("refusals: " + name):
            w.refused(text, call)


if __name__ == "__main__":
    main()

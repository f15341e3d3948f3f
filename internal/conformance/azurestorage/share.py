"""Drives the stock azure-storage-file-share against the local workspace: share.py SERVER.json RESULT.json.

Every method of its clients is called, or listed with the reason.
"""

import datetime
import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version

import azure.storage.fileshare as storage
import world  # finds table
import table
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.fileshare import ContentSettings, ShareClient, ShareDirectoryClient, ShareFileClient, ShareServiceClient
from world import World

METHODS = world.methods((ShareServiceClient, ShareClient, ShareDirectoryClient, ShareFileClient))
NOT_CALLED = {
    "ShareDirectoryClient.from_directory_url": "makes an https address of whatever it is given",
    "ShareServiceClient.get_user_delegation_key": "needs a token, which the client sends over https only",
    "ShareFileClient.from_file_url": "makes an https address of whatever it is given",
    "ShareFileClient.abort_copy": "needs a copy that is still going on; here a copy has ended when it is answered",
    "ShareDirectoryClient.close_handle": "needs an open handle, which only a mounted share has",
    "ShareFileClient.close_handle": "needs an open handle, which only a mounted share has",
}
TEXT = "local workspace"


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        server = json.load(f)
    log = table.Table()
    w = World(server, log)
    service = w.record(ShareServiceClient(w.url, credential={"account_name": w.account, "account_key": w.key}))
    for part in (accounts, shares, directories, files, ranges, renames, signatures, same_contents, reference, refusals):
        with log.step(f"{part.__name__}: all steps are reached"):
            part(w, service)
    with log.step("clients are closed"):
        s = service.get_share_client("share")
        d = s.get_directory_client("d")
        for c in (d.get_file_client("f"), d, s, service):
            c.close()
    versions = {"python": platform.python_version(), "azure-storage-file-share": version("azure-storage-file-share")}
    table.write(sys.argv[2], log, NOT_CALLED, versions, METHODS)
    table.show(log.summary(NOT_CALLED, METHODS))


def accounts(w, service):
    with w.step("accounts: properties, connection strings"):
        credential = {"account_name": w.account, "account_key": w.key}
        text = f"DefaultEndpointsProtocol=http;AccountName={w.account};AccountKey={w.key};FileEndpoint={w.url};"
        w.note(ShareServiceClient, "from_connection_string")(text).create_share("first")
        assert w.note(ShareClient, "from_connection_string")(text, "first").get_share_properties().name == "first"
        assert w.note(ShareClient, "from_share_url")(w.url + "/first", credential=credential).get_share_properties().name == "first"
        assert not w.note(ShareDirectoryClient, "from_connection_string")(text, "first", "none").exists()
        assert not w.note(ShareFileClient, "from_connection_string")(text, "first", "none").exists()
        assert "hour_metrics" in service.get_service_properties()


def shares(w, service):
    with w.step("shares: create, properties, list, delete"):
        share = service.create_share("share", metadata={"a": "b"})
        w.error(ResourceExistsError, "exists", service.create_share, "share")
        assert share.get_share_properties().metadata == {"a": "b"}
        assert share.get_share_access_policy()["signed_identifiers"] == []
        share.set_share_metadata({"c": "d"})
        assert share.get_share_properties().metadata == {"c": "d"}
        service.get_share_client("share-2").create_share()
        service.get_share_client("share-2").delete_share()
        service.create_share("share-3")
        service.delete_share("share-3")
        w.error(ResourceNotFoundError, "", service.delete_share, "share-3")


def directories(w, service):
    share = service.get_share_client("share")
    with w.step("directories: create, properties, list, delete"):
        d = share.create_directory("dir", metadata={"k": "v"})
        w.error(ResourceExistsError, "exists", share.create_directory, "dir")
        assert d.exists() and d.get_directory_properties().metadata == {"k": "v"}
        d.set_directory_metadata({"x": "y"})
        assert d.get_directory_properties().metadata == {"x": "y"}
        d.set_http_headers(file_attributes="Directory", file_creation_time="preserve", file_last_write_time=datetime.datetime(2024, 5, 6, 7, 8, 9))
        assert d.get_directory_properties().last_write_time.year == 2024
        sub = d.create_subdirectory("sub")
        sub.upload_file("f", b"content")
        assert d.get_subdirectory_client("sub").get_file_client("f").download_file().readall() == b"content"
        w.error(ResourceNotFoundError, "", share.create_directory, "none/below")
        w.error(HttpResponseError, "empty", d.delete_subdirectory, "sub")
        for i in range(5):
            d.upload_file(f"file-{i}", b"x" * i)
        want = [("sub", True), ("file-0", False), ("file-1", False), ("file-2", False), ("file-3", False), ("file-4", False)]
        for page in (None, 2):
            found = d.list_directories_and_files(results_per_page=page) if page else d.list_directories_and_files()
            assert sorted((f["name"], f["is_directory"]) for f in found) == sorted(want), found
        assert [f["size"] for f in d.list_directories_and_files(name_starts_with="file-3")] == [3]
        assert [f["name"] for f in share.list_directories_and_files()] == ["dir"]
        assert d.list_handles() == [] and d.close_all_handles()["closed_handles_count"] == 0
        sub.delete_file("f")
        d.delete_subdirectory("sub")
        assert not sub.exists()
        share.create_directory("short")
        share.delete_directory("short")
        again = share.get_directory_client("again")
        again.create_directory()
        again.delete_directory()
        w.error(ResourceNotFoundError, "", again.delete_directory)


def files(w, service):
    share = service.get_share_client("share")
    with w.step("files: upload, properties, download"):
        f = share.get_file_client("dir/a.txt")
        f.upload_file(b"hello", metadata={"k": "v"}, content_settings=ContentSettings(content_type="text/plain"), validate_content=True)
        p = f.get_file_properties()
        assert p.size == 5 and p.metadata == {"k": "v"} and p.content_settings.content_type == "text/plain" and p.file_attributes == "Archive" and p.etag, p
        assert f.exists() and f.download_file().readall() == b"hello" and f.download_file(offset=1, length=3).readall() == b"ell"
        f.set_file_metadata({"x": "y"})
        f.set_http_headers(ContentSettings(content_type="text/csv"), file_attributes="ReadOnly", file_last_write_time=datetime.datetime(2024, 5, 6, 7, 8, 9))
        p = f.get_file_properties()
        assert p.metadata == {"x": "y"} and p.content_settings.content_type == "text/csv" and p.file_attributes == "ReadOnly" and p.last_write_time.year == 2024, p
        f.upload_file(b"another")
        assert f.download_file().readall() == b"another"
        assert f.list_handles() == [] and f.close_all_handles()["closed_handles_count"] == 0
    with w.step("files: large ones, in parallel parts"):
        data = os.urandom(9 << 20)
        big = share.get_file_client("big")
        big.upload_file(data, max_concurrency=4, validate_content=True)
        assert big.download_file(max_concurrency=4, validate_content=True).readall() == data
    with w.step("files: copy, delete"):
        source = w.url + "/share/dir/a.txt?" + w.sas(storage.generate_file_sas, "share", ["dir", "a.txt"], permission="r")
        c = share.get_file_client("dir/copied")
        assert c.start_copy_from_url(source)["copy_status"] == "success"
        assert c.download_file().readall() == b"another"
        c.delete_file()
        w.error(ResourceNotFoundError, "", c.delete_file)
        share.get_directory_client("dir").delete_file("a.txt")
        w.error(ResourceNotFoundError, "", share.get_file_client("dir/a.txt").download_file)
        w.error(ResourceNotFoundError, "parent", share.get_file_client("none/a.txt").upload_file, b"x")


def ranges(w, service):
    with w.step("ranges: sparse files, written in any order, resized"):
        f = service.get_share_client("share").get_file_client("ranges")
        f.create_file(1 << 20)
        f.upload_range(b"tail", offset=(1 << 20) - 4, length=4, validate_content=True)
        f.upload_range(b"head", offset=0, length=4)
        got = f.download_file().readall()
        assert got[:4] == b"head" and got[-4:] == b"tail" and got[4:-4] == bytes((1 << 20) - 8)
        f.clear_range(0, 512)
        assert f.download_file(offset=0, length=8).readall() == bytes(8)
        assert f.get_ranges() == [{"start": 0, "end": (1 << 20) - 1}] and len(f.list_ranges()) == 1
        f.resize_file(10)
        assert f.get_file_properties().size == 10
        w.error(HttpResponseError, "", f.upload_range, b"beyond", offset=8, length=6)


def renames(w, service):
    share = service.get_share_client("share")
    with w.step("renames: files and directories"):
        d = share.create_directory("old")
        d.upload_file("f", b"1")
        d.upload_file("g", b"2")
        d.get_file_client("f").rename_file("old/h")
        w.error(ResourceExistsError, "", d.get_file_client("g").rename_file, "old/h")
        d.get_file_client("g").rename_file("old/h", overwrite=True)
        d.rename_directory("new")
        assert share.get_file_client("new/h").download_file().readall() == b"2" and not d.exists()


def signatures(w, service):
    with w.step("signatures: of an account, a share, a file"):
        account = w.sas(storage.generate_account_sas, permission="rwdlc", resource_types=storage.ResourceTypes(container=True, object=True))
        whole = w.sas(storage.generate_share_sas, "share", permission="rcwdl")
        one = w.sas(storage.generate_file_sas, "share", ["signed"], permission="rcw")
        for sas in (account, whole, one):
            f = ShareFileClient(w.url, "share", "signed", credential=sas)
            f.upload_file(b"signed")
            assert f.download_file().readall() == b"signed"
        w.error(HttpResponseError, "signature", w.record(ShareFileClient(w.url, "share", "other", credential=one)).upload_file, b"x")
        w.error(HttpResponseError, "", w.record(ShareFileClient(w.url, "first", "other", credential=whole)).upload_file, b"x")
        read = w.sas(storage.generate_share_sas, "share", permission="r")
        w.error(HttpResponseError, "permission", w.record(ShareFileClient(w.url, "share", "signed", credential=read)).delete_file)


def same_contents(w, service):
    with w.step("the workspace's file datastores: what a job reads and writes"):
        from azure.storage.blob import ContainerClient

        name = w.ask("GET", "/datastores/workspacefilestore")["properties"]["fileShareName"]
        sas = w.ask("POST", "/datastores/workspacefilestore/listSecrets", b'{"expirableSecret": true}')["sasToken"]
        share = ShareClient(w.url, name, credential=sas)
        share.get_directory_client("in").create_directory()
        share.get_file_client("in/x").upload_file(b"by files")
        blobs = ContainerClient(w.url, name, credential={"account_name": w.account, "account_key": w.key})
        assert blobs.download_blob("in/x").readall() == b"by files"
        blobs.upload_blob("out/deep/y", b"by blobs")
        assert share.get_file_client("out/deep/y").download_file().readall() == b"by blobs"
        assert [(f["name"], f["is_directory"]) for f in share.list_directories_and_files()] == [("in", True), ("out", True)]
        share.get_file_client("out/deep/y").upload_range(b"BY", offset=0, length=2)
        assert blobs.download_blob("out/deep/y").readall() == b"BY blobs"


def reference(w, service):
    with w.step("azure-ai-ml's own client of Azure Files: a folder up, found again, down"):
        from azure.ai.ml._artifacts._fileshare_storage_helper import FileStorageClient

        service.create_share("reference-files")
        with tempfile.TemporaryDirectory() as here:
            src = os.path.join(here, "src")
            os.makedirs(src)
            for name in ("one.txt", "two.txt"):
                with open(os.path.join(src, name), "w", encoding="utf-8") as f:
                    f.write(name)
            client = lambda: FileStorageClient(w.sas(storage.generate_share_sas, "reference-files", permission="rcwdl"), "reference-files", w.url)
            up = client().upload(src, "n", "1", asset_hash="h1", show_progress=False)
            again = client().upload(src, "other", "2", asset_hash="h1", show_progress=False)
            assert (again["name"], again["version"]) == ("n", "1"), again
            down = os.path.join(here, "down")
            client().download("h1", down)
            found = sorted(os.path.join(at, f)[len(down) :] for at, _, fs in os.walk(down) for f in fs)
            assert [os.path.basename(f) for f in found] == ["one.txt", "two.txt"], found
            assert up["remote path"]


def refusals(w, service):
    share, d, f = service.get_share_client("share"), service.get_share_client("share").get_directory_client("dir"), service.get_share_client("share").get_file_client("ranges")
    for name, call in {
        "service properties": lambda: service.set_service_properties(hour_metrics=storage.Metrics(enabled=False)), "deleted shares": lambda: service.undelete_share("share", "1"),
        "leases of shares": share.acquire_lease, "snapshots": share.create_snapshot, "quotas": lambda: share.set_share_quota(1), "properties of shares": lambda: share.set_share_properties(quota=1),
        "setting access policies": lambda: share.set_share_access_policy({}), "statistics": share.get_share_stats,
        "permissions": lambda: share.create_permission_for_share("O:S"), "reading permissions": lambda: share.get_permission_for_share("0"),
        "leases of files": f.acquire_lease, "hard links": lambda: f.create_hardlink("x"), "symbolic links": lambda: f.create_symlink("x"), "reading links": f.get_symlink,
        "differences of ranges": lambda: f.get_ranges_diff("2024-01-01T00:00:00.0000000Z"), "lists of differences": lambda: f.list_ranges_diff("2024-01-01T00:00:00.0000000Z"),
        "ranges from elsewhere": lambda: f.upload_range_from_url(w.url + "/share/signed", 0, 1, 0),
    }.items():  # fmt: skip
        with w.step("refusals: " + name):
            w.refused(TEXT, call)
    assert d.exists()
    with w.step("shares are listed at the address that names the service: on the common one the question is that for containers"):
        own = w.record(ShareServiceClient(w.url + ".file", credential={"account_name": w.account, "account_key": w.key}))
        assert {"first", "share", "reference-files"} <= {s["name"] for s in own.list_shares()}
        assert own.get_share_client("share").get_file_client("signed").download_file().readall() == b"signed"


if __name__ == "__main__":
    main()

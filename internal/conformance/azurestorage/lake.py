"""Drives the stock azure-storage-file-datalake against the local workspace: lake.py SERVER.json RESULT.json.

Every method of its clients is called, or listed with the reason.
"""

import json
import os
import platform
import sys
from importlib.metadata import version

import azure.storage.filedatalake as storage
import world  # finds table
import table
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.filedatalake import ContentSettings, DataLakeDirectoryClient, DataLakeFileClient, DataLakeServiceClient, FileSystemClient
from world import World

METHODS = world.methods((DataLakeServiceClient, FileSystemClient, DataLakeDirectoryClient, DataLakeFileClient))
NOT_CALLED = {
    "DataLakeServiceClient.get_user_delegation_key": "needs a token, which the client sends over https only",
    "FileSystemClient.list_deleted_paths": "what is deleted is gone: there is no list to read",
}
TEXT = "local workspace"


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        server = json.load(f)
    log = table.Table()
    w = World(server, log)
    service = w.record(DataLakeServiceClient(w.url, credential={"account_name": w.account, "account_key": w.key}))
    for part in (accounts, filesystems, directories, files, listings, renames, signatures, reference, refusals):
        with log.step(f"{part.__name__}: all steps are reached"):
            part(w, service)
    with log.step("clients are closed"):
        for c in (service.get_directory_client("lake", "d"), service.get_file_client("lake", "d/f"), service.get_file_system_client("lake"), service):
            c.close()
    versions = {"python": platform.python_version(), "azure-storage-file-datalake": version("azure-storage-file-datalake")}
    table.write(sys.argv[2], log, NOT_CALLED, versions, METHODS)
    table.show(log.summary(NOT_CALLED, METHODS))


def accounts(w, service):
    with w.step("accounts: properties, connection strings"):
        assert "hour_metrics" in service.get_service_properties()
        text = f"DefaultEndpointsProtocol=http;AccountName={w.account};AccountKey={w.key};BlobEndpoint={w.url};DfsEndpoint={w.url};"
        assert any(c.name == "azureml" for c in w.note(DataLakeServiceClient, "from_connection_string")(text).list_file_systems())
        assert w.note(FileSystemClient, "from_connection_string")(text, "azureml").exists()
        assert not w.note(DataLakeDirectoryClient, "from_connection_string")(text, "azureml", "none").exists()
        assert not w.note(DataLakeFileClient, "from_connection_string")(text, "azureml", "none").exists()


def filesystems(w, service):
    with w.step("file systems: create, properties, list, delete"):
        lake = service.create_file_system("lake", metadata={"a": "b"})
        w.error(ResourceExistsError, "exists", service.create_file_system, "lake")
        assert lake.get_file_system_properties().metadata == {"a": "b"} and lake.exists()
        lake.set_file_system_metadata({"c": "d"})
        assert lake.get_file_system_properties().metadata == {"c": "d"}
        lake.get_file_system_access_policy()
        service.get_file_system_client("lake-2").create_file_system()
        assert [f.name for f in service.list_file_systems(name_starts_with="lake")] == ["lake", "lake-2"]
        service.get_file_system_client("lake-2").delete_file_system()
        service.create_file_system("lake-3")
        service.delete_file_system("lake-3")
        w.error(ResourceNotFoundError, "", service.delete_file_system, "lake-3")


def directories(w, service):
    lake = service.get_file_system_client("lake")
    with w.step("directories: create, properties, metadata, delete"):
        d = lake.create_directory("dir", metadata={"k": "v"})
        p = d.get_directory_properties()
        assert d.exists() and p.metadata.get("k") == "v" and p.etag, p
        d.set_metadata({"x": "y"})
        assert d.get_directory_properties().metadata.get("x") == "y"
        assert d.get_access_control()["owner"] == "$superuser"
        sub = d.create_sub_directory("sub/deeper")
        assert lake.get_directory_client("dir/sub").exists() and sub.exists(), "folders above come with it"
        sub.create_file("file").upload_data(b"x", overwrite=True)
        assert d.get_sub_directory_client("sub").get_file_client("deeper/file").download_file().readall() == b"x"
        assert d.get_file_client("sub/deeper/file").exists()
        d.set_http_headers(ContentSettings(cache_control="no-cache"))
        w.error(HttpResponseError, "", d.create_file, "sub")
        d.delete_sub_directory("sub")
        assert not sub.exists() and not lake.get_file_client("dir/sub/deeper/file").exists() and d.exists()
        lake.delete_directory("dir")
        w.error(ResourceNotFoundError, "", d.get_directory_properties)
        again = lake.get_directory_client("again")
        again.create_directory()
        again.delete_directory()
        assert not again.exists()


def files(w, service):
    lake = service.get_file_system_client("lake")
    with w.step("files: create, append, flush, read"):
        f = lake.create_file("data/one.txt", metadata={"k": "v"}, content_settings=ContentSettings(content_type="text/plain"))
        assert f.get_file_properties().size == 0 and lake.get_directory_client("data").exists()
        f.append_data(b"hello ", 0, 6, validate_content=True)
        f.append_data(b"world", 6)
        assert f.get_file_properties().size == 0, "what is not flushed is not there"
        f.flush_data(11)
        p = f.get_file_properties()
        assert f.download_file().readall() == b"hello world" and p.metadata == {"k": "v"} and p.content_settings.content_type == "text/plain", p
        assert f.download_file(offset=6, length=3).readall() == b"wor"
        f.append_data(b"!", 11, flush=True)
        assert f.download_file().readall() == b"hello world!"
        w.error(HttpResponseError, "position", f.flush_data, 99)
        f.append_data(b"later", 20)
        w.error(HttpResponseError, "contiguous", f.flush_data, 25)
        w.error(ResourceNotFoundError, "", lake.get_file_client("data/none").append_data, b"x", 0)
    with w.step("files: what a blob client wrote grows"):
        from azure.storage.blob import BlobClient

        blob = BlobClient(w.url, "lake", "data/blob", credential={"account_name": w.account, "account_key": w.key})
        blob.upload_blob(b"as a blob")
        g = lake.get_file_client("data/blob")
        g.append_data(b", then as a file", 9)
        g.flush_data(25)
        assert blob.download_blob().readall() == b"as a blob, then as a file"
    with w.step("files: large ones, in parallel parts"):
        data = os.urandom(9 << 20)
        big = lake.get_file_client("big")
        big.upload_data(data, overwrite=True, max_concurrency=4, chunk_size=1 << 20, validate_content=True)
        assert big.download_file(max_concurrency=4).readall() == data
    with w.step("files: headers, metadata, conditions, delete"):
        f = lake.get_file_client("data/one.txt")
        f.set_http_headers(ContentSettings(content_type="text/csv"))
        f.set_metadata({"m": "n"})
        p = f.get_file_properties()
        assert p.content_settings.content_type == "text/csv" and p.metadata == {"m": "n"}
        assert f.get_access_control()["permissions"]
        w.error(ResourceExistsError, "", f.create_file, match_condition=MatchConditions.IfMissing)
        w.error(ResourceModifiedError, "condition", f.delete_file, etag='"0x1"', match_condition=MatchConditions.IfNotModified)
        f.create_file()
        assert f.get_file_properties().size == 0
        f.delete_file()
        assert not f.exists()
        lake.create_file("short").upload_data(b"s", overwrite=True)
        lake.delete_file("short")
        w.error(ResourceNotFoundError, "", lake.delete_file, "short")


def listings(w, service):
    lake = service.create_file_system("lists")
    with w.step("listings: all below, one level, in pages"):
        for name in ("a/b/1", "a/b/2", "a-b", "a/c", "z"):
            lake.get_file_client(name).upload_data(name.encode(), overwrite=True)
        named = lambda paths: [(p.name, p.is_directory, p.content_length) for p in paths]
        want = [("a", True, 0), ("a-b", False, 3), ("a/b", True, 0), ("a/b/1", False, 5), ("a/b/2", False, 5), ("a/c", False, 3), ("z", False, 1)]
        assert named(lake.get_paths()) == want, named(lake.get_paths())
        assert named(lake.get_paths(max_results=2)) == want
        assert named(lake.get_paths(path="a", recursive=False)) == [("a/b", True, 0), ("a/c", False, 3)]
        assert [p[0] for p in named(lake.get_paths(recursive=False, max_results=1))] == ["a", "a-b", "z"]
        assert [p.name for p in lake.get_directory_client("a").get_paths()] == ["a/b", "a/b/1", "a/b/2", "a/c"]
        w.error(ResourceNotFoundError, "", lake.get_paths, path="none")
    with w.step("listings: folders that blobs make"):
        from azure.storage.blob import ContainerClient

        box = ContainerClient(w.url, "lists", credential={"account_name": w.account, "account_key": w.key})
        for i in range(5):
            box.upload_blob(f"made/by/blob-{i}", b"x")
        for page in (None, 1, 2):
            assert [(p.name, p.is_directory) for p in lake.get_paths(path="made", max_results=page)] == [("made/by", True)] + [(f"made/by/blob-{i}", False) for i in range(5)], page
        assert lake.get_directory_client("made/by").exists() is False, "as a blob it is not there"


def renames(w, service):
    lake = service.get_file_system_client("lists")
    with w.step("renames: files and directories"):
        f = lake.get_file_client("z").rename_file("lists/moved/z")
        assert f.download_file().readall() == b"z" and not lake.get_file_client("z").exists()
        d = lake.get_directory_client("a").rename_directory("lists/moved/a")
        assert d.exists() and lake.get_file_client("moved/a/b/2").download_file().readall() == b"a/b/2"
        assert [p.name for p in lake.get_paths(recursive=False)] == ["a-b", "made", "moved"]
        lake.get_file_client("a-b").rename_file("lists/moved/z")
        assert lake.get_file_client("moved/z").download_file().readall() == b"a-b"
        w.error(HttpResponseError, "", lake.get_directory_client("moved").rename_directory, "lists/moved/a/below")
        w.error(ResourceNotFoundError, "", lake.get_file_client("none").rename_file, "lists/other")


def signatures(w, service):
    with w.step("signatures: of a file system, a directory, a file"):
        for sas in (w.sas(storage.generate_file_system_sas, "lists", permission="racwdl"), w.sas(storage.generate_directory_sas, "lists", "moved", permission="racwdl"),
                    w.sas(storage.generate_file_sas, "lists", "moved", "z", permission="rcw")):  # fmt: skip
            f = DataLakeFileClient(w.url, "lists", "moved/z", credential=sas)
            f.upload_data(b"signed", overwrite=True)
            assert f.download_file().readall() == b"signed"
        d = w.sas(storage.generate_directory_sas, "lists", "moved", permission="racwdl")
        assert len(list(FileSystemClient(w.url, "lists", credential=d).get_paths(path="moved"))) == 6
        other = w.record(DataLakeFileClient(w.url, "lists", "other", credential=d))
        w.error(HttpResponseError, "signature", other.create_file)


def reference(w, service):
    with w.step("azure-ai-ml's own client of Data Lake Gen2: a folder up, found again, down"):
        import tempfile

        from azure.ai.ml._artifacts._gen2_storage_helper import Gen2StorageClient

        with tempfile.TemporaryDirectory() as here:
            src = os.path.join(here, "src")
            os.makedirs(os.path.join(src, "sub"))
            for name in ("one.txt", "sub/two.txt", "sub/empty"):
                with open(os.path.join(src, name), "w", encoding="utf-8") as f:
                    f.write("" if name.endswith("empty") else name)
            client = lambda: Gen2StorageClient({"account_name": w.account, "account_key": w.key}, "reference", w.url)
            service.create_file_system("reference")
            up = client().upload(src, "n", "1", asset_hash="h1", show_progress=False)
            again = client().upload(src, "other", "2", asset_hash="h1", show_progress=False)
            assert (again["name"], again["version"]) == ("n", "1"), again
            down = os.path.join(here, "down")
            client().download(up["remote path"], down)
            for name in ("one.txt", "sub/two.txt", "sub/empty"):
                with open(os.path.join(down, name), encoding="utf-8") as f:
                    assert f.read() == ("" if name.endswith("empty") else name)


def refusals(w, service):
    lake, d, f = service.get_file_system_client("lists"), service.get_directory_client("lists", "moved"), service.get_file_client("lists", "moved/z")
    calls = {
        "service properties": lambda: service.set_service_properties(hour_metrics=storage.Metrics(enabled=False)), "deleted file systems": lambda: service.undelete_file_system("lists", "1"),
        "access policies": lambda: lake.set_file_system_access_policy({}), "leases of file systems": lake.acquire_lease,
        "leases of directories": d.acquire_lease, "leases of files": f.acquire_lease, "queries": lambda: f.query_file("select * from BlobStorage"), "expiry": lambda: f.set_file_expiry("NeverExpire"),
    }  # fmt: skip
    for of, c in (("directories", d), ("files", f)):
        calls |= {
            f"access of {of}": lambda c=c: c.set_access_control(permissions="0777"), f"access below {of}": lambda c=c: c.set_access_control_recursive("user::rwx"),
            f"changed access below {of}": lambda c=c: c.update_access_control_recursive("user::rwx"), f"removed access below {of}": lambda c=c: c.remove_access_control_recursive("user:x"),
            f"tags of {of}": c.get_tags, f"set tags of {of}": lambda c=c: c.set_tags({"a": "b"}),
        }  # fmt: skip
    for name, call in calls.items():
        with w.step("refusals: " + name):
            w.refused(TEXT, call)


if __name__ == "__main__":
    main()

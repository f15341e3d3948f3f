"""Data assets: files, folders, tables; versions, labels, archive."""

from azure.ai.ml import load_data
from azure.ai.ml.entities import Data
from azure.core.exceptions import ResourceNotFoundError

IRIS = "length,width\n5.1,3.5\n4.9,3.0\n"


def run(w):
    ml, step = w.ml, w.step
    path = w.write("data/iris.csv", IRIS)
    w.write("data/deep/more.txt", "more\n")
    w.write("data/.amlignore", "*.tmp\n")
    w.write("data/left.tmp", "not sent\n")
    with step("data: upload a file"):
        d = ml.data.create_or_update(Data(name="iris", version="1", path=path, type="uri_file", description="a table", tags={"kind": "csv"}))
        assert isinstance(d, Data) and d.version == "1" and d.path.startswith("azureml://") and d.path.endswith("iris.csv"), d
        d = ml.data.get("iris", version="1")
        assert d.tags == {"kind": "csv"} and d.description == "a table" and d.type == "uri_file" and d.creation_context.created_at
    with step("data: the next version is the service's to say"):
        assert ml.data.create_or_update(Data(name="iris", path=path, type="uri_file")).version == "2"
        assert ml.data.get("iris", label="latest").version == "2"
    with step("data: upload a folder, ignoring what .amlignore says"):
        d = ml.data.create_or_update(Data(name="folder", version="1", path=path.rsplit("/", 1)[0], type="uri_folder"))
        from azure.storage.blob import ContainerClient

        store = ml.datastores.get_default(include_secrets=True)
        with ContainerClient(f"{w.server['url']}/{store.account_name}", store.container_name, credential=store.credentials.sas_token) as c:
            prefix = d.path.split("/paths/")[1]
            names = {b.name[len(prefix) :].lstrip("/") for b in c.list_blobs(name_starts_with=prefix)}
        assert "iris.csv" in names and "deep/more.txt" in names and "left.tmp" not in names, names
    with step("data: a table"):
        w.write("table/MLTable", "paths:\n  - file: ./iris.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n")
        d = ml.data.create_or_update(Data(name="table", version="1", path=w.write("table/iris.csv", IRIS).rsplit("/", 1)[0], type="mltable"))
        assert d.type == "mltable"
    with step("data: in the cloud already, from YAML"):
        d = ml.data.create_or_update(load_data(w.write("data.yml", "name: remote\nversion: 3\ntype: uri_folder\npath: azureml://datastores/workspaceblobstore/paths/some/where/\n")))
        assert d.version == "3" and "some/where" in d.path
        d = ml.data.create_or_update(Data(name="web", version="1", path="https://example.org/a.csv", type="uri_file"))
        assert d.path == "https://example.org/a.csv"
    with step("data: update what may change"):
        d = ml.data.get("iris", version="1")
        d.description, d.tags = "changed", {"k": "v"}
        ml.data.create_or_update(d)
        d = ml.data.get("iris", version="1")
        assert d.description == "changed" and d.tags["k"] == "v", d
    with step("data: another path under a version that exists"):
        w.error(Exception, "path", ml.data.create_or_update, Data(name="web", version="1", path="https://example.org/b.csv", type="uri_file"))
    with step("data: list"):
        assert {"iris", "folder", "table", "remote", "web"} <= {d.name for d in ml.data.list()}
        assert [d.version for d in ml.data.list(name="iris")] == ["2", "1"]
    with step("data: archive and restore"):
        ml.data.archive("iris", version="1")
        assert [d.version for d in ml.data.list(name="iris")] == ["2"]
        assert len(ml.data.list(name="iris", list_view_type="ALL")) == 2
        assert [d.version for d in ml.data.list(name="iris", list_view_type="ARCHIVED_ONLY")] == ["1"]
        ml.data.restore("iris", version="1")
        ml.data.archive("web")
        assert "web" not in {d.name for d in ml.data.list()}
        ml.data.restore("web")
        assert "web" in {d.name for d in ml.data.list()}
    with step("data: missing"):
        w.error(ResourceNotFoundError, "not found", ml.data.get, "nothing", version="1")
        w.error(Exception, "not found", ml.data.get, "nothing", label="latest")
        w.error(Exception, "path", ml.data.create_or_update, Data(name="lost", version="1", path=w.folder + "/nowhere", type="uri_file"))

"""Requests about artifacts, logged models and registered models."""

import time

from scenarios import experiment, run

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


def put(s, path, content, **more):
    return s("PUT", f"{PROXY}/{path}", raw=content, headers={"Content-Type": "application/octet-stream"}, **more)


def test_20_artifacts(s):
    e = experiment(s, "artifacts")
    r = run(s, e)
    root = f"{e}/{r}/artifacts"
    s("GET", "artifacts/list", query={"run_id": r})
    put(s, f"{root}/a.txt", "hello")
    put(s, f"{root}/empty", "")
    put(s, f"{root}/dir/b.json", '{"b": 1}')
    put(s, f"{root}/dir/deep/c%20d.csv", "c,d")
    put(s, f"{root}/dir/a+b.bin", b"\x00\x01")
    put(s, f"{root}/u/%C3%A9.txt", "e")
    put(s, f"{root}/a.txt", "hello again")
    put(s, f"{root}/dir/", "x")
    put(s, f"{root}/../x", "x")
    put(s, f"{root}/%2e%2e/x", "x")
    put(s, f"{root}/..%2f..%2fx", "x")
    put(s, f"{root}/a//b", "x")
    put(s, f"{root}/./b", "x")
    put(s, "free/x.txt", "free")
    for q in ({}, {"path": "dir"}, {"path": "dir/deep"}, {"path": "a.txt"}, {"path": "none"}, {"path": "dir/"}, {"path": ""}, {"path": ".."}, {"path": "/etc"}, {"path": "dir/../.."}, {"path": "%2e%2e"}, {"path": "u"}, {"path": "C:\\x"}, {"path": "file:///x"},
              {"path": "a\\..\\b"}, {"path": "."}, {"path": "dir#x"}, {"page_token": "x"}):
        s("GET", "artifacts/list", query={"run_id": r, **q})
    s("GET", "artifacts/list", query={"run_uuid": r, "path": "dir"})
    s("GET", "artifacts/list", query={"run_id": "nope"})
    s("GET", "artifacts/list")
    for path in ("a.txt", "dir/b.json", "dir/deep/c%20d.csv", "dir/a+b.bin", "u/%C3%A9.txt", "none", "dir", "..", "empty"):
        s("GET", f"{PROXY}/{root}/{path}")
        s("GET", "/get-artifact", query={"run_id": r, "path": path})
    s("GET", f"{PROXY}/free/x.txt")
    s("GET", "/get-artifact", query={"run_uuid": r, "path": "a.txt"})
    s("GET", "/get-artifact", query={"run_id": "nope", "path": "a.txt"})
    s("GET", "/get-artifact", query={"run_id": r})
    for q in ({"path": root}, {"path": f"{root}/dir"}, {"path": f"{root}/none"}, {"path": "free"}, {"path": ".."}, {"path": f"{e}/{r}"}, {"path": f"{root}/dir/"}):
        s("GET", PROXY, query=q)
    s("DELETE", f"{PROXY}/{root}/a.txt")
    s("DELETE", f"{PROXY}/{root}/a.txt")
    s("DELETE", f"{PROXY}/{root}/..")
    s("DELETE", f"{PROXY}/{root}/dir/deep")
    s("GET", "artifacts/list", query={"run_id": r})
    s("GET", "artifacts/list", query={"run_id": r, "path": "dir"})
    for body in ({"run_id": r, "path": "x"}, {"run_id": r}, {"path": "x"}, {"run_id": "nope", "path": "x"}, {"run_id": r, "path": ".."}, {"run_id": r, "path": "x", "expiration": 0}, {"run_id": r, "path": "x", "expiration": 604801}, {"run_id": r, "path": "x", "model_id": "m-1"}, {"model_id": "m-1", "path": "x"}):
        s("POST", "artifacts/presigned-upload-url", body)
        s("POST", "artifacts/presigned-download-url", body)
    ajax = "/ajax-api/2.0/mlflow/upload-artifact"
    s("POST", f"{ajax}?run_uuid={r}&path=ui/x.txt", raw="by the browser", headers={"Content-Type": "text/plain"})
    s("POST", f"{ajax}?run_uuid={r}", raw="x", headers={"Content-Type": "text/plain"})
    s("POST", f"{ajax}?path=x", raw="x", headers={"Content-Type": "text/plain"})
    s("POST", f"{ajax}?run_uuid={r}&path=../x", raw="x", headers={"Content-Type": "text/plain"})
    s("POST", f"{ajax}?run_uuid=nope&path=x", raw="x", headers={"Content-Type": "text/plain"})
    s("GET", "/get-artifact", query={"run_id": r, "path": "ui/x.txt"})
    d = run(s, e)
    s("POST", "runs/delete", {"run_id": d})
    put(s, f"{e}/{d}/artifacts/x", "x")
    s("GET", "artifacts/list", query={"run_id": d})


def logged(s, **more):
    return s("POST", "logged-models", {"experiment_id": "0", **more})["model"]["info"]["model_id"]


def test_21_logged_models(s):
    e = experiment(s, "logged")
    r = run(s, e)
    kv = lambda k, v="1": {"key": k, "value": v}
    for body in ({}, {"name": "x"}, {"experiment_id": "nope"}, {"experiment_id": "999"}, {"experiment_id": e}, {"experiment_id": e, "name": ""}, {"experiment_id": e, "name": "a/b"}, {"experiment_id": e, "name": "a'b"}, {"experiment_id": e, "name": 'a"b'}, {"experiment_id": e, "name": "a.b"},
                 {"experiment_id": e, "name": 5}, {"experiment_id": e, "name": "full", "model_type": "agent", "source_run_id": r, "params": [kv("p"), kv("q", "")], "tags": [kv("t")]}, {"experiment_id": e, "name": "dup", "params": [kv("p"), kv("p")]},
                 {"experiment_id": e, "name": "dup", "tags": [kv("p"), kv("p", "2")]}, {"experiment_id": e, "params": "x"}, {"experiment_id": e, "tags": {}}, {"experiment_id": e, "name": "\u00e9 x"}, {"experiment_id": e, "name": "a:b"}, {"experiment_id": e, "name": "50%"}):
        s("POST", "logged-models", body)
    m = logged(s, experiment_id=e, name="m", source_run_id=r, model_type="sk", tags=[kv("t")])
    s("GET", f"logged-models/{m}")
    s("GET", "logged-models/m-nope")
    for body in ({"model_id": m, "status": 2}, {"model_id": m, "status": "LOGGED_MODEL_READY"}, {"model_id": m, "status": 3}, {"model_id": m}, {"status": 2}, {"model_id": "nope", "status": 2}, {"model_id": m, "status": 9}, {"model_id": m, "status": "x"}, {"model_id": m, "status": 0}, {"model_id": m, "status": 1}):
        s("PATCH", f"logged-models/{m}", body)
    for body in ({"tags": [kv("a"), kv("a", "2"), kv("t", "9")]}, {"tags": []}, {}, {"tags": "x"}, {"tags": [{"key": "only"}]}):
        s("PATCH", f"logged-models/{m}/tags", body)
    s("PATCH", "logged-models/nope/tags", {"tags": [kv("a")]})
    s("GET", f"logged-models/{m}")
    s("DELETE", f"logged-models/{m}/tags/a")
    s("DELETE", f"logged-models/{m}/tags/a")
    s("DELETE", "logged-models/nope/tags/a")
    for body in ({"model_id": m, "params": [kv("lr", "0.1")]}, {"model_id": m, "params": [kv("lr", "0.2")]}, {"params": [kv("z")]}, {"model_id": m}, {"model_id": m, "params": "x"}, {"model_id": m, "params": [kv("a"), kv("a")]}):
        s("POST", f"logged-models/{m}/params", body)
    s("POST", "logged-models/nope/params", {"model_id": "nope", "params": [kv("lr")]})
    for body in ({"key": "acc", "value": 0.5, "timestamp": 5, "model_id": m}, {"key": "acc", "value": 0.5, "timestamp": 5, "model_id": m}, {"key": "acc", "value": 0.6, "timestamp": 5, "model_id": m}, {"key": "acc", "value": 0.7, "timestamp": 6, "step": 2, "model_id": m, "dataset_name": "d", "dataset_digest": "1"},
                 {"key": "acc", "value": 1, "timestamp": 5, "model_id": "nope"}, {"key": "nan", "value": "NaN", "timestamp": 5, "model_id": m}, {"key": "acc", "value": 1, "timestamp": 5, "dataset_name": "d"}, {"key": "acc", "value": 1, "timestamp": 7, "model_id": m, "dataset_digest": "d"}, {"key": "acc", "value": 1, "timestamp": 5, "model_id": ""}):
        s("POST", "runs/log-metric", {"run_id": r, **body})
    s("POST", "runs/log-batch", {"run_id": r, "metrics": [{"key": "b", "value": 1, "timestamp": 1, "model_id": m}, {"key": "b", "value": 2, "timestamp": 2, "model_id": m}, {"key": "plain", "value": 2, "timestamp": 2}]})
    s("POST", "runs/log-batch", {"run_id": run(s, e), "metrics": [{"key": "c", "value": 1, "timestamp": 1, "model_id": "nope"}]})
    s("GET", f"logged-models/{m}")
    s("GET", "runs/get", query={"run_id": r})
    put(s, f"{e}/models/{m}/artifacts/MLmodel", "model")
    put(s, f"{e}/models/{m}/artifacts/data/x.bin", "xx")
    for q in ({}, {"artifact_directory_path": "data"}, {"artifact_directory_path": ".."}, {"artifact_directory_path": "none"}):
        s("GET", f"logged-models/{m}/artifacts/directories", query=q)
    s("GET", "logged-models/nope/artifacts/directories")
    ajax = f"/ajax-api/2.0/mlflow/logged-models/{m}/artifacts/files"
    for q in ({"artifact_file_path": "MLmodel"}, {"artifact_file_path": "none"}, {}, {"artifact_file_path": ".."}):
        s("GET", ajax, query=q)
    s("DELETE", f"logged-models/{m}")
    s("GET", f"logged-models/{m}")
    s("GET", f"logged-models/{m}", query={"allow_deleted": "true"})
    s("GET", f"logged-models/{m}", query={"allow_deleted": "TRUE"})
    s("DELETE", f"logged-models/{m}")
    s("DELETE", "logged-models/nope")
    s("PATCH", f"logged-models/{m}", {"model_id": m, "status": 2})
    s("GET", f"logged-models/{m}/artifacts/directories")


def test_22_search_logged(s):
    e, f = experiment(s, "logged a"), experiment(s, "logged b")
    r = run(s, e)
    for i in range(8):
        m = logged(s, experiment_id=e if i % 3 else f, name=f"m{i}", model_type="x" if i % 2 else "y", source_run_id=r if i == 3 else "", params=[{"key": "lr", "value": f"0.{i}"}], tags=[{"key": "t", "value": f"v{i % 3}"}] + ([{"key": "even", "value": "1"}] if i % 2 == 0 else []))
        time.sleep(0.005)
        for j in range(i % 3):
            s("POST", "runs/log-metric", {"run_id": r, "key": "acc", "value": i / 10 - j, "timestamp": 10 + j, "step": j, "model_id": m, **({"dataset_name": f"d{i % 2}", "dataset_digest": "1"} if j else {})})
        if i == 7:
            s("DELETE", f"logged-models/{m}")
        if i == 5:
            time.sleep(0.005)
            s("PATCH", f"logged-models/{m}", {"model_id": m, "status": 2})
        time.sleep(0.005)
    both = [e, f]
    find = lambda **body: s("POST", "logged-models/search", {"experiment_ids": both, **body})
    for filter in ("", "name = 'm1'", "name != 'm1'", "attributes.name LIKE 'm%'", "name ILIKE 'M2'", "name IN ('m1', 'm2')", "name NOT IN ('m1', 'm2')", "model_type = 'x'", "status = 'READY'", "status = '2'", "status != '2'", "source_run_id = ''", "experiment_id = '%s'" % e, "lifecycle_stage = 'active'",
                   "params.lr = '0.3'", "params.lr != '0.3'", "tags.t = 'v1' AND model_type = 'y'", "tags.even LIKE '%'", "tags.none = 'x'", "metrics.acc > 0.1", "metrics.acc < 0 AND metrics.acc > 0", "metrics.acc >= 0.2 AND tags.t = 'v2'", "metrics.none > 0", "creation_timestamp > 0", "creation_time < 5",
                   "last_updated_timestamp >= 1e3", "metrics.acc = 'x'", "foo = 'x'", "name > 'x'", "foo.bar = 'x'", "name = 'm1' OR name = 'm2'", "status_message = 'x'", "metrics.`acc` != 0.1", "name IS NULL", "artifact_location LIKE '%models%'"):
        find(filter=filter)
    for datasets in ([{"dataset_name": "d0", "dataset_digest": "1"}], [{"dataset_name": "d0", "dataset_digest": "1"}, {"dataset_name": "d1", "dataset_digest": "1"}], [{"dataset_name": "d0", "dataset_digest": "9"}], [{}], [{"dataset_name": ""}], "x", [{"dataset_digest": "1"}]):
        find(datasets=datasets)
        find(datasets=datasets, filter="metrics.acc < 0")
    for field in ("name", "creation_timestamp", "creation_time", "last_updated_timestamp", "model_type", "metrics.acc", "metrics.none", "status", "foo", "params.lr", "metrics.", "", "tags.t", "source_run_id"):
        for up in (True, False):
            find(order_by=[{"field_name": field, "ascending": up}, {"field_name": "name"}])
    find(order_by=[{"field_name": "metrics.acc", "dataset_name": "d0"}])
    find(order_by=[{"field_name": "metrics.acc", "dataset_name": "d1", "dataset_digest": "1", "ascending": False}])
    find(order_by=["name"])
    find(order_by="name")
    token = None
    for _ in range(4):
        token = find(max_results=3, filter="name LIKE 'm%'", order_by=[{"field_name": "name"}], **({"page_token": token} if token else {})).get("next_page_token")
    token = find(max_results=3, filter="name LIKE 'm%'", order_by=[{"field_name": "name"}])["next_page_token"]
    find(max_results=3, page_token=token)
    find(max_results=3, filter="name LIKE 'm%'", page_token=token)
    s("POST", "logged-models/search", {"experiment_ids": [e], "page_token": token, "filter": "name LIKE 'm%'"})
    for token in ("e30=", "bad", "x", "W10=", "!"):
        find(page_token=token)
    for n in (0, 1, "2", "x", 2.5, None):
        find(max_results=n)
    for ids in ([], ["999"], ["x"], "x", [5], None):
        s("POST", "logged-models/search", {"experiment_ids": ids})
    s("POST", "logged-models/search", {})


def registered(s, name, **more):
    return s("POST", "registered-models/create", {"name": name, **more})


def test_23_registered_models(s):
    for body in ({"name": "reg"}, {"name": "reg"}, {}, {"name": ""}, {"name": " "}, {"name": "a/b"}, {"name": "a:b"}, {"name": "."}, {"name": ".."}, {"name": 5}, {"name": "full", "description": "d", "tags": [{"key": "k", "value": "v"}, {"key": "k", "value": "w"}]}, {"name": "t1", "tags": [{"key": "a//b", "value": "x"}]},
                 {"name": "t2", "tags": [{"key": "k" * 251, "value": "x"}]}, {"name": "t3", "tags": [{"key": "k", "value": "x" * 100001}]}, {"name": "t4", "tags": "x"}, {"name": "t5", "description": 5}, {"name": "t6", "deployment_job_id": "x"}, {"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]},
                 {"name": "p"}, {"name": "p", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}, {"name": "reg", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}, {"name": "\u00e9 x.y-z"}):
        s("POST", "registered-models/create", body)
    for name in ("reg", "full", "none", "", "a/b", "p", "\u00e9 x.y-z"):
        s("GET", "registered-models/get", query={"name": name})
    s("GET", "registered-models/get")
    for body in ({"name": "reg", "description": "new"}, {"name": "reg"}, {"name": "none", "description": "x"}, {"description": "x"}, {"name": "reg", "description": 5}):
        s("PATCH", "registered-models/update", body)
    for body in ({"name": "reg", "key": "a", "value": "1"}, {"name": "reg", "key": "a", "value": "2"}, {"name": "reg", "key": "b"}, {"name": "reg", "key": ""}, {"name": "reg", "value": "1"}, {"name": "none", "key": "a", "value": "1"}, {"name": "reg", "key": "a/../b", "value": "1"}, {"name": "reg", "key": "v", "value": "x" * 100001},
                 {"name": "reg", "key": "k" * 251}, {"name": "reg", "key": "n", "value": 5}, {"key": "a"}):
        s("POST", "registered-models/set-tag", body)
    for body in ({"name": "reg", "key": "a"}, {"name": "reg", "key": "a"}, {"name": "none", "key": "a"}, {"name": "reg"}, {"name": "reg", "key": "../a"}):
        s("DELETE", "registered-models/delete-tag", body)
    for body in ({"name": "reg", "new_name": "reg2"}, {"name": "reg", "new_name": "reg3"}, {"name": "reg2", "new_name": "full"}, {"name": "reg2", "new_name": ""}, {"name": "reg2", "new_name": " "}, {"name": "reg2", "new_name": "a/b"}, {"name": "reg2"}, {"name": "reg2", "new_name": "reg2"}):
        s("POST", "registered-models/rename", body)
    s("GET", "registered-models/get", query={"name": "reg2"})
    for body in ({"name": "reg2"}, {"name": "reg2"}, {}, {"name": ""}, {"name": "a/b"}):
        s("DELETE", "registered-models/delete", body)


def version(s, name, source="s3://bucket/model", **more):
    return s("POST", "model-versions/create", {"name": name, "source": source, **more}).get("model_version", {}).get("version")


def test_24_versions(s):
    e = experiment(s, "versions")
    r, r2 = run(s, e), run(s, e)
    m = logged(s, experiment_id=e, name="lm", source_run_id=r)
    registered(s, "v")
    root = f"mlflow-artifacts:/{e}/{r}/artifacts"
    for source, more in (("s3://b/x", {}), ("s3://b/x", {"run_id": r}), ("s3://b", {}), ("s3://b/../x", {}), ("s3://b/%2e%2e/x", {}), ("s3:/x", {}), ("dbfs:/x", {}), ("dbfs:x", {}), ("http://h/x", {}), ("https://h/x", {}), ("mlflow-artifacts://h/x", {}), ("ftp://h/x", {}), ("abfss://c@h/x", {}), ("wasbs://c@h/x", {}),
                         ("azureml://a/b", {}), (root, {"run_id": r}), (root + "/model", {"run_id": r}), (root + "/model", {}), (root + "/model", {"run_id": r2}), (root + "/../x", {"run_id": r}), (root + "x", {"run_id": r}), (root + "/model", {"run_id": "nope"}), (f"runs:/{r}/model", {"run_id": r}), (f"runs:/{r}", {"run_id": r}),
                         (f"runs:/{r}/model", {}), (f"runs:/{r}/model", {"run_id": r2}), (f"runs://h/{r}/model", {"run_id": r}), ("/abs/path", {}), ("/abs/path", {"run_id": r}), ("relative", {}), ("file:///abs", {"run_id": r}), ("file:///abs", {}), (f"models:/{m}", {"model_id": m}), (f"models:/{m}", {}), (f"models:/{m}", {"run_id": r}),
                         (f"models:/{m}", {"model_id": "m-nope"}), ("models:/m-nope", {"model_id": "m-nope"}), (f"mlflow-artifacts:/{e}/models/{m}/artifacts", {"model_id": m}), (f"mlflow-artifacts:/{e}/models/{m}/artifacts/x", {"model_id": m, "run_id": r}), (f"runs:/{r}/x", {"model_id": m}), (root, {"model_id": m}),
                         ("models:/v/1", {}), ("models:/v/2", {}), ("models:/v/2", {"run_id": r}), ("models:/v/2", {"run_id": r2}), ("models:/v/99", {}), ("models:/none/1", {}), ("models:/v/latest", {}), ("models:/v/Production", {}), ("models:/v@none", {}), ("models://h/v/1", {}), ("models:/v/1", {"model_id": m}), ("models:/", {}), ("models:/v/1/2", {}),
                         ("s3://b/x", {"description": "d", "run_link": "l", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}), ("s3://b/x", {"tags": [{"key": "a//b", "value": "1"}]}), ("s3://b/x", {"tags": [{"key": "k", "value": "x" * 100001}]}), ("", {}), ("s3://b/x", {"description": 5}), ("s3://b/x", {"model_id": m}),
                         ("dummy-source", {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}), ("s3://b/x", {"tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}), ("s3://b/a+b/c d", {}), ("s3://b/x//y/", {}), ("s3://b/./x", {}), ("c:/x", {}), ("databricks", {})):
        version(s, "v", source, **more)
    version(s, "none")
    version(s, "")
    s("POST", "model-versions/create", {"name": "v"})
    s("POST", "model-versions/create", {"source": "s3://b/x"})
    s("GET", f"logged-models/{m}")
    s("GET", "registered-models/get", query={"name": "v"})
    for q in ({"name": "v", "version": "1"}, {"name": "v", "version": 2}, {"name": "v", "version": "x"}, {"name": "v", "version": "999"}, {"name": "none", "version": "1"}, {"name": "v"}, {"version": "1"}, {"name": "v", "version": " 1 "}, {"name": "v", "version": "-1"}, {"name": "a/b", "version": "1"}):
        s("GET", "model-versions/get", query=q)
        s("GET", "model-versions/get-download-uri", query=q)
    for i in range(1, 22):
        s("GET", "model-versions/get-download-uri", query={"name": "v", "version": str(i)})
    for body in ({"name": "v", "version": "1", "description": "x"}, {"name": "v", "version": "1"}, {"name": "v", "version": "1", "description": ""}, {"name": "v", "version": "99", "description": "x"}, {"name": "v", "version": "x"}, {"name": "v"}, {"version": "1"}, {"name": "v", "version": 1, "description": "x"}):
        s("PATCH", "model-versions/update", body)
    for body in ({"name": "v", "version": "1", "key": "a", "value": "1"}, {"name": "v", "version": "1", "key": "a", "value": "2"}, {"name": "v", "version": "1", "key": "b"}, {"name": "v", "version": "99", "key": "a", "value": "1"}, {"name": "v", "version": "x", "key": "a"}, {"name": "v", "version": "1", "key": ""}, {"name": "v", "version": "1", "key": "a b$"},
                 {"name": "v", "version": "1", "key": "v", "value": "x" * 100001}, {"name": "v", "version": "1", "key": "mlflow.prompt.text", "value": "x" * 100001}):
        s("POST", "model-versions/set-tag", body)
    for body in ({"name": "v", "version": "1", "key": "a"}, {"name": "v", "version": "1", "key": "a"}, {"name": "v", "version": "99", "key": "a"}, {"name": "v", "version": "1"}, {"name": "v", "version": "1", "key": "/"}):
        s("DELETE", "model-versions/delete-tag", body)
    s("GET", "model-versions/get", query={"name": "v", "version": "1"})
    for body in ({"name": "v", "alias": "champ", "version": "1"}, {"name": "v", "alias": "champ", "version": "2"}, {"name": "v", "alias": "Champ", "version": "2"}, {"name": "v", "alias": "latest", "version": "1"}, {"name": "v", "alias": "LATEST", "version": "1"}, {"name": "v", "alias": "v1", "version": "1"}, {"name": "v", "alias": "v", "version": "1"},
                 {"name": "v", "alias": "a b", "version": "1"}, {"name": "v", "alias": "a" * 256, "version": "1"}, {"name": "v", "alias": "a", "version": "99"}, {"name": "v", "alias": "a", "version": "x"}, {"name": "none", "alias": "a", "version": "1"}, {"name": "v", "alias": "", "version": "1"}, {"name": "v", "version": "1"}, {"name": "v", "alias": "\u00e9-_", "version": "3"}):
        s("POST", "registered-models/alias", body)
    for alias in ("champ", "Champ", "none", "latest", "Latest", "a b", "", "\u00e9-_"):
        s("GET", "registered-models/alias", query={"name": "v", "alias": alias})
    version(s, "v", "models:/v@champ")
    s("GET", "registered-models/alias", query={"name": "none", "alias": "champ"})
    s("GET", "registered-models/get", query={"name": "v"})
    for body in ({"name": "v", "alias": "Champ"}, {"name": "v", "alias": "Champ"}, {"name": "none", "alias": "x"}, {"name": "v"}, {"name": "v", "alias": "a b"}):
        s("DELETE", "registered-models/alias", body)
    for body in ({"version": "1", "stage": "staging"}, {"version": "2", "stage": "Staging", "archive_existing_versions": True}, {"version": "3", "stage": "PRODUCTION"}, {"version": "4", "stage": "Production", "archive_existing_versions": "x"}, {"version": "4", "stage": "Production", "archive_existing_versions": False}, {"version": "4", "stage": "foo"},
                 {"version": "4", "stage": "Archived", "archive_existing_versions": True}, {"version": "99", "stage": "Staging", "archive_existing_versions": True}, {"version": "5", "stage": "None"}, {"version": "5", "stage": ""}, {"version": "5"}, {"stage": "Staging"}, {"version": "5", "stage": "Deleted_Internal"}, {"version": "x", "stage": "Staging"}):
        s("POST", "model-versions/transition-stage", {"name": "v", **body})
    s("GET", "registered-models/get", query={"name": "v"})
    for stages in (None, [], ["Production"], ["staging", "None"], ["foo"], "Production", ["Archived"]):
        s("POST", "registered-models/get-latest-versions", {"name": "v", **({} if stages is None else {"stages": stages})})
        s("GET", "registered-models/get-latest-versions", query={"name": "v", **({} if stages is None else {"stages": stages})})
    s("POST", "registered-models/get-latest-versions", {"name": "none"})
    s("POST", "registered-models/get-latest-versions", {})
    for body in ({"name": "v", "version": "2"}, {"name": "v", "version": "2"}, {"name": "v", "version": "x"}, {"name": "v"}, {"name": "none", "version": "1"}):
        s("DELETE", "model-versions/delete", body)
    s("GET", "registered-models/alias", query={"name": "v", "alias": "champ"})
    s("GET", "registered-models/get", query={"name": "v"})
    s("POST", "registered-models/rename", {"name": "v", "new_name": "v new"})
    s("GET", "model-versions/get", query={"name": "v new", "version": "1"})
    s("GET", "registered-models/alias", query={"name": "v new", "alias": "\u00e9-_"})
    version(s, "v new")
    s("GET", "/model-versions/get-artifact", query={"name": "v new", "version": "3", "path": "x"})
    s("DELETE", "registered-models/delete", {"name": "v new"})
    s("GET", "model-versions/get", query={"name": "v new", "version": "1"})
    registered(s, "v new")
    version(s, "v new")


def test_25_search_registry(s):
    e = experiment(s, "registry search")
    r = run(s, e)
    for i in range(7):
        registered(s, f"find {i}", description=f"d{i}", tags=[{"key": "t", "value": f"v{i % 3}"}] + ([{"key": "odd", "value": "x"}] if i % 2 else []))
        time.sleep(0.003)
        for j in range(i % 4):
            version(s, f"find {i}", f"s3://b/{i}/{j}", **({"run_id": r} if j == 1 else {}), tags=[{"key": "n", "value": str(j)}])
            time.sleep(0.003)
    registered(s, "find prompt", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    version(s, "find prompt", "dummy-source", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "mlflow.prompt.text", "value": "hi"}])
    s("POST", "model-versions/transition-stage", {"name": "find 3", "version": "1", "stage": "Production"})
    s("DELETE", "model-versions/delete", {"name": "find 3", "version": "3"})
    prompt = "tags.`mlflow.prompt.is_prompt`"
    for filter in ("name LIKE 'find%'", "name = 'find 1'", "name != 'find 1' AND name LIKE 'find%'", "name ILIKE 'FIND _'", "name IN ('find 1', 'find 2', 'x')", "name NOT IN ('find 1') AND name LIKE 'find%'", "tags.t = 'v1'", "tag.t != 'v1' AND name LIKE 'find%'", "tags.odd LIKE '%' AND tags.t = 'v0'", "tags.none = 'x'",
                   "name = find", "foo = 'x'", "name > 'x'", "tags.t > 'x'", f"{prompt} = 'true'", f"{prompt} = 'false' AND name LIKE 'find%'", f"{prompt} != 'true' AND name LIKE 'find%'", f"{prompt} != 'false'", "name LIKE 'a' OR name LIKE 'b'", "description = 'd1'", "tags.t IS NULL", "version = 1"):
        s("GET", "registered-models/search", query={"filter": filter})
    for order in (["name DESC"], ["name"], ["last_updated_timestamp DESC"], ["timestamp"], ["timestamp ASC", "name DESC"], ["foo"], ["name", "name"], ["name foo"], [""], ["creation_timestamp"], ["tags.t"]):
        s("GET", "registered-models/search", query={"filter": "name LIKE 'find%'", "order_by": order})
    for n in (0, 1, 3, 1000, 1001, "x", "2.0"):
        s("GET", "registered-models/search", query={"filter": "name LIKE 'find%'", "max_results": n})
    token = s("GET", "registered-models/search", query={"filter": "name LIKE 'find%'", "max_results": 2})["next_page_token"]
    for token in (token, "x", "e30=", "eyJvZmZzZXQiOiA1MH0="):
        s("GET", "registered-models/search", query={"filter": "name LIKE 'find%'", "max_results": 4, "page_token": token})
    for filter in ("name LIKE 'find%'", "name = 'find 3'", f"run_id = '{r}'", f"run_id IN ('{r}', 'x')", "run_id = '' AND name LIKE 'find%'", "source_path = 's3://b/2/1'", "source_path LIKE 's3://b/3/%'", "source_path IN ('x')", "version_number = 1 AND name LIKE 'find%'", "version_number > 1 AND name LIKE 'find%'", "version_number = '2' AND name LIKE 'find%'",
                   "version_number = 'x'", "version_number = 1.5", "version_number LIKE '1'", "tags.n = '1'", "tags.n != '1' AND name LIKE 'find%'", "tags.none = 'x'", f"{prompt} = 'true'", f"{prompt} = 'false' AND name LIKE 'find%'", "name = 'find prompt'", "foo = 'x'", "name > 'x'", "creation_timestamp > 5", "version = 1", "tags.n LIKE '_' AND tags.n = '0'",
                   "name IN ('find 3', 'find 2') AND version_number = 1", "run_id != ''", "name NOT IN ('find 3') AND name LIKE 'find%'"):
        s("GET", "model-versions/search", query={"filter": filter})
    for order in (["name DESC"], ["version_number"], ["version_number DESC", "name DESC"], ["creation_timestamp DESC"], ["last_updated_timestamp ASC"], ["foo"], ["name", "name"], ["tags.name"], ["run_id"], ["name foo"]):
        s("GET", "model-versions/search", query={"filter": "name LIKE 'find%'", "order_by": order})
    for n in (0, -1, 1, 3, 200000, 200001, "x"):
        s("GET", "model-versions/search", query={"filter": "name LIKE 'find%'", "max_results": n})
    token = s("GET", "model-versions/search", query={"filter": "name LIKE 'find%'", "max_results": 2}).get("next_page_token")
    for token in (token, "x", "e30=", "eyJvZmZzZXQiOiA1MH0="):
        s("GET", "model-versions/search", query={"filter": "name LIKE 'find%'", "max_results": 3, "page_token": token})

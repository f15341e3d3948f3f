"""The requests that compare.py compares, by subject."""

import inspect
import re
import sys
import time
import urllib.parse

# Messages of which only the code is compared: they tell of MLflow's database.
LOOSE = re.compile(r"sqlite3|sqlalchemy|SQL|Python int|UNIQUE|FOREIGN KEY|Invalid page token: .*char 0")


def all():
    import scenarios_models
    import scenarios_datasets
    import scenarios_graphql
    import scenarios_measures
    import scenarios_traces

    found = []
    for module in (sys.modules[__name__], scenarios_models, scenarios_traces, scenarios_datasets, scenarios_graphql, scenarios_measures):
        found += [(n, f) for n, f in inspect.getmembers(module, inspect.isfunction) if n.startswith("test_")]
    return found


def experiment(s, name, **more):
    time.sleep(0.002)  # no two are made at the same time
    return s("POST", "experiments/create", {"name": name, **more})["experiment_id"]


def run(s, experiment="0", **more):
    return s("POST", "runs/create", {"experiment_id": experiment, "start_time": 1000, **more})["run"]["info"]["run_id"]


def test_01_experiments(s):
    e = experiment(s, "a", tags=[{"key": "k", "value": "v"}])
    for eid in ("0", e, "", "abc", "999", " 1 ", "+1", "1_0", "9" * 30, "1.0", "-1"):
        s("GET", "experiments/get", query={"experiment_id": eid})
    s("GET", "experiments/get")
    for body in ({"name": "a"}, {"name": ""}, {}, {"name": 123}, {"name": None}, {"name": ["x"]}, {"name": "x" * 501}, {"name": "t", "tags": "x"},
                 {"name": "t", "tags": [{"key": "a//b", "value": "1"}]}, {"name": "t", "tags": [{"key": "k" * 251, "value": "1"}]},
                 {"name": "t", "tags": [{"key": "k", "value": "1" * 20001}]}, {"name": "t", "tags": [{"value": "v"}]}, {"name": "t", "tags": [1]},
                 {"name": "t", "tags": [None]}, {"name": "t", "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, {"name": "t5", "artifact_location": 7},
                 {"name": "no value", "tags": [{"key": "k"}]}, {"name": "unknown", "nonsense": {"a": 1}, "[a.b]": 1}, {"name": "both", "artifact_location": "s3://a", "artifactLocation": "s3://b"},
                 {"name": "camel", "artifactLocation": "s3://b"}, {"name": "\u00e9\u4e2d\U0001f600"}, {"name": "nul\u0000"}):
        s("POST", "experiments/create", body)
    for loc in ("s3://b/p", "s3://b/p?x=y", "s3://b/p#f", "mlflow-artifacts:/foo", "mlflow-artifacts://h:1/foo/", "http://h/x", "runs:/abc/x", "dbfs:/x", "/abs/path", "s3://b/p?../x=1",
                "file:///x/y", "wasbs://c@a.blob.core.windows.net/p", "https://h", "s3://" + "b" * 3000, "MLFLOW-ARTIFACTS://h/x", "s3://b/p;q"):
        made = s("POST", "experiments/create", {"name": "at " + loc[:40], "artifact_location": loc})
        s("GET", "experiments/get", query={"experiment_id": made.get("experiment_id", "0")})
        s("POST", "runs/create", {"experiment_id": made.get("experiment_id", "0")})
    for raw in ("{bad", "", "null", '"{\\"name\\":\\"twice\\"}"', b"\xff\xfe", b'{"name": "\xff"}', '{"name": "x", "name": "dup"}', '{"name": "a\\ud800b"}', '{"name": NaN}', "{\"name\": \"ctl\n\"}",
                "  {\"name\": \"blanks\"}  ", "\ufeff{\"name\": \"bom\"}", "{'name': 'x'}", '{"name": "x",}'):
        s("POST", "experiments/create", raw=raw)
    s("POST", "experiments/create", raw="[1]")
    s("POST", "experiments/create", raw='"x"')
    s("POST", "experiments/create", raw="3")
    for ct in ("text/plain", "application/json; charset=utf-8", "application/json;x", "APPLICATION/JSON", "application/x-www-form-urlencoded", ""):
        s("POST", "experiments/create", raw='{"name": "ct %s"}' % ct, headers={"Content-Type": ct})
    for name in ("a", "no value", "nope", "Default"):
        s("GET", "experiments/get-by-name", query={"experiment_name": name})
    s("GET", "experiments/get-by-name")


def test_02_experiment_changes(s):
    e = experiment(s, "changing")
    r = run(s, e)
    for body in ({"experiment_id": e, "new_name": ""}, {"experiment_id": e}, {"experiment_id": e, "new_name": "Default"}, {"experiment_id": e, "new_name": "changed"}, {"experiment_id": "999", "new_name": "x"},
                 {"experiment_id": e, "new_name": "x" * 501}, {"experiment_id": e, "new_name": "changed"}, {"new_name": "x"}, {"experiment_id": int(e), "new_name": "x"}):
        s("POST", "experiments/update", body)
    for body in ({"experiment_id": e, "key": "a", "value": "b"}, {"experiment_id": e, "key": "a", "value": "c"}, {"experiment_id": e, "key": "a"}, {"experiment_id": e, "key": ""}, {"experiment_id": e, "key": "x/../y", "value": ""},
                 {"experiment_id": e, "key": "v", "value": "x" * 20001}, {"experiment_id": e, "key": "n", "value": 5}, {"key": "n", "value": "5"}):
        s("POST", "experiments/set-experiment-tag", body)
    for body in ({"experiment_id": e, "key": "zz"}, {"experiment_id": e, "key": "a"}, {"experiment_id": e, "key": "a"}, {"experiment_id": e}):
        s("POST", "experiments/delete-experiment-tag", body)
    s("POST", "experiments/delete", {"experiment_id": e})
    s("GET", "runs/get", query={"run_id": r})
    s("POST", "experiments/delete", {"experiment_id": e})
    s("POST", "experiments/update", {"experiment_id": e, "new_name": "y"})
    s("POST", "experiments/set-experiment-tag", {"experiment_id": e, "key": "a", "value": "b"})
    s("POST", "experiments/delete-experiment-tag", {"experiment_id": e, "key": "a"})
    s("POST", "runs/create", {"experiment_id": e})
    s("POST", "experiments/create", {"name": "changed"})
    s("GET", "experiments/get", query={"experiment_id": e})
    s("GET", "experiments/get-by-name", query={"experiment_name": "changed"})
    s("POST", "experiments/restore", {"experiment_id": e})
    s("GET", "runs/get", query={"run_id": r})
    s("POST", "experiments/restore", {"experiment_id": e})
    s("POST", "experiments/restore", {})
    s("POST", "experiments/delete", {"experiment_id": "x"})


def test_03_search_experiments(s):
    ids = [experiment(s, f"find {i}", tags=[{"key": "n", "value": str(i)}] + ([{"key": "odd", "value": "y"}] if i % 2 else [])) for i in range(5)]
    s("POST", "experiments/delete", {"experiment_id": ids[4]})
    for filter in ("name = 'find 1'", "name LIKE 'find %'", "name LIKE 'FIND %'", "name ILIKE 'FIND _'", "name != 'find 1' AND name LIKE 'find%'", "tags.n = '2'", "tags.n != '2' AND tags.n LIKE '%'",
                   "tag.odd IS NULL AND name LIKE 'find%'", "tags.odd IS NOT NULL", f"experiment_id = '{ids[0]}'", f"experiment_id IN ('{ids[0]}', '{ids[1]}')", f"experiment_id NOT IN ('{ids[0]}', '0') AND tags.n LIKE '_'",
                   "creation_time > 0 AND name LIKE 'find%'", "last_update_time < 0", "creation_time > 'x'", "name > 'x'", "foo = 'x'", "metrics.a > 1", "name = find", "name LIKE 'a' OR name LIKE 'b'", "name like 'find%'"):
        s("POST", "experiments/search", {"max_results": 50, "filter": filter, "order_by": ["name"]})
    for order in (["name DESC"], ["experiment_id"], ["experiment_id ASC"], ["name asc", "experiment_id"], ["foo"], ["tags.n"], ["name", "name"], ["name DESC NULLS"], [""], "name", [1]):
        s("POST", "experiments/search", {"max_results": 50, "filter": "name LIKE 'find%'", "order_by": order})
    for view in (1, 2, 3, "ALL", "DELETED_ONLY", "ACTIVE_ONLY", "X", 9, "2", True, None):
        s("POST", "experiments/search", {"max_results": 50, "filter": "name LIKE 'find%'", "view_type": view, "order_by": ["name"]})
    for n in (0, -1, 50000, 50001, "3", "x", 2.0, 2.5, None, True, [1], 1e400):
        s("POST", "experiments/search", {"max_results": n, "filter": "name LIKE 'find 1'"})
    s("POST", "experiments/search", {})
    token = s("POST", "experiments/search", {"max_results": 2, "filter": "name LIKE 'find%'", "order_by": ["name"]})["next_page_token"]
    s("POST", "experiments/search", {"max_results": 2, "filter": "name LIKE 'find%'", "order_by": ["name"], "page_token": token})
    s("GET", "experiments/search", query={"max_results": 2, "filter": "name LIKE 'find%'", "order_by": ["name DESC"], "view_type": "ALL"})
    s("GET", "experiments/search", query={"max_results": "x"})
    for token in ("!!", "eyJvZmZzZXQi", "e30=", "W10=", "e30", "bnVsbA==", "eyJvZmZzZXQiOiAiMSJ9", "eyJvZmZzZXQiOiAieCJ9", "\u00e9", 5, "A", "eyJvZmZzZXQiOiAxfQ"):
        s("POST", "experiments/search", {"max_results": 1, "filter": "name LIKE 'find%'", "order_by": ["name"], "page_token": token})


def test_04_runs(s):
    e = experiment(s, "runs")
    r = run(s, e, user_id="u", tags=[{"key": "mlflow.user", "value": "x"}, {"key": "a", "value": "1"}])
    for body in ({}, {"experiment_id": "77"}, {"experiment_id": "abc"}, {"experiment_id": e, "run_name": "n", "tags": [{"key": "mlflow.runName", "value": "x"}]}, {"experiment_id": e, "tags": [{"key": "mlflow.runName", "value": "x"}]},
                 {"experiment_id": e, "run_name": "n"}, {"experiment_id": e, "run_name": ""}, {"experiment_id": e, "run_name": 5}, {"experiment_id": e, "start_time": "12"}, {"experiment_id": e, "start_time": "x"},
                 {"experiment_id": e, "start_time": 1.5}, {"experiment_id": e, "start_time": -5}, {"experiment_id": 5}, {"experiment_id": e, "tags": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]},
                 {"experiment_id": e, "tags": [{"key": "a//b", "value": "1"}]}, {"experiment_id": e, "tags": [{"key": "", "value": "1"}]}, {"experiment_id": e, "tags": {"a": "b"}}, {"experiment_id": e, "user_id": "me"}):
        s("POST", "runs/create", body)
    for q in ({"run_id": r}, {"run_uuid": r}, {"run_id": "nope"}, {}, {"run_id": ""}, {"run_id": r, "run_uuid": "x"}, {"run_id": "", "run_uuid": r}):
        s("GET", "runs/get", query=q)
    for body in ({"run_id": r, "status": "FOO"}, {"run_id": r, "status": 3, "end_time": "456"}, {"run_id": r, "status": "FINISHED", "end_time": 456, "run_name": "zz"}, {"run_id": r, "status": 9}, {"run_id": r, "end_time": "x"},
                 {"run_id": r, "run_name": ""}, {"run_id": r}, {"run_uuid": r, "status": "KILLED"}, {"run_id": "nope", "status": "KILLED"}, {"status": "KILLED"}, {"run_id": r, "status": "SCHEDULED", "end_time": 0},
                 {"run_id": r, "status": "RUNNING", "end_time": None}, {"run_id": r, "run_name": 7}):
        s("POST", "runs/update", body)
        s("GET", "runs/get", query={"run_id": r})
    for body in ({"run_id": r, "key": "k", "value": "v"}, {"run_id": r, "key": "k", "value": "w"}, {"run_id": r, "key": "k"}, {"run_id": r, "key": "", "value": "x"}, {"run_id": r, "value": "x"}, {"run_id": r, "key": "../k", "value": "x"},
                 {"run_id": r, "key": "a$b", "value": "x"}, {"run_id": r, "key": "k" * 251, "value": "x"}, {"run_id": r, "key": "long", "value": "x" * 9000}, {"run_id": r, "key": "mlflow.runName", "value": "by tag"},
                 {"run_id": r, "key": "mlflow.runName", "value": ""}, {"run_uuid": r, "key": "u", "value": "x"}, {"run_id": "nope", "key": "u", "value": "x"}, {"run_id": r, "key": 5, "value": "x"}, {"run_id": r, "key": "n", "value": 5},
                 {"run_id": r, "key": "/a", "value": "x"}, {"run_id": r, "key": "a/", "value": "x"}, {"run_id": r, "key": ".", "value": "x"}, {"run_id": r, "key": "a\n", "value": "x"}, {"run_id": r, "key": "\u00e9 \u4e2d:x", "value": "\u00e9"}):
        s("POST", "runs/set-tag", body)
    s("GET", "runs/get", query={"run_id": r})
    for body in ({"run_id": r, "key": "k"}, {"run_id": r, "key": "k"}, {"run_id": r}, {"run_id": "nope", "key": "k"}, {"run_id": r, "key": ""}):
        s("POST", "runs/delete-tag", body)
    for body in ({"run_id": r, "key": "p", "value": "1"}, {"run_id": r, "key": "p", "value": "1"}, {"run_id": r, "key": "p", "value": "2"}, {"run_id": r, "key": "q"}, {"run_id": r, "key": "", "value": "1"}, {"run_id": r, "value": "1"},
                 {"run_id": r, "key": "a/../b", "value": "1"}, {"run_id": r, "key": "k" * 251, "value": "x"}, {"run_id": r, "key": "long", "value": "\u00e9" * 7000}, {"run_id": "nope", "key": "p", "value": "1"}, {"run_uuid": r, "key": "u", "value": "1"},
                 {"run_id": r, "key": "n", "value": 5}, {"run_id": r, "key": "b", "value": True}):
        s("POST", "runs/log-parameter", body)
    s("GET", "runs/get", query={"run_id": r})
    s("POST", "runs/delete", {"run_id": r})
    s("POST", "runs/delete", {"run_id": r})
    s("POST", "runs/delete", {"run_id": "nope"})
    s("POST", "runs/delete", {})
    for path, body in (("update", {"status": "FAILED"}), ("set-tag", {"key": "a", "value": "b"}), ("delete-tag", {"key": "a"}), ("log-parameter", {"key": "z", "value": "1"}), ("log-metric", {"key": "z", "value": 1, "timestamp": 1}), ("log-batch", {}), ("log-inputs", {}),
                       ("outputs", {"models": [{"model_id": "m"}]})):
        s("POST", "runs/" + path, {"run_id": r, **body})
    s("GET", "runs/get", query={"run_id": r})
    s("POST", "runs/restore", {"run_id": r})
    s("POST", "runs/restore", {"run_id": r})
    s("POST", "runs/restore", {"run_id": "nope"})
    s("GET", "runs/get", query={"run_id": r})


def test_05_metrics(s):
    r = run(s)
    for body in ({"key": "m", "value": 1.5, "timestamp": 1}, {"key": "m", "value": "NaN", "timestamp": 1, "step": -3}, {"key": "m", "value": "Infinity", "timestamp": 1, "step": 9}, {"key": "m", "value": "-Infinity", "timestamp": 1, "step": 10},
                 {"key": "m", "value": "abc", "timestamp": 1}, {"key": "m", "value": True, "timestamp": 1, "step": 9}, {"key": "m", "value": None, "timestamp": 1}, {"key": "m", "value": 1, "timestamp": -1}, {"key": "m", "value": 1, "timestamp": 1.5, "step": 9},
                 {"key": "m", "value": 1, "timestamp": 1.0, "step": 9.0}, {"key": "m", "timestamp": 1}, {"key": "m", "value": 1}, {"key": "../m", "value": 1, "timestamp": 1}, {"key": "m$", "value": 1, "timestamp": 1}, {"key": "\u00e9", "value": 1, "timestamp": 1},
                 {"key": "m" * 251, "value": 1, "timestamp": 1}, {"key": "m", "value": 1, "timestamp": "x"}, {"key": "m", "value": 1, "timestamp": "12"}, {"key": "m", "value": "1e3", "timestamp": 5, "step": "7"}, {"key": "m", "value": "nan", "timestamp": 5},
                 {"key": "m", "value": " 2 ", "timestamp": 5}, {"key": "m", "value": [1], "timestamp": 5}, {"key": "", "value": 1, "timestamp": 5}, {"value": 1, "timestamp": 5}, {"key": 5, "value": 1, "timestamp": 5}, {"key": "m", "value": 1, "timestamp": 0},
                 {"key": "m", "value": 1, "timestamp": 1, "step": None}, {"key": "a b/c:d.e-f_g", "value": 1e-300, "timestamp": 99999999999, "step": -5}, {"key": "big", "value": 1e308, "timestamp": 1}, {"key": "m", "value": 1, "timestamp": 1, "step": "x"}):
        s("POST", "runs/log-metric", {"run_id": r, **body})
    s("POST", "runs/log-metric", raw='{"run_id": "%s", "key": "m", "value": 1e400, "timestamp": 1, "step": 3}' % r)
    s("POST", "runs/log-metric", raw='{"run_id": "%s", "key": "m", "value": NaN, "timestamp": 1, "step": 3}' % r)
    s("POST", "runs/log-metric", {"run_uuid": r, "key": "u", "value": 2, "timestamp": 1})
    s("POST", "runs/log-metric", {"key": "m", "value": 2, "timestamp": 1})
    s("POST", "runs/log-metric", {"run_id": "nope", "key": "m", "value": 2, "timestamp": 1})
    s("GET", "runs/get", query={"run_id": r})
    for q in ({}, {"max_results": 2}, {"max_results": 0}, {"max_results": -1}, {"max_results": "x"}, {"max_results": 100}, {"max_results": "2.0"}, {"page_token": "!!"}, {"max_results": 2, "page_token": "eyJvZmZzZXQiOiAyfQ=="}, {"page_token": "eyJvZmZzZXQiOiAyfQ=="},
              {"page_token": "eyJvZmZzZXQiOiAyMDB9"}):
        s("GET", "metrics/get-history", query={"run_id": r, "metric_key": "m", **q})
    for q in ({"run_id": "nope", "metric_key": "m"}, {"run_id": r}, {"metric_key": "m"}, {"run_id": r, "metric_key": "none"}, {"run_uuid": r, "metric_key": "u"}, {"run_id": r, "metric_key": "a b/c:d.e-f_g"}):
        s("GET", "metrics/get-history", query=q)


def test_06_batches(s):
    r = run(s)
    m = lambda i, **more: {"key": f"m{i % 3}", "value": i, "timestamp": i, "step": i, **more}
    p = lambda i: {"key": f"p{i}", "value": str(i)}
    t = lambda i: {"key": f"t{i}", "value": str(i)}
    for body in ({}, {"metrics": [m(i) for i in range(10)], "params": [p(1), p(2)], "tags": [t(1), t(2)]}, {"metrics": [m(1), m(1), m(1)]}, {"params": [p(1), p(1)]}, {"params": [{"key": "p1", "value": "other"}]},
                 {"params": [{"key": "p1", "value": "x"}, {"key": "p2", "value": "it's"}, {"key": "new", "value": "1"}]}, {"tags": [t(1), {"key": "t1", "value": "second"}]}, {"tags": [{"key": "mlflow.runName", "value": "batch"}]},
                 {"metrics": [{"key": "a", "value": 1}]}, {"metrics": [{"value": 1, "timestamp": 1}]}, {"metrics": [{"key": "a", "timestamp": 1}]}, {"metrics": [{"key": "", "value": 1, "timestamp": 1}]}, {"params": [{"value": "x"}]}, {"params": [{"key": "x"}]},
                 {"tags": [{"value": "x"}]}, {"tags": [{"key": "x2"}]}, {"metrics": "x"}, {"metrics": {"a": 1}}, {"metrics": [1]}, {"metrics": [None]}, {"params": [None]}, {"metrics": [m(1, key="../x")]}, {"metrics": [m(1), m(2, key="a$")]},
                 {"metrics": [m(1, timestamp=-1)]}, {"metrics": [m(1, value="abc")]}, {"metrics": [m(1, value="NaN"), m(2, value="Infinity")]}, {"metrics": [m(1, step="x")]}, {"metrics": [m(1, timestamp="7")]}, {"params": [{"key": "a//b", "value": "x"}]},
                 {"tags": [{"key": "/a", "value": "x"}]}, {"params": [{"key": "k" * 251, "value": "x"}]}, {"tags": [{"key": "k" * 251, "value": "x"}]}, {"params": [{"key": "long", "value": "x" * 7000}]}, {"tags": [{"key": "long", "value": "y" * 9000}]},
                 {"metrics": [m(i) for i in range(1001)]}, {"params": [p(i + 10) for i in range(101)]}, {"tags": [t(i + 10) for i in range(101)]}, {"metrics": [m(i) for i in range(900)], "params": [p(i + 10) for i in range(60)], "tags": [t(i + 10) for i in range(60)]},
                 {"metrics": [m(i) for i in range(800)], "params": [p(i + 10) for i in range(100)], "tags": [t(i + 10) for i in range(100)]}, {"metrics": None, "params": None, "tags": None}, {"params": [{"key": "num", "value": 5}]},
                 {"metrics": [m(1, unknown="x")]}, {"metrics": [m(1, run_id="x", dataset_name="d", dataset_digest="e")]}, {"metrics": [m(1, value=True)]}, {"metrics": [m(5, key="e\u00e9\"q")]}, {"metrics": [m(5, key="ok key")], "unknown": 1}):
        s("POST", "runs/log-batch", {"run_id": r, **body})
    s("GET", "runs/get", query={"run_id": r})
    s("GET", "metrics/get-history", query={"run_id": r, "metric_key": "m1"})
    for rid in ("nope", "", "a b", "-x", "x" * 257, 5, None, "a/b"):
        s("POST", "runs/log-batch", {"run_id": rid, "metrics": [m(1)]})
    s("POST", "runs/log-batch", {"metrics": [m(1)]})
    s("POST", "runs/log-batch", raw='{"run_id": "%s", "metrics": [{"key": "esc\\u0061ped", "value": 1, "timestamp": 2}], "tags": [{"key": "e", "value": "\\n\\u00e9\\ud83d\\ude00"}]}' % r)
    s("POST", "runs/log-batch", raw='{"run_id": "%s", "metrics": [{"key": "m", "value": 01, "timestamp": 2}]}' % r)
    s("POST", "runs/log-batch", raw='{"run_id": "%s", "metrics": [{"key": "dup", "value": 1, "value": 2, "timestamp": 2}]}' % r)
    s("POST", "runs/log-batch", raw='{"run_id": "%s", "metrics": [{"key": "dup", "value": 1, "timestamp": 2}], "metrics": []}' % r)
    s("GET", "runs/get", query={"run_id": r})


def test_07_bulk_history(s):
    a, b = run(s), run(s)
    for rid in (a, b):
        s("POST", "runs/log-batch", {"run_id": rid, "metrics": [{"key": "m", "value": i / 7, "timestamp": 1000 + i, "step": i} for i in range(500)]})
    s("POST", "runs/log-batch", {"run_id": a, "metrics": [{"key": "flat", "value": i, "timestamp": i, "step": 0} for i in range(50)]})
    for q in ({}, {"max_results": 10}, {"max_results": 1}, {"max_results": 3, "start_step": 5, "end_step": 12}, {"start_step": 5}, {"end_step": 5}, {"start_step": 9, "end_step": 5}, {"start_step": -3, "end_step": 5}, {"max_results": 0}, {"max_results": 2501},
              {"max_results": "x"}, {"start_step": "x", "end_step": 5}, {"max_results": 499}, {"max_results": 333}):
        s("GET", "metrics/get-history-bulk-interval", query={"run_ids": [a, b], "metric_key": "m", **q})
    s("GET", "metrics/get-history-bulk-interval", query={"run_ids": [a], "metric_key": "flat", "max_results": 7})
    s("GET", "metrics/get-history-bulk-interval", query={"run_ids": [a, "nope"], "metric_key": "none"})
    s("GET", "metrics/get-history-bulk-interval", query={"metric_key": "m"})
    s("GET", "metrics/get-history-bulk-interval", query={"run_ids": [a]})
    s("GET", "metrics/get-history-bulk-interval", query={"run_ids": ["x"] * 101, "metric_key": "m"})
    s("GET", "metrics/get-history-bulk-interval")
    ajax = "/ajax-api/2.0/mlflow/metrics/get-history-bulk"
    s("GET", ajax, query={"run_id": [a, a], "metric_key": "m", "max_results": 700})
    s("GET", ajax, query={"run_id": [b], "metric_key": "m", "max_results": 3})
    s("GET", ajax, query={"run_id": [a], "metric_key": "none"})
    s("GET", ajax, query={"metric_key": "m"})
    s("GET", ajax, query={"run_id": [a]})
    s("GET", ajax, query={"run_id": ["x"] * 101, "metric_key": "m"})
    s("GET", "metrics/get-history-bulk", query={"run_id": [a], "metric_key": "m"})


def test_08_search_runs(s):
    e, f = experiment(s, "search a"), experiment(s, "search b")
    rids = []
    for i in range(12):
        rid = run(s, e if i % 3 else f, start_time=1000 + (i * 5) % 12, run_name=f"r{i}", user_id=f"u{i % 2}", tags=[{"key": "t", "value": f"v{i % 4}"}] + ([{"key": "even", "value": "x"}] if i % 2 == 0 else []))
        rids.append(rid)
        s("POST", "runs/log-batch", {"run_id": rid, "metrics": [{"key": "acc", "value": "NaN" if i == 7 else i / 10, "timestamp": 1, "step": 1}] + ([{"key": "loss", "value": -i, "timestamp": 1}] if i % 2 else []),
                                     "params": [{"key": "lr", "value": f"0.{i % 3}"}] + ([{"key": "opt p", "value": "Adam"}] if i % 4 == 0 else [])})
        if i % 4 == 3:
            s("POST", "runs/update", {"run_id": rid, "status": "FINISHED", "end_time": 5000 - i})
    s("POST", "runs/delete", {"run_id": rids[11]})
    s("POST", "runs/log-inputs", {"run_id": rids[1], "datasets": [{"tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": {"name": "ds", "digest": "d1", "source_type": "x", "source": "{}"}}]})
    both = [e, f]
    for filter in ("", "metrics.acc > 0.5", "metrics.acc >= 0.5 AND metrics.acc < 0.9", "metrics.acc = 0.3", "metrics.acc != 0.3", "metrics.loss < -3", "metrics.none > 0", "metrics.none != 0", "params.lr = '0.1'", "params.lr != '0.1'",
                   "params.`opt p` = 'Adam'", "params.`opt p` LIKE 'ad%'", "params.`opt p` ILIKE 'ad%'", "params.\"opt p\" LIKE '%a_'", "params.`opt p` IS NULL", "params.`opt p` IS NOT NULL", "tags.t = 'v1'", "tags.t != 'v1'", "tags.t LIKE 'v%'",
                   "tags.even IS NULL", "tags.even IS NOT NULL and tags.t = 'v2'", "tags.none = 'x'", "attributes.status = 'FINISHED'", "status != 'FINISHED'", "status LIKE '%ING'", "status ILIKE '%ing'", "run_name = 'r3'", "run_name LIKE 'r1%'", "`run name` = 'r2'",
                   "attributes.`Run name` != 'r2'", "user_id = 'u1'", "start_time > 1002", "start_time <= 1001 AND user_id = 'u0'", "end_time > 0", "created = 1003", "artifact_uri LIKE '%artifacts'", f"run_id = '{rids[0]}'", f"run_id IN ('{rids[0]}', '{rids[2]}')",
                   f"run_id NOT IN ('{rids[0]}', '{rids[2]}') AND user_id = 'u0'", "dataset.name = 'ds'", "datasets.digest LIKE 'd%'", "dataset.context = 'train'", "dataset.context IN ('train', 'x')", "dataset.name != 'ds'", "metrics.acc > 0.1 AND params.lr = '0.1' AND tags.t != 'v1'",
                   "metrics.acc > 'a'", "params.lr > 'a'", "tags.t = v", "status > 'x'", "start_time = 'x'", "run_id = 5", "foo = 'x'", "attributes.foo = 'x'", "bar.foo = 'x'", "metrics.acc > 0.5 OR metrics.acc < 0.1", "metrics.acc", "status IN ('RUNNING')", "tags.t = 'v%'",
                   "tags.t LIKE 'v_'", "tags.t LIKE 'V_'", "params.lr LIKE '0.*'", "params.lr LIKE '[0].1'", "params.lr LIKE '0?1'", "start_time > 1e3", "start_time > 1002.5", "end_time != 0", "metrics.acc > -1e400", "dataset.foo = 'x'", "run_id LIKE '%'"):
        s("POST", "runs/search", {"experiment_ids": both, "filter": filter, "order_by": ["run_name"]})
    for order in ([], ["metrics.acc"], ["metrics.acc DESC"], ["metrics.loss"], ["metrics.loss DESC", "run_name"], ["metrics.none DESC"], ["params.lr", "metrics.acc DESC"], ["params.`opt p`"], ["params.`opt p` DESC"], ["tags.even"], ["tags.t DESC", "start_time"], ["start_time"],
                  ["start_time DESC"], ["created", "run_name"], ["end_time"], ["end_time DESC"], ["attributes.status", "run_name DESC"], ["status desc", "metrics.acc desc"], ["user_id", "user_id"], ["foo"], ["metrics.acc foo"], ["attribute.run_id", "run_id"],
                  ["metrics.`acc` ASC"], ["Created DESC"], ["run_name DESC"], ["status", "artifact_uri x"], "run_name", [1], ["metrics.acc", "attributes.metrics.acc"]):
        s("POST", "runs/search", {"experiment_ids": both, "order_by": order})
        s("POST", "runs/search", {"experiment_ids": [e], "order_by": order, "filter": "metrics.acc > 0.2"})
    for view in ("ALL", "DELETED_ONLY", "ACTIVE_ONLY", 3, "X", 7):
        s("POST", "runs/search", {"experiment_ids": both, "run_view_type": view})
    for n in (0, -1, 1, 50000, 50001, "3", "x", 2.5, None):
        s("POST", "runs/search", {"experiment_ids": both, "max_results": n, "order_by": ["metrics.acc DESC"]})
    token = None
    for _ in range(5):
        a = s("POST", "runs/search", {"experiment_ids": both, "max_results": 3, "order_by": ["metrics.acc DESC"], **({"page_token": token} if token else {})})
        token = a.get("next_page_token")
    for ids in ([], ["999"], ["abc"], [e, e], None, e, [5], [""], ["0", e]):
        s("POST", "runs/search", {"experiment_ids": ids, "filter": "tags.t = 'v1'"})
    s("POST", "runs/search", {})
    s("POST", "runs/search", {"experiment_ids": both, "page_token": "eyJvZmZzZXQiOiAxMDB9"})
    s("POST", "runs/search", {"experiment_ids": both, "page_token": "x"})


def test_09_inputs(s):
    e = experiment(s, "inputs")
    r = run(s, e)
    d = lambda name="d", digest="1", **more: {"dataset": {"name": name, "digest": digest, "source_type": "s", "source": "{}", **more}, "tags": [{"key": "mlflow.data.context", "value": "train"}]}
    for body in ({"datasets": [d()]}, {"datasets": [d(), d(), d("d2", schema="sch", profile="prof")]}, {"datasets": [d("x" * 501)]}, {"datasets": [d(digest="x" * 37)]}, {"datasets": [d(source="x" * 65536)]}, {"datasets": [d(schema="x" * 1048576)]},
                 {"datasets": [{**d("t"), "tags": [{"key": "k" * 256, "value": "v"}]}]}, {"datasets": [{**d("t"), "tags": [{"key": "k", "value": "v" * 501}]}]}, {"datasets": []}, {}, {"datasets": "x"}, {"datasets": [{}]}, {"datasets": [{"dataset": {"name": "only"}}]},
                 {"models": [{"model_id": "m-1"}]}, {"models": [{"model_id": "m-1"}, {"model_id": "m-2"}]}, {"models": "x"}, {"datasets": [{"dataset": {"name": "no tags", "digest": "2", "source_type": "s", "source": "{}"}}]}):
        s("POST", "runs/log-inputs", {"run_id": r, **body})
    s("POST", "runs/log-inputs", {"run_id": "nope", "datasets": [d()]})
    s("POST", "runs/log-inputs", {"datasets": [d()]})
    s("POST", "runs/log-inputs", {"run_id": "a b", "datasets": [d()]})
    for body in ({"models": [{"model_id": "m-1", "step": 3}]}, {"models": [{"model_id": "m-1", "step": 4}]}, {"models": [{"model_id": "m-2"}]}, {"models": []}, {}, {"models": "x"}):
        s("POST", "runs/outputs", {"run_id": r, **body})
    s("POST", "runs/outputs", {"run_id": "nope", "models": [{"model_id": "m-1"}]})
    s("GET", "runs/get", query={"run_id": r})
    s("POST", "runs/search", {"experiment_ids": [e]})
    for body in ({"experiment_ids": [e]}, {"experiment_ids": ["0", e]}, {"experiment_ids": []}, {}, {"experiment_ids": [str(i) for i in range(21)]}, {"experiment_ids": ["x"]}):
        s("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", body)


def test_10_log_model(s):
    r = run(s)
    model = '{"artifact_path": "model", "flavors": {"python_function": {"config": 1, "loader_module": "x"}, "x": 5}, "utc_time_created": "2020", "run_id": "%s", "model_uuid": "u", "signature": null}' % r
    for body in ({"model_json": model}, {"model_json": model}, {"model_json": "{bad"}, {"model_json": "{}"}, {"model_json": '{"flavors": {}, "run_id": "x", "utc_time_created": "y"}'}, {"model_json": ""}, {}, {"model_json": 5}):
        s("POST", "runs/log-model", {"run_id": r, **body})
    s("POST", "runs/log-model", {"run_id": "nope", "model_json": model})
    s("GET", "runs/get", query={"run_id": r})


def test_99_endpoints(s):
    for method, path in (("GET", "/health"), ("GET", "/version"), ("GET", "/api/2.0/nope"), ("GET", "/api/2.0/mlflow/experiments/nope"), ("POST", "/api/2.0/mlflow/experiments/get"), ("DELETE", "/api/2.0/mlflow/runs/delete"),
                         ("GET", "/api/2.0/mlflow/experiments/get/?experiment_id=0"), ("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0"), ("GET", "/api/3.0/mlflow/experiments/get?experiment_id=0"), ("GET", "/nope"),
                         ("PUT", "/api/2.0/mlflow/runs/create"), ("GET", "/api/2.0/mlflow/runs/search")):
        s(method, path)


def test_19_files(s):
    """Media types, names and the forms of a path; folders and what is not there."""
    e = experiment(s, "files")
    r = run(s, e)
    root = f"/api/2.0/mlflow-artifacts/artifacts/{e}/{r}/artifacts/"
    names = ("a.txt", "b.pkl", "c.png", "d.pdf", "MLmodel", "MLproject", "mlproject", "e.json", "f.html", "g.svg", "h.csv", "i.yaml", "j", "k.tar.gz", "l.js", "m.md", "n.ipynb", "o.parquet", "p.mp4", "q.webp", "r.xml", "s.log", ".hidden", "t.TXT",
             "u v.txt", "w+x.png", "dog+step+20+timestamp+100+abc.png", "sub/y.jpeg", "z.zip", "zz.onnx", "zz.npy", "zz.css", "zz.bin", "\u00e9.txt", "quote\".txt")
    for name in names:
        quoted = urllib.parse.quote(name)
        s("PUT", root + quoted, raw=name, headers={"Content-Type": "application/octet-stream"})
        s("GET", root + quoted)
        s("GET", "/get-artifact", query={"run_id": r, "path": name})
    s("GET", root + "f.html", headers={"Accept": "text/html"})
    s("GET", "/get-artifact", query={"run_uuid": r, "path": "a.txt"})
    for path in ("sub", "sub/", "none", "", ".", "..", "../x", "sub/../a.txt", "./a.txt", "sub//y.jpeg", "/a.txt", "%2e%2e/x", "%252e%252e/x", "a.txt%00", "a%2Ftxt", "C:\\x", "\\\\host\\x", "file:///etc/passwd", "a.txt?x", "a.txt#x"):
        s("GET", "/get-artifact", query={"run_id": r, "path": path})
        s("GET", "artifacts/list", query={"run_id": r, "path": path})
        s("GET", "/model-versions/get-artifact", query={"name": "none", "version": "1", "path": path})
        if path not in ("", "."):  # there are all the runs
            s("GET", "/api/2.0/mlflow-artifacts/artifacts", query={"path": path})
        s("GET", root + path.replace("\\", "%5C").replace("#", "%23").replace("?", "%3F"))
        s("POST", "/ajax-api/2.0/mlflow/upload-artifact", raw="x", query={"run_uuid": r, "path": path}, headers={"Content-Type": "text/plain"})
    s("GET", "//model-versions/get-artifact", query={"name": "none", "version": "1", "path": "../x"})
    s("GET", "/get-artifact", query={"run_id": "0" * 32, "path": "a.txt"})
    s("GET", "/get-artifact")

"""Evaluation datasets, and how traces are related."""

import json
import time

from scenarios import experiment

V3 = "/api/3.0/mlflow/"


def records(s, d, query=None):
    """The records of a dataset; their ids and times stand inside a text, so the answer is not compared."""
    answer = s("GET", f"{V3}datasets/{d}/records", query=query)
    s.log.pop()
    return json.loads(answer.get("records", "[]")), answer.get("next_page_token")


def dataset(s, **body):
    time.sleep(0.002)  # no two are made at the same time
    return s("POST", V3 + "datasets/create", body).get("dataset", {}).get("dataset_id", "d-none")


def test_50_evaluation_datasets(s):
    e, other = experiment(s, "evaluations"), experiment(s, "evaluations 2")
    d = dataset(s, name="questions", experiment_ids=[e], tags=json.dumps({"team": "ml", "mlflow.user": "ann"}))
    second = dataset(s, name="answers", experiment_ids=[e, other], tags=json.dumps({"team": "data"}))
    dataset(s, name="none")
    for body in ({}, {"name": ""}, {"name": 3}, {"name": "x", "experiment_ids": "1"}, {"name": "x", "tags": {"a": "b"}}):
        s("POST", V3 + "datasets/create", body)
    for i in (d, "d-none"):
        s("GET", f"{V3}datasets/{i}")
        s("GET", f"{V3}datasets/{i}/experiment-ids")
        s("PATCH", f"{V3}datasets/{i}/tags", {"tags": json.dumps({"team": "ops", "new": "1", "gone": None})})
        s("DELETE", f"{V3}datasets/{i}/tags/new")
        s("DELETE", f"{V3}datasets/{i}/tags/never")
        s("POST", f"{V3}datasets/{i}/add-experiments", {"experiment_ids": [other, e]})
        s("POST", f"{V3}datasets/{i}/add-experiments", {"experiment_ids": ["98765"]})
        s("POST", f"{V3}datasets/{i}/remove-experiments", {"experiment_ids": [other, "98765"]})
        s("GET", f"{V3}datasets/{i}/experiment-ids")
        s("GET", f"{V3}datasets/{i}")
    s("PATCH", f"{V3}datasets/{d}/tags", {})
    for query in ({}, {"filter_string": "name = 'questions'"}, {"filter_string": "name LIKE '%s'"}, {"filter_string": "name IN ('questions', 'none')"}, {"filter_string": "tags.team = 'ops'"}, {"filter_string": "tags.team != 'ops'"},
                  {"filter_string": "created_by = 'ann'"}, {"filter_string": "created_time > 0 AND name != 'none'"}, {"filter_string": "created_time > 1.5"}, {"filter_string": "created_time LIKE '1'"}, {"filter_string": "color = 'x'"},
                  {"filter_string": "tag.team = 'x'"}, {"filter_string": "name"}, {"filter_string": "name IS NULL"}, {"filter_string": "name > 'a'"}, {"filter_string": "tags.team > 'a'"}, {"filter_string": "tags.team IN ('a')"},
                  {"experiment_ids": [other]}, {"experiment_ids": ["98765"]}, {"order_by": ["name ASC"]}, {"order_by": ["name DESC"]}, {"order_by": ["created_time"]}, {"order_by": ["created_by"]}, {"order_by": ["tags.team"]},
                  {"max_results": 1, "order_by": ["name"]}, {"max_results": 0}, {"max_results": -1}, {"max_results": 60000}, {"page_token": "nonsense"}):
        found = s("POST", V3 + "datasets/search", query)
        if found.get("next_page_token"):
            s("POST", V3 + "datasets/search", {**query, "page_token": found["next_page_token"]})
    s("GET", V3 + "datasets/search", query={"filter_string": "name = 'none'"})
    first = [{"inputs": {"q": "a", "n": 1}, "expectations": {"x": "y"}, "tags": {"t": "1", "mlflow.user": "bob"}}, {"inputs": {"q": "b", "f": 1.5, "l": [1], "o": {}, "z": None, "t": True}, "outputs": "plain"},
             {"inputs": {"n": 1, "q": "a"}, "outputs": {"r": 1}, "expectations": {"w": 2}, "tags": {"t": "2"}, "source": {"source_type": "trace", "source_data": {"trace_id": "tr-1"}}},
             {"inputs": {"q": "c"}, "source": {"source_type": "HUMAN", "source_data": {"source_id": "me"}}}]
    s("POST", f"{V3}datasets/{d}/records", {"records": json.dumps(first)})
    s("POST", f"{V3}datasets/{d}/records", {"records": json.dumps([{"inputs": {"q": "b", "f": 1.5, "l": [1], "o": {}, "z": None, "t": True}, "outputs": None}])})
    for body in ({}, {"records": ""}, {"records": []}, {"records": "nonsense"}, {"records": '["x"]'}, {"records": json.dumps([{"inputs": {"q": 9}, "source": {"source_type": "dream"}}])}):
        s("POST", f"{V3}datasets/{d}/records", body)
    s("POST", f"{V3}datasets/d-none/records", {"records": json.dumps(first)})
    s("GET", f"{V3}datasets/{d}")
    all, _ = records(s, d)
    s.log.append(("records", 200, {"records": sorted(json.dumps({k: v for k, v in r.items() if k == "source_id" or not k.endswith(("_id", "_time"))}) for r in all)}))
    s.log.append(("no records", 200, {"records": records(s, "d-none")}))
    pages, token = [], None
    while not pages or token:
        page, token = records(s, d, {"max_results": "2", **({"page_token": token} if token else {})})
        pages.append(len(page))
    s.log.append(("pages", 200, {"pages": pages}))
    s("DELETE", f"{V3}datasets/{d}/records", {"dataset_record_ids": [all[0]["dataset_record_id"], "dr-none"]})
    s("DELETE", f"{V3}datasets/{d}/records", {"dataset_record_ids": ["dr-none"]})
    s("GET", f"{V3}datasets/{d}")
    s("DELETE", f"{V3}datasets/{d}/records", {"dataset_record_ids": [r["dataset_record_id"] for r in all]})
    s("GET", f"{V3}datasets/{d}")
    for i in (second, second, "d-none"):
        s("DELETE", f"{V3}datasets/{i}")
    s("GET", f"{V3}datasets/{second}")


def test_51_correlation(s):
    e = experiment(s, "correlation")
    for i in range(10):
        tags = {"env": "prod" if i < 6 else "dev", "kind": "TOOL" if i < 7 else "LLM"}
        s("POST", V3 + "traces", {"trace": {"trace_info": {"trace_id": f"tr-corr{i}", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": e}},
                                                           "request_time": f"2024-01-01T00:00:0{i}Z", "state": "OK", "tags": tags}}})
    for one, two, *base in (("tags.env = 'prod'", "tags.kind = 'TOOL'"), ("tags.env = 'dev'", "tags.kind = 'LLM'"), ("tags.env = 'none'", "tags.kind = 'TOOL'"), ("tags.env = 'prod'", "tags.kind = 'LLM'"),
                            ("tags.env LIKE '%'", "tags.kind LIKE '%'"), ("nonsense = 'x'", "tags.kind = 'TOOL'"), ("tags.env = 'prod'", "tags.kind = 'TOOL'", "timestamp_ms > 1704067202000"), ("", "tags.kind = 'TOOL'")):
        s("POST", V3 + "traces/calculate-filter-correlation", {"experiment_ids": [e], "filter_string1": one, "filter_string2": two, **({"base_filter": base[0]} if base else {})})
    for ids in ([], ["98765"], ["x"]):
        s("POST", V3 + "traces/calculate-filter-correlation", {"experiment_ids": ids, "filter_string1": "tags.a = 'b'", "filter_string2": "tags.a = 'b'"})

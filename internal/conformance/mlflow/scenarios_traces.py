"""Requests about traces."""

import gzip
import json

from scenarios import experiment, run

V2, V3 = "/api/2.0/mlflow/traces", "/api/3.0/mlflow/traces"
OTLP = "/v1/traces"


def info(e, n, **more):
    return {"trace_info": {"trace_id": f"tr-{n:032x}", "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": e}}, "request_time": "2024-01-02T03:04:05.678Z", "execution_duration": "1.5s", "state": "OK",
                           "trace_metadata": {"mlflow.trace_schema.version": "3"}, "tags": {"mlflow.traceName": f"t{n}", "k": f"v{n % 2}"}, **more}}


def assessment(name="a", **more):
    return {"assessment_name": name, "source": {"source_type": "HUMAN", "source_id": "me"}, "create_time": "2024-01-02T03:04:05Z", "last_update_time": "2024-01-02T03:04:05Z", **({"feedback": {"value": True}} if not {"expectation", "issue", "feedback"} & set(more) else {}), **more}


def test_30_traces(s):
    e = experiment(s, "traces")
    for body in ({"trace": info(e, 1)}, {"trace": info(e, 1, state="ERROR", tags={"k": "new"}, request_preview="req")}, {}, {"trace": None}, {"trace": info("999", 2)}, {"trace": info("x", 2)}, {"trace": info(e, 3, request_time="bad")}, {"trace": info(e, 4, execution_duration="bad")}, {"trace": info(e, 5, state="NOPE")},
                 {"trace": info(e, 6, request_preview="in", response_preview="out", client_request_id="c6")}, {"trace": info(e, 7, tags={"mlflow.traceName": "n" * 4097})}, {"trace": info(e, 8, tags={"long": "x" * 9000}, trace_metadata={"long": "y" * 300, "k" * 300: "z"})},
                 {"trace": info(e, 9, trace_metadata={"mlflow.trace.session": "s1", "mlflow.trace.tokenUsage": '{"input_tokens": 1, "output_tokens": 2.0, "total_tokens": "3", "other": 1}', "mlflow.trace.cost": '{"total_cost": 1, "input_cost": 0.25}'})},
                 {"trace": info(e, 10, trace_metadata={"mlflow.trace.session": "s" * 251})}, {"trace": info(e, 11, trace_metadata={"mlflow.trace.tokenUsage": "x"})}, {"trace": info(e, 12, assessments=[assessment(), assessment("e", expectation={"value": "x"})])}, {"trace": info(e, 13, state=3, execution_duration="0s")},
                 {"trace": info(e, 14, request_time="2024-01-02T03:04:05Z", execution_duration="2.000000001s")}, {"trace": info(e, 15, tags={}, trace_metadata={})}, {"trace": info(e, 1, trace_metadata={"extra": "1"})}):
        s("POST", V3, body)
    for n in (1, 6, 8, 9, 99):
        s("GET", f"{V3}/tr-{n:032x}")
        s("GET", f"{V2}/tr-{n:032x}/info")
    t = f"tr-{1:032x}"
    for v in (V2, V3):
        for body in ({"key": "a", "value": "b"}, {"key": "a", "value": "c"}, {"key": "a"}, {"key": "", "value": "x"}, {"value": "x"}, {"key": "a//b", "value": "x"}, {"key": "k" * 251, "value": "x"}, {"key": "long", "value": "x" * 9000}, {"key": "mlflow.trace.spansLocation", "value": "x"},
                     {"key": "mlflow.trace.archivalFailure", "value": "x"}, {"key": "mlflow.traceName", "value": "renamed"}, {"key": "mlflow.traceName", "value": "n" * 4097}, {"key": 5, "value": "x"}):
            s("PATCH", f"{v}/{t}/tags", body)
        for body in ({"key": "a"}, {"key": "a"}, {}, {"key": "mlflow.trace.spansLocation"}, {"key": "mlflow.trace.archivalFailure"}, {"key": "mlflow.traceName"}, {"key": "mlflow.traceName"}):
            s("DELETE", f"{v}/{t}/tags", body)
        s("DELETE", f"{v}/tr-none/tags", {"key": "a"})
        s("PATCH", f"{v}/tr-none/tags", {"key": "mlflow.traceName", "value": "x"})
    s("GET", f"{V3}/{t}")
    ids = [f"tr-{n:032x}" for n in (9, 1, 6, 99, 1)]
    for body in ({"trace_ids": ids}, {"trace_ids": []}, {}, {"trace_ids": "x"}, {"trace_ids": [1]}, {"trace_ids": ids, "experiment_ids": [e]}, {"trace_ids": ids, "experiment_ids": ["0"]}, {"trace_ids": ids, "experiment_ids": []}, {"trace_ids": ids, "experiment_ids": ["x"]}):
        s("POST", f"{V3}/batchGetInfos", body)
    r = run(s, e)
    for body in ({"trace_ids": ids[:4], "run_id": r}, {"trace_ids": ids[:1], "run_id": r}, {"trace_ids": ["x"] * 101, "run_id": r}, {"trace_ids": [], "run_id": r}, {"run_id": r}, {"trace_ids": ids}, {"trace_ids": ids, "run_id": ""}, {"trace_ids": "x", "run_id": r}):
        s("POST", f"{V2}/link-to-run", body)
    for body in ({"trace_id": t, "prompt_versions": [{"name": "p", "version": "1"}]}, {"trace_id": t, "prompt_versions": [{"name": "p", "version": "1"}, {"name": "q", "version": "2"}]}, {"trace_id": "none", "prompt_versions": [{"name": "p", "version": "1"}]}, {"trace_id": t}, {"prompt_versions": []}, {"trace_id": t, "prompt_versions": []}):
        s("POST", f"{V2}/link-prompts", body)
    s("POST", f"{V3}/search", {"locations": [{"type": 1, "mlflow_experiment": {"experiment_id": e}}], "filter": f"run_id = '{r}'"})
    s("POST", f"{V3}/search", {"locations": [{"type": 1, "mlflow_experiment": {"experiment_id": e}}], "filter": "prompt = 'p/1'"})
    for body in ({"experiment_id": e}, {"experiment_id": e, "max_timestamp_millis": 5, "request_ids": ["x"]}, {"experiment_id": e, "request_ids": ["x"], "max_traces": 1}, {"experiment_id": e, "max_timestamp_millis": 5, "max_traces": 0}, {"experiment_id": e, "max_timestamp_millis": 5}, {"experiment_id": e, "request_ids": [t, "x"]},
                 {"experiment_id": "0", "request_ids": [ids[0]]}, {"experiment_id": e, "max_timestamp_millis": 9999999999999, "max_traces": 2}, {"experiment_id": "x", "request_ids": ["x"]}, {"request_ids": ["x"]}, {"experiment_id": e, "max_timestamp_millis": "x"}):
        s("POST", f"{V3}/delete-traces", body)
    s("POST", f"{V2}/delete-traces", {"experiment_id": e, "max_timestamp_millis": 9999999999999})


def test_31_old_traces(s):
    e = experiment(s, "old traces")
    kv = lambda k, v: {"key": k, "value": v}
    made = None
    for body in ({"experiment_id": e, "timestamp_ms": 1000, "request_metadata": [kv("m", "1")], "tags": [kv("mlflow.traceName", "n"), kv("t", "1"), kv("t", "2")]}, {"experiment_id": e}, {"timestamp_ms": 5}, {"experiment_id": "999", "timestamp_ms": 5}, {"experiment_id": e, "timestamp_ms": "x"},
                 {"experiment_id": e, "timestamp_ms": 5, "tags": [{"value": "x"}]}, {"experiment_id": e, "timestamp_ms": 5, "request_metadata": "x"}, {"experiment_id": e, "timestamp_ms": 5, "tags": [kv("mlflow.traceName", "n" * 4097)]}):
        a = s("POST", V2, body)
        made = made or a.get("trace_info", {}).get("request_id")
    for body in ({"timestamp_ms": 1500, "status": "OK", "request_metadata": [kv("n", "2")], "tags": [kv("t", "3")]}, {"timestamp_ms": 1600, "status": "ERROR"}, {"timestamp_ms": 1700, "status": 1}, {"timestamp_ms": "x", "status": "OK"}):
        s("PATCH", f"{V2}/{made}", body)
        s("GET", f"{V2}/{made}/info")
    s("PATCH", f"{V2}/none", {"timestamp_ms": 5, "status": "OK"})
    s("GET", f"{V2}/none/info")
    for q in ({"experiment_ids": [e]}, {"experiment_ids": [e], "filter": "tags.t = '3'"}, {"experiment_ids": [e], "max_results": 1}, {"experiment_ids": [e], "max_results": 501}, {}, {"experiment_ids": [e], "order_by": ["timestamp_ms"]}, {"experiment_ids": ["a.b"]}, {"experiment_ids": ["x"]}):
        s("GET", V2, query=q)


def spans(n, children=2, trace=None, **more):
    v = lambda x: {"boolValue": x} if isinstance(x, bool) else {"intValue": str(x)} if isinstance(x, int) else {"doubleValue": x} if isinstance(x, float) else {"arrayValue": {"values": [v(i) for i in x]}} if isinstance(x, list) else {"kvlistValue": {"values": [{"key": k, "value": v(i)} for k, i in x.items()]}} if isinstance(x, dict) else {"stringValue": x}
    attrs = lambda d: [{"key": k, "value": v(x)} for k, x in d.items()]
    start = 1704164645000000000 + n * 10**9
    one = lambda i: {"traceId": f"{trace or n:032x}", "spanId": f"{100 + i:016x}", **({"parentSpanId": f"{100:016x}"} if i else {}), "name": f"span {i}", "startTimeUnixNano": str(start + i * 10**6), "endTimeUnixNano": str(start + 5 * 10**8 + i),
                     "status": {"code": 2, "message": "broken"} if i == 1 else {"code": 1} if i == 0 else {}, "attributes": attrs({"mlflow.spanType": "CHAIN" if i else "AGENT", "n": i, "f": i + 0.5, "b": i % 2 == 0, "list": ["a", 1], "map": {"x": {"y": 1}}, "text": "h\u00e9llo \"q\"", **(more.get("attributes", {}) if i == 0 else {})}),
                     "events": [{"name": "ev", "timeUnixNano": str(start + 7), "attributes": attrs({"e": 1, "s": "x"})}] if i == 1 else []}
    return {"resourceSpans": [{"resource": {"attributes": attrs({"service.name": "svc", "telemetry.sdk.name": "x", "host.cpus": 4})}, "scopeSpans": [{"scope": {"name": "x"}, "spans": [one(i) for i in range(children + 1)]}]}]}


def send(s, body, e="0", **headers):
    raw = body if isinstance(body, (str, bytes)) else json.dumps(body)
    return s("POST", OTLP, raw=raw, headers={"Content-Type": "application/json", "x-mlflow-experiment-id": e, **headers})


def test_32_spans(s):
    e = experiment(s, "spans")
    r = run(s, e)
    send(s, spans(1), e)
    send(s, spans(2, attributes={"mlflow.spanInputs": {"messages": [{"role": "system", "content": "sys"}, {"role": "user", "content": "question"}]}, "mlflow.spanOutputs": {"choices": [{"message": {"role": "assistant", "content": "answer"}}]}, "session.id": "sess", "user.id": "me", "mlflow.traceTag.mine": "yes",
                                 "mlflow.traceTag.mlflow.traceName": "named", "mlflow.chat.tokenUsage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, "mlflow.llm.cost": {"input_cost": 0.5, "output_cost": 0.25, "total_cost": 0.75}}), e, **{"x-mlflow-run-id": r})
    send(s, gzip.compress(json.dumps(spans(3, attributes={"mlflow.spanInputs": "x" * 2000})).encode()), e, **{"Content-Encoding": "gzip"})
    send(s, spans(4, children=0), e)
    send(s, spans(4, children=3), e)
    for body, headers in (("{bad", {}), ("{}", {}), ('{"resourceSpans": []}', {}), ('{"resourceSpans": [{}]}', {}), (b"\xff\xff", {"Content-Type": "application/x-protobuf"}), (b"", {"Content-Type": "application/x-protobuf"}), ("{}", {"Content-Type": "text/plain"}), ("{}", {"Content-Encoding": "br"}), ("x", {"Content-Encoding": "gzip"}),
                          ('{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "no ids"}]}]}]}', {}), ('{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "zz", "spanId": "1"}]}]}]}', {})):
        send(s, body, e, **headers)
    send(s, spans(5), "999")
    send(s, spans(5), "x")
    s("POST", OTLP, raw="{}", headers={"Content-Type": "application/json"})
    tid = lambda n: f"tr-{n:032x}"
    for n in (1, 2, 3, 4, 5):
        s("GET", f"{V3}/{tid(n)}")
        s("GET", f"{V3}/get", query={"trace_id": tid(n)})
    s("GET", f"{V3}/get", query={"trace_id": tid(1), "allow_partial": "true"})
    s("GET", f"{V3}/get", query={"trace_id": tid(1), "allow_partial": "x"})
    s("GET", f"{V3}/get")
    s("POST", V3, {"trace": info(e, 6, trace_metadata={"mlflow.trace.sizeStats": '{"num_spans": 3}'})})
    send(s, spans(6, children=1), e)
    s("GET", f"{V3}/get", query={"trace_id": tid(6), "allow_partial": "true"})
    s("GET", f"{V3}/batchGet", query={"trace_ids": [tid(6), tid(2), tid(9)]})
    send(s, spans(6, children=2), e)
    s("GET", f"{V3}/batchGet", query={"trace_ids": [tid(6), tid(2), tid(9)]})
    s("GET", f"{V3}/batchGet", query={"trace_ids": [tid(2)], "experiment_ids": ["0"]})
    s("GET", f"{V3}/batchGet")
    s("GET", "/ajax-api/2.0/mlflow/get-trace-artifact", query={"request_id": tid(2)})
    s("GET", "/ajax-api/3.0/mlflow/get-trace-artifact", query={"request_id": tid(2)})
    s("GET", "/ajax-api/2.0/mlflow/get-trace-artifact", query={"request_id": "none"})
    s("GET", "/ajax-api/2.0/mlflow/get-trace-artifact")
    where = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": e}}]
    for filter in ("span.name = 'span 1'", "span.name LIKE 'span%' AND span.status = 'ERROR'", "span.type = 'AGENT'", "span.type IN ('AGENT', 'X')", "span.status = 'OK' AND span.name = 'span 2'", "span.attributes.text LIKE '%h\u00e9llo%'", "span.attributes.n ILIKE '%1%'", "span.content LIKE '%broken%'", "trace.text LIKE '%question%'", "span.attributes.mine = 'x'",
                   f"run_id = '{r}'", "metadata.`mlflow.trace.session` = 'sess'", "metadata.`mlflow.trace.user` = 'me'", "tags.`service.name` = 'svc'", "tags.mine = 'yes'", "name = 'named'"):
        s("POST", f"{V3}/search", {"locations": where, "filter": filter})


def test_33_search_traces(s):
    e, f = experiment(s, "find traces a"), experiment(s, "find traces b")
    for i in range(10):
        s("POST", V3, {"trace": info(e if i % 3 else f, 200 + i, request_time=f"2024-01-02T03:04:0{(i * 7) % 10}.5Z", execution_duration=f"{i}.25s", state=["OK", "ERROR", "IN_PROGRESS"][i % 3], client_request_id=f"c{i}", trace_metadata={"m": f"m{i % 4}", **({"mlflow.trace.session": f"s{i % 2}"} if i % 2 else {})},
                                     tags={"mlflow.traceName": f"name {i % 5}", **({"even": "y"} if i % 2 == 0 else {})}, assessments=[assessment("score", feedback={"value": i / 4}), assessment("good", feedback={"value": i % 2 == 0}), assessment("label", expectation={"value": f"l{i % 3}"})] if i % 4 else [])})
    where = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": x}} for x in (e, f)]
    find = lambda **body: s("POST", f"{V3}/search", {"locations": where, **body})
    for filter in ("", "status = 'OK'", "trace.status != 'OK'", "attributes.status IN ('OK', 'ERROR')", "status NOT IN ('OK')", "timestamp > 1704164643000", "timestamp_ms <= 1704164643500", "execution_time > 3000", "execution_time_ms < 2000", "end_time > 1704164648000", "request_id = 'tr-%032x'" % 203, "client_request_id LIKE 'c%'", "client_request_id = 'c1'",
                   "name = 'name 1'", "name LIKE 'NAME%'", "name ILIKE 'NAME%'", "name RLIKE '^name [12]$'", "tags.even = 'y'", "tag.even IS NULL", "tags.even IS NOT NULL", "metadata.m = 'm1'", "request_metadata.m != 'm1'", "metadata.m LIKE 'm%' AND status = 'OK'", "metadata.none IS NULL", "metadata.`mlflow.trace.session` IS NOT NULL", "metadata.`mlflow.trace.session` = 's1'",
                   "feedback.score > 1", "feedback.score <= 0.5", "feedback.good = 'true'", "feedback.good = 'false'", "feedback.good != 'true'", "expectation.label = 'l1'", "expectation.label LIKE '%l%'", "feedback.none = 'x'", "feedback.score IS NULL", "feedback.score IS NOT NULL", "issue.id = 'x'", "foo = 'x'", "status > 'x'", "timestamp = 'x'", "timestamp LIKE '1'",
                   "name = x", "a.b.c = 'x'", "status = 'OK' OR status = 'ERROR'", "metadata.`mlflow.trace.tokenUsage` LIKE 'x'", "feedback.score > 'x'", "tags.even IN ('y')", "run_id = 'x'"):
        find(filter=filter)
    for order in (["timestamp_ms"], ["timestamp DESC"], ["execution_time DESC"], ["execution_time_ms ASC"], ["status", "timestamp"], ["name DESC"], ["tags.even"], ["metadata.m DESC", "timestamp"], ["request_id DESC"], ["experiment_id"], ["foo"], ["timestamp", "timestamp"], ["timestamp foo"], ["client_request_id"], ["metadata.`mlflow.trace.cost`"], [""]):
        find(order_by=order)
    token = None
    for _ in range(4):
        token = find(max_results=4, order_by=["name"], **({"page_token": token} if token else {})).get("next_page_token")
    for n in (0, -1, 500, 501, "x", "3", None, 10):
        find(max_results=n)
    find(page_token="x")
    for locations in ([], None, "x", [{}], [{"type": 1}], [{"mlflow_experiment": {"experiment_id": "x"}}], [{"mlflow_experiment": {"experiment_id": "a.b"}}], [{"mlflow_experiment": {"experiment_id": "999"}}], [{"inference_table": {"full_table_name": "a.b.c"}}]):
        s("POST", f"{V3}/search", {"locations": locations})
    s("POST", f"{V3}/search", {})


def test_34_assessments(s):
    e = experiment(s, "assessments")
    t = f"tr-{300:032x}"
    s("POST", V3, {"trace": info(e, 300)})
    first = None
    for a in (assessment(), assessment("num", feedback={"value": 5}), assessment("float", feedback={"value": 0.25, "error": {"error_code": "E", "error_message": "m", "stack_trace": "s" * 20000}}), assessment("text", feedback={"value": "yes"}, rationale="because", metadata={"k": "v"}, span_id="abc"), assessment("list", feedback={"value": [1, "a", None]}),
              assessment("map", feedback={"value": {"a": 1.5, "b": [True]}}), assessment("null", feedback={"value": None}), assessment("none", feedback={}), assessment("exp", expectation={"value": "x"}), assessment("exp list", expectation={"serialized_value": {"serialization_format": "JSON_FORMAT", "value": '[1, {"a": 2}]'}}),
              assessment("exp bad", expectation={"serialized_value": {"serialization_format": "X", "value": "1"}}), assessment("exp none", expectation={}), assessment("exp num", expectation={"value": 3}), assessment("iss", issue={"issue_name": "n"}), {"assessment_name": "kind"}, assessment(assessment_id="a-mine"), assessment(assessment_id="a-mine"),
              assessment(source={"source_type": "LLM_JUDGE"}), assessment(source={"source_type": "X"}), assessment(create_time=None, last_update_time=None), assessment("over", overrides="a-mine"), assessment("over", overrides="a-none"), assessment(feedback={"value": 1}, expectation={"value": 2})):
        got = s("POST", f"{V3}/{t}/assessments", {"assessment": a})
        first = first or got["assessment"]["assessment_id"]
    s("POST", f"{V3}/{t}/assessments", {})
    s("POST", f"{V3}/tr-none/assessments", {"assessment": assessment()})
    s("GET", f"{V3}/{t}")
    for a in (first, "a-mine", "a-none"):
        s("GET", f"{V3}/{t}/assessments/{a}")
    s("GET", f"{V3}/tr-none/assessments/{first}")
    for body in ({"assessment": assessment("renamed"), "update_mask": "assessmentName"}, {"assessment": assessment(feedback={"value": "new"}, rationale="r"), "update_mask": "feedback,rationale"}, {"assessment": assessment(metadata={"a": "b"}), "update_mask": "metadata"}, {"assessment": assessment(expectation={"value": 1}), "update_mask": "expectation"},
                 {"assessment": assessment()}, {"update_mask": "feedback"}, {"assessment": assessment(), "update_mask": "nothing"}, {"assessment": assessment(), "update_mask": 5}):
        s("PATCH", f"{V3}/{t}/assessments/{first}", body)
    s("PATCH", f"{V3}/{t}/assessments/a-none", {"assessment": assessment("x"), "update_mask": "assessmentName"})
    over = [a for a in s("GET", f"{V3}/{t}")["trace"]["trace_info"]["assessments"] if a.get("overrides")][0]["assessment_id"]
    s("GET", f"{V3}/{t}/assessments/a-mine")
    s("DELETE", f"{V3}/{t}/assessments/{over}")
    s("GET", f"{V3}/{t}/assessments/a-mine")
    s("DELETE", f"{V3}/{t}/assessments/{over}")
    s("DELETE", f"{V3}/{t}/assessments/a-mine")
    s("GET", f"{V3}/{t}")

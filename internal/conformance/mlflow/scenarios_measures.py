"""Requests for figures over traces, spans and assessments."""

from scenarios import experiment

METRICS = "/api/3.0/mlflow/traces/metrics"
OTLP = "/v1/traces"
SECOND = 10**9
ID = 0x3800  # traces of no other scenario

COUNT = [{"aggregation_type": "COUNT"}]
SPREAD = [{"aggregation_type": "AVG"}, {"aggregation_type": "MIN"}, {"aggregation_type": "MAX"}]
SUM = [{"aggregation_type": "SUM"}]
PERCENTILES = [{"aggregation_type": "PERCENTILE", "percentile_value": 50}, {"aggregation_type": "PERCENTILE", "percentile_value": 99.9}]

NAMES = {
    "TRACES": ("trace_count", "session_count", "latency", "input_tokens", "total_tokens", "cache_read_input_tokens", "none"),
    "SPANS": ("span_count", "latency", "input_cost", "total_cost", "none"),
    "ASSESSMENTS": ("assessment_count", "assessment_value", "none"),
}
DIMENSIONS = ([], ["trace_name"], ["trace_status", "trace_name"], ["span_name"], ["span_model_name", "span_model_provider"], ["span_type", "span_status"], ["assessment_name"], ["assessment_name", "assessment_value"])
FILTERS = ("trace.status = 'OK'", "trace.tag.k = 'v'", "trace.metadata.`mlflow.trace.session` = 's1'", "span.name = 'root'", "span.type = 'LLM'", "assessment.name = 'q'", "assessment.type = 'feedback'", "trace.status != 'OK'", "trace.status LIKE 'O'",
           "trace.status = 1", "trace.tag = 'x'", "trace.foo = 'x'", "x.y = 'z'", "bad", "", "trace.status.x = 'y'", "trace.status = 'OK' AND trace.status = 'OK'")
TIMES = ({"time_interval_seconds": 60, "start_time_ms": 0, "end_time_ms": 4102444800000}, {"time_interval_seconds": 60}, {"start_time_ms": 1700000030000}, {"end_time_ms": 1700000060000},
         {"max_results": 1, "time_interval_seconds": 1, "start_time_ms": 1700000000000, "end_time_ms": 1700000060000}, {"max_results": 0}, {"start_time_ms": "x"}, {"page_token": 1})


def attribute(key, value):
    kind = {str: "stringValue", float: "doubleValue", int: "intValue"}[type(value)]
    return {"key": key, "value": {kind: value}}


def spans(n):
    """A root and a call of a model beneath it, as OpenTelemetry's JSON."""
    trace, at = f"{ID + n:032x}", 1700000000 * SECOND + 17 * n * SECOND + 123
    model = [attribute("mlflow.llm.model", f'"m{n % 2}"'), attribute("mlflow.llm.provider", '"p"')] if n != 2 else []
    usage = '{"input_tokens": %d, "output_tokens": %d, "total_tokens": %d}' % (10 + n, 5 * n, 10 + 6 * n)
    cost = '{"input_cost": %s, "output_cost": 0.5, "total_cost": %s}' % (0.25 * n, 0.5 + 0.25 * n)
    session = [attribute("session.id", f's{n % 3}')] if n != 4 else []
    root = {"traceId": trace, "spanId": f"{n:016x}", "name": "root" if n % 3 else "other", "startTimeUnixNano": str(at), "endTimeUnixNano": str(at + 4 * SECOND + n * 10**7), "status": {"code": 2 if n == 5 else 1},
            "attributes": [attribute("mlflow.spanType", "CHAIN"), *session]}
    call = {"traceId": trace, "spanId": f"{n + 100:016x}", "parentSpanId": f"{n:016x}", "name": "llm", "startTimeUnixNano": str(at + SECOND), "endTimeUnixNano": str(at + 3 * SECOND + n * 10**8 + 7), "status": {},
            "attributes": [attribute("mlflow.spanType", "LLM"), attribute("mlflow.chat.tokenUsage", usage), attribute("mlflow.llm.cost", cost), *model]}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [root, call]}]}]}


def test_38_measures(s):
    e = experiment(s, "measures")
    for n in range(1, 8):
        s("POST", OTLP, spans(n), headers={"x-mlflow-experiment-id": e, "Content-Type": "application/json"})
        t = f"tr-{ID + n:032x}"
        s("PATCH", f"/api/2.0/mlflow/traces/{t}/tags", {"key": "k", "value": "v" if n % 2 else "w"})
        for name, value in (("q", n), ("ok", n % 2 == 0), ("yn", "yes" if n % 2 else " No"), ("txt", "hello")):
            s("POST", f"/api/3.0/mlflow/traces/{t}/assessments", {"assessment": {"assessment_name": name, "feedback": {"value": value}, "source": {"source_type": "HUMAN", "source_id": "me"}, "create_time": "2024-01-02T03:04:05Z", "last_update_time": "2024-01-02T03:04:05Z"}})

    def ask(**body):
        s("POST", METRICS, {"experiment_ids": [e], **body})

    for view, names in NAMES.items():
        for name in names:
            for figures in (COUNT, SPREAD, SUM, PERCENTILES):
                for dimensions in DIMENSIONS:
                    ask(view_type=view, metric_name=name, aggregations=figures, **({"dimensions": dimensions} if dimensions else {}))
        name, figures = names[0], COUNT
        for f in FILTERS:
            ask(view_type=view, metric_name=name, aggregations=figures, filters=[f])
        for t in TIMES:
            ask(view_type=view, metric_name=name, aggregations=figures, **t)
            ask(view_type=view, metric_name=names[-2], aggregations=COUNT if names[-2].endswith("count") else SPREAD, **t)
    ask(metric_name="trace_count", aggregations=COUNT)
    ask(view_type="TRACES", aggregations=COUNT)
    ask(view_type="TRACES", metric_name="trace_count")
    ask(view_type="TRACES", metric_name="trace_count", aggregations="x")
    ask(view_type=1, metric_name="trace_count", aggregations=[{"aggregation_type": 1}])
    ask(view_type="TRACES", metric_name="trace_count", aggregations=COUNT, dimensions="trace_name")
    s("POST", METRICS, {"view_type": "TRACES", "metric_name": "trace_count", "aggregations": COUNT})
    s("POST", METRICS, {"experiment_ids": ["x"], "view_type": "TRACES", "metric_name": "trace_count", "aggregations": COUNT})
    s("POST", METRICS, {"experiment_ids": ["99999"], "view_type": "TRACES", "metric_name": "trace_count", "aggregations": COUNT})

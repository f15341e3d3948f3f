"""Writes the filter corpus of internal/emulator/tracking/search/testdata.

MLflow's own parsers are asked what they make of a few thousand filter and
order_by strings; the Go tests compare. Run with an interpreter that has mlflow
3.17.2:

    python filters.py > ../../emulator/tracking/search/testdata/filters.json
"""

import json
import math
import random
import sys

from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
from mlflow.store.tracking import sqlalchemy_store as tracking
from mlflow.store.tracking.dbmodels.models import SqlLoggedModel, SqlTraceInfo
from mlflow.utils import search_utils as su
from mlflow.utils.search_logged_model_utils import parse_filter_string
from sqlalchemy.orm import Session


class Sorted(set):
    """A set that prints itself in order, so that messages can be compared."""

    def __repr__(self):
        return "{" + ", ".join(map(repr, sorted(self))) + "}" if self else "set()"


for cls in vars(su).values():
    if isinstance(cls, type):
        for name, value in list(vars(cls).items()):
            if isinstance(value, (set, frozenset)):
                setattr(cls, name, Sorted(value))


def clause(type_, key, op, value):
    if isinstance(value, int) and abs(value) >= 2**63:
        raise OverflowError  # as SQLite's driver does
    if isinstance(value, tuple):
        value = list(value)
        if op.upper() not in ("IN", "NOT IN") or not all(isinstance(v, str) for v in value):
            raise TypeError  # SQLite's driver takes no list
    if isinstance(value, float) and not math.isfinite(value):
        value = str(value)  # JSON has no word for it
    return [type_, key, op, value]


SESSION = Session()  # bound to nothing: queries are made and not run
REGISTRY = object.__new__(RegistryStore)


def runs(text):
    parsed = su.SearchUtils.parse_search_filter(text)
    tracking._get_sqlalchemy_filter_clauses(parsed, SESSION, "sqlite")
    out = []
    for c in parsed:
        value = float(c["value"]) if c["type"] == "metric" else c["value"]
        out.append(clause(c["type"], su.SearchUtils.translate_key_alias(c["key"]), c["comparator"].upper(), value))
    return out


def experiments(text):
    parsed = su.SearchExperimentsUtils.parse_search_filter(text)
    tracking._get_search_experiments_filter_clauses(parsed, "sqlite")
    out = []
    for c in parsed:
        value = c["value"]
        if c["key"] == "experiment_id" and c["type"] == "attribute":
            value = [int(v) for v in value] if isinstance(value, tuple) else int(value)
        out.append(clause(c["type"], c["key"], c["comparator"], value))
    return out


def models(text):
    parsed = su.SearchModelUtils.parse_search_filter(text)
    REGISTRY._get_search_registered_model_filter_query(SESSION, parsed, "sqlite")
    return [clause(c["type"], c["key"], c["comparator"], c["value"]) for c in parsed]


def versions(text):
    parsed = su.SearchModelVersionUtils.parse_search_filter(text)
    REGISTRY._get_search_model_versions_filter_clauses(parsed, "sqlite")
    out = []
    for c in parsed:
        value = int(c["value"]) if c["key"] == "version_number" and c["type"] == "attribute" else c["value"]
        out.append(clause(c["type"], c["key"], c["comparator"], value))
    return out


def traces(text):
    tracking._get_filter_clauses_for_search_traces(text, SESSION, "sqlite", SESSION.query(SqlTraceInfo))
    out = []
    for c in su.SearchTraceUtils.parse_search_filter_for_search_traces(text):
        value = c["value"]
        if c["type"] == "attribute" and c["key"] in su.SearchTraceUtils.NUMERIC_ATTRIBUTES and isinstance(value, str):
            value = int(value)  # as SQLite does; other texts compare as greater than all numbers
        out.append(clause(c["type"], c["key"], c["comparator"].upper(), value))
    return out


ENTITY = {"attributes": "attribute", "metrics": "metric", "params": "parameter", "tags": "tag"}


def logged(text):
    out = []
    for c in parse_filter_string(text):
        if c.entity.type.value == "attributes":
            getattr(SqlLoggedModel, c.entity.key).type
        out.append(clause(ENTITY[c.entity.type.value], c.entity.key, c.op, c.value))
    return out


def order(f):
    def read(text):
        type_, key, ascending = f(text)
        return [type_, key, ascending]

    return read


def model_order(text):
    key, ascending = su.SearchUtils.parse_order_by_for_search_registered_models(text)
    return ["attribute", "last_updated_timestamp" if key == "timestamp" else key, ascending]


KINDS = {
    "runs": runs,
    "experiments": experiments,
    "models": models,
    "versions": versions,
    "traces": traces,
    "logged": logged,
}
ORDERS = {
    "runs": order(su.SearchUtils.parse_order_by_for_search_runs),
    "experiments": order(su.SearchExperimentsUtils.parse_order_by_for_search_experiments),
    "models": model_order,
    "versions": order(su.SearchModelVersionUtils.parse_order_by_for_search_model_versions),
    "traces": order(su.SearchTraceUtils.parse_order_by_for_search_traces),
}

LEFT = """metrics.acc metric.`val loss` metrics."a b" params.lr param.x parameters.`batch size` tags.k tag.`mlflow.runName` tags.version
tags.max attribute.status attr.run_id run.start_time status run_id run_name `run name` start_time end_time created user_id artifact_uri name
experiment_id creation_time last_update_time tags.group dataset.name datasets.digest dataset.context dataset.x metrics.a.b.c metrics.m-1
metrics.1x version_number source_path timestamp timestamp_ms execution_time trace.status metadata.run_id metadata.`mlflow.x` span.name span.type
span.attributes.x span.content feedback.ok expectation.y issue.id text prompt request_id attributes.name model_id model_type source_run_id
status_message creation_timestamp last_updated_timestamp metrics params.  .x a..b foo.bar date order end select "quoted" 'single' `back`
metrics.`x` metrics.`a.b/c:d` params."x.y" tags.`a``b` client_request_id end_time_ms foo""".split("\n")
LEFT = [w for line in LEFT for w in line.replace("`val loss`", "`val\0loss`").replace('"a b"', '"a\0b"').replace("`batch size`", "`batch\0size`").replace("`run name`", "`run\0name`").split()]
LEFT = [w.replace("\0", " ") for w in LEFT]
OPS = "= != < <= > >= LIKE like ILIKE ilike RLIKE IN in == <> NOT~LIKE =! ~ IS is".replace("~", " ").split(" ") + ["NOT IN", "not in", "IS NULL", "IS NOT NULL", "is null", "NOT LIKE"]
RIGHT = """1 0.5 -1 -.5 1e-3 1E5 1. .5 'a' "a" 'it''s' 'it\\'s' "d""q" `b` a a.b ('a') ('a','b') ("a") () (1,2) ('a',1) (a) ('a' 'b') ['a'] NULL null true 0x1F
'%a_' '' "" 'a b' '123' 1x 12abc 1.5abc ('RUNNING') '0' '1' abc' 'open "open FINISHED 99999999999999999999 -- ;""".split()
JOIN = ["AND", "and", "And", "OR", "or", ",", "", ";", "&&", "AND AND", "-- x\n", "/* c */ AND"]
FIXED = [
    "", " ", "AND", "=", "metrics.acc", "metrics.acc >", "> 1", "metrics.acc > 1 AND", "AND metrics.acc > 1", "(metrics.acc > 1)",
    "metrics.acc > 1 AND (metrics.acc < 2)", "metrics.acc>1", "metrics.acc >1 and params.x='2'", "metrics . acc > 1", "metrics. acc > 1",
    "metrics .acc > 1", "metrics.acc = metrics.b", "1 = 1", "1 < metrics.acc", "'a' = 'a'", "params.x = 'a' params.y = 'b'",
    "metrics.acc > 1 > 2", "metrics.acc > -1 AND metrics.acc < - 1", "metrics.acc > 1 + 1", "metrics.acc > f(1)", "f(x) = 1",
    "params.x = 'a' AS b", "params.x AS y = 'a'", "params.x = 'a' b", "params.x::int = 1", "params.x[1] = 'a'", "date '2020-01-01' = 'a'",
    "timestamp > 5", "timestamp_ms > 5", "timestamp >= 5 AND status = 'OK'", "timestamp = '5'", "trace.timestamp > 5", "attributes.timestamp > 5",
    "timestamp IN (1)", "timestamp", "timestamp 5", "case when 1 then 2 end = 3", "select * from x where metrics.a > 1", "metrics.a > 1; metrics.b > 2",
    "metrics.a > 1;", ";", "metrics.a > 1 -- trailing", "metrics.a > 1 # trailing", "metrics.a /* c */ > 1", "# only", "/* only */", "$$a$$ = 1", "$1 = 1", "? = 1",
    "%s = 1", ":name = 1", "@x = 1", "\\x = 1", "params.é = 'ü'", "é = 1", "params.x = '\u00e9\u4e2d'", "´x´ = 1", "metrics.a BETWEEN 1 AND 2",
    "NOT metrics.a > 1", "params.x NOT LIKE 'a'", "params.x NOT ILIKE 'a'", "tags.k IS  NULL", "tags.k IS NOT  NULL", "tags.k IS NULL AND tags.b IS NOT NULL",
    "tags.k IS 'x'", "metrics.a IS NULL", "params.a IS NULL AND", "status IS NULL", "run_id IN ('a') AND run_id NOT IN ('b')", "run_id IN('a')", "run_id NOT IN('a')",
    "run_id in ('a', 'b',)", "run_id IN ('a' , \"b\")", "run_id IN (('a','b'))", "run_id IN ('a\\n')", "run_id IN (r'a\\n')", "run_id IN ('a\n')", "run_id IN (None)",
    "run_id = ('a')", "run_id LIKE ('a')", "run_id IN 'a'", "name = 'x' AND tags.`a b` LIKE '%c'", "name IN ('a')", "name NOT IN ('a','b')", "name in ('a')",
    "experiment_id = '1'", "experiment_id IN ('1', '2')", "experiment_id IN ('a')", "experiment_id = 'x'", "experiment_id > '1'", "experiment_id = 1",
    "creation_time > 1.5", "creation_time > '1'", "creation_time LIKE 'a'", "version_number = 1.5", "version_number = 'x'", "version_number LIKE 1",
    "span.attributes. = 'x'", "span.attributes.`a.b` = 'x'", "span.name like 'x'", "span.foo = 'x'", "feedback.x > 1", "feedback.x > 'a'", "feedback.x = 1",
    "feedback.`a b` = 'yes'", "issue.id = 'x'", "issue.id != 'x'", "issue.foo = 'x'", "prompt = 'a/1'", "text LIKE '%a%'", "text = 'a'", "trace.text LIKE 'a'",
    "params.x = 'a'\nAND\tparams.y = 'b'", "\tparams.x = 'a'", "params.x = 'a' ", " params.x = 'a'", "params.x = 'a'AND params.y='b'", "metrics.a>1AND metrics.b>2",
    "params.`` = 'a'", "params.'' = 'a'", "`params`.x = 'a'", "`metrics`.`x` > 1", "\"params\".x = 'a'", "Params.x = 'a'", "METRICS.x > 1", "left join = 1", "a.b join = 1",
    "params.x = 'a' ORDER BY x", "params.x = 'a' LIMIT 1", "params.group by = 'x'", "metrics.a > 1e5", "metrics.a > 1e+5", "metrics.a > +1", "metrics.a > 1_000", "metrics.a > nan",
    "metrics.a > inf", "metrics.a > NULL", "metrics.a -> 1", "metrics.a->>b = 1", "metrics.a := 1", "metrics.a = * ", "metrics.* > 1", "*", "values ('a')", "GO 2", "GO", "begin end",
]
ORDER_FIXED = [
    "metrics.acc", "metrics.acc DESC", "metrics.acc desc", "metrics.acc ASC", "metrics.acc  ASC", "metrics.`val loss` DESC", 'metrics."a b" asc', "params.x", "tags.k DESC", "start_time",
    "attribute.start_time DESC", "attributes.end_time", "created", "Created DESC", "run_name", "Run Name", "`Run Name`", "status", "name", "name ASC", "experiment_id DESC", "creation_time",
    "last_update_time DESC", "last_updated_timestamp", "timestamp", "timestamp DESC", "timestamp  asc", "timestamp_ms DESC", "timestamp foo", "creation_timestamp DESC", "version_number", "", " ",
    " name", "name ", "name DESC ", "foo", "metrics.", "dataset.name", "metrics.a, metrics.b", "metrics.a DESC metrics.b", "metrics.a NULLS LAST", "metrics.a DESC NULLS LAST", "1", "1 DESC",
    "'a'", '"a"', "metrics.'a'", "metrics.`a", "metrics.a;", "a;b", "tags.name", "tags.name DESC", "attribute.name", "tag.x", "request_id", "execution_time DESC", "end_time_ms", "run_id DESC",
    "metadata.x", "span.name", "feedback.x", "prompt", "text", "foo.bar", "metrics.a.b.c DESC", "metrics.`a``b` DESC", "date", "select", "user_id", "artifact_uri ASC", "NAME", "Name DESC",
    "name descending", "name DESC DESC", "(name)", "name = 1", "metrics.a -- x", "/* x */ name", "end_time -- c",
]


def result(f, text):
    try:
        return {"ok": f(text)}
    except MlflowException as e:
        return {"error": e.message}
    except Exception as e:  # MLflow answers 500 to these
        return {"crash": type(e).__name__}


def main():
    rng = random.Random(1)
    texts = list(FIXED)
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 300):
        parts = []
        for i in range(rng.choice([1, 1, 1, 1, 2, 2, 3])):
            if i:
                parts.append(rng.choice(JOIN[:3] if rng.random() < 0.7 else JOIN))
            op = rng.choice(OPS)
            parts += [rng.choice(LEFT), op]
            if not op.upper().endswith("NULL"):
                parts.append(rng.choice(RIGHT))
        texts.append((" " if rng.random() < 0.9 else "").join(parts))
    cases = []
    for i, text in enumerate(dict.fromkeys(texts)):
        kinds = KINDS if i < len(FIXED) else rng.sample(list(KINDS), 2)
        cases += [{"kind": k, "text": text, **result(KINDS[k], text)} for k in kinds]
    orders = [{"kind": k, "text": t, **result(f, t)} for t in ORDER_FIXED for k, f in ORDERS.items()]
    rows = lambda items: "[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in items) + "\n]"
    sys.stdout.write('{"filters": ' + rows(cases) + ',\n"orders": ' + rows(orders) + "}\n")


main()

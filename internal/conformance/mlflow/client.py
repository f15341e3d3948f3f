"""Plays the stock MLflow client against two tracking servers and compares what it
returns.

    python client.py URL_OF_ONE URL_OF_THE_OTHER

Both servers must be fresh. Ids, times and addresses are put aside. With --play URL
it plays against one server only and prints what the client returned, a line of JSON
for each step.
"""

import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

ID = re.compile(r"\b(?:m-|tr-|a-)?[0-9a-f]{32}\b")
# What a client before MLflow 3 has not.
OLDER = re.compile(r"has no attribute|unexpected keyword argument|No module named|missing 1 required positional argument|ImportError")
RANDOM_NAME = re.compile(r"\b[a-z]+-[a-z]+-\d{1,4}\b")


class Player:
    """Records steps, with ids replaced in the order of their appearance."""

    def __init__(self, url):
        self.url = url
        self.ids = {}
        self.scenario = ""
        self.folder = tempfile.mkdtemp()

    def show(self, value, depth=0):
        if depth > 12:
            return "…"
        if value is None or isinstance(value, (bool, float)):
            return repr(value) if value != value else value
        if isinstance(value, int):
            return "<time>" if value > 1_600_000_000_000 else value
        if isinstance(value, (str, os.PathLike)):
            value = str(value).replace(self.url, "<url>").replace(self.folder, "<tmp>")
            value = re.sub(r"/tmp/[\w./-]*?/(?=[\w.-]*$)", "<tmp>/", value)
            value = ID.sub(lambda m: self.ids.setdefault(m.group(0), f"<id {len(self.ids)}>"), value)
            value = re.sub(r"\{('[^{}]*')\}", lambda m: "{" + ", ".join(sorted(m.group(1).split(", "))) + "}", value)
            value = re.sub(r"\s*(Error: )?(\(Background|\[SQL|\((raised as|sqlite3)).*", "", value, flags=re.S)
            return RANDOM_NAME.sub("<name>", value)
        if isinstance(value, dict):
            return {str(self.show(k, depth + 1)): self.show(v, depth + 1) for k, v in sorted(value.items(), key=lambda i: str(i[0]))}
        if isinstance(value, (list, tuple)):
            shown = [self.show(v, depth + 1) for v in value]
            token = getattr(value, "token", None)
            return {"items": shown, "more": bool(token)} if hasattr(value, "token") else shown
        if isinstance(value, (set, frozenset)):
            return sorted(str(self.show(v, depth + 1)) for v in value)
        if hasattr(value, "to_dict") and type(value).__module__.startswith("pandas"):
            return self.show(json.loads(value.to_json(orient="records", default_handler=str)), depth + 1)
        if hasattr(value, "value") and type(value).__module__.startswith("mlflow") and hasattr(type(value), "__members__"):
            return str(value.value)
        if type(value).__module__.startswith("mlflow"):
            try:
                properties = {n: v for n, v in dict(value).items()}
            except (TypeError, ValueError):
                properties = {n: v for n, v in vars(value).items()}
            return {n.lstrip("_"): self.show(v, depth + 1) for n, v in sorted(properties.items()) if "cache" not in n and n not in ("_content",)}
        return f"<{type(value).__name__}>"

    def __call__(self, step, f, /, *args, **more):
        """Calls f and records what it returned or raised."""
        try:
            result = f(*args, **more)
            shown = self.show(result)
        except Exception as e:  # the exception is what is compared
            result, shown = None, {"raised": type(e).__name__, "code": getattr(e, "error_code", None), "says": self.show(str(e)[:400])}
        print(json.dumps({"step": f"{self.scenario}: {step}", "got": shown}, sort_keys=True), flush=True)
        return result


def scenario_experiments(p, mlflow, client):
    e = p("create", client.create_experiment, "exp", tags={"a": "b"})
    p("again", client.create_experiment, "exp")
    p("empty name", client.create_experiment, "")
    p("get", client.get_experiment, e)
    p("get none", client.get_experiment, "12345")
    p("by name", client.get_experiment_by_name, "exp")
    p("by no name", client.get_experiment_by_name, "nothing")
    p("rename", client.rename_experiment, e, "renamed")
    p("tag", client.set_experiment_tag, e, "k", "v")
    p("untag", client.delete_experiment_tag, e, "a")
    p("untag again", client.delete_experiment_tag, e, "a")
    p("get", client.get_experiment, e)
    p("delete", client.delete_experiment, e)
    p("delete again", client.delete_experiment, e)
    p("search deleted", client.search_experiments, view_type=2)
    p("restore", client.restore_experiment, e)
    for i in range(5):
        client.create_experiment(f"many {i}", tags={"n": str(i)})
    p("search", client.search_experiments, order_by=["name"])
    p("search filter", client.search_experiments, filter_string="name LIKE 'many%' AND tags.n != '2'", order_by=["name DESC"])
    p("search pages", mlflow.search_experiments, max_results=3, order_by=["name ASC"])
    first = p("first page", client.search_experiments, max_results=3, order_by=["name"])
    p("second page", client.search_experiments, max_results=3, order_by=["name"], page_token=first.token)
    p("bad filter", client.search_experiments, filter_string="nonsense = 'x'")
    p("set", mlflow.set_experiment, "fluent")
    p("set again", mlflow.set_experiment, "fluent")
    p("set by id", mlflow.set_experiment, experiment_id=e)
    p("fluent tags", mlflow.set_experiment_tags, {"x": "1", "y": "2"})
    p("get", client.get_experiment, e)


def scenario_runs(p, mlflow, client):
    mlflow.set_experiment("runs")
    with mlflow.start_run(run_name="outer", description="what", tags={"t": "1"}) as run:
        outer = run.info.run_id
        mlflow.log_param("p", 1)
        p("params", mlflow.log_params, {"lr": 0.1, "opt": "adam", "long": "x" * 7000})
        p("param changed", mlflow.log_param, "p", 2)
        p("params changed", mlflow.log_params, {"p": 3, "lr": 0.1})
        p("param name", mlflow.log_param, "bad//name", 1)
        mlflow.log_metric("m", 0.5)
        for i in range(20):
            mlflow.log_metric("loss", 1 / (i + 1), step=i, timestamp=1000 + i)
        p("metrics", mlflow.log_metrics, {"a": 1.0, "b/c": float("nan"), "inf": float("inf"), "ninf": float("-inf")}, step=3)
        p("metric name", mlflow.log_metric, "bad$", 1)
        p("metric value", mlflow.log_metric, "bad", "text")
        mlflow.set_tag("x", "y")
        mlflow.set_tags({"one": 1, "two": None})
        p("untag", mlflow.delete_tag, "x")
        p("untag again", mlflow.delete_tag, "x")
        with mlflow.start_run(nested=True, run_name="inner") as inner:
            mlflow.log_metric("m", 1)
        mlflow.log_metric("later", 3, synchronous=False).wait()
        mlflow.log_params({"async": 1}, synchronous=False).wait()
    p("outer", client.get_run, outer)
    p("inner", client.get_run, inner.info.run_id)
    p("children", client.search_runs, [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{outer}'")
    p("parent", mlflow.get_parent_run, inner.info.run_id)
    p("history", client.get_metric_history, outer, "loss")
    p("history none", client.get_metric_history, outer, "nothing")
    p("history of no run", client.get_metric_history, "nothing", "loss")
    try:
        with mlflow.start_run(run_name="failing") as failing:
            raise ValueError("on purpose")
    except ValueError:
        p("failed", client.get_run, failing.info.run_id)
    with mlflow.start_run(run_id=outer):
        mlflow.log_metric("resumed", 1)
    p("resumed", client.get_run, outer)
    p("delete", client.delete_run, outer)
    p("deleted", client.get_run, outer)
    p("log to deleted", client.log_metric, outer, "m", 1)
    p("restore", client.restore_run, outer)
    p("no run", client.get_run, "f" * 32)
    r = client.create_run("0", start_time=1234, tags={"mlflow.user": "me"}, run_name="by client")
    p("created", client.get_run, r.info.run_id)
    from mlflow.entities import Metric, Param, RunTag

    p("batch", client.log_batch, r.info.run_id, [Metric("m", i, i, i) for i in range(2500)], [Param(f"p{i}", str(i)) for i in range(150)], [RunTag(f"t{i}", str(i)) for i in range(150)])
    p("batch", client.get_run, r.info.run_id)
    p("long history", lambda: [len(client.get_metric_history(r.info.run_id, "m")), client.get_metric_history(r.info.run_id, "m")[-1]])
    p("update", client.update_run, r.info.run_id, status="FINISHED", name="updated")
    p("terminate", client.set_terminated, r.info.run_id, "KILLED", 5678)
    p("updated", client.get_run, r.info.run_id)
    p("last", lambda: mlflow.last_active_run().info.run_name)


def scenario_search(p, mlflow, client):
    e = mlflow.set_experiment("search").experiment_id
    for i in range(12):
        with mlflow.start_run(run_name=f"r{i}"):
            mlflow.log_params({"lr": f"0.{i % 3}", "kind": "ab"[i % 2]})
            mlflow.log_metric("acc", i / 10)
            if i % 4 == 0:
                mlflow.log_metric("rare", -i)
            mlflow.set_tag("group", f"g{i % 4}")
    for filter in ("", "metrics.acc > 0.5", "params.kind = 'a' and metrics.acc < 0.8", "tags.group IN ('g1')", "tags.group LIKE 'g%' AND attributes.status = 'FINISHED'", "run_name = 'r3'", "metrics.rare < 0", "params.`lr` ILIKE '0.%'", "start_time > 0", "nonsense", "metrics.acc > 'x'"):
        p(f"filter {filter}", lambda: [r.info.run_name for r in client.search_runs([e], filter, order_by=["metrics.acc DESC"])])
    for order in (["metrics.rare"], ["metrics.rare DESC"], ["params.lr", "metrics.acc DESC"], ["tags.group DESC", "metrics.acc"], ["attributes.start_time"], ["run_name"], ["nonsense"]):
        p(f"order {order}", lambda: [r.info.run_name for r in client.search_runs([e], "metrics.acc >= 0", order_by=[*order, "run_name"] if order != ["run_name"] else order)])
    p("pandas", lambda: sorted(mlflow.search_runs([e]).columns))
    p("pandas rows", lambda: mlflow.search_runs([e], order_by=["metrics.acc"])[["metrics.acc", "params.lr", "tags.group", "status"]])
    p("list", lambda: len(mlflow.search_runs([e], output_format="list", max_results=7)))
    page = p("page", client.search_runs, [e], max_results=5, order_by=["metrics.acc"])
    p("next page", client.search_runs, [e], max_results=5, order_by=["metrics.acc"], page_token=page.token)
    p("by name", lambda: len(mlflow.search_runs(experiment_names=["search"])))


def scenario_artifacts(p, mlflow, client):
    import numpy
    import pandas
    from PIL import Image

    mlflow.set_experiment("artifacts")
    source = os.path.join(p.folder, "source")
    os.makedirs(os.path.join(source, "deep", "er"), exist_ok=True)
    for name, content in (("a.txt", "hello"), ("deep/b.json", "{}"), ("deep/er/c d.bin", "\x00\x01"), ("empty", "")):
        with open(os.path.join(source, name), "w") as f:
            f.write(content)
    with mlflow.start_run() as run:
        mlflow.log_artifact(os.path.join(source, "a.txt"))
        mlflow.log_artifact(os.path.join(source, "a.txt"), "folder/sub")
        mlflow.log_artifacts(source, "all")
        mlflow.log_text("text \u00e9", "texts/t.txt")
        mlflow.log_dict({"a": [1, 2]}, "dicts/d.json")
        mlflow.log_dict({"a": [1, 2]}, "dicts/d.yaml")
        mlflow.log_image(Image.fromarray(numpy.zeros((4, 4, 3), dtype="uint8")), "image.png")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        mlflow.log_table({"x": [3], "y": ["c"]}, "table.json")
        p("uri", mlflow.get_artifact_uri, "folder")
        mlflow.log_input(mlflow.data.from_pandas(pandas.DataFrame({"a": [1, 2, 3]}), name="frame", source="s3://bucket/x"), context="training", tags={"k": "v"})
        mlflow.log_input(mlflow.data.from_numpy(numpy.arange(3), name="array"), context="test")
    r = run.info.run_id
    for path in (None, "folder", "folder/sub", "all", "all/deep", "texts", "dicts", "a.txt", "nothing"):
        p(f"list {path}", client.list_artifacts, r, path)
    p("download all", lambda: sorted(os.path.relpath(os.path.join(d, f), p.folder) for d, _, fs in os.walk(mlflow.artifacts.download_artifacts(run_id=r, artifact_path="all", dst_path=os.path.join(p.folder, "got"))) for f in fs))
    p("download file", lambda: open(mlflow.artifacts.download_artifacts(f"runs:/{r}/texts/t.txt", dst_path=os.path.join(p.folder, "one")), encoding="utf-8").read())
    p("load text", mlflow.artifacts.load_text, f"runs:/{r}/texts/t.txt")
    p("load dict", mlflow.artifacts.load_dict, f"runs:/{r}/dicts/d.json")
    p("load image", lambda: mlflow.artifacts.load_image(f"runs:/{r}/image.png").size)
    p("load table", lambda: mlflow.load_table("table.json", run_ids=[r]).to_dict())
    p("download none", mlflow.artifacts.download_artifacts, run_id=r, artifact_path="nothing")
    p("inputs", lambda: sorted((i.dataset.name, i.dataset.digest, i.dataset.source_type, tuple((t.key, t.value) for t in i.tags)) for i in client.get_run(r).inputs.dataset_inputs))
    p("upload outside", client.log_text, r, "x", "../outside")
    repo = __import__("mlflow.store.artifact.artifact_repository_registry", fromlist=["x"]).get_artifact_repository(run.info.artifact_uri)
    p("delete", repo.delete_artifacts, "all/deep")
    p("listed", client.list_artifacts, r, "all")


def scenario_models(p, mlflow, client):
    import pandas
    from sklearn.linear_model import LinearRegression

    mlflow.set_experiment("models")

    class Adds(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return model_input + 1

    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0]})
    with mlflow.start_run() as run:
        fitted = LinearRegression().fit(frame, [2.0, 4.0, 6.0])
        signature = mlflow.models.infer_signature(frame, fitted.predict(frame))
        info = mlflow.sklearn.log_model(fitted, name="linear", signature=signature, registered_model_name="reg", params={"depth": "3"}, tags={"kind": "linear"}, pip_requirements=["scikit-learn"])
        mlflow.log_metric("score", 0.9, model_id=info.model_id)
        mlflow.log_metric("on data", 0.8, step=2, model_id=info.model_id, dataset=mlflow.data.from_pandas(frame, name="frame"))
    r = run.info.run_id
    p("uri", lambda: info.model_uri)
    p("predict", lambda: mlflow.pyfunc.load_model(info.model_uri).predict(frame).tolist())
    p("predict registered", lambda: [round(x, 6) for x in mlflow.sklearn.load_model("models:/reg/1").predict(frame).tolist()])
    logged = p("logged", client.get_logged_model, info.model_id)
    p("run", lambda: [len(client.get_run(r).outputs.model_outputs), client.get_run(r).data.metrics])
    p("files", lambda: sorted(f.path for f in client.list_logged_model_artifacts(info.model_id)))
    p("search logged", lambda: [m.name for m in client.search_logged_models([run.info.experiment_id], filter_string="metrics.score > 0.5")])
    p("search logged frame", lambda: sorted(mlflow.search_logged_models([run.info.experiment_id]).columns))
    p("tag logged", client.set_logged_model_tags, info.model_id, {"a": "b"})
    p("untag logged", client.delete_logged_model_tag, info.model_id, "a")
    p("untag logged again", client.delete_logged_model_tag, info.model_id, "a")
    made = p("create logged", client.create_logged_model, run.info.experiment_id, name="bare", source_run_id=r, params={"p": "1"}, tags={"t": "1"}, model_type="agent")
    p("params", client.log_model_params, made.model_id, {"q": "2"})
    p("finalize", client.finalize_logged_model, made.model_id, "READY")
    p("bad name", client.create_logged_model, run.info.experiment_id, name="a/b")
    p("delete logged", client.delete_logged_model, made.model_id)
    p("deleted logged", client.get_logged_model, made.model_id)
    p("external", lambda: mlflow.create_external_model(name="outside", tags={"x": "y"}).name)
    p("version", client.get_model_version, "reg", "1")
    p("register run", lambda: mlflow.register_model(f"runs:/{r}/linear", "reg2").version)
    p("register uri", lambda: mlflow.register_model(info.model_uri, "reg", tags={"stage": "x"}).version)
    p("copy", client.copy_model_version, "models:/reg/1", "copied")
    p("copied", client.get_model_version_download_uri, "copied", "1")
    p("create", client.create_registered_model, "plain", tags={"a": "b"}, description="what")
    p("create again", client.create_registered_model, "plain")
    p("bad model", client.create_registered_model, "a/b")
    p("version of nothing", client.create_model_version, "nothing", "s3://b/x")
    p("outside source", client.create_model_version, "plain", "/etc/passwd")
    p("version", client.create_model_version, "plain", "s3://bucket/model", description="v", tags={"x": "y"})
    p("update", client.update_registered_model, "plain", "new")
    p("update version", client.update_model_version, "plain", "1", "newer")
    p("tag", client.set_registered_model_tag, "plain", "k", "v")
    p("untag", client.delete_registered_model_tag, "plain", "k")
    p("tag version", client.set_model_version_tag, "plain", "1", "k", "v")
    p("untag version", client.delete_model_version_tag, "plain", "1", "k")
    p("alias", client.set_registered_model_alias, "reg", "champion", "2")
    p("by alias", client.get_model_version_by_alias, "reg", "champion")
    p("load by alias", lambda: type(mlflow.pyfunc.load_model("models:/reg@champion")).__name__)
    p("reserved alias", client.set_registered_model_alias, "reg", "v3", "2")
    p("unalias", client.delete_registered_model_alias, "reg", "champion")
    p("no alias", client.get_model_version_by_alias, "reg", "champion")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p("stage", client.transition_model_version_stage, "reg", "1", "Staging")
        p("stage again", client.transition_model_version_stage, "reg", "2", "Staging", archive_existing_versions=True)
        p("bad stage", client.transition_model_version_stage, "reg", "2", "nowhere")
        p("latest", lambda: [(v.version, v.current_stage) for v in client.get_latest_versions("reg")])
        p("latest staging", lambda: [(v.version, v.current_stage) for v in client.get_latest_versions("reg", ["Staging"])])
    p("search models", lambda: [m.name for m in client.search_registered_models(order_by=["name"])])
    p("search models filter", lambda: [m.name for m in client.search_registered_models("name LIKE 'reg%'")])
    p("search versions", lambda: [(v.name, v.version) for v in client.search_model_versions("name = 'reg'")])
    p("search versions of run", lambda: sorted((v.name, v.version) for v in client.search_model_versions(f"run_id = '{r}'")))
    p("rename", client.rename_registered_model, "plain", "renamed")
    p("delete version", client.delete_model_version, "reg", "1")
    p("deleted version", client.get_model_version, "reg", "1")
    p("model", client.get_registered_model, "reg")
    p("delete model", client.delete_registered_model, "renamed")
    p("deleted model", client.get_registered_model, "renamed")
    with mlflow.start_run():
        custom = mlflow.pyfunc.log_model(name="custom", python_model=Adds(), input_example=frame, pip_requirements=["pandas"])
    p("custom", lambda: mlflow.pyfunc.load_model(custom.model_uri).predict(frame)["a"].tolist())
    p("logged", lambda: [logged.name, logged.status.value, logged.params, sorted(k for k in logged.tags if not k.startswith("mlflow."))])
    mlflow.sklearn.autolog()
    with mlflow.start_run() as auto:
        LinearRegression().fit(frame, [2.0, 4.0, 6.0])
    mlflow.sklearn.autolog(disable=True)
    p("autolog", lambda: [sorted(client.get_run(auto.info.run_id).data.metrics), sorted(client.get_run(auto.info.run_id).data.params), len(client.get_run(auto.info.run_id).outputs.model_outputs)])


def scenario_older_models(p, mlflow, client):
    """Models as MLflow 2 has them: artifacts of a run."""
    import pandas
    from sklearn.linear_model import LinearRegression

    mlflow.set_experiment("older models")
    frame = pandas.DataFrame({"a": [1.0, 2.0, 3.0]})
    with mlflow.start_run() as run:
        mlflow.sklearn.log_model(LinearRegression().fit(frame, [2.0, 4.0, 6.0]), "model", registered_model_name="old", input_example=frame, pip_requirements=["scikit-learn"])
    r = run.info.run_id
    p("predict", lambda: [round(x, 6) for x in mlflow.pyfunc.load_model("models:/old/1").predict(frame).tolist()])
    p("predict run", lambda: [round(x, 6) for x in mlflow.pyfunc.load_model(f"runs:/{r}/model").predict(frame).tolist()])
    p("version", lambda: [client.get_model_version("old", "1").run_id == r, client.get_model_version("old", "1").status])
    p("register", lambda: mlflow.register_model(f"runs:/{r}/model", "old").version)
    p("files", lambda: sorted(f.path for f in client.list_artifacts(r, "model")))
    p("history", lambda: [sorted(m) for m in json.loads(client.get_run(r).data.tags.get("mlflow.log-model.history", "[]"))])
    p("alias", client.set_registered_model_alias, "old", "best", "2")
    p("load alias", lambda: [round(x, 6) for x in mlflow.sklearn.load_model("models:/old@best").predict(frame).tolist()])


def scenario_older_traces(p, mlflow, client):
    e = mlflow.set_experiment("older traces").experiment_id

    @mlflow.trace
    def work(x):
        with mlflow.start_span(name="inside") as span:
            span.set_inputs({"x": x})
            span.set_outputs(x * 2)
        return x * 2

    for x in range(3):
        work(x)
    if hasattr(mlflow, "flush_trace_async_logging"):
        mlflow.flush_trace_async_logging()
    found = client.search_traces(experiment_ids=[e], order_by=["timestamp_ms ASC"])
    p("found", lambda: [[s.name for s in t.data.spans] for t in found])
    p("outputs", lambda: [t.data.spans[0].outputs for t in found])
    if not found:
        return
    p("tag", client.set_trace_tag, found[0].info.request_id, "k", "v")
    p("by tag", lambda: len(client.search_traces(experiment_ids=[e], filter_string="tags.k = 'v'")))
    p("got", lambda: client.get_trace(found[1].info.request_id).data.spans[1].inputs)
    p("untag", client.delete_trace_tag, found[0].info.request_id, "k")
    p("delete", client.delete_traces, e, request_ids=[found[0].info.request_id])
    p("left", lambda: len(client.search_traces(experiment_ids=[e])))


def scenario_prompts(p, mlflow, client):
    p("register", lambda: mlflow.genai.register_prompt("greet", "Hello {{name}}", commit_message="first", tags={"a": "b"}).version)
    p("register again", lambda: mlflow.genai.register_prompt("greet", "Good day {{name}}").version)
    p("load", lambda: mlflow.genai.load_prompt("greet", version=1).template)
    p("format", lambda: mlflow.genai.load_prompt("prompts:/greet/2").format(name="you"))
    p("alias", mlflow.genai.set_prompt_alias, "greet", "live", 2)
    p("load alias", lambda: mlflow.genai.load_prompt("prompts:/greet@live").version)
    p("search", lambda: [x.name for x in mlflow.genai.search_prompts()])
    p("models without prompts", lambda: [m.name for m in client.search_registered_models("name = 'greet'")])
    p("as a model", client.create_registered_model, "greet")
    p("unalias", mlflow.genai.delete_prompt_alias, "greet", "live")
    p("none", mlflow.genai.load_prompt, "nothing", allow_missing=True)


def scenario_traces(p, mlflow, client):
    e = mlflow.set_experiment("traces").experiment_id

    @mlflow.trace(span_type="CHAIN", attributes={"k": "v"})
    def outer(x):
        with mlflow.start_span("middle") as span:
            span.set_inputs({"x": x})
            span.set_outputs({"y": x + 1})
            span.set_attribute("deep", {"list": [1, 2.5, "a", None]})
        if x == 3:
            raise ValueError("no threes")
        mlflow.update_current_trace(tags={"mine": f"t{x}"}, metadata={"meta": f"m{x}"})
        return {"answer": x + 1}

    ids = []
    for x in range(5):
        try:
            with mlflow.start_run(run_name=f"traced {x}"):
                outer(x)
        except ValueError:
            pass
        ids.append(mlflow.get_last_active_trace_id())
    mlflow.flush_trace_async_logging()
    for t in ids[:1] + ids[3:4]:
        p("info", lambda: {k: v for k, v in mlflow.get_trace(t).info.to_dict().items() if k in ("state", "tags", "request_preview", "response_preview", "client_request_id")} | {"keys": sorted(mlflow.get_trace(t).info.trace_metadata)})
        p("spans", lambda: [[s.name, s.span_type, s.status.status_code.value, s.inputs, s.outputs, {k: v for k, v in s.attributes.items() if not k.startswith("mlflow.")}, [e.name for e in s.events], s.parent_id is None] for s in mlflow.get_trace(t).data.spans])
    p("search", lambda: [t.info.tags.get("mine") for t in mlflow.search_traces(locations=[e], return_type="list", order_by=["timestamp_ms"])])
    p("search tag", lambda: len(mlflow.search_traces(locations=[e], filter_string="tags.mine = 't1'", return_type="list")))
    p("search status", lambda: len(mlflow.search_traces(locations=[e], filter_string="trace.status = 'ERROR'", return_type="list")))
    p("search span", lambda: len(mlflow.search_traces(locations=[e], filter_string="span.name = 'middle'", return_type="list")))
    p("search frame", lambda: sorted(mlflow.search_traces(locations=[e]).columns))
    p("search run", lambda: len(mlflow.search_traces(run_id=client.search_runs([e], "run_name = 'traced 2'")[0].info.run_id, locations=[e], return_type="list")))
    p("page", lambda: [len(client.search_traces(locations=[e], max_results=2)), bool(client.search_traces(locations=[e], max_results=2).token)])
    p("bad filter", mlflow.search_traces, locations=[e], filter_string="nonsense")
    t = ids[0]
    p("tag", mlflow.set_trace_tag, t, "k", "v")
    p("untag", mlflow.delete_trace_tag, t, "k")
    p("untag again", mlflow.delete_trace_tag, t, "k")
    feedback = p("feedback", lambda: mlflow.log_feedback(trace_id=t, name="good", value=True, rationale="r", metadata={"m": "1"}))
    p("expectation", lambda: mlflow.log_expectation(trace_id=t, name="wanted", value={"a": [1, 2]}).value)
    p("got", lambda: mlflow.get_assessment(t, feedback.assessment_id).value)
    p("update", lambda: mlflow.update_assessment(t, feedback.assessment_id, mlflow.entities.Feedback(name="good", value=False)).value)
    p("override", lambda: mlflow.override_feedback(trace_id=t, assessment_id=feedback.assessment_id, value="no", rationale="other").overrides == feedback.assessment_id)
    p("assessments", lambda: sorted((a.name, str(a.value), a.valid) for a in mlflow.get_trace(t).info.assessments))
    p("search feedback", lambda: len(mlflow.search_traces(locations=[e], filter_string="feedback.good = 'no'", return_type="list")))
    p("delete assessment", mlflow.delete_assessment, t, feedback.assessment_id)
    p("delete", client.delete_traces, e, trace_ids=ids[:2])
    p("deleted", lambda: mlflow.get_trace(ids[0]))
    p("delete old", client.delete_traces, e, max_timestamp_millis=9_999_999_999_999, max_traces=1)
    p("left", lambda: len(mlflow.search_traces(locations=[e], return_type="list")))


def play(url):
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false", GIT_PYTHON_REFRESH="quiet", MLFLOW_HTTP_REQUEST_MAX_RETRIES="1")
    import logging

    import mlflow

    warnings.simplefilter("ignore")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.set_tracking_uri(url)
    p = Player(url)
    for name, f in inspect.getmembers(sys.modules[__name__], inspect.isfunction):
        if name.startswith("scenario_"):
            p.scenario = name.removeprefix("scenario_")
            try:
                f(p, mlflow, mlflow.MlflowClient())
            except Exception as e:  # a step that the scenario could not go on without
                print(json.dumps({"step": f"{p.scenario}: ended", "got": repr(e)[:500]}), flush=True)
                while mlflow.active_run():
                    mlflow.end_run()


def main(one, other):
    plays = [subprocess.Popen([sys.executable, __file__, "--play", url], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for url in (one, other)]
    logs = [[json.loads(line) for line in x.communicate()[0].splitlines() if line.startswith("{")] for x in plays]
    failures = 0
    for a, b in zip(*logs):
        if a != b:
            failures += 1
            print(f"--- {a['step']}\n    {json.dumps(a['got'])[:1500]}\n    {json.dumps(b['got'])[:1500]}")
        elif a["step"].endswith(": ended") and not OLDER.search(a["got"]):
            failures += 1
            print(f"--- {a['step']}: {a['got']}")
        if a["step"] != b["step"]:
            break
    if len(logs[0]) != len(logs[1]):
        failures += 1
    print(f"{len(logs[0])} and {len(logs[1])} steps, {failures} differences")
    return 1 if failures or not logs[0] else 0


if __name__ == "__main__":
    if sys.argv[1] == "--play":
        play(sys.argv[2])
    else:
        sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/")))

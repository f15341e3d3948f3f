"""The pipelines of the golden test, in azure-ai-ml's DSL. make.py submits each and writes what was sent."""

from azure.ai.ml import Input, MpiDistribution, Output, PyTorchDistribution, automl, command, dsl, load_component, spark
from azure.ai.ml.dsl import pipeline
from azure.ai.ml.dsl._group_decorator import group
from azure.ai.ml.dsl._condition import condition
from azure.ai.ml.dsl._do_while import do_while
from azure.ai.ml.dsl._parallel_for import parallel_for
from azure.ai.ml.data_transfer import Database, FileSystem, copy_data, export_data, import_data
from azure.ai.ml.entities import ManagedIdentityConfiguration, UserIdentityConfiguration
from azure.ai.ml.parallel import RunFunction, parallel_run_function
from azure.ai.ml.sweep import BanditPolicy, Choice, LogUniform, Uniform

ENV = "azureml:sklearn:1"


def prep():
    return command(
        display_name="Prepare",
        command="prep --raw ${{inputs.raw}} --clean ${{outputs.clean}}",
        environment=ENV,
        inputs={"raw": Input(type="uri_folder")},
        outputs={"clean": Output(type="uri_folder")},
    )


def train():
    return command(
        command="train --data ${{inputs.data}} --lr ${{inputs.lr}} --epochs ${{inputs.epochs}} --model ${{outputs.model}}",
        environment=ENV,
        inputs={"data": Input(type="uri_folder"), "lr": 0.1, "epochs": 10},
        outputs={"model": Output(type="mlflow_model")},
    )


def basic(client):
    @pipeline(name="train-iris", display_name="Train on iris", experiment_name="iris", description="prepare and train", tags={"team": "a"}, compute="cpu-cluster")
    def p(raw, lr=0.01):
        a = prep()(raw=raw)
        a.name = "prep"
        b = train()(data=a.outputs.clean, lr=lr, epochs=20)
        b.name = "train"
        return {"model": b.outputs.model}

    return p(raw=Input(type="uri_folder", path="azureml:iris:1"))


def settings(client):
    @pipeline(name="settings", experiment_name="settings", default_compute="cpu-cluster", default_datastore="blobs", continue_on_step_failure=True, force_rerun=True)
    def p(raw):
        a = prep()(raw=raw)
        a.name = "prep"
        a.compute = "big"
        a.comment = "on the big one"
        a.environment_variables = {"LEVEL": "2", "MODE": "fast"}
        a.identity = ManagedIdentityConfiguration()
        a.set_limits(timeout=3600)
        a.set_resources(instance_count=2, instance_type="Standard_D2_v2", shm_size="4g")
        b = train()(data=a.outputs.clean)
        b.name = "train"
        b.identity = UserIdentityConfiguration()
        b.inputs.data.mode = "download"
        b.outputs.model.mode = "upload"
        b.display_name = "Fit"
        b.tags = {"k": "v"}

    j = p(raw=Input(type="uri_folder", path="azureml://datastores/blobs/paths/raw/", mode="download"))
    return j


def outputs(client):
    @pipeline(name="outputs", experiment_name="outputs", compute="cpu-cluster")
    def p(raw):
        a = prep()(raw=raw)
        a.name = "prep"
        a.outputs.clean = Output(type="uri_folder", mode="rw_mount", path="azureml://datastores/blobs/paths/clean/", name="clean-rows", version="4")
        b = train()(data=a.outputs.clean)
        b.name = "train"
        b.outputs.model.name = "iris-model"
        return {"model": b.outputs.model, "clean": a.outputs.clean}

    j = p(raw=Input(type="uri_folder", path="azureml:iris:1"))
    j.outputs.model = Output(type="mlflow_model", mode="upload", path="azureml://datastores/blobs/paths/models/", name="best", version="2")
    return j


def components(client):
    score = load_component("score.yml")
    there = client.components.get("there", "4")

    @pipeline(name="components", experiment_name="components", compute="cpu-cluster")
    def p(model, rows, threshold: float = 0.25):
        s = score(model=model, rows=rows, threshold=threshold)
        s.name = "score"
        again = score(model=model, rows=rows, note="second")
        again.name = "again"
        t = there()
        t.name = "there"

    return p(
        model=Input(type="mlflow_model", path="azureml:iris-model:1"),
        rows=Input(type="uri_folder", path="azureml://datastores/blobs/paths/rows/"),
    )


@group
class Rates:
    lr: float = 0.1
    epochs: int = 5


@group
class Settings:
    rates: Rates
    word: str = "go"


def groups(client):
    @pipeline(name="groups", experiment_name="groups", compute="cpu-cluster")
    def p(raw: Input(type="uri_folder"), s: Settings):
        b = train()(data=raw, lr=s.rates.lr, epochs=s.rates.epochs)
        b.name = "train"

    return p(raw=Input(type="uri_folder", path="azureml:iris:1"), s=Settings(rates=Rates(lr=0.3), word="stop"))


def nested(client):
    @pipeline(display_name="Inner")
    def inner(raw: Input(type="uri_folder"), lr: float = 0.5):
        a = prep()(raw=raw)
        a.name = "prep"
        b = train()(data=a.outputs.clean, lr=lr)
        b.name = "train"
        return {"model": b.outputs.model}

    score = load_component("score.yml")

    @pipeline(name="nested", experiment_name="nested", compute="cpu-cluster")
    def p(raw):
        one = inner(raw=raw)
        one.name = "one"
        two = inner(raw=raw, lr=0.7)
        two.name = "two"
        s = score(model=two.outputs.model, rows=raw)
        s.name = "score"
        return {"first": one.outputs.model, "scores": s.outputs.scores}

    return p(raw=Input(type="uri_folder", path="azureml:iris:1"))


def sweep(client):
    @pipeline(name="sweep", experiment_name="sweep", compute="cpu-cluster")
    def p(raw):
        a = prep()(raw=raw)
        a.name = "prep"
        t = train()(data=a.outputs.clean, lr=LogUniform(-6, -1), epochs=Choice([5, 10, 20]))
        s = t.sweep(primary_metric="accuracy", goal="maximize", sampling_algorithm="random", compute="big")
        s.name = "search"
        s.set_limits(max_total_trials=12, max_concurrent_trials=4, timeout=7200, trial_timeout=600)
        s.early_termination = BanditPolicy(slack_factor=0.1, evaluation_interval=2, delay_evaluation=3)
        b = prep()(raw=s.outputs.model)
        b.name = "after"
        return {"best": s.outputs.model}

    return p(raw=Input(type="uri_folder", path="azureml:iris:1"))


def parallel(client):
    score = parallel_run_function(
        display_name="Score all",
        inputs={"rows": Input(type="uri_folder"), "model": Input(type="mlflow_model"), "label": "x"},
        outputs={"scores": Output(type="uri_file")},
        input_data="${{inputs.rows}}",
        instance_count=2,
        max_concurrency_per_instance=3,
        mini_batch_size="10",
        mini_batch_error_threshold=1,
        error_threshold=5,
        logging_level="DEBUG",
        retry_settings={"max_retries": 2, "timeout": 60},
        environment_variables={"A": "1"},
        task=RunFunction(code="./src", entry_script="main.py", environment=ENV, program_arguments="--model ${{inputs.model}} --label ${{inputs.label}}", append_row_to="${{outputs.scores}}"),
    )

    @pipeline(name="parallel", experiment_name="parallel", compute="cpu-cluster")
    def p(rows, model):
        s = score(rows=rows, model=model)
        s.name = "score"
        return {"scores": s.outputs.scores}

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"), model=Input(type="mlflow_model", path="azureml:iris-model:1"))


def spark_(client):
    s = spark(
        code="./src",
        entry={"file": "main.py"},
        driver_cores=1,
        driver_memory="2g",
        executor_cores=2,
        executor_memory="2g",
        executor_instances=2,
        inputs={"rows": Input(type="uri_folder", mode="direct"), "top": 10},
        outputs={"counts": Output(type="uri_folder", mode="direct")},
        args="--rows ${{inputs.rows}} --top ${{inputs.top}} --out ${{outputs.counts}}",
        resources={"instance_type": "Standard_E4S_V3", "runtime_version": "3.4.0"},
    )

    @pipeline(name="spark", experiment_name="spark", compute="cpu-cluster")
    def p(rows):
        a = s(rows=rows)
        a.name = "count"
        a.identity = UserIdentityConfiguration()
        b = train()(data=a.outputs.counts)
        b.name = "train"

    return p(rows=Input(type="uri_folder", path="azureml:rows:1", mode="direct"))


def transfer(client):
    copy = copy_data(
        inputs={"a": Input(type="uri_folder"), "b": Input(type="uri_folder")},
        outputs={"both": Output(type="uri_folder")},
        data_copy_mode="merge_with_overwrite",
    )

    @pipeline(name="transfer", experiment_name="transfer", compute="adf")
    def p(rows):
        db = import_data(source=Database(connection="azureml:orders", query="select 1"), outputs={"sink": Output(type="mltable", path="azureml://datastores/blobs/paths/orders/")})
        db.name = "orders"
        fs = import_data(source=FileSystem(connection="azureml:s3", path="a/b/"), outputs={"sink": Output(type="uri_folder")})
        fs.name = "files"
        m = copy(a=rows, b=fs.outputs.sink)
        m.name = "merge"
        e = export_data(inputs={"source": m.outputs.both}, sink=Database(connection="azureml:orders", table_name="out"))
        e.name = "give"
        return {"both": m.outputs.both}

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"))


def automl_(client):
    @pipeline(name="automl", experiment_name="automl", compute="cpu-cluster")
    def p(table):
        a = automl.classification(
            training_data=table, target_column_name="y", primary_metric="accuracy", n_cross_validations=3,
            outputs={"best_model": Output(type="mlflow_model")},
        )
        a.set_limits(max_trials=4, max_concurrent_trials=2, timeout_minutes=30, enable_early_termination=True)
        a.name = "search"
        b = command(
            command="use ${{inputs.model}}", environment=ENV, inputs={"model": Input(type="mlflow_model")},
        )(model=a.outputs.best_model)
        b.name = "use"

    return p(table=Input(type="mltable", path="azureml:table:1"))


def turn():
    return load_component("turn.yml")


def loops(client):
    @pipeline(name="loops", experiment_name="loops", compute="cpu-cluster")
    def p(rows):
        body = turn()(rows=rows)
        body.name = "turn"
        again = do_while(body=body, mapping={"out": body.inputs.rows}, condition=body.outputs.more, max_iteration_count=5)
        again.name = "again"

        each = train()(data=body.outputs.out)
        each.name = "fit"
        many = parallel_for(body=each, items=[{"lr": 0.1, "epochs": 1}, {"lr": 0.2, "epochs": 2}], max_concurrency=2)
        many.name = "many"

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"))


def branches(client):
    @pipeline(name="branches", experiment_name="branches", compute="cpu-cluster")
    def p(rows, ready: bool = True):
        ask = turn()(rows=rows)
        ask.name = "ask"
        left = prep()(raw=rows)
        left.name = "left"
        right = prep()(raw=ask.outputs.out)
        right.name = "right"
        choose = condition(condition=ask.outputs.more, true_block=left, false_block=right)
        choose.name = "choose"
        other = prep()(raw=rows)
        other.name = "other"
        surely = condition(condition=ready, true_block=other)
        surely.name = "surely"

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"))


def distributed(client):
    def fit(d, n):
        c = command(
            command="fit ${{inputs.data}} ${{outputs.model}}", environment=ENV, inputs={"data": Input(type="uri_folder")},
            outputs={"model": Output(type="custom_model")}, distribution=d, instance_count=n, shm_size="2g",
        )
        return c

    @pipeline(name="distributed", experiment_name="distributed", compute="gpu")
    def p(rows):
        a = fit(PyTorchDistribution(process_count_per_instance=4), 2)(data=rows)
        a.name = "torch"
        b = fit(MpiDistribution(process_count_per_instance=1), 3)(data=rows)
        b.name = "mpi"
        return {"model": a.outputs.model}

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"))


def optional(client):
    score = load_component("score.yml")

    @pipeline(name="optional", experiment_name="optional", compute="cpu-cluster")
    def p(rows: Input(type="uri_folder"), model: Input(type="mlflow_model"), note: Input(type="string", optional=True), threshold: Input(type="number", min=0, max=1) = 0.75):
        s = score(model=model, rows=rows, threshold=threshold, note=note)
        s.name = "score"
        return {"scores": s.outputs.scores}

    return p(rows=Input(type="uri_folder", path="azureml:rows:1"), model=Input(type="mlflow_model", path="azureml:iris-model:1"))


SHAPES = {
    f.__name__.rstrip("_"): f
    for f in (basic, settings, outputs, components, groups, nested, sweep, parallel, spark_, transfer, automl_, loops, branches, distributed, optional)
}

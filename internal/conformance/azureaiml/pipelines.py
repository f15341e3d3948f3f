"""Pipeline jobs from the DSL and from YAML."""

from azure.ai.ml import Input, Output, command, dsl, load_component, load_job
from azure.ai.ml.entities import PipelineJob
from azure.ai.ml.sweep import BanditPolicy, Choice
from main import ENVIRONMENT
from sweeps import TRIAL

COMPONENT = f"""
name: appender
version: "1"
type: command
inputs:
  text: {{type: string}}
  before: {{type: uri_folder, optional: true}}
outputs:
  after: {{type: uri_folder}}
command: >-
  $[[cp ${{{{inputs.before}}}}/t.txt ${{{{outputs.after}}}}/t.txt;]]
  echo "${{{{inputs.text}}}}" >> ${{{{outputs.after}}}}/t.txt; echo appended ${{{{inputs.text}}}}
environment: {ENVIRONMENT}
"""


def run(w):
    ml, step = w.ml, w.step
    w.write("appender.yml", COMPONENT)
    w.write("src/trial.py", TRIAL)
    append = load_component(w.folder + "/appender.yml")
    with step("pipelines: from the DSL"):

        @dsl.pipeline(name="words", description="two steps", compute="cpu-cluster", experiment_name="witness", tags={"a": "b"})
        def words(first: str, second: str = "two"):
            one = append(text=first)
            two = append(text=second, before=one.outputs.after)
            two.name = "last"
            return {"all": two.outputs.after}

        job = ml.jobs.create_or_update(words(first="one"))
        assert isinstance(job, PipelineJob) and set(job.jobs) == {"one", "last"}, job
        w.printed(ml.jobs.stream, job.name)
        job = w.finish(job)
        assert job.status == "Completed", job
        first = job.name
    with step("pipelines: steps are child jobs"):
        children = {c.display_name: c for c in ml.jobs.list(parent_job_name=first)}
        assert set(children) >= {"one", "last"}, list(children)
        child = ml.jobs.get(children["last"].name)
        assert child.status == "Completed" and child.display_name == "last", child
        e = w.error(Exception, "child", ml.jobs.stream, child.name)
        assert type(e).__name__ == "PipelineChildJobError", e
        ml.jobs.download(child.name, download_path=w.folder + "/child")
        assert "appended two" in w.read(w.folder, "child/artifacts/user_logs/std_log.txt")
    with step("pipelines: outputs"):
        ml.jobs.download(first, download_path=w.folder + "/down", output_name="all")
        assert w.read(w.folder, "down/named-outputs/all/t.txt") == "one\ntwo\n"
    with step("pipelines: get"):
        job = ml.jobs.get(first)
        assert job.inputs["first"]._data == "one" and job.tags["a"] == "b" and job.settings is not None, job
    with step("pipelines: from YAML"):
        job = w.finish(ml.jobs.create_or_update(load_job(w.write("pipeline.yml", YAML))))
        assert job.status == "Completed", job
        ml.jobs.download(job.name, download_path=w.folder + "/yaml", all=True)
        assert w.read(w.folder, "yaml/named-outputs/out/t.txt").split() == ["x", "y"]
    with step("pipelines: a sweep step and a pipeline step"):

        @dsl.pipeline(name="inner")
        def inner(text: str):
            one = append(text=text)
            return {"after": one.outputs.after}

        trial = command(name="try", code=w.folder + "/src", command="python3 trial.py ${{inputs.n}} 0 ${{outputs.out}}", inputs={"n": Input(type="integer", default=1)}, outputs={"out": Output(type="uri_folder")}, environment=ENVIRONMENT)

        @dsl.pipeline(name="outer", default_compute="cpu-cluster")
        def outer():
            nested = inner(text="nested")
            swept = trial(n=Choice([1, 2])).sweep(sampling_algorithm="grid", primary_metric="loss", goal="Minimize")
            swept.early_termination = BanditPolicy(slack_factor=0.5, evaluation_interval=1)
            swept.set_limits(max_total_trials=2, max_concurrent_trials=2)
            after = append(text="end", before=nested.outputs.after)
            return {"text": after.outputs.after}

        job = w.finish(ml.jobs.create_or_update(outer()))
        assert job.status == "Completed", job
        ml.jobs.download(job.name, download_path=w.folder + "/outer", output_name="text")
        assert w.read(w.folder, "outer/named-outputs/text/t.txt").split() == ["nested", "end"]
    with step("pipelines: a registered pipeline component as a job"):
        ml.components.create_or_update(inner, version="1")
        made = ml.components.get("inner", version="1")

        @dsl.pipeline(default_compute="cpu-cluster")
        def use():
            return {"after": made(text="used").outputs.after}

        assert w.finish(ml.jobs.create_or_update(use())).status == "Completed"
    with step("pipelines: a step that fails fails the pipeline"):
        bad = command(name="bad", command="exit 3", environment=ENVIRONMENT)

        @dsl.pipeline(default_compute="cpu-cluster")
        def failing():
            bad()

        assert w.finish(ml.jobs.create_or_update(failing())).status == "Failed"
    with step("pipelines: cancel"):
        slow = command(name="slow", command="sleep 600", environment=ENVIRONMENT)

        @dsl.pipeline(default_compute="cpu-cluster")
        def waiting():
            slow()

        job = ml.jobs.create_or_update(waiting())
        ml.jobs.begin_cancel(job.name)
        assert w.finish(job).status == "Canceled"


YAML = """
type: pipeline
display_name: from a file
settings: {default_compute: azureml:cpu-cluster, continue_on_step_failure: false}
inputs: {word: x}
outputs:
  out: {type: uri_folder, mode: rw_mount}
jobs:
  a:
    type: command
    component: ./appender.yml
    inputs: {text: "${{parent.inputs.word}}"}
  b:
    type: command
    component: ./appender.yml
    inputs: {text: y, before: "${{parent.jobs.a.outputs.after}}"}
    outputs: {after: "${{parent.outputs.out}}"}
"""

"""Schedules of jobs, imports and monitors."""

import json

from azure.ai.ml import command, dsl
from azure.ai.ml.entities import CronTrigger, Data, JobSchedule, RecurrencePattern, RecurrenceTrigger
from azure.ai.ml.entities._load_functions import load_schedule
from azure.core.exceptions import ResourceNotFoundError
from main import ENVIRONMENT


def run(w):
    ml, step = w.ml, w.step
    tick = command(name="tick", command="echo tick", environment=ENVIRONMENT, compute="cpu-cluster")

    @dsl.pipeline(default_compute="cpu-cluster")
    def pipe():
        tick()

    with step("schedules: a pipeline by recurrence"):
        s = JobSchedule(name="weekly", trigger=RecurrenceTrigger(frequency="week", interval=2, schedule=RecurrencePattern(hours=[10], minutes=[0, 30], week_days=["monday"]), time_zone="UTC"), create_job=pipe(), description="d", tags={"a": "b"})
        made = ml.schedules.begin_create_or_update(s)
        assert isinstance(made, JobSchedule) and made.is_enabled and made.provisioning_state == "Succeeded", made
        got = ml.schedules.get("weekly")
        assert got.trigger.interval == 2 and got.trigger.schedule.hours == [10] and got.tags["a"] == "b", got
    with step("schedules: a command by cron, from YAML"):
        w.write("job.yml", JOB)
        made = ml.schedules.begin_create_or_update(load_schedule(w.write("schedule.yml", YAML)))
        assert made.trigger.expression == "0 3 * * *", made
    with step("schedules: disable and enable"):
        assert ml.schedules.begin_disable("weekly").is_enabled is False
        assert "weekly" not in {s.name for s in ml.schedules.list()}
        assert "weekly" in {s.name for s in ml.schedules.list(list_view_type="DISABLED_ONLY")}
        assert ml.schedules.begin_enable("weekly").is_enabled is True
    with step("schedules: list"):
        assert {"weekly", "nightly"} <= {s.name for s in ml.schedules.list()}
        assert {"weekly", "nightly"} <= {s.name for s in ml.schedules.list(list_view_type="ALL")}
    with step("schedules: update the trigger"):
        s = ml.schedules.get("weekly")
        s.trigger = CronTrigger(expression="15 4 * * 1")
        assert ml.schedules.begin_create_or_update(s).trigger.expression == "15 4 * * 1"
    with step("schedules: trigger once"):
        result = ml.schedules.trigger("nightly")
        assert result.job_name.startswith("nightly-") and result.schedule_action_type == "CreateJob", vars(result)
        job = w.finish(result.job_name)
        assert job.status == "Completed" and job.display_name == result.job_name and job.properties["azureml.scheduleid"] == "nightly", job
    with step("schedules: without a start time the first job runs at once"):
        first = [j for j in ml.jobs.list() if j.display_name.startswith("weekly-")]
        assert len(first) == 1 and w.finish(first[0].name).status == "Completed", first
    with step("schedules: a job that has run, again"):
        again = JobSchedule(name="again", trigger=CronTrigger(expression="0 3 * * *", start_time="2020-01-01T00:00:00"), create_job=ml.jobs.get(result.job_name))
        ml.schedules.begin_create_or_update(again)
        assert w.finish(ml.schedules.trigger("again").job_name).status == "Completed"
    with step("schedules: a monitor computes its signals"):
        for name, first in (("then", 0), ("now", 5)):
            w.write(f"{name}/rows.csv", "x,kind\n" + "".join(f"{first + i / 4},{'ab'[i % 2]}\n" for i in range(40)))
            ml.data.create_or_update(Data(name=f"rows-{name}", version="1", path=f"{w.folder}/{name}", type="uri_folder"))
        made = ml.schedules.begin_create_or_update(load_schedule(w.write("monitor.yml", MONITOR)))
        assert list(made.create_monitor.monitoring_signals) == ["drift"], made
        job = w.finish(ml.schedules.trigger("watch").job_name)
        assert job.status == "Completed" and job.properties["azureml.scheduleid"] == "watch", w.logs(job.name)
        ml.jobs.download(job.name, download_path=f"{w.folder}/watched", all=True)
        values = json.loads(w.read(w.folder, "watched/named-outputs/drift/signals/drift.json"))["metrics"]
        assert values["NormalizedWassersteinDistance"]["groups"]["x"]["value"] > 1, values
        assert values["JensenShannonDistance"]["groups"]["kind"] | {"timeseries": 0} == {"value": 0, "threshold": 0.1, "timeseries": 0}, values
    with step("schedules: an expression that is none"):
        w.error(Exception, "expression", ml.schedules.begin_create_or_update, JobSchedule(name="bad", trigger=CronTrigger(expression="every day"), create_job=pipe()))
    with step("schedules: delete and missing"):
        for name in ("weekly", "nightly", "again", "watch"):
            ml.schedules.begin_disable(name)
            ml.schedules.begin_delete(name)
        w.error(ResourceNotFoundError, "not found", ml.schedules.get, "weekly")


YAML = """
name: nightly
trigger: {type: cron, expression: "0 3 * * *", time_zone: "UTC"}
create_job: ./job.yml
"""
JOB = f"""
type: pipeline
settings: {{default_compute: azureml:cpu-cluster}}
jobs:
  tick: {{type: command, command: echo nightly, environment: {ENVIRONMENT}}}
"""
MONITOR = """
name: watch
trigger: {type: cron, expression: "0 3 * * *", start_time: "2020-01-01T00:00:00"}
create_monitor:
  compute: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  monitoring_signals:
    drift:
      type: data_drift
      production_data: {input_data: {path: "azureml:rows-now:1", type: uri_folder}, data_context: model_inputs}
      reference_data: {input_data: {path: "azureml:rows-then:1", type: uri_folder}, data_context: training}
      features: all_features
      alert_enabled: true
      metric_thresholds:
        numerical: {normalized_wasserstein_distance: 0.1}
        categorical: {jensen_shannon_distance: 0.1}
"""

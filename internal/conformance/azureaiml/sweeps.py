"""Sweep jobs."""

from azure.ai.ml import command, load_job
from azure.ai.ml.sweep import BanditPolicy, Choice, Uniform
from main import ENVIRONMENT

TRIAL = """
import os, sys, json, time, urllib.request
def log(name, value):
    body = json.dumps({"run_id": os.environ["AZUREML_RUN_ID"], "key": name, "value": value, "timestamp": int(time.time() * 1000), "step": 0}).encode()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"]}
    urllib.request.urlopen(urllib.request.Request(os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric", body, headers)).read()
log("loss", (float(sys.argv[1]) - 1) ** 2 + float(sys.argv[2]))
open(os.path.join(sys.argv[3], "best.txt"), "w").write(" ".join(sys.argv[1:3]))
"""


def run(w):
    ml, step = w.ml, w.step
    w.write("src/trial.py", TRIAL)
    with step("sweeps: from the builder"):
        trial = command(
            code=w.folder + "/src",
            command="python3 trial.py ${{inputs.lr}} ${{inputs.width}} ${{outputs.model}}",
            inputs={"lr": 0.1, "width": 1},
            outputs={"model": {"type": "uri_folder"}},
            environment=ENVIRONMENT,
            compute="cpu-cluster",
        )
        sweep = trial(lr=Uniform(0.5, 1.5), width=Choice([1, 2])).sweep(sampling_algorithm="random", primary_metric="loss", goal="Minimize")
        sweep.set_limits(max_total_trials=4, max_concurrent_trials=2, timeout=120)
        sweep.early_termination = BanditPolicy(slack_factor=0.5, evaluation_interval=1)
        job = ml.jobs.create_or_update(sweep)
        assert job.type == "sweep", job
        w.printed(ml.jobs.stream, job.name)
        job = w.finish(job)
        assert job.status == "Completed" and job.sampling_algorithm, job
    with step("sweeps: trials"):
        children = [c.name for c in ml.jobs.list(parent_job_name=job.name)]
        assert len(children) == 4, children
        best = job.properties["best_child_run_id"]
        assert best in children, (best, children)
        assert ml.jobs.get(best).status == "Completed"
    with step("sweeps: the best trial's output is the sweep's"):
        ml.jobs.download(job.name, download_path=w.folder + "/best", all=True)
        assert len(w.read(w.folder, "best/named-outputs/model/best.txt").split()) == 2
    with step("sweeps: a grid, from YAML"):
        w.write("sweep.yml", YAML)
        job = w.finish(ml.jobs.create_or_update(load_job(w.folder + "/sweep.yml")))
        assert job.status == "Completed" and len(ml.jobs.list(parent_job_name=job.name)) == 2, job
    with step("sweeps: cancel"):
        trial = command(command="sleep 600; echo ${{inputs.n}}", inputs={"n": 1}, environment=ENVIRONMENT, compute="cpu-cluster")
        sweep = trial(n=Choice([1, 2, 3])).sweep(sampling_algorithm="grid", primary_metric="loss", goal="Minimize")
        sweep.set_limits(max_total_trials=3, max_concurrent_trials=1)
        job = ml.jobs.create_or_update(sweep)
        ml.jobs.begin_cancel(job.name)
        assert w.finish(job).status == "Canceled"


YAML = f"""
type: sweep
trial:
  code: ./src
  command: python3 trial.py ${{{{search_space.lr}}}} 1 ${{{{outputs.model}}}}
  environment: {ENVIRONMENT}
compute: azureml:cpu-cluster
sampling_algorithm: grid
search_space:
  lr: {{type: choice, values: [0.5, 1.0]}}
objective: {{goal: minimize, primary_metric: loss}}
limits: {{max_total_trials: 2, max_concurrent_trials: 2}}
outputs:
  model: {{type: uri_folder}}
"""

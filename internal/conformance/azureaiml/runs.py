"""Run history and the data planes behind jobs: what the client asks of them by itself, and virtual clusters."""

from azure.ai.ml import Output, command
import table
from azure.core.exceptions import ResourceNotFoundError
from main import ENVIRONMENT


def run(w):
    ml, step = w.ml, w.step
    job = ml.jobs.create_or_update(command(command="echo 1 > ${{outputs.out}}/x", outputs={"out": Output(type="uri_folder")}, environment=ENVIRONMENT, compute="cpu-cluster", experiment_name="history"))
    w.finish(job)
    runs = table.Recorded(w.table, ml.jobs._runs_operations)
    with step("runs: get, details, data, children"):
        r = runs.get_run(job.name)
        assert r.run_id == job.name and r.status == "Completed", r
        d = runs.get_run_details(job.name)
        assert d.status == "Completed" and "user_logs/std_log.txt" in d.log_files, d
        data = runs.get_run_data(job.name)
        assert data.run_metadata.outputs["out"].asset_id, data
        assert runs.get_run_children(job.name) == []
    with step("runs: addresses of data"):
        sets = table.Recorded(w.table, ml.jobs._dataset_dataplane_operations)
        asset = data.run_metadata.outputs["out"].asset_id
        answer = sets.get_batch_dataset_uris([asset])
        assert "/paths/" in answer.values_property[asset].uri, answer
    with step("virtual clusters: none"):
        clusters = ml.hidden("_virtual_clusters")
        w.error(ResourceNotFoundError, "not found", clusters.get, "none")
        assert clusters.list_jobs("none") == []

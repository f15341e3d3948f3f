"""Command jobs: from the builder and from YAML; logs, outputs, cancel, archive, delete."""

import os

from azure.ai.ml import Input, MpiDistribution, Output, PyTorchDistribution, command, load_job
from azure.ai.ml.entities import CommandJob, Model
from azure.core.exceptions import ResourceNotFoundError
from main import ENVIRONMENT

TRAIN = """
import os, sys
print("hello from training", sys.argv[1:])
os.makedirs("outputs", exist_ok=True)
open("outputs/note.txt", "w").write("a default output")
open(os.path.join(sys.argv[3], "model.txt"), "w").write(open(sys.argv[2]).read() + sys.argv[1])
"""


def run(w):
    ml, step = w.ml, w.step
    w.write("src/train.py", TRAIN)
    data = w.write("in.txt", "data ")

    def train(**options):
        return command(
            code=w.folder + "/src",
            command="python3 train.py ${{inputs.lr}} ${{inputs.data}} ${{outputs.model}}",
            inputs={"lr": 0.5, "data": Input(type="uri_file", path=data)},
            outputs={"model": Output(type="uri_folder")},
            environment=ENVIRONMENT,
            compute="cpu-cluster",
            **options,
        )

    with step("jobs: validate"):
        assert ml.jobs.validate(train()).passed
        broken = train()
        broken.command = None
        assert not ml.jobs.validate(broken).passed
    with step("jobs: submit a command, stream its log"):
        job = ml.jobs.create_or_update(train(display_name="first", experiment_name="witness", tags={"a": "b"}, description="d"))
        assert isinstance(job, CommandJob) or job.type == "command", job
        assert job.status and job.studio_url and job.experiment_name == "witness" and job.display_name == "first", job
        said = w.printed(ml.jobs.stream, job.name)
        assert "hello from training" in said and "Execution Summary" in said, said
        job = w.finish(job)
        assert job.status == "Completed", job
        first = job.name
    with step("jobs: get"):
        job = ml.jobs.get(first)
        assert job.tags["a"] == "b" and job.description == "d" and job.compute == "cpu-cluster" and job.command.startswith("python3 train.py"), job
        assert job.inputs["lr"]._data == "0.5" and job.outputs["model"] and job.creation_context.created_at, job
    with step("jobs: download logs, one output, everything"):
        ml.jobs.download(first, download_path=w.folder + "/logs")
        assert "hello from training" in w.read(w.folder, "logs/artifacts/user_logs/std_log.txt")
        assert w.read(w.folder, "logs/artifacts/outputs/note.txt") == "a default output"
        ml.jobs.download(first, download_path=w.folder + "/one", output_name="model")
        assert w.read(w.folder, "one/named-outputs/model/model.txt") == "data 0.5"
        ml.jobs.download(first, download_path=w.folder + "/all", all=True)
        assert os.path.exists(w.folder + "/all/named-outputs/model/model.txt") and os.path.exists(w.folder + "/all/artifacts/user_logs/std_log.txt")
    with step("jobs: a model from a job's output"):
        m = ml.models.create_or_update(Model(name="trained", path=f"azureml://jobs/{first}/outputs/model", type="custom_model"))
        assert m.job_name == first or first in m.path, m
        ml.models.download("trained", m.version, download_path=w.folder + "/trained")
        found = [f for _, _, fs in os.walk(w.folder + "/trained") for f in fs]
        assert found == ["model.txt"], found
    with step("jobs: update"):
        job = ml.jobs.update(first, display_name="renamed", tags={"k": "v"}, description="changed")
        job = ml.jobs.get(first)
        assert job.display_name == "renamed" and job.tags["k"] == "v" and job.description == "changed", job
    with step("jobs: from YAML"):
        path = w.write("job.yml", YAML)
        job = w.finish(ml.jobs.create_or_update(load_job(path)))
        assert job.status == "Completed" and job.environment_variables["WORD"] == "deed", job
        ml.jobs.download(job.name, download_path=w.folder + "/yaml")
        said = w.read(w.folder, "yaml/artifacts/user_logs/std_log.txt")
        assert "word and deed" in said, said
    with step("jobs: distributed"):
        for d in (PyTorchDistribution(process_count_per_instance=2), MpiDistribution(process_count_per_instance=2)):
            job = ml.jobs.create_or_update(command(command="echo rank ${RANK:-$OMPI_COMM_WORLD_RANK}", environment=ENVIRONMENT, compute="cpu-cluster", distribution=d))
            assert w.finish(job).status == "Completed", job
    with step("jobs: a job that fails says why"):
        job = ml.jobs.create_or_update(command(command="echo oh no; exit 3", environment=ENVIRONMENT, compute="cpu-cluster"))
        failed = w.finish(job)
        assert failed.status == "Failed", failed
        w.error(ResourceNotFoundError, "not found", ml.jobs.stream, "nothing-of-that-name")
    with step("jobs: streaming a failing job raises"):
        job = ml.jobs.create_or_update(command(command="sleep 2; exit 4", environment=ENVIRONMENT, compute="cpu-cluster"))
        e = w.error(Exception, "exit", w.printed, ml.jobs.stream, job.name)
        assert type(e).__name__ == "JobException", e
    with step("jobs: cancel"):
        job = ml.jobs.create_or_update(command(command="sleep 600", environment=ENVIRONMENT, compute="cpu-cluster", services={}))
        ml.jobs.begin_cancel(job.name)
        assert w.finish(job).status == "Canceled"
    with step("jobs: services of a node"):
        assert ml.jobs.show_services(first) is None or isinstance(ml.jobs.show_services(first), dict)
    with step("jobs: archive, restore, list"):
        ml.jobs.archive(first)
        assert first not in {j.name for j in ml.jobs.list()}
        assert first in {j.name for j in ml.jobs.list(list_view_type="ARCHIVED_ONLY")}
        ml.jobs.restore(first)
        assert first in {j.name for j in ml.jobs.list()}
        assert len(ml.jobs.list(max_results=2)) >= 2
    with step("jobs: delete"):
        ml.jobs.begin_delete(failed.name)
        w.error(ResourceNotFoundError, "not found", ml.jobs.get, failed.name)
    with step("jobs: what cannot be submitted"):
        w.error(ResourceNotFoundError, "not found", ml.jobs.get, "nothing-of-that-name")
        w.error(Exception, "nowhere", ml.jobs.create_or_update, command(command="true", environment=ENVIRONMENT, compute="nowhere"))
        w.error(Exception, "missing", ml.jobs.create_or_update, command(command="echo ${{inputs.missing}}", environment=ENVIRONMENT, compute="cpu-cluster"))


YAML = f"""
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
command: echo word and $WORD
environment: {ENVIRONMENT}
environment_variables: {{WORD: deed}}
limits: {{timeout: 60}}
resources: {{instance_count: 1}}
identity: {{type: user_identity}}
"""

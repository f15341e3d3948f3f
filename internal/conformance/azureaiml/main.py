"""Drives the stock azure-ai-ml through every noun against a local workspace.

    main.py SERVER.json RESULT.json [NOUN…]

SERVER.json holds the line that examples/localserver prints. The exit code is 0 also when operations failed: RESULT.json says which.
"""

import contextlib
import importlib
import io
import json
import logging
import multiprocessing
import os
import platform
import sys
import tempfile
import threading
import time
import warnings

import reasons
import shim
import table

# Each stands alone: they run beside each other, since most of the time is the clients' waits between polls. The longest begin first.
NOUNS = [
    "workspaces", "connections", "datastores", "data", "models", "environments", "components", "computes", "commands", "sweeps", "pipelines",
    "refusals", "runs", "schedules", "online", "batch", "parallels", "serverless", "features", "indexes", "registries",
]  # fmt: skip


ENVIRONMENT = "azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest"
ENDED = ("Completed", "Failed", "Canceled", "NotResponding")


class Printed:
    """Standard output, where a thread can keep what it prints."""

    def __init__(self, out):
        self.out, self.here = out, threading.local()

    def write(self, text):
        kept = getattr(self.here, "kept", None)
        return self.out.write(text) if kept is None else kept.write(text)

    def __getattr__(self, name):
        return getattr(self.out, name)

    @contextlib.contextmanager
    def keep(self):
        self.here.kept = io.StringIO()
        try:
            yield self.here.kept
        finally:
            self.here.kept = None


class World:
    """What the steps share."""

    def __init__(self, server, log, folder):
        os.makedirs(folder)
        self.server, self.table, self.folder = server, log, folder
        self.ml = self.connect()
        self.step, self.error, self.refused, self.either = log.step, log.error, log.refused, log.either
        self.token = server["token"]

    def connect(self, workspace=None, **options):
        return table.Client(self.table, shim.connect(self.server, workspace, **options))

    def write(self, name, text):
        """A file in the run's folder."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def stored_code(self, file):
        """A code asset whose file lies in the container of the default datastore: name, version and id."""
        from azure.ai.ml.entities._assets._artifacts.code import Code
        from azure.storage.blob import ContainerClient

        ml = self.ml.client
        name = os.path.basename(self.folder) + "-code"
        store = ml.datastores.get_default(include_secrets=True)
        at = f"{self.server['url']}/{store.account_name}"
        with ContainerClient(at, store.container_name, credential=store.credentials.sas_token) as box, open(os.path.join(self.folder, file), "rb") as f:
            box.upload_blob(f"{name}/{os.path.basename(file)}", f, overwrite=True)
        body = Code(name=name, version="1", path=f"{at}/{store.container_name}/{name}")._to_rest_object()
        made = ml._code._version_operation.create_or_update(
            name=name, version="1", workspace_name=ml.workspace_name, resource_group_name=ml.resource_group_name, body=body
        )
        return name, "1", made.id

    def finish(self, job, timeout=90):
        """Waits for a job's end and gives it as it is then."""
        name, until = getattr(job, "name", job), time.time() + timeout
        while True:
            job = self.ml.client.jobs.get(name)
            if job.status in ENDED:
                return job
            assert time.time() < until, f"{name} is still {job.status}"
            time.sleep(0.2)

    def logs(self, name):
        """The ends of the logs of a job's children: why it failed."""
        said = []
        for child in self.ml.client.jobs.list(parent_job_name=name):
            at = os.path.join(self.folder, "logs-" + child.name)
            self.ml.client.jobs.download(child.name, download_path=at, all=True)
            for folder, _, files in os.walk(at):
                said += [f"{f}: {self.read(folder, f)[-1500:]}" for f in files if f.endswith((".txt", ".log"))]
        return "\n".join(said)

    def printed(self, call, *args, **options):
        """What a call prints."""
        with sys.stdout.keep() as kept:
            call(*args, **options)
        return kept.getvalue()

    def read(self, *names):
        with open(os.path.join(*names), encoding="utf-8") as f:
            return f.read()


def versions():
    from importlib.metadata import version

    return {"python": platform.python_version()} | {p: version(p) for p in ("azure-ai-ml", "azure-core", "azure-storage-blob")}


def run(task):
    """One noun, in a process of its own: azure-ai-ml keeps the pipeline that is being built, and the deployment that was named last, for the whole process."""
    noun, server, folder, started = task
    log = table.Table()
    log.started = started
    with log.step(f"{noun}: all steps are reached"):
        importlib.import_module(noun).run(World(server, log, os.path.join(folder, noun)))
    return log.calls, log.steps


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        server = json.load(f)
    warnings.simplefilter("ignore")
    sys.stdout = Printed(sys.stdout)
    logging.disable(logging.WARNING)
    log = table.Table()
    with tempfile.TemporaryDirectory(prefix="azureml-witness-") as folder:

        shim.prepare(server["url"])
        import azure.ai.ml  # noqa: F401 once, before the processes

        with multiprocessing.get_context("fork").Pool(6, maxtasksperchild=1) as pool:
            for calls, steps in pool.imap_unordered(run, [(noun, server, folder, log.started) for noun in sys.argv[3:] or NOUNS]):
                log.add(calls, steps)
    table.write(sys.argv[2], log, reasons.NOT_CALLED, versions())
    table.show(log.summary(reasons.NOT_CALLED))


if __name__ == "__main__":
    main()

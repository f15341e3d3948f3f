#!/usr/bin/env python3
"""Record what azure-ai-ml sends for the pipelines of shapes.py.

    python make.py ORACLE [SHAPE ...]

ORACLE is the folder with the recorder of the project's oracle (record.py, fake_azure.py); the Python needs azure-ai-ml 1.35.2.
It writes golden/SHAPE.json: the component versions and the job that were PUT, by path.
"""

import json
import os
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))
oracle = os.path.abspath(sys.argv[1])
if os.environ.get("PYTHONHASHSEED") != "0":
    os.environ["PYTHONHASHSEED"] = "0"
    os.execv(sys.executable, [sys.executable] + sys.argv)
os.environ["PYTHONWARNINGS"] = "ignore"
os.environ["GIT_DIR"] = os.devnull
for k in ("HOME", "TMPDIR"):
    os.environ[k] = tempfile.mkdtemp(prefix="dsl-")
sys.path[:0] = [here, oracle]
sys.dont_write_bytecode = True
os.chdir(here)

import warnings

warnings.simplefilter("ignore")
import fake_azure
import record

os.environ.update(AZURE_ML_CLI_PRIVATE_FEATURES_ENABLED="true", AZURE_ML_DISABLE_ON_DISK_CACHE="true")  # read while the SDK is imported
from azure.ai.ml import MLClient

record.freeze()
import shapes

BODIES = ("/components/", "/jobs/")
for name in sys.argv[2:] or shapes.SHAPES:
    fake = fake_azure.Fake({("jobs", name), ("jobs", "train-iris")})
    record.wire(fake)
    client = MLClient(record.Credential(), fake_azure.SUB, fake_azure.RG, fake_azure.WS, enable_telemetry=False, show_progress=False, logging_enable=False)
    try:
        client.jobs.create_or_update(shapes.SHAPES[name](client))
    except Exception as e:
        if not any(r["method"] == "PUT" and "/jobs/" in r["path"] for r in fake.requests):
            import traceback; traceback.print_exc(); print(name, "failed:", type(e).__name__, e)
            continue
        print(name, "was sent; its answer could not be read:", type(e).__name__)
    put = {r["path"]: r["body"] for r in fake.requests if r["method"] == "PUT" and r["host_kind"] == "arm" and any(b in r["path"] for b in BODIES)}
    os.makedirs("golden", exist_ok=True)
    with open(os.path.join("golden", name + ".json"), "w") as f:
        f.write(json.dumps(put, sort_keys=True, indent=1, ensure_ascii=False) + "\n")
    print(name, len(put), "requests")

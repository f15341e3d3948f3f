"""Times azure-ai-ml loading YAML files and turning them into REST objects, without the network.

    load.py LIST        a file of "kind<TAB>path" lines; prints {"files", "seconds", "import_seconds", "peak_kib", "anonymous_kib"}

Files whose entity has no such method, or that it refuses, count as loaded: the time is spent all the same.
"""
import json
import os
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")
start = time.perf_counter()
import logging

logging.disable(logging.CRITICAL)
from azure.ai.ml.entities import _load_functions as lf

imported = time.perf_counter() - start
LOAD = {
    "job": lf.load_job, "component": lf.load_component, "data": lf.load_data, "model": lf.load_model, "environment": lf.load_environment,
    "datastore": lf.load_datastore, "compute": lf.load_compute, "online endpoint": lf.load_online_endpoint, "online deployment": lf.load_online_deployment,
    "batch endpoint": lf.load_batch_endpoint, "connection": lf.load_connection, "schedule": lf.load_schedule,
}
files = [line.rstrip("\n").split("\t") for line in open(sys.argv[1])]
done = 0
begin = time.perf_counter()
for kind, path in files:
    os.chdir(os.path.dirname(path))
    try:
        entity = LOAD[kind](path)
        for name in ("_to_rest_object", "_to_dict"):
            if hasattr(entity, name):
                getattr(entity, name)()
                break
    except Exception:
        pass
    done += 1
status = dict(line.split(":", 1) for line in open("/proc/self/status")) if os.path.exists("/proc/self/status") else {}
anonymous = int(status.get("RssAnon", "0 kB").split()[0])
print(json.dumps({"files": done, "seconds": time.perf_counter() - begin, "import_seconds": imported, "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, "anonymous_kib": anonymous}))

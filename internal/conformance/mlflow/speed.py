"""Times the requests of MLflow's client against two tracking servers.

    python speed.py URL_OF_MLFLOW ITS_SQLITE_FILE URL_OF_THE_OTHER [LEAST_RATIO]

Both servers must be fresh. Each is given 10,000 runs and a metric of 100,000 values;
then the requests are sent raw, one after the other on one connection, and once more
by the client itself. It fails when a raw request is not LEAST_RATIO times faster on
the other server.
"""

import json
import os
import socket
import sqlite3
import statistics
import sys
import time
import uuid

RUNS, VALUES = 10_000, 100_000


class Raw:
    """One connection, with as little Python around it as there can be."""

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = f"{host}:{port}".encode()
        self.buffer = bytearray()

    def more(self):
        got = self.socket.recv(1 << 20)
        if not got:
            raise ConnectionError("the server closed the connection")
        self.buffer += got

    def line(self):
        while (i := self.buffer.find(b"\r\n")) < 0:
            self.more()
        line = bytes(self.buffer[:i])
        del self.buffer[: i + 2]
        return line

    def take(self, n):
        while len(self.buffer) < n:
            self.more()
        got = bytes(self.buffer[:n])
        del self.buffer[:n]
        return got

    def prepare(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        return b"%s /api/2.0/mlflow/%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (method.encode(), path.encode(), self.host, len(data), data)

    def send(self, request):
        self.socket.sendall(request)
        status, size, chunked = self.line(), None, False
        while line := self.line().lower():
            if line.startswith(b"content-length:"):
                size = int(line[15:])
            chunked = chunked or line.startswith(b"transfer-encoding: chunked")
        body = b""
        if chunked:
            parts = []
            while n := int(self.line(), 16):
                parts.append(self.take(n))
                self.take(2)
            self.line()
            body = b"".join(parts)
        elif size:
            body = self.take(size)
        if b" 200 " not in status:
            raise RuntimeError(f"{status} {body[:300]}")
        return body

    def __call__(self, method, path, body=None):
        return json.loads(self.send(self.prepare(method, path, body)) or "{}")


def accuracy(i):
    return (i * 7919 % RUNS) / RUNS


def fill_mlflow(file, raw):
    """Fills MLflow's database directly: by its API it takes many minutes."""
    e = raw("POST", "experiments/create", {"name": "speed"})["experiment_id"]
    db = sqlite3.connect(file, timeout=60)
    ids = [uuid.uuid4().hex for _ in range(RUNS)]
    with db:
        db.executemany(
            "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, source_version, lifecycle_stage, artifact_uri, experiment_id) VALUES (?, ?, 'UNKNOWN', '', '', 'u', 'FINISHED', ?, '', 'active', ?, ?)",
            [(r, f"run {i}", i, f"mlflow-artifacts:/{e}/{r}/artifacts", e) for i, r in enumerate(ids)],
        )
        for table, values in (("tags", lambda i: ("mlflow.runName", f"run {i}")), ("tags", lambda i: ("group", str(i % 100))), ("params", lambda i: ("lr", str(i % 7)))):
            db.executemany(f"INSERT INTO {table} (key, value, run_uuid) VALUES (?, ?, ?)", [(*values(i), r) for i, r in enumerate(ids)])
        latest = [("acc", accuracy(i), 1, r, 0, 0) for i, r in enumerate(ids)]
        db.executemany("INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)", latest)
        points = latest + [("long", i / 3, i, ids[0], i, 0) for i in range(VALUES)]
        db.executemany("INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)", points)
        db.execute("INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES ('long', ?, ?, ?, ?, 0)", ((VALUES - 1) / 3, VALUES - 1, ids[0], VALUES - 1))
    db.close()
    return e, ids


def fill(raw):
    e = raw("POST", "experiments/create", {"name": "speed"})["experiment_id"]
    ids = []
    for i in range(RUNS):
        r = raw("POST", "runs/create", {"experiment_id": e, "start_time": i, "run_name": f"run {i}", "tags": [{"key": "group", "value": str(i % 100)}]})["run"]["info"]["run_id"]
        raw("POST", "runs/log-batch", {"run_id": r, "metrics": [{"key": "acc", "value": accuracy(i), "timestamp": 1, "step": 0}], "params": [{"key": "lr", "value": str(i % 7)}]})
        ids.append(r)
    for start in range(0, VALUES, 1000):
        raw("POST", "runs/log-batch", {"run_id": ids[0], "metrics": [{"key": "long", "value": i / 3, "timestamp": i, "step": i} for i in range(start, start + 1000)]})
    return e, ids


def requests(raw, e, ids):
    """What is timed: a name, how often, and what makes the requests."""
    batch = lambda i: {"run_id": ids[i], "metrics": [{"key": f"k{j % 4}", "value": j * 0.1, "timestamp": 1_700_000_000_000 + j, "step": i * 1000 + j} for j in range(1000)], "params": [], "tags": []}
    tags = [{"key": "mlflow.user", "value": "u"}, {"key": "mlflow.source.name", "value": "train.py"}, {"key": "mlflow.source.type", "value": "LOCAL"}]
    search = {"experiment_ids": [e], "filter": "metrics.acc > 0.5", "order_by": ["metrics.acc DESC"], "max_results": 100, "run_view_type": "ACTIVE_ONLY"}
    return [
        ("create run", 50, lambda i: ("POST", "runs/create", {"experiment_id": e, "start_time": 1_700_000_000_000 + i, "run_name": f"new {i}", "tags": tags})),
        ("log_metric", 200, lambda i: ("POST", "runs/log-metric", {"run_id": ids[i], "key": "m", "value": i, "timestamp": 1_700_000_000_000 + i, "step": i})),
        ("log_batch of 1,000", 20, lambda i: ("POST", "runs/log-batch", batch(i + 1))),
        ("search_runs over 10,000", 20, lambda i: ("POST", "runs/search", search)),
        ("history of 100,000", 5, lambda i: ("GET", f"metrics/get-history?run_id={ids[0]}&metric_key=long")),
    ]


def time_raw(url, e, ids):
    took = {}
    raw = Raw(url)
    for name, n, make in requests(raw, e, ids):
        bodies = [raw.prepare(*make(i)) for i in range(n)]
        each = []
        for b in bodies:
            start = time.perf_counter()
            raw.send(b)
            each.append(time.perf_counter() - start)
        took[name] = statistics.median(each) * 1000
    return took


def time_client(url, e, ids):
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", GIT_PYTHON_REFRESH="quiet")
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient(url)
    took = {}
    for name, n, f in (
        ("create run", 20, lambda i: client.create_run(e, run_name=f"client {i}")),
        ("log_metric", 50, lambda i: client.log_metric(ids[i], "c", i, step=i)),
        ("log_batch of 1,000", 10, lambda i: client.log_batch(ids[i + 30], [Metric(f"k{j % 4}", j * 0.1, j, j) for j in range(1000)])),
        ("search_runs over 10,000", 10, lambda i: client.search_runs([e], "metrics.acc > 0.5", order_by=["metrics.acc DESC"], max_results=100)),
        ("history of 100,000", 2, lambda i: client.get_metric_history(ids[0], "long")),
    ):
        each = []
        for i in range(n):
            start = time.perf_counter()
            f(i)
            each.append(time.perf_counter() - start)
        took[name] = statistics.median(each) * 1000
    return took


def main(one, file, other, least):
    theirs, ours = fill_mlflow(file, Raw(one)), fill(Raw(other))
    raw = time_raw(one, *theirs), time_raw(other, *ours)
    client = time_client(one, *theirs), time_client(other, *ours)
    print(f"medians in milliseconds, load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors")
    print("MLflow: SQLite as it sets it up (rollback journal, synchronous FULL); the other: WAL, synchronous NORMAL, group commit: both survive SIGKILL")
    print(f"{'':26}{'raw':>12}{'':>12}{'':>9}   {'client':>12}")
    slow = []
    for name in raw[0]:
        ratio = raw[0][name] / raw[1][name]
        print(f"{name:26}{raw[0][name]:12.2f}{raw[1][name]:12.2f}{ratio:8.1f}x   {client[0][name]:12.2f}{client[1][name]:12.2f}{client[0][name] / client[1][name]:8.1f}x")
        if ratio < least:
            slow.append(name)
    print(f"MLflow's client log_batch: {1000 * 1000 / client[1]['log_batch of 1,000']:.0f} values/s")
    print(f"MLflow's client log_metric: {1000 / client[1]['log_metric']:.0f} calls/s")
    if slow:
        print("too slow:", ", ".join(slow))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3].rstrip("/"), float(sys.argv[4]) if len(sys.argv) > 4 else 0))

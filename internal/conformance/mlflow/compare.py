"""Sends the same raw requests to two tracking servers and compares the answers.

    python compare.py URL_OF_ONE URL_OF_THE_OTHER

    python compare.py --record URL FILE

records what a server answers, for the tests of Go that have no other server.

Both servers must be fresh. Ids, times, generated names and what a database says of
itself are put aside; everything else, messages included, must be equal. Requests
that the first server fails on (500) only must not fail on the second.
"""

import base64
import gzip
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

BASE = "/api/2.0/mlflow/"


class Server:
    def __init__(self, url):
        self.url = url
        self.log = []
        self.ids = {}
        self.tape = None

    def __call__(self, method, path, body=None, raw=None, query=None, headers=None):
        path, asked = path if path.startswith("/") else BASE + path, query
        url = self.url + path
        if query:
            url += "?" + urllib.parse.urlencode(query, doseq=True)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else None
        if isinstance(data, str):
            data = data.encode()
        request = urllib.request.Request(url, data=data, method=method)
        if data is not None and headers is None:
            headers = {"Content-Type": "application/json"}
        for k, v in (headers or {}).items():
            request.add_header(k, v)
        try:
            with urllib.request.urlopen(request, timeout=60) as r:
                status, content, got = r.status, r.read(), r.headers
        except urllib.error.HTTPError as e:
            status, content, got = e.code, e.read(), e.headers
        try:
            answer = json.loads(content)
        except ValueError:
            answer = content.decode("utf-8", "replace")
        if method == "GET" and status == 200 and FILES.search(path):
            answer = {"content": answer, **{h: got.get(h) for h in ("Content-Type", "Content-Disposition", "X-Content-Type-Options")}}
        shown = f"{method} {path} {json.dumps(body)[:300] if body is not None else str(raw)[:100] if raw is not None else ''} {query or ''}"
        self.log.append((shown, status, answer))
        if self.tape is not None:
            text = data.decode("utf-8", "surrogateescape") if data is not None else None
            if text is not None and "\udc80" <= max(text, default="") <= "\udcff":
                text = "base64:" + base64.b64encode(data).decode()
            self.tape.append({"method": method, "path": path, "query": [[k, str(v)] for k, vs in (asked or {}).items() for v in (vs if isinstance(vs, list) else [vs])], "body": text, "headers": headers or {}, "status": status, "answer": content.decode("utf-8", "replace")})
        return answer


FILES = re.compile(r"/get-artifact|/get-trace-artifact|/mlflow-artifacts/artifacts/|/artifacts/files")
NAME = re.compile(r"^[a-z]+-[a-z]+-\d{1,4}$")
ID = re.compile(r"\b(?:m-|tr-|a-)?(?!0{20})[0-9a-f]{32}\b")
TIMES = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
SETS = re.compile(r"\{('[^{}]*')\}")
DATABASE = re.compile(r"\s*(Error: )?\((raised as|sqlite3\.|builtins\.).*", re.S)


def normal(server, value, key=None):
    """The answer without what differs between two servers that agree."""
    if isinstance(value, dict):
        return {k: normal(server, v, k) for k, v in sorted(value.items())}
    if isinstance(value, list):
        if key in ("tags", "params", "metrics", "request_metadata", "aliases", "latest_versions", "dataset_summaries", "model_inputs", "model_outputs", "dataset_inputs", "assessments"):
            value = sorted(value, key=lambda v: TIMES.sub("", ID.sub("", json.dumps(v, sort_keys=True))))
        return [normal(server, v, key) for v in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 1_600_000_000_000:
        return "<time>"
    if isinstance(value, float) and key in ("npmi", "npmi_smoothed"):
        return round(value, 12)
    if key == "digest" and re.match("^[0-9a-f]{8}$", str(value)):
        return "<digest>"
    if isinstance(value, str):
        if key in ("run_name", "value", "name") and NAME.match(value):
            return "<name>"
        if re.match(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$", value):
            return "<time>"
        if key == "message":
            value = DATABASE.sub("", value)
            value = SETS.sub(lambda m: "{" + ", ".join(sorted(m.group(1).split(", "))) + "}", value)
        return ID.sub(lambda m: server.ids.setdefault(m.group(0), f"<id {len(server.ids)}>"), value)
    return value


def difference(a, b, path=""):
    """The first place where two answers differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        for k in sorted(set(a) | set(b)):
            if a.get(k) != b.get(k):
                return difference(a.get(k), b.get(k), f"{path}.{k}")
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return difference(x, y, f"{path}[{i}]")
    return f"at {path or 'the top'}: {json.dumps(a)[:600]}  |  {json.dumps(b)[:600]}"


def record(url, file):
    """Writes a line of JSON for each scenario: its name and its steps."""
    import scenarios

    with gzip.GzipFile(file, "wb", mtime=0) as out:
        for name, scenario in scenarios.all():
            s = Server(url)
            s.tape = []
            scenario(s)
            out.write(json.dumps({"name": name, "steps": s.tape}).encode() + b"\n")


def main(one, other):
    import scenarios

    failures = total = 0
    servers = [Server(one), Server(other)]
    for name, scenario in scenarios.all():
        for s in servers:
            s.log.clear()
            s.ids.clear()
            try:
                scenario(s)
            except Exception as e:  # an answer that the scenario could not go on with
                s.log.append((f"{name} ended", 0, repr(e)))
        a, b = servers
        for (shown, sa, ra), (_, sb, rb) in zip(a.log, b.log):
            total += 1
            na, nb = normal(a, ra), normal(b, rb)
            if sa >= 500 and isinstance(ra, dict) and ra.get("error_code") in ("INVALID_STATE", "NOT_IMPLEMENTED"):
                equal = isinstance(rb, dict) and rb.get("error_code") == ra["error_code"]
            elif sa >= 500:
                equal = sb < 500
            elif not isinstance(na, dict) or not isinstance(nb, dict):
                equal = sa == sb and (sa >= 400 or na == nb)
            elif sa >= 400 and scenarios.LOOSE.search(str(ra.get("message", ""))):
                equal = sa == sb and na.get("error_code") == nb.get("error_code")
            else:
                equal = sa == sb and na == nb
            if not equal:
                failures += 1
                print(f"--- {name}: {shown}\n    {sa}, {sb} {difference(na, nb)}")
        if len(a.log) != len(b.log):
            failures += 1
            print(f"--- {name}: {len(a.log)} answers, {len(b.log)} answers")
    print(f"{total} requests, {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    if sys.argv[1] == "--record":
        sys.exit(record(sys.argv[2].rstrip("/"), sys.argv[3]))
    sys.exit(main(sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/")))

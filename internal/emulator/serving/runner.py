"""Serves an Azure ML scoring script: init() once, run(data) for each request.

    runner.py SCRIPT PORT

GET / answers when init() is done; POST /score passes the body, as text, to run().
Scripts that want the request itself (azureml_contrib_services' rawhttp) need azureml-inference-server-http.
"""
import importlib.util
import json
import os
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

script, port = os.path.abspath(sys.argv[1]), int(sys.argv[2])
sys.path.insert(0, os.path.dirname(script))
os.chdir(os.path.dirname(script))
spec = importlib.util.spec_from_file_location("entry", script)
entry = importlib.util.module_from_spec(spec)
sys.modules["entry"] = entry
spec.loader.exec_module(entry)
if not callable(getattr(entry, "run", None)):
    sys.exit(f"{script} has no function run()")
if callable(getattr(entry, "init", None)):
    entry.init()
lock = threading.Lock()  # a script need not be safe for threads


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, form, *args):
        print(form % args, flush=True)

    def reply(self, status, value, kind="application/json"):
        data = value if isinstance(value, bytes) else value.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path.split("?")[0] == "/":
            self.reply(200, "Healthy", "text/plain")
        else:
            self.reply(404, "not found", "text/plain")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.split("?")[0] != "/score":
            return self.reply(404, "not found", "text/plain")
        try:
            with lock:
                result = entry.run(body.decode("utf-8"))
            out = result if isinstance(result, bytes) else json.dumps(result)
        except Exception as e:
            traceback.print_exc()
            return self.reply(500, str(e), "text/plain")
        self.reply(200, out)


server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
print(f"serving {os.path.basename(script)} on port {port}", flush=True)
server.serve_forever()

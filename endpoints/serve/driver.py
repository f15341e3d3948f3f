# azureml-batch-program: @PROGRAM@
# Passes mini-batches to the program beside this file, as lines of JSON.
import json
import os
import subprocess

_program = None


def init():
    global _program
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "@PROGRAM@")
    os.chmod(path, 0o755)
    _program = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    _answer()


def run(mini_batch):
    _program.stdin.write(json.dumps({"files": [str(f) for f in mini_batch]}) + "\n")
    _program.stdin.flush()
    return _answer().get("results", [])


def shutdown():
    _program.stdin.close()
    _program.wait()


def _answer():
    line = _program.stdout.readline()
    if not line:
        raise RuntimeError("the program ended with code %s" % _program.wait())
    answer = json.loads(line)
    if answer.get("error"):
        raise RuntimeError(answer["error"])
    return answer

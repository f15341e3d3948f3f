"""What was called, in which step, and how it ended."""

import contextlib
import json
import re
import threading
import time
import traceback
from collections.abc import Iterator

PASSED, REFUSED, FAILED = "passed", "refused by name", "failed"


def methods():
    """The public methods of azure-ai-ml's operation classes, by class and name."""
    import importlib
    import inspect
    import pkgutil

    import azure.ai.ml.operations as package

    found = []
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.endswith("_operations"):
            continue
        loaded = importlib.import_module(f"{package.__name__}.{module.name}")
        for name, cls in inspect.getmembers(loaded, inspect.isclass):
            if cls.__module__ != loaded.__name__ or not name.endswith("Operations"):
                continue
            for method in dir(cls):
                static = inspect.getattr_static(cls, method)
                if not method.startswith("_") and not isinstance(static, property) and callable(getattr(cls, method)):
                    found.append(f"{name}.{method}")
    return found


def said(e, text):
    """The line of an error's message that says text."""
    lines = re.sub(r"<[^>]*>", "\n", str(e)).split("\n")
    return next((line for line in lines if text.lower() in line.lower()), lines[0]).strip()[:300]


class Table:
    def __init__(self):
        self.calls = []  # {method, step, outcome, detail}
        self.steps = []  # {step, outcome, seconds, detail}
        self.started = time.time()
        self.here = threading.local()  # .step, .last

    def add(self, calls, steps):
        """What another process wrote down."""
        self.calls += calls
        self.steps += steps

    @contextlib.contextmanager
    def step(self, name):
        """One thing that is proved. What goes wrong in it is written down, and the next step comes."""
        began, self.here.step = time.time(), name
        outcome, detail = PASSED, ""
        try:
            yield
        except Exception as e:  # noqa: BLE001 whatever it is, it is the step's result
            where = [f for f in traceback.extract_tb(e.__traceback__) if "site-packages" not in f.filename or "/azure/ai/ml/" in f.filename]
            outcome, detail = FAILED, f"{type(e).__name__}: {str(e)[:1500]}\n" + "".join(traceback.format_list(where[:1] + where[-3:]))
        seconds = time.time() - began
        self.steps.append({"step": name, "outcome": outcome, "seconds": round(seconds, 2), "detail": detail})
        print(f"{time.time() - self.started:6.1f} s  {outcome:7}  {name} ({seconds:.1f} s)", flush=True)
        if detail:
            print("    " + detail.replace("\n", "\n    "), flush=True)

    def note(self, method, outcome, detail=""):
        self.here.last = {"method": method, "step": getattr(self.here, "step", ""), "outcome": outcome, "detail": detail}
        self.calls.append(self.here.last)

    def error(self, kinds, text, call, *args, **options):
        """The call must fail with one of these errors, and its message must say text."""
        return self._fails(PASSED, kinds, text, call, *args, **options)

    def refused(self, text, call, *args, **options):
        """The call asks what a local workspace does not do: it must be refused with a message that says text."""
        return self._fails(REFUSED, Exception, text, call, *args, **options)

    def either(self, text, call, *args, **options):
        """The call is carried out, or refused with a message that says text: what a local workspace does not do yet. None when it is refused."""
        try:
            return call(*args, **options)
        except Exception as e:  # noqa: BLE001
            assert text.lower() in str(e).lower(), f"the error does not say {text!r}: {type(e).__name__}: {e}"
            self.here.last.update(outcome=REFUSED, detail=said(e, text))
            return None

    def _fails(self, outcome, kinds, text, call, *args, **options):
        try:
            answer = call(*args, **options)
        except kinds as e:
            assert text.lower() in str(e).lower(), f"the error does not say {text!r}: {type(e).__name__}: {e}"
            if self.here.last["outcome"] == FAILED:
                self.here.last.update(outcome=outcome, detail=said(e, text))
            return e
        self.here.last.update(outcome=FAILED, detail="it was not refused")
        raise AssertionError(f"an error that says {text!r} was expected; the answer was {answer!r}")

    def summary(self, reasons, known=None):
        """One line for each known method, by default azure-ai-ml's. reasons are those of methods that are not called."""
        rank = {FAILED: 2, PASSED: 1, REFUSED: 0}
        lines = {}
        for call in self.calls:
            line = lines.setdefault(call["method"], {"method": call["method"], "outcome": call["outcome"], "calls": 0, "detail": call["detail"]})
            line["calls"] += 1
            if rank[call["outcome"]] > rank[line["outcome"]]:
                line.update(outcome=call["outcome"], detail=call["detail"])
        out = []
        for method in known or methods():
            if method in lines:
                line = lines[method]
                if line["outcome"] == PASSED:
                    line["detail"] = ""
                if method in reasons:
                    line.update(outcome=FAILED, detail="it is called, and listed as not called")
                out.append(line)
            elif method in reasons:
                out.append({"method": method, "outcome": "not called", "calls": 0, "detail": reasons[method]})
            else:
                out.append({"method": method, "outcome": FAILED, "calls": 0, "detail": "it is neither called nor listed with a reason"})
        return out


class Recorded:
    """An operations object of an MLClient whose public calls are written down. Pollers are followed to their end and lists are read to theirs, so
    that what the service says later counts too."""

    def __init__(self, table, operations):
        self._table, self._operations = table, operations

    def __getattr__(self, name):
        found = getattr(self._operations, name)
        if name.startswith("_") or not callable(found):
            return found
        method = f"{type(self._operations).__name__}.{name}"

        def call(*args, **options):
            try:
                answer = found(*args, **options)
                if name.startswith("begin_") and hasattr(answer, "result"):
                    answer = answer.result()
                elif isinstance(answer, Iterator):
                    answer = list(answer)
                answer = self._hold(answer)
            except BaseException as e:
                self._table.note(method, FAILED, f"{type(e).__name__}: {e}")
                raise
            self._table.note(method, PASSED)
            return answer

        return call


    def _hold(self, answer):
        """Of an answer that has calls of its own, one that writes them down too."""
        return answer


class Client:
    """An MLClient whose operations are recorded."""

    def __init__(self, table, client):
        self._table, self.client = table, client

    def __getattr__(self, name):
        found = getattr(self.client, name)
        return Recorded(self._table, found) if type(found).__name__.endswith("Operations") else found

    def hidden(self, name):
        """Operations that hang on no public field."""
        return Recorded(self._table, getattr(self.client, name))


def write(path, table, reasons, versions, known=None):
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"versions": versions, "methods": table.summary(reasons, known), "steps": table.steps}, f, indent=1)


def show(lines):
    """Prints the table."""
    print()
    for line in lines:
        print(f"{line['method']:66} {line['outcome']:16} {' '.join(line['detail'].split())[:300]}")
    counted = {o: sum(1 for x in lines if x["outcome"] == o) for o in (PASSED, REFUSED, FAILED, "not called")}
    print(f"{len(lines)} methods: " + ", ".join(f"{n} {o}" for o, n in counted.items()))

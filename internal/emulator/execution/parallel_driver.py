"""Runs an entry script for mini-batches: init(), run(mini_batch) for each, shutdown().

Mini-batches come as lines of JSON on standard input, results go as lines of JSON
to what standard output was at the start. What the script prints goes to its log.
"""
import base64
import decimal
import importlib.util
import inspect
import json
import logging
import os
import sys
import traceback
import types

BAD = (
    "The run() method in the entry script should return a list or a pandas DataFrame. The length of returned result is considered as succeeded number of items. "
    "For --output_action=append_row, the returned result is what to write into the result file. The actual type of output is {}."
)


def take_over():
    """Keeps the protocol's channel for itself and gives the script its log."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.set_inheritable(channel.fileno(), False)
    log = os.open(os.environ.pop("AZUREML_LOCAL_STDOUT"), os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.close(log)
    lines = os.fdopen(os.dup(0), "r", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return lines, channel


def level():
    args = sys.argv
    return args[args.index("--logging_level") + 1] if "--logging_level" in args[:-1] else "INFO"


class EntryScript:
    """What azureml_user.parallel_run gives entry scripts: names, folders and a logger."""

    _one = None

    def __new__(cls):
        if cls._one is None:
            cls._one = super().__new__(cls)
            cls._one._begin()
        return cls._one

    def _begin(self):
        self.agent_name = os.environ.get("AZUREML_LOCAL_AGENT", "process000")
        self.node_id = os.environ.get("AZUREML_LOCAL_NODE", "0")
        self.working_dir = os.getcwd()
        self.input_dir = os.environ.get("AZUREML_LOCAL_INPUT", "")
        self.output_dir = os.environ.get("AZUREML_BI_OUTPUT_PATH", "")
        self.log_dir = os.path.join(self.working_dir, "logs", "user", "entry_script_log", self.node_id)
        self._logger = None

    @property
    def logger(self):
        if self._logger is None:
            os.makedirs(self.log_dir, exist_ok=True)
            handler = logging.FileHandler(os.path.join(self.log_dir, self.agent_name + ".log.txt"), encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(asctime)s|%(levelname)s|%(process)d|%(message)s"))
            self._logger = logging.getLogger("EntryScript")
            self._logger.setLevel(level())
            self._logger.addHandler(handler)
        return self._logger


def provide_modules():
    package = types.ModuleType("azureml_user")
    module = types.ModuleType("azureml_user.parallel_run")
    module.EntryScript = EntryScript
    package.parallel_run = module
    package.__path__ = []
    sys.modules.setdefault("azureml_user", package)
    sys.modules.setdefault("azureml_user.parallel_run", module)


def load(path):
    folder = os.path.dirname(path)
    sys.path[0] = folder
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "run", None)):
        raise AttributeError("the entry script %s has no function run(mini_batch)" % os.path.basename(path))
    return module


def mlflow_script():
    """Scores files with an MLflow model: a row for each prediction, with the file it is of."""
    import mlflow.pyfunc
    import pandas

    module = types.ModuleType("mlflow_script")
    readers = {".csv": pandas.read_csv, ".parquet": pandas.read_parquet, ".pqt": pandas.read_parquet}

    def init():
        root = os.environ["AZUREML_MODEL_DIR"]
        found = [folder for folder, _, files in os.walk(root) if "MLmodel" in files]
        if not found:
            raise FileNotFoundError("there is no file MLmodel below " + root)
        module.model = mlflow.pyfunc.load_model(found[0])

    def predict(frame):
        got = module.model.predict(frame)
        if isinstance(got, pandas.DataFrame):
            return got.values.tolist()
        return got.tolist() if hasattr(got, "tolist") else got

    def run(files):
        if isinstance(files, pandas.DataFrame):
            return list(predict(files))
        rows = []
        for file in files:
            reader = readers.get(os.path.splitext(file)[1].lower())
            if reader is None:
                raise ValueError("%s: an MLflow model without an entry script scores files that end in %s" % (os.path.basename(file), ", ".join(readers)))
            rows.extend([os.path.basename(file), one] for one in predict(reader(file)))
        return rows

    module.init, module.run = init, run
    return module


class Context:
    """The second argument of run(mini_batch, mini_batch_context)."""

    def __init__(self, message, items):
        self.minibatch_index = message.get("index")
        self.global_row_index_lower_bound = message.get("before", 0)
        self.global_row_index_higher_bound = self.global_row_index_lower_bound + items
        self.partition_key_value = message.get("partition")


def mini_batch(message):
    table = message.get("table")
    if not table:
        return message["files"], None
    frame = data_frame(message["files"][0], table.get("columns") or [])
    return frame, len(frame)


def data_frame(path, columns):
    """Makes a data frame of lines of JSON, each a list of values, with the types that mltable gives it."""
    import pandas

    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    series = {}
    for i, column in enumerate(columns):
        values, kind = [row[i] if i < len(row) else None for row in rows], column["kind"]
        if kind == "datetime":
            how = {} if pandas.__version__.startswith("1.") else {"format": "ISO8601"}
            times = pandas.to_datetime(pandas.Series(values, dtype=object), **how)
            try:
                times = times.astype("datetime64[ns]")  # as mltable has them, where their range allows it
            except ValueError:
                pass
            series[column["name"]] = times
            continue
        if kind == "decimal":
            values = [None if v is None else decimal.Decimal(v) for v in values]
        elif kind == "binary":
            values = [None if v is None else base64.b64decode(v) for v in values]
        whole = None not in values
        dtype = {"int": "int64" if whole else "float64", "float": "float64", "bool": "bool" if whole else object, "string": None}.get(kind, object)
        series[column["name"]] = pandas.Series(values, dtype=dtype)
    return pandas.DataFrame(series, columns=[column["name"] for column in columns])


def rows_of(result):
    """The lines to append, and how many items they stand for."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(result, pandas.DataFrame):
        text = result.to_csv(sep=" ", header=False, index=False, lineterminator="\n") if len(result) else ""
        return [text[:-1]] if text else [], len(result)
    if result is None or isinstance(result, (str, bytes, dict)) or not hasattr(result, "__len__") or not hasattr(result, "__iter__"):
        raise TypeError(BAD.format(type(result).__name__))
    return [str(one) for one in result], len(result)


def main():
    lines, channel = take_over()
    path, sys.argv = sys.argv[1], sys.argv[1:]

    def say(**answer):
        sys.stdout.flush()
        sys.stderr.flush()
        channel.write(json.dumps(answer) + "\n")
        channel.flush()

    def failed(e):
        trace = traceback.format_exc()
        sys.stderr.write(trace)
        say(error="%s: %s" % (type(e).__name__, e), trace=trace)

    provide_modules()
    logging.basicConfig(stream=sys.stdout, level=level())
    try:
        if "AZUREML_LOCAL_ROWS" in os.environ:
            import pandas  # noqa: F401 that the first mini-batch's time is its own
        script = mlflow_script() if path == "mlflow" else load(path)
        if callable(getattr(script, "init", None)):
            script.init()
        takes = [p for p in inspect.signature(script.run).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    except BaseException as e:  # a script that calls exit() has failed, too
        failed(e)
        return 1
    say(ready=True)
    for line in lines:
        try:
            message = json.loads(line)
            batch, items = mini_batch(message)
            result = script.run(batch, Context(message, len(batch))) if len(takes) > 1 else script.run(batch)
            rows, count = rows_of(result)
            answer = {"results": rows, "count": count}
            if items is not None:
                answer["items"] = items
            say(**answer)
        except KeyboardInterrupt:
            raise
        except BaseException as e:
            failed(e)
    try:
        if callable(getattr(script, "shutdown", None)):
            script.shutdown()
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)

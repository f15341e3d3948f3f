"""A scoring script with a schema: the server makes the arguments and the OpenAPI document of it."""

from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema


def init():
    pass


@input_schema("words", StandardPythonParameterType(["a"]))
@output_schema(StandardPythonParameterType({"lengths": [1]}))
def run(words):
    if not words:
        raise ValueError("no words to measure")
    return {"lengths": [len(w) for w in words]}

"""A scoring script as Azure ML documents it, with the parts that only azureml-inference-server-http gives: a schema, raw requests and answers."""

import json
import os

from azureml_inference_server_http.api.aml_request import AMLRequest, rawhttp
from azureml_inference_server_http.api.aml_response import AMLResponse


def init():
    global weights
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "weights.json"), encoding="utf-8") as f:
        weights = json.load(f)
    print("init read", len(weights), "weights")


@rawhttp
def run(request: AMLRequest):
    if request.method == "GET":
        return AMLResponse({"weights": weights, "deployment": request.headers.get("azureml-model-deployment")}, 200, json_str=True)
    rows = json.loads(request.get_data(False))["data"]
    if any(len(row) != len(weights) for row in rows):
        return AMLResponse("a row needs %d values" % len(weights), 422)
    answer = AMLResponse([sum(w * x for w, x in zip(weights, row)) for row in rows], 200, json_str=True)
    answer.headers["x-scored"] = str(len(rows))
    return answer

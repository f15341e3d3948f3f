"""Components: command, parallel, sweep and pipeline; validation, download, archive."""

import os

from azure.ai.ml import Input, Output, command, dsl, load_component
from azure.ai.ml.entities import CommandComponent, PipelineComponent
from azure.core.exceptions import ResourceNotFoundError

COMMAND = """
name: adder
version: "1"
type: command
description: adds
inputs:
  a: {type: integer, default: 1, min: 0, max: 100}
  b: {type: number}
  folder: {type: uri_folder, optional: true}
outputs:
  sum: {type: uri_file}
code: ./adder
command: python add.py ${{inputs.a}} ${{inputs.b}} ${{outputs.sum}} $[[${{inputs.folder}}]]
environment:
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest
"""


def run(w):
    ml, step = w.ml, w.step
    w.write("adder/add.py", "import sys\nopen(sys.argv[3], 'w').write(str(float(sys.argv[1]) + float(sys.argv[2])))\n")
    path = w.write("adder.yml", COMMAND)
    with step("components: create from YAML with code"):
        c = ml.components.create_or_update(load_component(path))
        assert isinstance(c, CommandComponent) and c.version == "1" and c.inputs["a"].default in (1, "1"), c
        c = ml.components.get("adder", version="1")
        assert c.description == "adds" and c.outputs["sum"].type == "uri_file" and c.environment, c
    with step("components: validate"):
        assert ml.components.validate(load_component(path)).passed
        broken = load_component(w.write("broken.yml", COMMAND.replace("inputs.b}}", "inputs.missing}}")))
        assert not ml.components.validate(broken).passed
    with step("components: the next version, unchanged content, update"):
        c = load_component(path)
        c.version, c.description = "2", "adds again"
        assert ml.components.create_or_update(c).version == "2"
        assert ml.components.get("adder", label="latest").version == "2" and ml.components.get("adder").version == "2"
        c = ml.components.get("adder", version="2")
        c.tags = {"k": "v"}
        ml.components.create_or_update(c)
        assert ml.components.get("adder", version="2").tags["k"] == "v"
    with step("components: prepare for signing"):
        ml.components.prepare_for_sign(load_component(path))
        assert os.path.exists(w.folder + "/adder/catalog.json")
    with step("components: a pipeline from the DSL"):
        add = ml.components.get("adder", version="1")

        @dsl.pipeline(name="twice", version="1", description="adds twice")
        def twice(x: int, y: float):
            first = add(a=x, b=y)
            return {"sum": add(a=2, b=3.5).outputs.sum, "first": first.outputs.sum}

        c = ml.components.create_or_update(twice)
        assert isinstance(c, PipelineComponent) and set(c.outputs) == {"sum", "first"}, c
        assert ml.components.get("twice", version="1").inputs["y"].type == "number"
    with step("components: from a command builder, anonymous"):
        c = command(name="echo", command="echo ${{inputs.word}}", environment="azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest", inputs={"word": Input(type="string", default="hi")}, outputs={"o": Output(type="uri_folder")})
        made = ml.components.create_or_update(c.component, is_anonymous=True)
        assert made.id and made.version, made
    with step("components: list"):
        assert {"adder", "twice"} <= {c.name for c in ml.components.list()}
        assert sorted(c.version for c in ml.components.list(name="adder")) == ["1", "2"]
    with step("components: download"):
        _, _, code = w.stored_code("adder/add.py")
        ml.components.create_or_update(load_component(w.write("stored.yml", COMMAND.replace("adder\n", "stored\n", 1).replace("./adder", "azureml:" + code))))
        ml.components.download("stored", version="1", download_path=w.folder + "/down")
        found = [f for _, _, files in os.walk(w.folder + "/down") for f in files]
        assert "add.py" in found and any(f.endswith((".yml", ".yaml")) for f in found), found
    with step("components: archive and restore"):
        ml.components.archive("adder", version="1")
        assert [c.version for c in ml.components.list(name="adder")] == ["2"]
        ml.components.restore("adder", version="1")
        ml.components.archive("twice")
        assert "twice" not in {c.name for c in ml.components.list()}
        ml.components.restore("twice")
        assert "twice" in {c.name for c in ml.components.list()}
    with step("components: missing"):
        w.error(ResourceNotFoundError, "not found", ml.components.get, "nothing", version="1")

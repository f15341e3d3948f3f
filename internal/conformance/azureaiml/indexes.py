"""Indexes, which are kept beside the workspace's other assets, and evaluators, which are models."""

from azure.ai.ml import load_index
from azure.ai.ml.entities import Index, IndexModelConfiguration, Model
from azure.core.exceptions import ResourceNotFoundError


def run(w):
    ml, step = w.ml, w.step
    w.write("index/index.faiss", "bytes\n")
    with step("indexes: create, get, list"):
        made = ml.indexes.create_or_update(Index(name="words", version="1", path=w.folder + "/index", description="d", tags={"a": "b"}))
        assert made.name == "words" and made.path, made
        got = ml.indexes.get("words", version="1")
        assert got.tags["a"] == "b" and got.description == "d", got
        made = ml.indexes.create_or_update(Index(name="words", path=w.folder + "/index"))
        assert made.version == "2", made
        ml.indexes.create_or_update(load_index(w.write("index.yml", "name: other\nversion: '1'\npath: ./index\n")))
        assert ml.indexes.get("words", label="latest").version == "2"
        assert {"words", "other"} <= {i.name for i in ml.indexes.list()}
        assert sorted(i.version for i in ml.indexes.list("words")) == ["1", "2"]
    with step("indexes: missing"):
        w.error(ResourceNotFoundError, "not found", ml.indexes.get, "nothing", version="1")
    with step("evaluators: create, get, list, download"):
        w.write("eval/flow.flex.yaml", "entry: e:E\n")
        made = ml.evaluators.create_or_update(Model(name="judge", version="1", path=w.folder + "/eval", type="custom_model"))
        assert made.properties["is-evaluator"] == "true", made
        assert ml.evaluators.get("judge", version="1").name == "judge"
        assert [e.version for e in ml.evaluators.list("judge")] == ["1"]
        ml.evaluators.download("judge", "1", download_path=w.folder + "/down")
        assert w.read(w.folder, "down/judge/eval/flow.flex.yaml") == "entry: e:E\n"
    with step("evaluators: a model that is none"):
        ml.models.create_or_update(Model(name="plain", version="1", path=w.folder + "/eval", type="custom_model"))
        w.error(ResourceNotFoundError, "not found", ml.evaluators.get, "plain", version="1")
    with step("indexes: building one needs Microsoft's components"):
        model = IndexModelConfiguration(api_base=None, api_key=None, api_version=None, connection_name="openai", connection_type=None, model_name="ada", deployment_name="ada", model_kwargs={})
        w.refused("llm_", ml.indexes.build_index, name="built", embeddings_model_config=model, input_source="azureml://datastores/workspaceblobstore/paths/docs")

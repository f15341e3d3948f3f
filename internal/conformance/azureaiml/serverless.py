"""Serverless endpoints and marketplace subscriptions: documents here, since no model is served by them locally."""

from azure.ai.ml.entities import MarketplaceSubscription, ServerlessEndpoint
from azure.core.exceptions import ResourceNotFoundError

MODEL = "azureml://registries/azureml-meta/models/Llama-2-7b"


def run(w):
    ml, step = w.ml, w.step
    with step("marketplace subscriptions: create, get, list, delete"):
        made = ml.marketplace_subscriptions.begin_create_or_update(MarketplaceSubscription(name="llama", model_id=MODEL))
        assert made.name == "llama" and made.model_id == MODEL, made
        assert ml.marketplace_subscriptions.get("llama").status
        assert [s.name for s in ml.marketplace_subscriptions.list()] == ["llama"]
        ml.marketplace_subscriptions.begin_delete("llama")
        w.error(ResourceNotFoundError, "not found", ml.marketplace_subscriptions.get, "llama")
    with step("serverless endpoints: create, get, list"):
        made = ml.serverless_endpoints.begin_create_or_update(ServerlessEndpoint(name="less", model_id=MODEL, tags={"a": "b"}))
        assert made.name == "less" and made.auth_mode, made
        got = ml.serverless_endpoints.get("less")
        assert got.model_id == MODEL and got.tags["a"] == "b", got
        assert [e.name for e in ml.serverless_endpoints.list()] == ["less"]
    with step("serverless endpoints: keys"):
        keys = ml.serverless_endpoints.get_keys("less")
        assert keys.primary_key and keys.secondary_key
    with step("serverless endpoints: delete"):
        ml.serverless_endpoints.begin_delete("less")
        w.error(ResourceNotFoundError, "not found", ml.serverless_endpoints.get, "less")

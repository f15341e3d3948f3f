"""Points the stock azure-ai-ml at a loopback address. Everything of it runs as its authors wrote it; only addresses and its https rule change.

It hard-codes some things that an address alone does not turn: the cloud's resource manager, the base of registry discovery, storage addresses (which it
builds by hand as https://ACCOUNT.blob.SUFFIX; here they are path style, as Azurite has them), the patterns by which it knows such an address again when it
downloads code or what a registry holds, the hosts of deployment templates and of virtual clusters, and azure-core's rule that bearer tokens need https.
"""

import functools
import os
import re
import time
import types

os.environ["APPINSIGHTS_INSTRUMENTATIONKEY"] = ""


def prepare(base):
    """Does it once for the process."""
    base = base.rstrip("/")
    os.environ["AZUREML_DEV_URL_MFE"] = base
    import azure.core.pipeline.policies._authentication as authentication

    authentication._enforce_https = lambda request: request.context.options.pop("enforce_https", None)
    import azure.ai.ml._azure_environments as clouds
    import azure.ai.ml.constants._common as constants

    cloud = clouds._environments["AzureCloud"]
    cloud["resource_manager"] = base + "/"
    cloud["registry_discovery_endpoint"] = base + "/"
    for kind in list(constants.STORAGE_ACCOUNT_URLS):
        constants.STORAGE_ACCOUNT_URLS[kind] = base + "/{0}/"
    import azure.ai.ml.operations._code_operations as code

    hosts = r"https://(?P<account_name>.+)\.blob\.core\.windows\.net(:[0-9]+)?"
    here = re.escape(base) + "/(?P<account_name>[^/]+)"
    import azure.ai.ml._utils._storage_utils as storage

    storage.STORAGE_URI_REGEX = here + "/([^/]+)/(.+)"
    import azure.ai.ml.operations._deployment_template_operations as template

    template.DeploymentTemplateOperations._get_registry_endpoint = lambda self: base
    import azure.ai.ml._utils.azure_resource_utils as resources
    import azure.ai.ml.operations._virtual_cluster_operations as clusters

    resources.ResourceManagementClient = functools.partial(resources.ResourceManagementClient, base_url=base)
    index = clusters.IndexServiceAPIs
    clusters.IndexServiceAPIs = lambda **options: index(**options | {"base_url": base})
    code.re = types.SimpleNamespace(match=lambda pattern, text: re.match(pattern.replace(hosts, here), text))


class Credential:
    """The local workspace's token, whatever it is asked for."""

    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **options):
        from azure.core.credentials import AccessToken

        return AccessToken(self.token, int(time.time()) + 3600)


def connect(server, workspace=None, **options):
    """An MLClient. server is what examples/localserver prints."""
    from azure.ai.ml import MLClient

    prepare(server["url"])
    if "registry_name" not in options:
        options["workspace_name"] = workspace or server["workspace_name"]
    return MLClient(
        Credential(server["token"]), server["subscription_id"], server["resource_group"], enable_telemetry=False, show_progress=False, **options
    )

"""What the suites of the storage clients share: where the local workspace is, and clients whose calls are written down."""

import datetime
import inspect
import json
import os
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "azureaiml"))

import table

CLIENTS = set()  # names of the classes whose calls are written down


def methods(classes):
    """The public methods of the classes, which are recorded from now on."""
    found = []
    for cls in classes:
        CLIENTS.add(cls.__name__)
        for name in dir(cls):
            if not name.startswith("_") and callable(getattr(cls, name)) and not isinstance(inspect.getattr_static(cls, name), property):
                found.append(f"{cls.__name__}.{name}")
    return found


class Recorded(table.Recorded):
    def _hold(self, answer):
        return Recorded(self._table, answer) if type(answer).__name__ in CLIENTS else answer

    @property
    def plain(self):
        return self._operations


class World:
    def __init__(self, server, log):
        self.table, self.step, self.error, self.refused = log, log.step, log.error, log.refused
        ws = f"/subscriptions/{server['subscription_id']}/resourceGroups/{server['resource_group']}/providers/Microsoft.MachineLearningServices/workspaces/{server['workspace_name']}"
        self.ask = ask = lambda method, path, body=None: json.load(
            urllib.request.urlopen(urllib.request.Request(f"{server['url']}{ws}{path}?api-version=2024-04-01", body, {"Authorization": "Bearer " + server["token"], "Content-Type": "application/json"}, method=method))
        )
        self.account = ask("GET", "/datastores/workspaceblobstore")["properties"]["accountName"]
        self.key = ask("POST", "/datastores/workspaceblobstore/listSecrets", b"{}")["key"]
        self.url = f"{server['url']}/{self.account}"

    def note(self, cls, name):
        """Constructors are class methods: they are written down by hand."""
        self.table.note(f"{cls.__name__}.{name}", table.PASSED)
        return getattr(cls, name)

    def record(self, client):
        return Recorded(self.table, client)

    def sas(self, make, *names, permission="rwdlac", minutes=10, **options):
        if "credential" in inspect.signature(make).parameters:
            options["credential"] = self.key
        else:
            options["account_key"] = self.key
        expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
        return make(self.account, *names, permission=permission, expiry=expiry, **options)

"""Feature stores, their entities and feature sets."""

from datetime import datetime

from azure.ai.ml import load_feature_set, load_feature_store_entity
from azure.ai.ml.entities import DataColumn, FeatureSet, FeatureSetSpecification, FeatureStore, FeatureStoreEntity
from azure.core.exceptions import ResourceNotFoundError

SPEC = """
$schema: http://azureml/sdk-2-0/FeatureSetSpec.json
source:
  type: parquet
  path: abfss://c@acc.dfs.core.windows.net/f/*.parquet
  timestamp_column: {name: timestamp}
  source_delay: {days: 0, hours: 3, minutes: 5}
features:
  - {name: spent_7d, type: string, description: seven days, tags: {"period": "7"}}
  - {name: spent_3d, type: float}
index_columns:
  - {name: account, type: string}
"""


def run(w):
    ml, step = w.ml, w.step
    with step("feature stores: create"):
        made = ml.feature_stores.begin_create(FeatureStore(name="features", display_name="Features", description="d"), grant_materialization_permissions=False)
        assert isinstance(made, FeatureStore) and made.name == "features", made
    with step("feature stores: get, list, update"):
        fs = ml.feature_stores.get("features")
        assert fs.display_name == "Features", fs
        assert "features" in [x.name for x in ml.feature_stores.list()] and "features" in [x.name for x in ml.feature_stores.list(scope="subscription")]
        fs.description = "changed"
        ml.feature_stores.begin_update(fs, grant_materialization_permissions=False)
        assert ml.feature_stores.get("features").description == "changed"
    with step("feature stores: provision network"):
        ml.feature_stores.begin_provision_network(feature_store_name="features")
    inside(w, w.connect("features"))
    with step("feature stores: delete"):
        ml.feature_stores.begin_delete("features", delete_dependent_resources=False)
        w.error(ResourceNotFoundError, "not found", ml.workspaces.get, "features")


def inside(w, fs):
    step = w.step
    entities, sets = fs.feature_store_entities, fs.feature_sets
    with step("feature store entities: create, get, list"):
        made = entities.begin_create_or_update(FeatureStoreEntity(name="account", version="1", index_columns=[DataColumn(name="account", type="string")], description="d", tags={"a": "b"}))
        assert made.name == "account" and made.index_columns[0].name == "account", made
        entities.begin_create_or_update(load_feature_store_entity(w.write("entity.yml", "name: account\nversion: '2'\nindex_columns:\n  - {name: account, type: string}\n")))
        assert entities.get("account", "1").tags["a"] == "b"
        assert "account" in [e.name for e in entities.list()]
        assert sorted(e.version for e in entities.list(name="account")) == ["1", "2"]
    with step("feature store entities: archive and restore"):
        entities.archive("account", "2")
        assert [e.version for e in entities.list(name="account")] == ["1"]
        entities.restore("account", "2")
        assert len(entities.list(name="account")) == 2
    with step("feature sets: create, get, list"):
        w.write("set/spec/FeatureSetSpec.yaml", SPEC)
        made = sets.begin_create_or_update(FeatureSet(name="spent", version="1", entities=["azureml:account:1"], specification=FeatureSetSpecification(path=w.folder + "/set/spec"), stage="Development", tags={"a": "b"}))
        assert made.name == "spent" and made.entities, made
        w.write("set/set.yml", "name: spent\nversion: '2'\nentities: ['azureml:account:1']\nspecification: {path: ./spec}\n")
        sets.begin_create_or_update(load_feature_set(w.folder + "/set/set.yml"))
        assert sets.get("spent", "1").stage == "Development"
        assert "spent" in [s.name for s in sets.list()]
        assert sorted(s.version for s in sets.list(name="spent")) == ["1", "2"]
    with step("feature sets: features"):
        names = {f.name for f in sets.list_features("spent", "1")}
        assert names == {"spent_7d", "spent_3d"}, names
        assert sets.get_feature("spent", "1", feature_name="spent_7d").description == "seven days"
        assert [f.name for f in sets.list_features("spent", "1", feature_name="spent_3d")] == ["spent_3d"]
    with step("feature sets: backfill is a Spark job"):
        w.refused("Spark", sets.begin_backfill, name="spent", version="1", feature_window_start_time=datetime(2026, 1, 1), feature_window_end_time=datetime(2026, 1, 2), data_status=["None"])
        assert sets.list_materialization_operations("spent", "1") == []
    with step("feature sets: archive and restore"):
        sets.archive("spent", "2")
        assert [s.version for s in sets.list(name="spent")] == ["1"]
        sets.restore("spent", "2")
        assert len(sets.list(name="spent")) == 2
    with step("feature sets: missing"):
        w.error(ResourceNotFoundError, "not found", sets.get, "nothing", "1")

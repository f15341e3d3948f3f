package tracking

// schema makes the tables. Runs are told by rid, experiments by eid, keys of
// metrics, parameters and tags by kid, all of them numbers of this folder.
const schema = `
CREATE TABLE tracking_spaces (
	id INTEGER PRIMARY KEY,
	key TEXT NOT NULL UNIQUE
);
CREATE TABLE tracking_keys (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
);
CREATE TABLE tracking_experiments (
	eid INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	location TEXT NOT NULL,
	stage TEXT NOT NULL,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	tags TEXT NOT NULL DEFAULT '',
	UNIQUE (ws, id),
	UNIQUE (ws, name)
);
CREATE TABLE tracking_runs (
	rid INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	run_id TEXT NOT NULL,
	eid INTEGER NOT NULL,
	name TEXT NOT NULL,
	user TEXT NOT NULL,
	status TEXT NOT NULL,
	start INTEGER NOT NULL,
	ended INTEGER,
	deleted INTEGER,
	stage TEXT NOT NULL,
	uri TEXT NOT NULL,
	parent TEXT,
	hidden INTEGER NOT NULL DEFAULT 0,
	linked INTEGER NOT NULL DEFAULT 0,
	UNIQUE (ws, run_id)
);
CREATE INDEX tracking_runs_order ON tracking_runs (eid, start DESC, run_id);
CREATE INDEX tracking_runs_parent ON tracking_runs (ws, parent) WHERE parent IS NOT NULL;
CREATE TABLE tracking_run_data (
	rid INTEGER PRIMARY KEY,
	tags TEXT NOT NULL DEFAULT '',
	params TEXT NOT NULL DEFAULT '',
	metrics BLOB NOT NULL DEFAULT ''
);
CREATE TABLE tracking_params (
	rid INTEGER NOT NULL,
	kid INTEGER NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (rid, kid)
) WITHOUT ROWID;
CREATE INDEX tracking_params_value ON tracking_params (kid, substr(value, 1, 64));
CREATE TABLE tracking_tags (
	rid INTEGER NOT NULL,
	kid INTEGER NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (rid, kid)
) WITHOUT ROWID;
CREATE INDEX tracking_tags_value ON tracking_tags (kid, substr(value, 1, 64));
CREATE TABLE tracking_latest (
	rid INTEGER NOT NULL,
	kid INTEGER NOT NULL,
	eid INTEGER NOT NULL,
	nan INTEGER NOT NULL,
	value REAL NOT NULL,
	PRIMARY KEY (rid, kid)
) WITHOUT ROWID;
CREATE INDEX tracking_latest_order ON tracking_latest (eid, kid, nan, value);
CREATE TABLE tracking_tail (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	rid INTEGER NOT NULL,
	n INTEGER NOT NULL,
	data BLOB NOT NULL
);
CREATE INDEX tracking_tail_run ON tracking_tail (rid);
CREATE TABLE tracking_segments (
	id INTEGER PRIMARY KEY,
	rid INTEGER NOT NULL,
	kid INTEGER NOT NULL,
	n INTEGER NOT NULL,
	first INTEGER NOT NULL,
	last INTEGER NOT NULL,
	data BLOB NOT NULL
);
CREATE INDEX tracking_segments_key ON tracking_segments (rid, kid, first, last, n);
CREATE TABLE tracking_datasets (
	did INTEGER PRIMARY KEY,
	eid INTEGER NOT NULL,
	name TEXT NOT NULL,
	digest TEXT NOT NULL,
	source_type TEXT NOT NULL,
	source TEXT NOT NULL,
	schema TEXT,
	profile TEXT,
	UNIQUE (eid, name, digest)
);
CREATE TABLE tracking_inputs (
	id INTEGER PRIMARY KEY,
	rid INTEGER NOT NULL,
	did INTEGER NOT NULL,
	tags TEXT NOT NULL,
	context TEXT,
	UNIQUE (rid, did)
);
CREATE INDEX tracking_inputs_dataset ON tracking_inputs (did);
CREATE TABLE tracking_run_models (
	id INTEGER PRIMARY KEY,
	rid INTEGER NOT NULL,
	output INTEGER NOT NULL,
	model_id TEXT NOT NULL,
	step INTEGER NOT NULL,
	UNIQUE (rid, output, model_id)
);
CREATE TABLE tracking_logged (
	lid INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	model_id TEXT NOT NULL,
	eid INTEGER NOT NULL,
	stage TEXT NOT NULL,
	created INTEGER NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (ws, model_id)
);
CREATE INDEX tracking_logged_experiment ON tracking_logged (eid);
CREATE TABLE tracking_logged_metrics (
	id INTEGER PRIMARY KEY,
	model_id TEXT NOT NULL,
	ws INTEGER NOT NULL,
	name TEXT NOT NULL,
	time INTEGER NOT NULL,
	step INTEGER NOT NULL,
	run_id TEXT NOT NULL,
	value REAL NOT NULL,
	dataset_name TEXT,
	dataset_digest TEXT,
	UNIQUE (ws, model_id, name, time, step, run_id)
);
CREATE TABLE tracking_models (
	mid INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	name TEXT NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (ws, name)
);
CREATE TABLE tracking_versions (
	vid INTEGER PRIMARY KEY,
	mid INTEGER NOT NULL,
	version INTEGER NOT NULL,
	stage TEXT NOT NULL,
	run TEXT NOT NULL,
	place TEXT,
	prompt INTEGER NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (mid, version)
);
CREATE INDEX tracking_versions_prompt ON tracking_versions (mid) WHERE prompt = 1;
CREATE INDEX tracking_versions_run ON tracking_versions (run);
CREATE INDEX tracking_versions_place ON tracking_versions (place) WHERE place IS NOT NULL;
CREATE TABLE tracking_traces (
	tid INTEGER PRIMARY KEY,
	ws INTEGER NOT NULL,
	trace_id TEXT NOT NULL,
	eid INTEGER NOT NULL,
	time INTEGER NOT NULL,
	body TEXT NOT NULL,
	UNIQUE (ws, trace_id)
);
CREATE INDEX tracking_traces_order ON tracking_traces (eid, time DESC, trace_id);
CREATE TABLE tracking_spans (
	tid INTEGER NOT NULL,
	span_id TEXT NOT NULL,
	parent TEXT,
	start INTEGER NOT NULL,
	body TEXT NOT NULL,
	PRIMARY KEY (tid, span_id)
) WITHOUT ROWID;
CREATE TABLE tracking_links (
	kind TEXT NOT NULL,
	target TEXT NOT NULL,
	tid INTEGER NOT NULL,
	PRIMARY KEY (kind, target, tid)
) WITHOUT ROWID;
`

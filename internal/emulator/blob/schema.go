package blob

// steps are the schema. Times are nanoseconds since 1970. A file is a path below
// the service's folder, with slashes; no two rows name the same file, except rows
// of one blob. Names sort by their bytes, as the service lists them.
var steps = []string{`
CREATE TABLE blob_accounts (
	name TEXT PRIMARY KEY,
	key TEXT NOT NULL              -- base64 of 64 bytes
) WITHOUT ROWID;
CREATE TABLE blob_containers (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	account TEXT NOT NULL,
	name TEXT NOT NULL,
	etag INTEGER NOT NULL,
	modified INTEGER NOT NULL,
	metadata TEXT NOT NULL,        -- JSON object
	UNIQUE (account, name)
);
CREATE TABLE blobs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	container INTEGER NOT NULL,
	name TEXT NOT NULL,
	kind INTEGER NOT NULL,         -- 0 block, 1 append, 2 live: an append blob whose size is its file's, 3 a share's file, written in place
	place INTEGER NOT NULL,        -- 0 in blob_contents, 1 in file, 2 in blob_segments
	file TEXT NOT NULL,
	size INTEGER NOT NULL,
	etag INTEGER NOT NULL,
	md5 BLOB,
	content_type TEXT NOT NULL,
	headers TEXT NOT NULL,         -- JSON object of what is seldom set
	metadata TEXT NOT NULL,        -- JSON object, names in lower case
	created INTEGER NOT NULL,
	modified INTEGER NOT NULL,
	UNIQUE (container, name)
);
CREATE INDEX blobs_live ON blobs (kind) WHERE kind = 2;
CREATE TABLE blob_contents (
	blob INTEGER PRIMARY KEY,
	data BLOB NOT NULL
);
CREATE TABLE blob_segments (       -- the committed block list
	blob INTEGER NOT NULL,
	seq INTEGER NOT NULL,
	block TEXT NOT NULL,           -- the block's id as it was sent, base64
	file TEXT NOT NULL,
	size INTEGER NOT NULL,
	PRIMARY KEY (blob, seq)
) WITHOUT ROWID;
CREATE TABLE blob_blocks (         -- uploaded and not committed
	container INTEGER NOT NULL,
	name TEXT NOT NULL,
	block TEXT NOT NULL,
	file TEXT NOT NULL,
	size INTEGER NOT NULL,
	created INTEGER NOT NULL,
	PRIMARY KEY (container, name, block)
) WITHOUT ROWID;
CREATE TABLE blob_garbage (        -- files that no row names any more
	file TEXT PRIMARY KEY
) WITHOUT ROWID;
CREATE TABLE blob_generations (    -- one for each time that the folder was opened
	id INTEGER PRIMARY KEY AUTOINCREMENT
);
`, `
ALTER TABLE blob_containers ADD COLUMN share INTEGER NOT NULL DEFAULT 0; -- 1: made as a share of files
`}

-- Everything that decides. Documents are JSON with a format number inside (src/document.rs);
-- a column of its own is only what is searched for.

CREATE TABLE identity (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    recipient TEXT NOT NULL
);

CREATE TABLE blobs (
    digest TEXT PRIMARY KEY,
    bytes  BLOB NOT NULL
);

-- No reference to instances: operations stay as history when an instance is released.
CREATE TABLE operations (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    instance      TEXT NOT NULL,
    kind          TEXT NOT NULL,
    actor         TEXT NOT NULL,
    started_ms    INTEGER NOT NULL,
    confirm_by_ms INTEGER,
    plan          TEXT NOT NULL,
    outcome       TEXT,
    sentences     TEXT,
    ended_ms      INTEGER,
    CHECK ((outcome IS NULL) = (ended_ms IS NULL))
);
CREATE INDEX operations_of_instance ON operations (instance, id);
CREATE UNIQUE INDEX one_open_operation ON operations (instance) WHERE ended_ms IS NULL;

CREATE TABLE snapshots (
    operation  INTEGER NOT NULL REFERENCES operations (id),
    position   INTEGER NOT NULL,
    file       TEXT NOT NULL,
    digest     TEXT NOT NULL REFERENCES blobs (digest),
    attributes TEXT NOT NULL,
    PRIMARY KEY (operation, position)
);

CREATE TABLE journal (
    operation INTEGER NOT NULL REFERENCES operations (id),
    position  INTEGER NOT NULL,
    phase     TEXT NOT NULL,
    PRIMARY KEY (operation, position)
);

CREATE TABLE instances (
    path    TEXT PRIMARY KEY,
    desired TEXT NOT NULL,
    draft   TEXT,
    written TEXT NOT NULL,
    base    TEXT NOT NULL,
    head    INTEGER REFERENCES operations (id)
);

CREATE TABLE plans (
    instance TEXT NOT NULL REFERENCES instances (path) ON DELETE CASCADE,
    id       TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (instance, id)
);

CREATE TABLE certificates (
    name        TEXT PRIMARY KEY,
    private_ca  BLOB,
    sealed_key  BLOB,
    source      TEXT NOT NULL,
    added_ms    INTEGER NOT NULL,
    file_digest TEXT
);

CREATE TABLE chains (
    certificate TEXT NOT NULL REFERENCES certificates (name) ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    der         BLOB NOT NULL,
    PRIMARY KEY (certificate, position)
);

CREATE TABLE audit (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    actor TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    what  TEXT NOT NULL
);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

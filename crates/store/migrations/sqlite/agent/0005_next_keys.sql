-- The key that the next certificate under a name is made for. Its TLSA records are published ahead.
CREATE TABLE next_keys (
    name       TEXT PRIMARY KEY,
    made_ms    INTEGER NOT NULL,
    sealed_key BLOB NOT NULL
);

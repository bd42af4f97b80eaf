-- What pages need. Nothing in here decides: the agent parses every job again.

CREATE TABLE users (
    name          TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL,
    added_ms      INTEGER NOT NULL
);

CREATE TABLE sessions (
    token_digest TEXT PRIMARY KEY,
    user_name    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    expires_ms   INTEGER NOT NULL
);

CREATE TABLE jobs (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    actor    TEXT NOT NULL,
    filed_ms INTEGER NOT NULL,
    intent   TEXT NOT NULL
);

CREATE TABLE copies (
    instance  TEXT NOT NULL,
    what      TEXT NOT NULL,
    document  TEXT NOT NULL,
    copied_ms INTEGER NOT NULL,
    PRIMARY KEY (instance, what)
);

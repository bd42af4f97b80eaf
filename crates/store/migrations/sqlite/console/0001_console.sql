-- The desk: what the console and the agent tell each other. Nothing in here decides: the agent reads
-- every job as if a stranger had written it.

CREATE TABLE users (
    name     TEXT PRIMARY KEY,
    role     TEXT NOT NULL,
    -- argon2id, as a PHC string; none until the invitation is taken
    password TEXT,
    totp     BLOB,
    -- the last time step of a code that was taken: none is taken twice (RFC 6238 §5.2)
    totp_step INTEGER,
    added_ms INTEGER NOT NULL
) STRICT;

-- Each is taken once: it lets its user choose a password.
CREATE TABLE invitations (
    digest  BLOB PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    ends_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    digest  BLOB PRIMARY KEY,
    user    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    made_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user);

CREATE TABLE tokens (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    digest  BLOB NOT NULL UNIQUE,
    user    TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    made_ms INTEGER NOT NULL,
    ends_ms INTEGER NOT NULL,
    used_ms INTEGER
) STRICT;

CREATE TABLE jobs (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    instance   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    filed_ms   INTEGER NOT NULL,
    task       TEXT NOT NULL,
    -- who filed it says so once, however often it is sent
    request    TEXT,
    state      TEXT NOT NULL,
    cancel     INTEGER NOT NULL DEFAULT 0,
    agent      TEXT,
    lease_ms   INTEGER,
    started_ms INTEGER,
    ended_ms   INTEGER,
    exit       INTEGER,
    answer     TEXT,
    UNIQUE (actor, request)
) STRICT;
CREATE INDEX jobs_waiting ON jobs (instance, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_of_instance ON jobs (instance, id);

CREATE TABLE events (
    job      INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n        INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job, n)
) STRICT, WITHOUT ROWID;

-- What pages show, as the agent saw it.
CREATE TABLE copies (
    instance  TEXT NOT NULL,
    what      TEXT NOT NULL,
    document  TEXT NOT NULL,
    copied_ms INTEGER NOT NULL,
    PRIMARY KEY (instance, what)
) STRICT;

CREATE TABLE agents (
    instance TEXT PRIMARY KEY,
    agent    TEXT NOT NULL,
    version  TEXT NOT NULL,
    seen_ms  INTEGER NOT NULL
) STRICT;

-- What happened at the console, until the agent has taken it into its audit log.
CREATE TABLE notes (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    what  TEXT NOT NULL
) STRICT;

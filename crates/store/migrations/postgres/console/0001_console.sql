-- The desk: what the console and the agent tell each other. Nothing in here decides: the agent reads
-- every job as if a stranger had written it. The same tables as on SQLite (`sqlite/console`); names are ordered by their bytes,
-- whatever the database's locale.

-- Rules are searched by three letters each. Whoever owns the database may make it: it is a trusted extension.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE users (
    name      TEXT COLLATE "C" PRIMARY KEY,
    role      TEXT NOT NULL,
    -- argon2id, as a PHC string; none until the invitation is taken
    password  TEXT,
    totp      BYTEA,
    -- the last time step of a code that was taken: none is taken twice (RFC 6238 §5.2)
    totp_step BIGINT,
    added_ms  BIGINT NOT NULL
);

-- Each is taken once: it lets its user choose a password.
CREATE TABLE invitations (
    digest  BYTEA PRIMARY KEY,
    "user"  TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    ends_ms BIGINT NOT NULL
);

CREATE TABLE sessions (
    digest  BYTEA PRIMARY KEY,
    "user"  TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    made_ms BIGINT NOT NULL,
    seen_ms BIGINT NOT NULL,
    ends_ms BIGINT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions ("user");

CREATE TABLE tokens (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest  BYTEA NOT NULL UNIQUE,
    "user"  TEXT COLLATE "C" NOT NULL REFERENCES users (name) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    made_ms BIGINT NOT NULL,
    ends_ms BIGINT NOT NULL,
    used_ms BIGINT
);

CREATE TABLE jobs (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance   TEXT NOT NULL,
    actor      TEXT NOT NULL,
    filed_ms   BIGINT NOT NULL,
    task       TEXT NOT NULL,
    -- who filed it says so once, however often it is sent
    request    TEXT,
    state      TEXT NOT NULL,
    cancel     BOOLEAN NOT NULL DEFAULT FALSE,
    agent      TEXT,
    lease_ms   BIGINT,
    started_ms BIGINT,
    ended_ms   BIGINT,
    exit       BIGINT,
    answer     TEXT,
    UNIQUE (actor, request)
);
CREATE INDEX jobs_request ON jobs (request);
CREATE INDEX jobs_waiting ON jobs (instance, id) WHERE state IN ('waiting', 'running');
CREATE INDEX jobs_of_instance ON jobs (instance, id);
-- What is under way, or has ended since pages were copied.
CREATE INDEX jobs_ended ON jobs (instance, ended_ms);

CREATE TABLE events (
    job      BIGINT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    n        BIGINT NOT NULL,
    at_ms    BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (job, n)
);

-- What pages show, as the agent saw it.
CREATE TABLE copies (
    instance  TEXT NOT NULL,
    what      TEXT NOT NULL,
    document  TEXT NOT NULL,
    copied_ms BIGINT NOT NULL,
    PRIMARY KEY (instance, what)
);

CREATE TABLE agents (
    instance TEXT COLLATE "C" PRIMARY KEY,
    agent    TEXT NOT NULL,
    version  TEXT NOT NULL,
    seen_ms  BIGINT NOT NULL
);

-- What happened at the console, until the agent has taken it into its audit log.
CREATE TABLE notes (
    id    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    what  TEXT NOT NULL
);

-- The rules of each instance, as the agent saw them: a set at a time, each in a table of its own (`rules_N`), made when the
-- set is. Pages show the one that is whole; another is written beside it.
CREATE TABLE rule_sets (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instance TEXT NOT NULL,
    -- what the agent knows by whether anything has changed since; none while it is written
    mark     TEXT,
    made_ms  BIGINT NOT NULL,
    -- how many there are, in all and of each kind: JSON
    counts   TEXT,
    -- a set that a change was made to is another set, in the tables of the set of this number; none: in its own
    tables   BIGINT
);
CREATE INDEX rule_sets_of_instance ON rule_sets (instance);

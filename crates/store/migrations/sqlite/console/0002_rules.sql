-- The rules of each instance, as the agent saw them: a set at a time, each in tables of its own (`rules_N`, and
-- `rules_N_words` to search them), made when the set is. Pages show the one that is whole; another is written beside it.
CREATE TABLE rule_sets (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    -- what the agent knows by whether anything has changed since; none while it is written
    mark     TEXT,
    made_ms  INTEGER NOT NULL,
    -- how many there are, in all and of each kind: JSON
    counts   TEXT
) STRICT;
CREATE INDEX rule_sets_of_instance ON rule_sets (instance);

-- What is under way, or has ended since pages were copied.
CREATE INDEX jobs_ended ON jobs (instance, ended_ms);

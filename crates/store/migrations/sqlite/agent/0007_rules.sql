-- Rules for destinations. What is in force, what is wished, and what each operation changed.
-- `both`: 1 where a rule for a domain is for the names below it, too. `about`: JSON, or nothing.

CREATE TABLE rules (
    instance    TEXT NOT NULL,
    destination TEXT NOT NULL,
    manager     TEXT NOT NULL,
    both        INTEGER NOT NULL,
    policy      TEXT NOT NULL,
    about       TEXT,
    PRIMARY KEY (instance, destination, manager)
) WITHOUT ROWID;

-- Only what differs from what is in force; without a policy: to be removed.
CREATE TABLE rule_wishes (
    instance    TEXT NOT NULL,
    destination TEXT NOT NULL,
    manager     TEXT NOT NULL,
    both        INTEGER NOT NULL,
    policy      TEXT,
    about       TEXT,
    PRIMARY KEY (instance, destination, manager)
) WITHOUT ROWID;

-- No policy before: added; none after: removed.
CREATE TABLE rule_changes (
    operation     INTEGER NOT NULL REFERENCES operations (id),
    destination   TEXT NOT NULL,
    manager       TEXT NOT NULL,
    both_before   INTEGER,
    policy_before TEXT,
    about_before  TEXT,
    both_after    INTEGER,
    policy_after  TEXT,
    about_after   TEXT,
    PRIMARY KEY (operation, destination, manager)
) WITHOUT ROWID;

-- Rises with every wish, so that a plan is carried out with the rules it was made from.
ALTER TABLE instances ADD COLUMN rules_revision INTEGER NOT NULL DEFAULT 0;

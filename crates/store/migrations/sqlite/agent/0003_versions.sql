-- A certificate has versions: a renewal stands beside what it renews, which operations in the log
-- may still lead back to.
ALTER TABLE chains RENAME TO first_chains;
ALTER TABLE certificates RENAME TO first_certificates;

CREATE TABLE certificates (
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    private_ca  BLOB,
    sealed_key  BLOB,
    source      TEXT NOT NULL,
    added_ms    INTEGER NOT NULL,
    file_digest TEXT,
    PRIMARY KEY (name, version)
);

CREATE TABLE chains (
    certificate TEXT NOT NULL,
    version     INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    der         BLOB NOT NULL,
    PRIMARY KEY (certificate, version, position),
    FOREIGN KEY (certificate, version) REFERENCES certificates (name, version) ON DELETE CASCADE
);

INSERT INTO certificates (name, version, private_ca, sealed_key, source, added_ms, file_digest)
SELECT name, 1, private_ca, sealed_key, source, added_ms, file_digest FROM first_certificates;
INSERT INTO chains (certificate, version, position, der)
SELECT certificate, 1, position, der FROM first_chains;

DROP TABLE first_chains;
DROP TABLE first_certificates;

-- What is asked of a CA elsewhere, until its certificate comes.
CREATE TABLE requests (
    name       TEXT PRIMARY KEY,
    document   TEXT NOT NULL,
    sealed_key BLOB NOT NULL
);

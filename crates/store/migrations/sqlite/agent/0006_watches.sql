-- Which certificate has which fingerprint (SHA-256 of the leaf), so that one is found without
-- reading all. Rows of certificates that were there before are added by the program.
CREATE TABLE leaves (
    fingerprint TEXT NOT NULL,
    certificate TEXT NOT NULL,
    version     INTEGER NOT NULL,
    PRIMARY KEY (certificate, version),
    FOREIGN KEY (certificate, version) REFERENCES certificates (name, version) ON DELETE CASCADE
);
CREATE INDEX certificates_of_leaf ON leaves (fingerprint);

-- Folders of ACME clients that are watched for renewals.
CREATE TABLE watches (
    instance    TEXT NOT NULL,
    certificate TEXT NOT NULL,
    document    TEXT NOT NULL,
    PRIMARY KEY (instance, certificate)
);

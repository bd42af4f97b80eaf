-- Accounts with CAs that speak ACME: each with what restores it, its private key within, sealed.
CREATE TABLE acme_accounts (
    directory          TEXT PRIMARY KEY,
    document           TEXT NOT NULL,
    sealed_credentials BLOB NOT NULL
);

-- How certificates are issued again, and how far that is. No foreign key: a name has versions.
CREATE TABLE renewals (
    name     TEXT PRIMARY KEY,
    document TEXT NOT NULL
);

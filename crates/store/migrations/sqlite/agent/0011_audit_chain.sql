-- Each entry of the audit log holds the digest of all before it: none can be changed, taken out or put
-- between without breaking the chain.

ALTER TABLE audit ADD COLUMN kind TEXT NOT NULL DEFAULT 'store';

CREATE TABLE audit_chain (
    id     INTEGER PRIMARY KEY REFERENCES audit (id),
    digest TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_chain_is_not_changed BEFORE UPDATE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_chain_is_not_deleted BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

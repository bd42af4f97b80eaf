-- What was last seen at the servers of a next hop.
CREATE TABLE preflights (
    instance TEXT NOT NULL,
    nexthop  TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (instance, nexthop)
) WITHOUT ROWID;

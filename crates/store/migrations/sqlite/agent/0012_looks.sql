-- Rises with every look at servers that is remembered, so that who copied what was seen knows whether it is still that.
ALTER TABLE instances ADD COLUMN looks_revision INTEGER NOT NULL DEFAULT 0;

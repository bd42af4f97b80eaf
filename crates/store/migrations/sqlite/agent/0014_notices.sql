-- What was told by mail of an instance, so that nothing is told twice. It goes with the instance.
ALTER TABLE instances ADD COLUMN notices TEXT;

-- A set that a change was made to is another set, in the same tables: those of the set of this number; of its own where
-- nothing is said. What was shown before is read anew: its tables have indexes in another order.
ALTER TABLE rule_sets ADD COLUMN tables INTEGER;

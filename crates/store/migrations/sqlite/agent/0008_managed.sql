-- Rules that are managed elsewhere than in `policy` are few among many.

CREATE INDEX managed_rules ON rules (instance, destination, manager) WHERE manager <> '';
CREATE INDEX managed_rule_wishes ON rule_wishes (instance, destination, manager)
    WHERE manager <> '';

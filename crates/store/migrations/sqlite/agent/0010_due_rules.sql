-- Rules that are to be looked at again are few among many.

CREATE INDEX due_rules ON rules (instance, about ->> '$.body.until')
    WHERE about ->> '$.body.until' IS NOT NULL;
CREATE INDEX due_rule_wishes ON rule_wishes (instance, about ->> '$.body.until')
    WHERE about ->> '$.body.until' IS NOT NULL;

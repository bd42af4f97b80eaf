-- What was found before an operation, and what it wrote. NULL: it was opened by an older version.
ALTER TABLE operations ADD COLUMN found_before TEXT;
ALTER TABLE operations ADD COLUMN written TEXT;

//! Each row of the failure table that the console is held to (docs/reference/failures.md), by clicking.

//! Exclusions and counts.

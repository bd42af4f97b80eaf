//! What is remarkable in a main.cf. One pass, so that a large file costs what reading it costs.

use super::{Malformed, Parts};
use crate::document::{Document, Placed, content};
use crate::finding::{Finding, FindingCode as Code};
use crate::line::{LineKind, is_space, lines, trim};
use memchr::memchr;

pub(super) fn findings(document: &Document) -> Vec<Finding> {
    Vec::new()
}

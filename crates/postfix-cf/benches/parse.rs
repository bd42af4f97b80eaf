//! Parse and print.
fn main() {}

//! Lines of a text, from bytes.

use super::Lines;

#[test]
fn a_byte_is_in_the_line_that_began_last() {
    let lines = Lines::new("a\nbc\n\nd");
    let of = [0, 1, 2, 4, 5, 6].map(|byte| lines.at(byte));
    assert_eq!(of, [1, 1, 2, 2, 3, 4]);
}

#[test]
fn what_is_past_the_end_is_in_the_last_line() {
    let lines = Lines::new("a\nb");
    assert_eq!(lines.of_span(Some(900..901)), 2);
    assert_eq!(lines.of_span(None), 2);
    assert_eq!(Lines::new("").of_span(None), 1);
}

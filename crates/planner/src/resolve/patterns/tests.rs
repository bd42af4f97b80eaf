//! Tests of `patterns`: which answers of pattern tables Postfix gives, too.

use super::{Worth, worth};

#[test]
fn rows_that_substitute_are_told_from_the_others() {
    let mixed = "# $1\n/^(a)\\/ x$/i smtp:[$1]\n/b/!/c d/ smtp:[b]\nif /x/\n/e/ f:$$1\nendif\n";
    assert_eq!(worth(mixed, "smtp:[b]"), Worth::Same);
    assert_eq!(worth(mixed, "f:$1"), Worth::Same);
    assert_eq!(worth(mixed, "smtp:[a]"), Worth::Unknown);
    assert_eq!(worth("/(a)/ ${1}\n!/b/\n  $(1)\n", "a"), Worth::Nothing);
    assert_eq!(worth("/$/ smtp:[b]\n", "smtp:[c]"), Worth::Same);
}

//! Tests of `patterns`: which answers of pattern tables Postfix gives, too.

use super::{Rows, Worth, skipped_rows, sources, worth, worth_of_several};

#[test]
fn rows_that_substitute_are_told_from_the_others() {
    let mixed = "# $1\n/^(a)\\/ x$/i smtp:[$1]\n/b/!/c d/ smtp:[b]\nif /x/\n/e/ f:$$1\nendif\n";
    assert_eq!(worth(mixed, "smtp:[b]"), Worth::Same);
    assert_eq!(worth(mixed, "f:$1"), Worth::Same);
    assert_eq!(worth(mixed, "smtp:[a]"), Worth::Unknown);
    assert_eq!(worth("/(a)/ ${1}\n!/b/\n  $(1)\n", "a"), Worth::Nothing);
    assert_eq!(worth("/$/ smtp:[b]\n", "smtp:[c]"), Worth::Same);
}

#[test]
fn rows_that_substitute_are_found_within_other_tables_and_in_the_value() {
    let of = |table| sources("transport_maps", table);
    assert_eq!(of("proxy:pcre:/t"), [Rows::File("/t")]);
    let inner = "unionmap:{hash:/h, regexp:/t, pipemap:{ pcre:/u, static:{a b}} }";
    assert_eq!(of(inner), [Rows::File("/t"), Rows::File("/u")]);
    let here = of("regexp:{ {/^(.*)$/ smtp:[$1]}, {/b/ smtp:[b]} }");
    let rows = "/^(.*)$/ smtp:[$1]\n/b/ smtp:[b]\n";
    assert_eq!(here, [Rows::Here(rows.to_owned())]);
    assert_eq!(worth(rows, "smtp:[a]"), Worth::Unknown);
    assert_eq!(of("hash:/t"), []);
    assert_eq!(sources("virtual_alias_maps", "regexp:/t"), []);
    // What such a table answers is made of several rows.
    assert_eq!(worth_of_several(rows), Worth::Unknown);
    assert_eq!(worth_of_several("/b/ smtp:[b]\n"), Worth::Same);
}

#[test]
fn rows_that_postfix_skips_or_cannot_read_are_told() {
    let rows =
        b"/(a)/ smtp:[$1]\nif /x/\n/b/ smtp:[b]\nendif\n/c smtp:[c]\n/d/\n# /e/ $1\n/f/ g:$$1\n";
    let told = skipped_rows("transport_maps", std::path::Path::new("/t"), rows);
    let lines = |at: usize| -> Vec<usize> {
        told[at]
            .evidence
            .iter()
            .filter_map(|one| one.line)
            .collect()
    };
    assert_eq!(
        (told.len(), lines(0), lines(1)),
        (2, vec![1], vec![5, 6]),
        "{told:?}"
    );
    assert!(
        skipped_rows(
            "transport_maps",
            std::path::Path::new("/t"),
            b"/b/ smtp:[b]\n"
        )
        .is_empty()
    );
}

//! Tests of `diff`.
//!
//! Owns: what a shown diff hides and what it must not. Never: a plan.

use super::*;

#[test]
fn a_changed_line_is_shown_with_three_lines_around_it() {
    let diff = unified("main.cf", b"a = 1\nb = 2\n", b"a = 1\nb = 3\n");
    assert!(diff.starts_with("--- a/main.cf\n+++ b/main.cf\n"), "{diff}");
    assert!(diff.contains("\n a = 1\n-b = 2\n+b = 3\n"), "{diff}");
}

#[test]
fn credentials_never_appear() {
    for text in [
        "smtp_sasl_password_maps = static:user:hunter2\n",
        "smtp_sasl_password_maps =\n  static:user:hunter2\n",
        "smtp_sasl_password_maps = inline:{ {[r]:587=user:hunter2} }\n",
        "smtp_sasl_password_maps = inline:{\n  {[r]:587=user:hunter2}\n # between\n  {[s]=hunter2} }\n",
        "#smtp_sasl_password_maps = static:user:hunter2\n",
        "smtp unix - - n - - smtp\n  -o smtp_sasl_password_maps=static:user:hunter2\n",
    ] {
        let diff = unified(
            "main.cf",
            text.as_bytes(),
            format!("{text}new = 1\n").as_bytes(),
        );
        assert!(!diff.contains("hunter2"), "{diff}");
        assert!(diff.contains(MASK), "{diff}");
        assert!(diff.contains("+new = 1"), "{diff}");
    }
}

#[test]
fn a_plain_static_word_and_the_lines_after_a_secret_stay_readable() {
    let text = "x = static:OK\ny = static:u:p\nz = plain\n";
    let diff = unified("main.cf", text.as_bytes(), b"");
    assert!(
        diff.contains("-x = static:OK\n-y = static:***\n-z = plain"),
        "{diff}"
    );
}

#[test]
fn tables_of_routes_and_policies_hold_no_credentials() {
    for text in [
        "smtp_tls_policy_maps = inline:{ {[r]:587=encrypt} }, hash:/map\n",
        "smtp_tls_policy_maps =\n  inline:{ {[r]:587 = encrypt} },\n  hash:/map\n",
        "smtp unix - - n - - smtp\n  -o smtp_tls_policy_maps=inline:{{r=encrypt}},hash:/map\n",
        "transport_maps = inline:{ {a.test = smtp:[r]:587} } hash:/map\n",
    ] {
        let diff = unified("main.cf", b"", text.as_bytes());
        assert!(!diff.contains(MASK) && diff.contains("/map"), "{diff}");
    }
    // What stands beside them may.
    for text in [
        "s unix - - n - - smtp -o smtp_tls_policy_maps=static:encrypt -o x=static:u:hunter2\n",
        "  -o smtp_tls_policy_maps=inline:{{r=may}}\n  -o smtp_sasl_password_maps=static:u:hunter2\n",
        "smtp_tls_policy_maps = inline:{{r=may}}\nsmtp_sasl_password_maps = static:u:hunter2\n",
    ] {
        let diff = unified("main.cf", b"", text.as_bytes());
        assert!(!diff.contains("hunter2"), "{diff}");
    }
    assert_eq!(shown("transport_maps", "inline:{a=b}"), "inline:{a=b}");
    assert_eq!(shown("smtp_sasl_password_maps", "static:u:p"), "static:***");
}

#[test]
fn bytes_that_are_not_utf8_do_not_stop_a_diff() {
    let diff = unified("main.cf", b"a = \xff\n", b"a = \xff\nb = 1\n");
    assert!(diff.contains("+b = 1"), "{diff}");
}

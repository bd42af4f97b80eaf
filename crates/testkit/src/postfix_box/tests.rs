//! Tests of `postfix_box`: a real private Postfix in a temporary folder.

use super::*;

#[test]
fn the_stock_master_cf_has_its_templates_and_its_jails() {
    let made = PostfixBox::builder()
        .append_main_cf("# at {base} and {address}\n")
        .build()
        .unwrap();
    let master = std::fs::read_to_string(made.config_directory().join("master.cf")).unwrap();
    let is = |line: &str, words: &str| line.split_whitespace().eq(words.split(' '));
    for words in [
        "smtp inet n - y - - smtpd",
        "#submission inet n - y - - smtpd",
    ] {
        assert!(master.lines().any(|line| is(line, words)), "{words}");
    }
    let main = std::fs::read_to_string(made.config_directory().join("main.cf")).unwrap();
    let comment = format!("# at {} and {}\n", made.path().display(), made.address());
    assert!(main.ends_with(&comment), "{main}");
}

#[test]
fn a_box_that_does_not_start_says_why() {
    let made = PostfixBox::builder()
        .append_main_cf("no equals sign\n")
        .build()
        .unwrap();
    assert!(made.start().is_err());
    assert!(made.processes().is_empty());
}

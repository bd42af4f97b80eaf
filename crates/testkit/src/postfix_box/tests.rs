//! Tests of `postfix_box`: a real private Postfix in a temporary folder.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

fn say(address: SocketAddr, lines: &[&str]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut answer = || {
        let mut line = String::new();
        while line.get(3..4) != Some(" ") {
            line.clear();
            assert!(reader.read_line(&mut line).unwrap() > 0);
        }
        line
    };
    let mut last = answer();
    for line in lines {
        stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        last = answer();
    }
    last
}

#[test]
fn boxes_have_the_real_ports_side_by_side_and_go_without_a_trace() {
    let master_cf = "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n";
    let make = |name: &str| {
        let made = PostfixBox::builder()
            .set("smtpd_banner", name)
            .master_cf(master_cf)
            .build()
            .unwrap();
        made.start().unwrap();
        made
    };
    let (one, two) = (make("one"), make("two"));
    assert_ne!(one.address(), two.address());
    assert!(say(one.at(25), &[]).starts_with("220 one"));
    assert!(say(two.at(587), &[]).starts_with("220 two"));
    let (path, address) = (one.path().to_owned(), one.at(25));
    assert!(one.master().is_some());
    drop(one);
    assert!(!path.exists());
    assert!(TcpStream::connect(address).is_err());
    assert!(say(two.at(25), &[]).starts_with("220 two"));
    two.stop().unwrap();
    assert!(two.processes().is_empty() && two.master().is_none());
    two.start().unwrap();
}

#[test]
fn a_message_lands_in_the_boxs_own_mailbox() {
    let made = PostfixBox::builder().build().unwrap();
    made.start().unwrap();
    let said = say(
        made.at(25),
        &[
            "EHLO client.test",
            "MAIL FROM:<a@client.test>",
            "RCPT TO:<b@box.test>",
            "DATA",
            "Subject: here\r\n\r\nhello\r\n.",
        ],
    );
    assert!(said.starts_with("250"), "{said}");
    let end = Instant::now() + PATIENCE;
    while made.received().is_empty() {
        assert!(Instant::now() < end, "{}", made.log());
        thread::sleep(Duration::from_millis(20));
    }
    let message = String::from_utf8(made.received().remove(0)).unwrap();
    assert!(message.contains("Subject: here"), "{message}");
    assert!(message.contains("by mx.box.test"), "{message}");
}

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

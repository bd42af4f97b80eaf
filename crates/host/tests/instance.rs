//! Private instances: side by side, with mail and users, and gone without a trace.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod common;

use common::*;
use postseal_host::Instance;
use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const MASTER_CF: &str = "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n";

fn instance(more: &str, master_cf: Option<&str>) -> Instance {
    let made = Instance::make(tempfile::tempdir().unwrap()).unwrap();
    let main_cf = format!(
        "compatibility_level = 3.6\nmyhostname = mx.box.test\n{}{more}",
        made.settings("box.test")
    );
    made.configure(main_cf.as_bytes(), master_cf.map(str::as_bytes))
        .unwrap();
    made.start().unwrap();
    made
}

fn addresses() -> String {
    let output = Command::new("ip").args(["addr", "show", "lo"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

#[test]
fn instances_have_the_real_ports_side_by_side_and_go_without_a_trace() {
    let make = |name: &str| instance(&format!("smtpd_banner = {name}\n"), Some(MASTER_CF));
    let (one, two) = (make("one"), make("two"));
    assert_ne!(one.address(), two.address());
    assert!(say(one.at(25), &[]).starts_with("220 one"));
    assert!(say(two.at(587), &[]).starts_with("220 two"));
    let (path, at) = (one.path().to_owned(), one.at(25));
    assert!(one.master().is_some());
    drop(one);
    assert!(!path.exists());
    assert!(TcpStream::connect(at).is_err());
    assert!(!addresses().contains(&format!(" {}/32 ", at.ip())));
    assert!(say(two.at(25), &[]).starts_with("220 two"));
    two.stop().unwrap();
    assert!(two.processes().is_empty() && two.master().is_none());
    two.start().unwrap();
    two.remove().unwrap();
    assert!(!two.path().exists());
}

#[test]
fn a_message_lands_in_its_own_mailbox() {
    let made = instance("", None);
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
fn its_users_log_in_and_others_do_not() {
    let more = "smtpd_sasl_auth_enable = yes\ncyrus_sasl_config_path = $config_directory/sasl\n";
    let made = instance(more, Some(MASTER_CF));
    made.add_user("mx.box.test", "ann", "secret").unwrap();
    let said = say(made.at(25), &["EHLO client.test", AUTH]);
    assert!(said.starts_with("235"), "{said}\n{}", made.log());
    // `\0ann\0wrong` in base64.
    let said = say(
        made.at(25),
        &["EHLO client.test", "AUTH PLAIN AGFubgB3cm9uZw=="],
    );
    assert!(said.starts_with("535"), "{said}");
}

#[test]
fn what_is_left_goes_on_and_can_be_ended_by_hand() {
    let mut made = instance("", Some(MASTER_CF));
    let (config, path, at) = (made.config_directory(), made.path().to_owned(), made.at(25));
    made.leave();
    drop(made);
    assert!(say(at, &[]).starts_with("220 mx.box.test"));
    let stopped = Command::new("postfix")
        .arg("-c")
        .arg(config)
        .arg("stop")
        .status();
    assert!(stopped.unwrap().success());
    fs::remove_dir_all(path).unwrap();
    let address = format!("{}/32", at.ip());
    let taken = Command::new("ip")
        .args(["addr", "del", &address, "dev", "lo"])
        .status();
    assert!(taken.unwrap().success());
}

#[test]
fn processes_go_even_when_their_folder_went_before() {
    let made = instance("", Some(MASTER_CF));
    let at = made.at(25);
    assert!(say(at, &[]).starts_with("220"));
    fs::remove_dir_all(made.path()).unwrap();
    assert!(!made.processes().is_empty());
    made.remove().unwrap();
    assert!(made.processes().is_empty());
    assert!(TcpStream::connect(at).is_err());
}

#[test]
fn one_that_does_not_start_says_why() {
    let made = Instance::make(tempfile::tempdir().unwrap()).unwrap();
    let main_cf = made.settings("box.test");
    made.configure(
        main_cf.as_bytes(),
        Some(b"smtp inet n - y - - smtpd\nnonsense\n"),
    )
    .unwrap();
    let why = made.start().unwrap_err().to_string();
    assert!(
        why.contains("nonsense") || why.contains("master.cf"),
        "{why}"
    );
    assert!(made.processes().is_empty());
}

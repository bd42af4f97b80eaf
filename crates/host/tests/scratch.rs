//! Scratch instances of a real Postfix.

mod common;

use common::*;
use postseal_host::{Host, HostError};
use postseal_planner::plan::Cf;
use postseal_testkit::postfix_box::PostfixBox;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

#[test]
fn a_good_configuration_completes_a_handshake_and_leaves_nothing() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let mut staged = staged(
        &host,
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /etc/postseal-test/mx.pem\n",
    );
    let chain = chain(made.path());
    let path = "/etc/postseal-test/mx.pem".into();
    staged.private.insert(path, chain.into());
    let scratch = host.rehearse(&staged).unwrap();
    let address = scratch.endpoints()["smtp/inet"];
    assert!(address.ip().is_loopback());
    let shown = handshake(address);
    assert!(shown.contains("Protocol version: TLSv1.3"), "{shown}");
    assert!(shown.contains("CN = mx.box.test"), "{shown}");
    let log = text(&*scratch);
    assert!(!log.contains("warning"), "{log}");
    assert!(scratch.not_rehearsed().is_empty());
    scratch.stop().unwrap();
    assert_eq!(scratch_folders(made.path()), [""; 0]);
}

#[test]
fn a_configuration_that_postfix_cannot_read_says_so() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let error = host
        .rehearse(&staged(&host, "no equals sign\n"))
        .map(drop)
        .unwrap_err();
    let HostError::Scratch { reason, .. } = &error else {
        panic!("{error}")
    };
    assert!(reason.contains("missing '='"), "{reason}");
    assert_eq!(scratch_folders(made.path()), [""; 0]);
}

#[test]
fn between_two_renames() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let plain = staged(&host, "");
    let mut scratch = host.rehearse(&plain).unwrap();
    let address = scratch.endpoints()["smtp/inet"];
    let starttls = ["EHLO client.test", "STARTTLS"];
    assert!(!say(address, &starttls).starts_with("220"));
    let next = staged(
        &host,
        "smtpd_tls_security_level = may\nsmtpd_tls_cert_file = /nowhere\n",
    );
    scratch.replace(Cf::Main, &next.main_cf).unwrap();
    scratch.reload().unwrap();
    assert_eq!(scratch.endpoints()["smtp/inet"], address);
    let said = say(address, &starttls);
    assert!(said.starts_with("454 4.7.0 TLS not available"), "{said}");
    until_logged(&*scratch, "/nowhere");

    let with_port = [&next.master_cf[..], b"587 inet n - y - - smtpd\n"].concat();
    scratch.replace(Cf::Master, &with_port).unwrap();
    scratch.reload().unwrap();
    assert_eq!(scratch.endpoints()["smtp/inet"], address);
    let banner = say(scratch.endpoints()["587/inet"], &[]);
    assert!(banner.starts_with("220 mx.box.test"), "{banner}");
}

/// Settings that `postfix check` and `reload` take with status 0 (facts: broken settings).
#[test]
fn broken_settings_show_in_the_log() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    std::fs::write(made.path().join("mx.pem"), chain(made.path())).unwrap();
    let good = format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}/mx.pem\n",
        made.path().display()
    );
    for (setting, said) in [
        ("smtpd_tls_security_level = ecnrypt", "Invalid TLS level"),
        (
            "smtpd_tls_auth_only = yes # note",
            "bad boolean configuration",
        ),
        ("smtpd_starttls_timeout = 10x", "bad time value or unit"),
        (
            "smtpd_tls_chain_files = /nowhere.pem",
            "No such file or directory",
        ),
        (
            "smtpd_tls_CAfile = /nowhere.pem",
            "No such file or directory",
        ),
        (
            "smtpd_tls_protocols = >=TLSv1.9",
            "Invalid TLS protocol list",
        ),
        ("smtpd_tls_ciphers = hihg", "invalid cipher grade"),
        ("tls_medium_cipherlist = NOSUCH", "no cipher match"),
        (
            "tls_server_sni_maps = hash:/nowhere",
            "open database /nowhere.db",
        ),
        ("smtpd_tls_fingerprint_digest = nosuch", "nosuch"),
    ] {
        let scratch = host
            .rehearse(&staged(&host, &format!("{good}{setting}\n")))
            .unwrap();
        let mut client = Command::new("openssl")
            .args(["s_client", "-starttls", "smtp", "-connect"])
            .arg(scratch.endpoints()["smtp/inet"].to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        until_logged(&*scratch, said);
        client.kill().unwrap();
        client.wait().unwrap();
        scratch.stop().unwrap();
    }
}

#[test]
fn what_ends_a_master_at_a_reload_is_found_before() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    for (line, why) in [
        ("192.0.2.99:2525 inet n - y - - smtpd\n", "cannot be bound"),
        ("submissionz inet n - y - - smtpd\n", "unknown port"),
    ] {
        let mut staged = staged(&host, "");
        staged.master_cf.extend_from_slice(line.as_bytes());
        let error = host.rehearse(&staged).map(drop).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(scratch_folders(made.path()), [""; 0]);
}

#[test]
fn a_login_works_in_the_scratch_jail_as_it_does_live() {
    let made = PostfixBox::builder()
        .sasl_user("ann", "secret")
        .set("smtpd_sasl_auth_enable", "yes")
        .build()
        .unwrap();
    made.start().unwrap();
    let lines = ["EHLO client.test", AUTH];
    let live = say(made.at(25), &lines);
    assert!(live.starts_with("235"), "{live}\n{}", made.log());
    let host = host(&made);
    let scratch = host.rehearse(&staged(&host, "")).unwrap();
    let said = say(scratch.endpoints()["smtp/inet"], &lines);
    assert!(said.starts_with("235"), "{said}\n{}", text(&*scratch));
}

#[test]
fn a_message_reaches_the_sink_and_nothing_else() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let (address, taking) = sink();
    let mut staged = staged(&host, "always_bcc = root\nrelayhost = [192.0.2.1]\n");
    staged.transports.insert("sink.test".to_owned(), address);
    let scratch = host.rehearse(&staged).unwrap();
    scratch
        .submit(
            "a@sender.test",
            &["b@sink.test", "root@mx.box.test", "c@elsewhere.test"],
            b"Subject: rehearsal\n\nhello\n",
        )
        .unwrap();
    until_logged(&*scratch, "250 kept");
    until_logged(&*scratch, "to=<root@mx.box.test>, relay=none");
    until_logged(&*scratch, "to=<c@elsewhere.test>, relay=none");
    drop(scratch);
    let said = taking.join().unwrap();
    assert!(said.contains("RCPT TO:<b@sink.test>"), "{said}");
    assert!(!said.contains("RCPT TO:<root"), "{said}");
    assert!(made.received().is_empty());
}

#[test]
fn others_are_not_asked_and_that_is_said() {
    let filter = TcpListener::bind("127.0.0.1:0").unwrap();
    filter.set_nonblocking(true).unwrap();
    let at = filter.local_addr().unwrap();
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let mut staged = staged(
        &host,
        &format!(
            "smtpd_milters = inet:{at}\ncontent_filter = scan:[127.0.0.1]:{}\n\
             smtpd_client_restrictions = check_policy_service inet:{at}, permit\n",
            at.port()
        ),
    );
    let line = format!(
        "10025 inet n - n - - smtpd\n  -o smtpd_upstream_proxy_protocol=haproxy\n\
         \x20 -o smtpd_recipient_restrictions=check_policy_service,inet:{at},reject\n\
         10026 inet n n n - 0 spawn user=nobody argv=/bin/false\n"
    );
    staged.master_cf.extend_from_slice(line.as_bytes());
    let scratch = host.rehearse(&staged).unwrap();
    let lines = ["EHLO c.test", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>"];
    let said = say(scratch.endpoints()["10025/inet"], &lines);
    assert!(said.starts_with("554 5.7.1"), "{said}\n{}", text(&*scratch));
    say(scratch.endpoints()["smtp/inet"], &lines);
    assert!(filter.accept().is_err(), "{}", text(&*scratch));
    assert!(!scratch.endpoints().contains_key("10026/inet"));
    let notes = scratch.not_rehearsed().join("\n");
    for what in [
        "milters",
        "content filter",
        "policy service",
        "proxy protocol",
        "10026",
    ] {
        assert!(notes.contains(what), "{what}: {notes}");
    }
}

#[test]
fn sockets_of_other_programs_are_at_hand_and_postfixs_own_are_not() {
    let made = PostfixBox::builder()
        .set("smtpd_sasl_auth_enable", "yes")
        .set("smtpd_sasl_type", "dovecot")
        .set("smtpd_sasl_path", "private/auth")
        .build()
        .unwrap();
    let private = made.queue_directory().join("private");
    let auth = UnixListener::bind(private.join("auth")).unwrap();
    let all = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(private.join("auth"), all).unwrap();
    auth.set_nonblocking(true).unwrap();
    let _local = UnixListener::bind(private.join("local")).unwrap();
    let host = host(&made);
    let scratch = host.rehearse(&staged(&host, "")).unwrap();
    let folder = made.path().join(&scratch_folders(made.path())[0]);
    assert!(folder.join("queue/private/auth").exists());
    assert!(!folder.join("queue/private/local").exists());
    let _client = std::net::TcpStream::connect(scratch.endpoints()["smtp/inet"]).unwrap();
    let end = std::time::Instant::now() + PATIENCE;
    while auth.accept().is_err() {
        assert!(std::time::Instant::now() < end, "{}", text(&*scratch));
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn two_scratch_instances_and_the_live_one_do_not_meet() {
    let made = PostfixBox::builder().build().unwrap();
    made.start().unwrap();
    let host = host(&made);
    let one = host
        .rehearse(&staged(&host, "smtpd_banner = one\n"))
        .unwrap();
    let two = host
        .rehearse(&staged(&host, "smtpd_banner = two\n"))
        .unwrap();
    assert!(say(one.endpoints()["smtp/inet"], &[]).starts_with("220 one"));
    assert!(say(two.endpoints()["smtp/inet"], &[]).starts_with("220 two"));
    assert!(say(made.at(25), &[]).starts_with("220 mx.box.test"));
    // Neither is a leftover, and cleaning touches neither.
    assert_eq!(host.clean_leftovers().unwrap(), 0);
    drop(one);
    assert!(say(two.endpoints()["smtp/inet"], &[]).starts_with("220 two"));
    two.stop().unwrap();
    assert!(say(made.at(25), &[]).starts_with("220 mx.box.test"));
    assert_eq!(scratch_folders(made.path()), [""; 0]);
}

#[test]
fn a_killed_postseal_is_cleaned_up_after() {
    const CHILD: &str = "POSTSEAL_TEST_SCRATCH_OF";
    if let Some(base) = std::env::var_os(CHILD) {
        let host = host_at(base.as_ref());
        let _scratch = host.rehearse(&staged(&host, "")).unwrap();
        let own = rustix::process::getpid();
        rustix::process::kill_process(own, rustix::process::Signal::KILL).unwrap();
    }
    let made = PostfixBox::builder().build().unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_postseal_is_cleaned_up_after"])
        .env(CHILD, made.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let left = scratch_folders(made.path());
    assert_eq!(left.len(), 1);
    let queue = made.path().join(&left[0]).join("queue");
    let pid = std::fs::read_to_string(queue.join("pid/master.pid")).unwrap();
    let proc = std::path::PathBuf::from(format!("/proc/{}/exe", pid.trim()));
    assert!(proc.read_link().is_ok());
    assert_eq!(host(&made).clean_leftovers().unwrap(), 1);
    assert!(proc.read_link().is_err());
    assert_eq!(scratch_folders(made.path()), [""; 0]);
}

#[test]
fn a_thousand_services() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let mut staged = staged(&host, "");
    for port in 20_001..=21_000 {
        let line = format!("127.0.0.1:{port} inet n - y - - smtpd\n");
        staged.master_cf.extend_from_slice(line.as_bytes());
    }
    let scratch = host.rehearse(&staged).unwrap();
    assert_eq!(scratch.endpoints().len(), 1001);
    let last = scratch.endpoints()["127.0.0.1:21000/inet"];
    assert!(say(last, &[]).starts_with("220 "));
    scratch.stop().unwrap();
}

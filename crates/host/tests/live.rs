//! A real Postfix that runs: looked at, changed, reloaded, stopped.

mod common;

use common::*;
use postseal_host::{Control, Host, HostError, HostOptions, LogLook, PostfixHost};
use postseal_planner::facts::{FileLook, MasterState};
use postseal_planner::plan::Cf;
use postseal_testkit::postfix_box::PostfixBox;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

#[test]
fn look_shows_one_picture() {
    let made = PostfixBox::builder()
        .append_main_cf("nosuch = $nothing\n")
        .build()
        .unwrap();
    let host = host(&made);
    let look = host.look().unwrap();
    assert_eq!(look.master, MasterState::Stopped);
    assert_eq!(look.main_cf.path, made.config_directory().join("main.cf"));
    assert_eq!(look.values["myhostname"], "mx.box.test");
    assert_eq!(look.values["smtpd_tls_key_file"], "$smtpd_tls_cert_file");
    assert_eq!(look.defaults["smtpd_tls_security_level"], "");
    assert!(look.version.at_least(3, 4));
    assert!(look.map_types.iter().any(|kind| kind == "inline"));
    assert!(look.sasl_types.iter().any(|kind| kind == "cyrus"));
    assert!(look.addresses.contains(&made.address()));
    let warned = look
        .warnings
        .iter()
        .any(|line| line.contains("unused parameter: nosuch"));
    assert!(warned, "{:?}", look.warnings);
    made.start().unwrap();
    assert_eq!(
        host.master().unwrap(),
        MasterState::Running(made.master().unwrap())
    );
}

#[test]
fn an_unreadable_configuration_says_why_and_can_be_put_back() {
    let made = PostfixBox::builder().build().unwrap();
    made.start().unwrap();
    let host = host(&made);
    let before = host.snapshot(Cf::Main).unwrap();
    let digest = host.look().unwrap().main_cf.digest;
    // The places of programs are known from here on.
    host.master().unwrap();
    host.publish(Cf::Main, b"no equals sign\n", digest).unwrap();
    let HostError::Unreadable(why) = host.look().unwrap_err() else {
        panic!("not unreadable")
    };
    assert!(why.contains("missing '='"), "{why}");
    assert!(matches!(host.master().unwrap(), MasterState::Running(_)));
    let digest = postseal_planner::Digest::of(b"no equals sign\n");
    host.restore(&before, digest).unwrap();
    assert_eq!(host.snapshot(Cf::Main).unwrap(), before);
    host.reload().unwrap();
}

#[test]
fn a_published_change_is_effective_after_a_reload_and_logged() {
    let made = PostfixBox::builder().build().unwrap();
    made.start().unwrap();
    let host = host(&made);
    let started = std::time::Instant::now();
    while !made.log().contains("daemon started") {
        assert!(started.elapsed() < PATIENCE);
        thread::sleep(Duration::from_millis(10));
    }
    let mark = host.log_mark();
    let look = host.look().unwrap();
    let next = [&look.main_cf.bytes[..], b"smtpd_banner = changed\n"].concat();
    host.publish(Cf::Main, &next, look.main_cf.digest).unwrap();
    host.reload().unwrap();
    let end = std::time::Instant::now() + PATIENCE;
    while !say(made.at(25), &[]).starts_with("220 changed") {
        assert!(std::time::Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
    let lines = loop {
        let LogLook::Lines(lines) = host.log_since(&mark) else {
            panic!("no log")
        };
        let lines = String::from_utf8(lines).unwrap();
        // postlogd(8) writes when it comes to it.
        if lines.contains("reload -- version") {
            break lines;
        }
        assert!(std::time::Instant::now() < end, "{lines}");
        thread::sleep(Duration::from_millis(20));
    };
    assert!(!lines.contains("daemon started"), "{lines}");
}

#[test]
fn a_stopped_postfix_is_told_and_a_restart_starts_it() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    assert_eq!(host.master().unwrap(), MasterState::Stopped);
    let HostError::Command { status, .. } = host.reload().unwrap_err() else {
        panic!("not refused")
    };
    assert!(status.contains('1'), "{status}");
    host.restart().unwrap();
    let first = made.master().unwrap();
    host.restart().unwrap();
    let second = made.master().unwrap();
    assert_ne!(first, second);
    host.postfix().control(Control::Stop).unwrap();
    made.stop().unwrap();
    assert_eq!(host.master().unwrap(), MasterState::Stopped);
}

#[test]
fn a_master_that_was_killed_is_not_taken_for_running() {
    let made = PostfixBox::builder().build().unwrap();
    made.start().unwrap();
    let host = host(&made);
    made.kill();
    made.stop().unwrap();
    assert!(made.queue_directory().join("pid/master.pid").exists());
    assert_eq!(host.master().unwrap(), MasterState::Stopped);
    host.restart().unwrap();
    assert!(matches!(host.master().unwrap(), MasterState::Running(_)));
}

#[test]
fn the_second_postseal_is_told_who_is_there() {
    let made = PostfixBox::builder().build().unwrap();
    let first = host(&made);
    let linked = made.path().join("linked");
    std::os::unix::fs::symlink(made.config_directory(), &linked).unwrap();
    let second = PostfixHost::new(HostOptions {
        lock_directory: made.path().join("lock"),
        ..HostOptions::new(linked)
    })
    .unwrap();
    let held = first.lock().unwrap();
    match second.lock().map(drop).unwrap_err() {
        HostError::Locked { holder, .. } => assert_eq!(holder, Some(std::process::id())),
        other => panic!("{other}"),
    }
    drop(held);
    second.lock().unwrap();
}

#[test]
fn what_stands_at_a_path_is_told_without_blocking() {
    let made = PostfixBox::builder().build().unwrap();
    let host = host(&made);
    let at = |name: &str| made.path().join(name);
    std::fs::write(at("small"), "text").unwrap();
    std::fs::write(at("big"), vec![0; (1 << 20) + 1]).unwrap();
    let fifo = Command::new("mkfifo").arg(at("fifo")).status().unwrap();
    assert!(fifo.success());
    assert!(
        matches!(host.read(&at("small")), FileLook::File { ref bytes, .. } if **bytes == b"text")
    );
    assert!(matches!(host.read(&at("big")), FileLook::TooLarge(n) if n == (1 << 20) + 1));
    assert!(matches!(host.read(&at("fifo")), FileLook::Special));
    assert!(matches!(host.read(&at("nothing")), FileLook::Missing));
    assert!(matches!(
        host.read(&at("small/below")),
        FileLook::Unreadable(_)
    ));
    assert!(matches!(host.read(made.path()), FileLook::Directory));
    assert!(matches!(
        host.read(Path::new("/x\0y")),
        FileLook::Unreadable(_)
    ));
}

/// A Postfix in mount and network namespaces of its own, reached by a prefix.
#[test]
fn a_postfix_in_a_container_is_entered() {
    let made = PostfixBox::builder()
        .set("inet_interfaces", "loopback-only")
        .build()
        .unwrap();
    let mut holder = Command::new("unshare")
        .args([
            "-m",
            "-n",
            "sh",
            "-c",
            "ip link set lo up && echo up && cat",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut up = [0; 3];
    std::io::Read::read_exact(holder.stdout.as_mut().unwrap(), &mut up).unwrap();
    let pid = holder.id().to_string();
    let host = PostfixHost::new(HostOptions {
        prefix: ["nsenter", "-t", &pid, "-m", "-n"]
            .map(str::to_owned)
            .to_vec(),
        root: Path::new("/proc").join(&pid).join("root"),
        lock_directory: made.path().join("lock"),
        ..HostOptions::new(made.config_directory())
    })
    .unwrap();
    host.restart().unwrap();
    assert!(matches!(host.master().unwrap(), MasterState::Running(_)));
    assert!(!host.look().unwrap().addresses.contains(&made.address()));
    let refused = host.rehearse(&staged(&host, "")).map(drop).unwrap_err();
    assert!(matches!(refused, HostError::NotRehearsable(_)), "{refused}");
    {
        let _there = host.enter_network().unwrap();
        let scratch = host.rehearse(&staged(&host, "")).unwrap();
        assert!(say(scratch.endpoints()["smtp/inet"], &[]).starts_with("220 "));
        assert!(say("127.0.0.1:25".parse().unwrap(), &[]).starts_with("220 "));
    }
    assert!(host.rehearse(&staged(&host, "")).is_err());
    host.postfix().control(Control::Stop).unwrap();
    made.stop().unwrap();
    drop(holder.stdin.take());
    holder.wait().unwrap();
}

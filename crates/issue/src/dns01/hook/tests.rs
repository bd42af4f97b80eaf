//! Hooks that work, fail, talk too much and do not end.

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn challenge() -> Challenge {
    Challenge {
        name: "mx.example.com".into(),
        token: "token".into(),
        key_authorization: "token.print".into(),
        dns_value: "the-value".into(),
    }
}

fn hook(folder: &Path, script: &str) -> Hook {
    let program = folder.join("hook");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    Hook {
        program,
        keeper: Vec::new(),
        arguments: vec!["--zone".into(), "a b;c".into()],
        environment: vec![HookVariable {
            name: "API_KEY".into(),
            value: "hush".to_owned().into(),
        }],
        allowed: Duration::from_secs(60),
        settle: Duration::ZERO,
    }
}

#[test]
fn a_hook_gets_the_arguments_of_lego_and_the_environment_of_certbot() {
    let folder = tempfile::tempdir().unwrap();
    let script = "printf '%s|' \"$@\" \"$CERTBOT_DOMAIN\" \"$CERTBOT_VALIDATION\" \"$API_KEY\" \"${HOME-none}\" \"${CARGO-none}\" >>\"$0.log\"";
    let mut hook = hook(folder.path(), script);
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, Duration::from_secs(60), &flag);
    hook.present(&challenge(), &bounds).unwrap();
    hook.clean_up(&challenge(), &bounds).unwrap();
    let log = fs::read_to_string(folder.path().join("hook.log")).unwrap();
    let rest = "_acme-challenge.mx.example.com.|the-value|mx.example.com|the-value|hush|none|none|";
    assert_eq!(
        log,
        format!("--zone|a b;c|present|{rest}--zone|a b;c|cleanup|{rest}")
    );
    assert!(!format!("{hook:?}").contains("hush"));
}

#[test]
fn a_hook_that_fails_is_told_with_its_words() {
    let folder = tempfile::tempdir().unwrap();
    let mut hook = hook(
        folder.path(),
        "echo no such zone >&2; yes | head -c 200000; exit 3",
    );
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, Duration::from_secs(60), &flag);
    let error = hook.present(&challenge(), &bounds).unwrap_err();
    assert_eq!(error.code(), "dns01.hook-failed");
    let text = error.to_string();
    assert!(
        text.contains("exit status: 3") && text.contains("no such zone"),
        "{text}"
    );
    assert!(text.len() < 3 * MAX_OUTPUT);
    hook.program = folder.path().join("missing");
    let error = hook.present(&challenge(), &bounds).unwrap_err();
    assert_eq!(error.code(), "dns01.hook-missing");
}

#[test]
fn a_hook_that_does_not_end_is_ended_with_its_children() {
    let folder = tempfile::tempdir().unwrap();
    let mut hook = hook(
        folder.path(),
        "echo begun; sleep 1000 & echo $! >\"$0.pid\"; wait",
    );
    hook.allowed = Duration::from_secs(1);
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(0, Duration::from_secs(600), &flag);
    let error = hook.present(&challenge(), &bounds).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("still running after 1 s and was killed; it said: begun"),
        "{error}"
    );
    let pid = fs::read_to_string(folder.path().join("hook.pid")).unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    let alive = || {
        fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .is_ok_and(|stat| !stat.contains(") Z"))
    };
    while alive() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(!alive());
    flag.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = hook.present(&challenge(), &bounds).unwrap_err();
    assert_eq!(error.code(), "acme.interrupted");
}

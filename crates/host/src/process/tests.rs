//! Tests of `process`: who a process is, from `/proc`.

use super::*;
use std::process::Command;

#[test]
fn a_unit_is_postfixs_or_none() {
    let of = |line: &str| unit_in(line);
    assert_eq!(
        of("0::/system.slice/system-postfix.slice/postfix@-.service\n").as_deref(),
        Some("postfix@-.service")
    );
    assert_eq!(
        of("1:name=systemd:/system.slice/postfix.service\n0::/\n").as_deref(),
        Some("postfix.service")
    );
    for other in [
        "0::/user.slice/user-0.slice/session-3.scope\n",
        "0::/system.slice/cron.service\n",
        "0::/\n",
        "",
    ] {
        assert_eq!(of(other), None, "{other}");
    }
}

#[test]
fn a_stranger_with_the_masters_pid_is_no_master() {
    let queue = tempfile::tempdir().unwrap();
    fs::create_dir(queue.path().join("pid")).unwrap();
    let mut stranger = Command::new("sleep")
        .arg("60")
        .current_dir(queue.path())
        .spawn()
        .unwrap();
    let root = Root::new(Path::new("/"));
    for text in [
        format!("{:>10}\n", stranger.id()),
        "x".to_owned(),
        "1".to_owned(),
    ] {
        fs::write(queue.path().join("pid/master.pid"), text).unwrap();
        assert_eq!(master_of(&root, queue.path()), None);
    }
    // It works there, but it is none of Postfix's programs.
    assert!(working_in(queue.path()).is_empty());
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[test]
fn a_process_is_read_from_proc_whatever_its_name() {
    let own = Stat::of(std::process::id()).unwrap();
    assert!(own.is_alive());
    assert!(group_members(own.group).contains(&std::process::id()));
    assert_eq!(Stat::of(0), None);
}

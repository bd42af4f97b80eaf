//! What `verify` makes of the live log, wherever it is: `maillog_file`, a file that syslog writes, the
//! journal, or nowhere; and of postscreen(8), which lets strangers wait.

use crate::in_force;
use crate::scene::{Ran, Scene, run};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

const FAULT: &str = "postfix/smtpd[77]: warning: TLS library problem: \
                     error:0B080074:x509 certificate routines::key values mismatch:x509_cmp.c:405:";

/// Whether the findings have a code.
fn has(ran: &Ran, code: &str) -> bool {
    let findings = ran.json["findings"].as_array().unwrap();
    findings.iter().any(|one| one["code"] == code)
}

fn reload(scene: &Scene) {
    run("/usr/sbin/postfix", &["-c", &scene.config(), "reload"]);
}

/// Adds a line as if a program had logged it.
fn log(scene: &Scene, line: &str) {
    let path = scene.postfix.path().join("log/mail.log");
    let mut file = fs::File::options().append(true).open(path).unwrap();
    writeln!(file, "Nov 22 03:00:00 mx {line}").unwrap();
}

/// A main.cf that names no log.
fn unlogged(main: &str) -> String {
    let kept = main
        .lines()
        .filter(|line| !line.starts_with("maillog_file ="));
    kept.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_fault_that_was_logged_since_the_reload_is_a_finding() {
    let scene = in_force();
    let clean = scene.must(&["verify"]);
    assert_eq!(clean.json["log"]["outcome"], "seen", "{clean:#?}");
    let source = clean.json["log"]["source"].as_str().unwrap();
    assert!(source.ends_with("log/mail.log"), "{source}");
    // What verify itself provokes, trying old versions, is none.
    let again = scene.must(&["verify"]);
    assert_eq!(
        again.json["log"]["findings"].as_array().unwrap().len(),
        0,
        "{again:#?}"
    );
    let said = scene.say(&["verify"]).stdout;
    assert!(
        said.contains("nothing against TLS since the last reload"),
        "{said}"
    );

    let port = clean.json["judgements"][0]["address"].as_str().unwrap();
    scene.say(&["probe", port, "--full"]);
    scene.must(&["verify"]);

    log(&scene, FAULT);
    let ran = scene.ends(1, &["verify"]);
    assert!(has(&ran, "log.key-mismatch"), "{ran:#?}");
    let said = scene.say(&["verify"]).stdout;
    assert!(said.contains("key values mismatch"), "{said}");
    assert!(said.contains("the log tells of faults in TLS"), "{said}");
    reload(&scene);
    assert!(!has(&scene.must(&["verify"]), "log.key-mismatch"));

    // What Postfix itself warns of at its start, and what peers do, end with 0.
    scene.edit("main.cf", |main| {
        main + "tls_eecdh_auto_curves = X25519, nosuch\n"
    });
    reload(&scene);
    log(&scene, "postfix/smtpd[78]: connect from x[203.0.113.9]");
    log(
        &scene,
        "postfix/smtpd[78]: warning: TLS library problem: error:1: tlsv1 alert unknown ca:x:1:",
    );
    let ran = scene.must(&["verify"]);
    assert!(
        has(&ran, "log.unknown-curve") && has(&ran, "log.peer-handshake"),
        "{ran:#?}"
    );
}

#[test]
fn a_limit_on_clients_hides_the_wire_and_no_error() {
    let scene = in_force();
    let clean = scene.say(&["verify"]).stdout;
    assert!(clean.contains("looked at is as it should be"), "{clean}");
    assert!(clean.contains("no delivery was seen"), "{clean}");

    let limit = "smtpd_client_event_limit_exceptions =\nsmtpd_client_connection_rate_limit = 1\n";
    scene.edit("main.cf", |main| main + limit);
    reload(&scene);
    scene.say(&["verify"]);
    let ran = scene.ends(3, &["verify"]);
    assert!(!ran.stdout.contains("wire.no-banner"), "{ran:#?}");
    let said = scene.say(&["verify"]).stdout;
    assert!(said.contains("too many connections"), "{said}");
    assert!(
        said.contains("smtpd_client_connection_rate_limit"),
        "{said}"
    );

    log(&scene, FAULT);
    let ran = scene.ends(1, &["verify"]);
    assert!(has(&ran, "log.key-mismatch"), "{ran:#?}");
    let said = scene.say(&["verify"]).stdout;
    assert!(
        said.contains("There are errors, and not everything"),
        "{said}"
    );
}

#[test]
fn a_log_in_which_this_postfix_does_not_write_proves_nothing() {
    let scene = in_force();
    let old = scene.postfix.path().join("log/old.log");
    fs::copy(scene.postfix.path().join("log/mail.log"), &old).unwrap();
    // Without a reload postlogd(8) goes on with the other.
    let name = old.display().to_string();
    scene.edit("main.cf", |main| {
        unlogged(&main) + &format!("maillog_file = {name}\n")
    });
    let ran = scene.ends(3, &["verify"]);
    assert_eq!(ran.json["outcome"], "pass", "{ran:#?}");
    assert_eq!(ran.json["log"]["outcome"], "undetermined", "{ran:#?}");
    let said = scene.say(&["verify"]).stdout;
    assert!(said.contains("does not log there now"), "{said}");
    assert!(said.contains("what is logged could not be seen"), "{said}");
}

/// `verify` where `/var/log` is `logs`, and `journalctl`, where it is given, that program.
fn elsewhere(scene: &Scene, logs: &Path, journalctl: Option<&Path>) -> Ran {
    let mut script = format!("mount --bind {} /var/log", logs.display());
    if let Some(program) = journalctl {
        script += &format!(" && mount --bind {} /usr/bin/journalctl", program.display());
    }
    let program = scene.command(&["verify", "--json"]);
    let output = Command::new("unshare")
        .args(["-m", "--propagation", "private", "sh", "-c"])
        .arg(format!("{script} && exec \"$@\""))
        .arg("sh")
        .arg(program.get_program())
        .args(program.get_args())
        .env("POSTSEAL_RESOLVER", "none")
        .output();
    Ran::of(&output.unwrap())
}

#[test]
fn the_file_of_syslog_and_the_journal_are_read_and_neither_is_undetermined() {
    let scene = in_force();
    let log_file = scene.postfix.path().join("log/mail.log");
    // Without a reload postlogd(8) goes on, in place of syslogd.
    scene.edit("main.cf", |main| unlogged(&main));
    let logs = scene.folder().join("logs");
    fs::create_dir_all(&logs).unwrap();
    let none = elsewhere(&scene, &logs, None);
    assert_eq!(none.exit, Some(3), "{none:#?}");
    let why = none.json["log"]["why"].as_str().unwrap();
    assert!(why.contains("no maillog_file is set"), "{why}");

    fs::create_dir(logs.join("journal")).unwrap();
    let journalctl = scene.folder().join("journalctl");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in\n\
         *--show-cursor*) wc -l <{log} | sed 's/^ */-- cursor: /';;\n\
         *--after-cursor=*) tail -n +$((1 + ${{5#--after-cursor=}})) {log};;\n\
         *) cat {log};;\nesac\n",
        log = log_file.display()
    );
    fs::write(&journalctl, script).unwrap();
    fs::set_permissions(&journalctl, Permissions::from_mode(0o755)).unwrap();
    let journal = elsewhere(&scene, &logs, Some(&journalctl));
    assert_eq!(journal.exit, Some(0), "{journal:#?}");
    assert_eq!(journal.json["log"]["source"], "the journal", "{journal:#?}");
    log(&scene, FAULT);
    let journal = elsewhere(&scene, &logs, Some(&journalctl));
    assert_eq!(journal.exit, Some(1), "{journal:#?}");
    assert!(has(&journal, "log.key-mismatch"), "{journal:#?}");

    symlink(&log_file, logs.join("mail.log")).unwrap();
    let syslog = elsewhere(&scene, &logs, None);
    assert_eq!(syslog.exit, Some(1), "{syslog:#?}");
    assert_eq!(
        syslog.json["log"]["source"], "/var/log/mail.log",
        "{syslog:#?}"
    );
    assert!(has(&syslog, "log.key-mismatch"), "{syslog:#?}");
}

#[test]
fn a_stranger_waits_for_the_greeting_of_postscreen_and_is_told_so() {
    let scene = Scene::stopped(PostfixBox::builder().set("postscreen_greet_wait", "6s"));
    scene.edit("master.cf", |master| {
        let screened = "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n\
                        tlsproxy unix - - n - 0 tlsproxy\ndnsblog unix - - n - 0 dnsblog\n";
        let kept = master
            .lines()
            .filter(|line| !line.starts_with("smtp  ") && !line.starts_with("smtp inet"));
        kept.map(|line| format!("{line}\n")).collect::<String>() + screened
    });
    scene.postfix.start().unwrap();
    scene.must(&["init"]);
    scene.import();
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&["set", "inbound=may"]);
    scene.must(&["apply"]);
    let known = scene.say(&["verify"]);
    assert_eq!(known.exit, Some(0), "{known:#?}");
    assert!(
        known.stdout.contains("handed this look on at once"),
        "{known:#?}"
    );
    scene.edit("main.cf", |main| main + "postscreen_access_list =\n");
    reload(&scene);
    let stranger = scene.say(&["verify"]);
    assert_eq!(stranger.exit, Some(0), "{stranger:#?}");
    assert!(
        stranger.stdout.contains("let this look wait"),
        "{stranger:#?}"
    );
}

//! Every main.cf, through the whole program.
//!
//! What keeps it away from this machine's Postfix (folders, address), and what only its own server
//! has (its name, its certificates, its tables for TLS) is replaced first.

use crate::place::Placed;
use crate::scene::{Scene, stock_master};
use crate::walk::{OWNER, Refused, Wish, unreadable, walk_all};
use postfix_cf::MainCf;
use postseal_planner::plan::Cf;

/// Files that Postfix cannot read: the output of a diff tool, and templates.
const EXCEPTIONS: [Refused; 4] = [
    unreadable("CamJN__dot-files__3", "missing '=' after attribute name"),
    unreadable("bloodhunterd__Froxlor-Mail__1", "bad numerical"),
    unreadable("invokr__docker-mail__2", "macro processing error"),
    unreadable("invokr__docker-mail__3", "macro processing error"),
];

/// A server's main.cf at home here.
fn at_home(bytes: &[u8], scene: &Scene) -> MainCf {
    let base = scene.postfix.path().display().to_string();
    let mut values = vec![
        ("queue_directory", format!("{base}/queue")),
        ("data_directory", format!("{base}/data")),
        ("maillog_file", format!("{base}/log/mail.log")),
        ("maillog_file_prefixes", format!("{base}/log")),
        ("inet_interfaces", scene.postfix.address().to_string()),
        ("inet_protocols", "ipv4".to_owned()),
        ("daemon_directory", "/usr/lib/postfix/sbin".to_owned()),
        ("command_directory", "/usr/sbin".to_owned()),
        ("sendmail_path", "/usr/sbin/sendmail".to_owned()),
        ("mail_owner", "postfix".to_owned()),
        ("setgid_group", "postdrop".to_owned()),
        ("myhostname", "mx.box.test".to_owned()),
        ("myorigin", "$myhostname".to_owned()),
        ("smtpd_tls_chain_files", scene.named("chain.pem")),
    ];
    let mut main = MainCf::parse(bytes);
    if main.get("mydomain").is_some() {
        values.push(("mydomain", "box.test".to_owned()));
    }
    for (name, value) in values {
        main.set(name, value.as_bytes()).unwrap();
    }
    for name in [
        "smtpd_tls_CAfile",
        "smtp_tls_CAfile",
        "smtp_tls_cert_file",
        "smtp_tls_chain_files",
        "smtp_tls_policy_maps",
        "tls_server_sni_maps",
    ] {
        main.unset(name);
    }
    main
}

/// Values that this file does not have yet.
fn wishes(main: &MainCf) -> Vec<Wish> {
    let other = |name: &str, old: &[u8], values: [&'static str; 2]| {
        values[usize::from(main.get(name).as_deref() != Some(old))]
    };
    let level = ["loglevel.inbound=2", "loglevel.inbound=1"];
    let header = ["received-header=no", "received-header=yes"];
    let words = vec![
        other("smtpd_tls_loglevel", b"1", level),
        other("smtpd_tls_received_header", b"yes", header),
    ];
    vec![Wish { words, in_force }]
}

fn in_force(scene: &Scene, words: &[&str]) -> bool {
    let names = ["smtpd_tls_loglevel", "smtpd_tls_received_header"];
    names.iter().zip(words).all(|(name, word)| {
        let (_, wanted) = word.split_once('=').unwrap();
        scene.value(name) == wanted
    })
}

#[test]
fn every_main_cf_is_changed_by_the_program_and_comes_back_whole() {
    walk_all(Cf::Main, &EXCEPTIONS, |scene, sample, n| {
        let main = at_home(&sample.bytes, scene);
        let folder = scene.postfix.config_directory();
        let stock = stock_master();
        let placed = [
            Placed::put(&folder, Cf::Main, &main.to_bytes(), n, OWNER),
            Placed::put(&folder, Cf::Master, stock.as_bytes(), n + 1, OWNER),
        ];
        (placed, wishes(&main))
    });
}

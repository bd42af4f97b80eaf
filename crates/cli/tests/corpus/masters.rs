//! Every master.cf as it is, beside a main.cf with a certificate, through the whole program.

use crate::place::Placed;
use crate::scene::Scene;
use crate::walk::{OWNER, Refused, Wish, unreadable, walk_all};
use postfix_cf::MainCf;
use postseal_planner::plan::Cf;
use std::fs;

/// Files that Postfix cannot start here, or not read.
const EXCEPTIONS: [Refused; 2] = [
    // A service of its listens on an address of its own server.
    Refused {
        name: "david-hill__binarystorm__1",
        command: "apply",
        exit: 1,
        code: "rehearsal.no-start",
        reason: "cannot be bound",
    },
    // Lines of `postconf -P`.
    unreadable("docker-mailserver__docker-mailserver__4", "bad field count"),
];

/// Services for mail clients, wanted or not.
fn wishes() -> Vec<Wish> {
    let on = vec!["auth-only=yes", "submission=on", "smtps=on"];
    let off = vec!["submission=off", "smtps=off"];
    [on, off]
        .into_iter()
        .map(|words| Wish { words, in_force })
        .collect()
}

/// Whether both services are there, or neither.
fn in_force(scene: &Scene, words: &[&str]) -> bool {
    let on = words.contains(&"submission=on");
    let said = scene.postconf(&["-M"]);
    let listens = |names: &[&str]| {
        said.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace();
            let port = fields.next().and_then(|name| name.rsplit(':').next());
            port.is_some_and(|port| names.contains(&port)) && fields.next() == Some("inet")
        })
    };
    let submission = listens(&["submission", "587"]);
    let smtps = listens(&["smtps", "submissions", "465"]);
    submission == on && smtps == on
}

#[test]
fn every_master_cf_is_changed_by_the_program_and_comes_back_whole() {
    walk_all(Cf::Master, &EXCEPTIONS, |scene, sample, n| {
        let folder = scene.postfix.config_directory();
        let mut main = MainCf::parse(&fs::read(folder.join("main.cf")).unwrap());
        for (name, value) in [
            ("smtpd_tls_security_level", "may"),
            ("smtpd_tls_chain_files", &scene.named("chain.pem")),
        ] {
            main.set(name, value.as_bytes()).unwrap();
        }
        let placed = [
            Placed::put(&folder, Cf::Main, &main.to_bytes(), n, OWNER),
            Placed::put(&folder, Cf::Master, &sample.bytes, n + 1, OWNER),
        ];
        (placed, wishes())
    });
}

//! `probe --full` of one Postfix on loopback, beside testssl.sh and sslyze; connections are counted
//! in Postfix's log.

use crate::chains::Authority;
use crate::site::Site;
use crate::{Outcome, postseal, section};
use postseal_testkit::postfix_box::PostfixBox;
use std::cell::RefCell;
use std::path::Path;
use xtask::bench::{Contender, Rounds, Section, Task, compare, seconds};

/// Debian's testssl.sh.
const TESTSSL: &str = "/usr/bin/testssl";
/// What a look takes as the beginning of a session in Postfix's log.
const CONNECT: &str = ": connect from ";

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let builder = PostfixBox::builder()
        .set("smtpd_tls_security_level", "may")
        .set("smtpd_tls_chain_files", "{base}/chain.pem");
    let site = Site::with(builder, &program)?;
    let chain = site.postfix.config_directory().with_file_name("chain.pem");
    Authority::new()?.file(&["mx.box.test".to_owned()], &chain)?;
    site.postfix.start()?;
    let server = site.postfix.at(25).to_string();
    // Who ran when, and how many connections there had been.
    let seen: RefCell<Vec<(usize, usize)>> = RefCell::default();
    let so_far = || site.postfix.log().matches(CONNECT).count();
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    let mut limits = Vec::new();
    for (place, one) in contestants(&site, &server).into_iter().enumerate() {
        let (seen, so_far) = (&seen, &so_far);
        let note = move || {
            seen.borrow_mut().push((place, so_far()));
            Ok(())
        };
        limits.push(one.limit);
        contenders.push(Contender::new(one.name, [one.task]).prepare(note));
    }
    let found = compare(&mut contenders, rounds)?;
    let names = contenders.len();
    drop(contenders);
    seen.borrow_mut().push((names, so_far()));
    let used = connections(&seen.borrow(), names);
    let own = &found[0];
    let rows = found
        .iter()
        .zip(used)
        .zip(limits)
        .map(|((one, used), limit)| {
            [
                one.name.clone(),
                seconds(one.wall()),
                seconds(one.cpu()),
                used.to_string(),
                format!("{:.1} ×", one.wall_ratio(own)),
                limit.to_owned(),
            ]
            .to_vec()
        });
    Ok(section(
        "full",
        "Everything that the TLS of one Postfix on loopback can do (its defaults, one ECDSA \
         certificate): `probe --full`, testssl.sh and sslyze; connections by Postfix's log. \
         What each of them says of the same servers: docs/reference/agreement.md.",
        &[
            "command",
            "wall",
            "CPU",
            "connections",
            "time to ours",
            "limit",
        ],
        rows.collect(),
    ))
}

/// One program, and how it is to compare.
struct Contestant {
    name: &'static str,
    limit: &'static str,
    task: Task,
}

/// Ours first; the others where they are installed.
fn contestants(site: &Site, server: &str) -> Vec<Contestant> {
    let full = site.postseal(&["probe", server, "--full", "--json"]);
    let mut all = vec![Contestant {
        name: "`postseal probe --full`",
        limit: "≤ 100 connections",
        // Findings are an answer, too, and so is what could not be told.
        task: full.or_exit(2).or_exit(3),
    }];
    let words = [TESTSSL, "--quiet", "--color", "0", "-t", "smtp", server];
    match Path::new(TESTSSL).exists() {
        true => all.push(Contestant {
            name: "`testssl -t smtp`",
            limit: "≥ 50 ×",
            // It exits with the number of its findings.
            task: (1..=255).fold(Task::new(words), Task::or_exit),
        }),
        false => eprintln!("bench: NOT MEASURED: {TESTSSL} is not here (Debian: testssl.sh)"),
    }
    let sslyze = ["/usr/local/bin/sslyze", "/usr/bin/sslyze"];
    match sslyze.into_iter().find(|path| Path::new(path).exists()) {
        Some(program) => all.push(Contestant {
            name: "`sslyze --starttls smtp`",
            limit: "≥ 2 ×",
            task: Task::new([program, "--starttls", "smtp", server]).or_exit(1),
        }),
        None => eprintln!("bench: NOT MEASURED: sslyze is not here (PyPI: sslyze)"),
    }
    all
}

/// The most connections that each took in one run.
fn connections(seen: &[(usize, usize)], names: usize) -> Vec<usize> {
    let mut most = vec![0; names];
    for pair in seen.windows(2) {
        let [(place, before), (_, after)] = pair else {
            continue;
        };
        if let Some(most) = most.get_mut(*place) {
            *most = (*most).max(after.saturating_sub(*before));
        }
    }
    most
}

//! `lint` of a main.cf of 10,000 lines, beside `postconf -n` on the same file; and of all files of
//! the corpus in one call.

use crate::{Outcome, postseal, section};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use xtask::bench::{Contender, Rounds, Section, Task, compare, seconds};

const LINES: usize = 10_000;

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let folder = tempfile::tempdir()?;
    let main_cf = folder.path().join("main.cf");
    std::fs::write(&main_cf, long_main_cf())?;
    std::fs::write(folder.path().join("master.cf"), "")?;

    // Findings are no failure here.
    let lint = Task::new([program.as_os_str(), "lint".as_ref(), main_cf.as_os_str()]).or_exit(2);
    let folder = folder.path().as_os_str();
    let postconf = Task::new([
        "/usr/sbin/postconf".as_ref(),
        "-c".as_ref(),
        folder,
        "-n".as_ref(),
    ]);
    let mut both = [
        Contender::new("postseal lint FILE", [lint]),
        Contender::new("postconf -n", [postconf]),
    ];
    let found = compare(&mut both, rounds)?;
    let limits = ["≤ 10 ms of CPU", ""];
    let row = |one: &xtask::bench::Series, limit: &str| {
        let name = format!("`{}`", one.name);
        vec![
            name,
            seconds(one.cpu()),
            seconds(one.wall()),
            limit.to_owned(),
        ]
    };
    let mut rows: Vec<_> = found
        .iter()
        .zip(limits)
        .map(|(one, limit)| row(one, limit))
        .collect();
    let others = tempfile::tempdir()?;
    let files = others_files(others.path())?;
    if files.is_empty() {
        println!("bench: NOT MEASURED: ../shared/corpus is absent");
    } else {
        let name = format!("postseal lint of {} files of others", files.len());
        let words = [program.into_os_string(), "lint".into()];
        let all = Task::new(words.into_iter().chain(files)).or_exit(2);
        let found = compare(&mut [Contender::new(&name, [all])], rounds)?;
        rows.extend(found.iter().map(|one| row(one, "≤ 1 s")));
    }
    Ok(section(
        "lint",
        "A main.cf of 10,000 lines: comments, continuation lines, user-defined parameters, and some TLS settings; and all files of others in one call.",
        &["command", "CPU", "wall", "limit"],
        rows,
    ))
}

/// Every main.cf and master.cf of the corpus; lint knows a master.cf by its name.
fn others_files(folder: &Path) -> Outcome<Vec<OsString>> {
    let corpus = xtask::workspace_root().join("../shared/corpus");
    let mut files = Vec::new();
    for kind in ["main.cf", "master.cf"] {
        let Ok(samples) = std::fs::read_dir(corpus.join(kind)) else {
            return Ok(Vec::new());
        };
        for (number, sample) in samples.enumerate() {
            let named = folder.join(format!("{kind}.{number}"));
            std::fs::copy(sample?.path(), &named)?;
            files.push(named.into_os_string());
        }
    }
    Ok(files)
}

/// Some TLS settings, then ten lines again and again, with other names and values.
fn long_main_cf() -> String {
    let mut text = "\
        compatibility_level = 3.6\n\
        smtpd_tls_security_level = may\n\
        smtpd_tls_chain_files = /etc/postfix/key-and-chain.pem\n\
        smtpd_tls_mandatory_protocols = >=TLSv1.2\n\
        smtp_tls_security_level = may\n"
        .to_owned();
    for block in 0..LINES / 10 {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "# Block {block}\n#\n\
             local_{block} = value of $myhostname and {block}\n\
             list_{block} = one,\n    two_{block},\n\n    # a comment inside\n    three\n\
             first_{block}_restrictions = permit_mynetworks, reject\n\
             second_{block}_restrictions = $first_{block}_restrictions\n"
        );
    }
    text
}

//! A new certificate imported, bound to three services and ten names, applied and proved, beside
//! what an administrator types for the same files and the same certainty: a handshake a service
//! and a handshake a name.

use crate::chains::Authority;
use crate::site::Site;
use crate::{Outcome, postseal, section};
use postseal_testkit::postfix_box::PostfixBox;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use xtask::bench::{BenchError, Contender, Rounds, Section, Series, Task, compare, seconds};

/// Names that clients ask for.
const NAMES: usize = 10;
const SMTP: &[&str] = &["-starttls", "smtp"];

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let (ours, bare) = (serving(&program)?, serving(&program)?);
    let authority = Authority::new()?;
    let (mx, names) = (host(&bare), names());
    let all = [std::slice::from_ref(&mx), &names].concat();
    let directory = bare.postfix.config_directory();
    let new = authority.file(&all, &directory.join("new.pem"))?;
    let new = new.display().to_string();
    let rows: String = names
        .iter()
        .map(|name| format!("{name} {}\n", directory.join("mx.pem").display()))
        .collect();
    let source = directory.join("sni.new");
    fs::write(&source, rows)?;

    let before = fs::read(directory.join("main.cf"))?;
    let contender = |name, age| {
        Contender::new(name, commands(&bare, &new, &source, age))
            .prepare(|| put_back(&bare, &before))
    };
    let sni = names.join(",");
    let tasks = [
        ours.postseal(&["cert", "import", "new", "--cert", &new]),
        ours.postseal(&["cert", "bind", "new"]),
        ours.postseal(&["cert", "bind", "new", "--sni", &sni]),
        ours.postseal(&["apply", "--yes"]),
    ];
    let mut all = [
        contender("bare commands", Age::Fresh),
        contender("the same with touch", Age::Touched),
        Contender::new("postseal, four commands", tasks).prepare(|| take_back(&ours)),
    ];
    let found = compare(&mut all, rounds)?;
    drop(all);
    Ok(section(
        "certs",
        "A new certificate on an instance that serves TLS on 25, 587 and 465: imported, bound to \
         every service and to 10 names (SNI), applied, each of the 13 proved by a handshake; \
         against `install`, `postmap -F`, `postconf -e`, `postfix reload` and 13 times `openssl \
         s_client`. `postconf -e` leaves a main.cf over which Postfix's programs sleep; `touch` \
         spares that.",
        &["commands", "wall", "ratio", "to touch", "CPU", "peak"],
        table(&found),
    ))
}

fn table(found: &[Series]) -> Vec<Vec<String>> {
    let [fresh, touched, ..] = found else {
        return Vec::new();
    };
    let row = |one: &Series| {
        vec![
            one.name.clone(),
            seconds(one.wall()),
            format!("{:.2}", one.wall_ratio(fresh)),
            format!("{:.2}", one.wall_ratio(touched)),
            seconds(one.cpu()),
            format!("{:.1} MiB", one.peak() as f64 / f64::from(1 << 20)),
        ]
    };
    let limits = ["limit", "", "≤ 2", "", "", ""].map(str::to_owned).to_vec();
    found.iter().map(row).chain([limits]).collect()
}

/// Whether main.cf is left as young as `postconf -e` makes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Touched,
}

/// An adopted instance that serves an older certificate on three ports.
fn serving(program: &Path) -> Outcome<Site> {
    let builder = PostfixBox::builder().sasl_user("alice", "in the jail");
    let site = Site::with(builder, program)?;
    let path = site.postfix.config_directory().join("old.pem");
    let old = Authority::new()?.file(&[host(&site)], &path)?;
    let old = old.display().to_string();
    site.postfix.start()?;
    site.postseal(&["init"]).run()?;
    site.postseal(&["cert", "import", "old", "--cert", &old])
        .run()?;
    site.postseal(&["cert", "bind", "old"]).run()?;
    site.postseal(&["set", "mode=may", "submission=on", "smtps=on"])
        .run()?;
    site.postseal(&["apply", "--yes"]).run()?;
    Ok(site)
}

fn host(site: &Site) -> String {
    format!("mx.{}", site.postfix.domain())
}

fn names() -> Vec<String> {
    let names = (0..NAMES).map(|n| format!("mail{n}.example.net"));
    names.collect()
}

/// What an administrator types.
fn commands(site: &Site, new: &str, rows: &Path, age: Age) -> Vec<Task> {
    let directory = site.postfix.config_directory();
    let at = |name: &str| directory.join(name);
    let install = |from: &Path, to: PathBuf| {
        let words = ["install", "-m", "600"].map(OsString::from);
        Task::new(words.into_iter().chain([from.into(), to.into()]))
    };
    let map = format!("hash:{}", at("sni").display());
    let main = [
        format!("smtpd_tls_chain_files={}", at("mx.pem").display()),
        format!("tls_server_sni_maps={map}"),
    ];
    let mut tasks = vec![
        install(Path::new(new), at("mx.pem")),
        install(rows, at("sni")),
        site.command("/usr/sbin/postmap", &["-F", &map]),
        site.postconf(&["-e", &main[0], &main[1]]),
    ];
    if age == Age::Touched {
        let words = ["touch", "-d", "10 seconds ago"].map(OsString::from);
        tasks.push(Task::new(words.into_iter().chain([at("main.cf").into()])));
    }
    tasks.push(site.command("/usr/sbin/postfix", &["reload"]));
    let port = |port| site.postfix.at(port);
    tasks.push(handshake(port(587), SMTP, None));
    tasks.push(handshake(port(465), &[], None));
    let asked = names().into_iter().map(Some).chain([None]);
    tasks.extend(asked.map(|name| handshake(port(25), SMTP, name.as_deref())));
    tasks
}

fn handshake(address: SocketAddr, how: &[&str], name: Option<&str>) -> Task {
    let address = address.to_string();
    let asked = name.map_or_else(|| vec!["-noservername"], |name| vec!["-servername", name]);
    let words = ["openssl", "s_client", "-connect", &address];
    Task::new([&words[..], how, &asked].concat()).input(b"Q\n")
}

/// The bare side's main.cf as it was, with a time that no Postfix program sleeps over.
fn put_back(site: &Site, main_cf: &[u8]) -> Result<(), BenchError> {
    let path = site.postfix.config_directory().join("main.cf");
    let fault = |error| BenchError::file(&path, error);
    fs::write(&path, main_cf).map_err(fault)?;
    let file = fs::File::options()
        .append(true)
        .open(&path)
        .map_err(fault)?;
    let then = SystemTime::now() - Duration::from_secs(10);
    file.set_modified(then).map_err(fault)?;
    site.command("/usr/sbin/postfix", &["reload"]).run()?;
    settle();
    Ok(())
}

/// Our side as it was: the new certificate is unknown again.
fn take_back(site: &Site) -> Result<(), BenchError> {
    let known = site.postseal(&["cert", "show", "new"]).or_exit(65);
    if known.run()?.code == 0 {
        site.postseal(&["rollback", "--yes"]).run()?;
        site.postseal(&["discard"]).run()?;
        site.postseal(&["cert", "delete", "new"]).run()?;
    }
    settle();
    Ok(())
}

/// A reload is asynchronous; nothing of it shall run into the measurement.
fn settle() {
    std::thread::sleep(Duration::from_millis(300));
}

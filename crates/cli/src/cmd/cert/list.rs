//! `cert list`: what the store holds.
//!
//! Owns: a certificate as a row, as a line and as a document. Never: judges one (`cert check`).

use super::{date, renew};
use crate::answer::{Answer, Rows};
use crate::config::{Global, Output};
use crate::failure::Failure;
use crate::session::Session;
use crate::table;
use jiff::Timestamp;
use mailtls::{Fingerprint, Summary};
use postseal_engine::{CertificateView, Listed, Waiting};
use postseal_planner::{Adopted, Finding};
use postseal_store::PendingRequest;
use serde_json::{Value, json};

/// Names of one certificate in a line of several; those above are counted.
const NAMES: usize = 5;
/// Where one certificate is shown in full, there may be this many: a CA puts up to a hundred.
pub(super) const NAMES_IN_FULL: usize = 100;

const HEAD: [&str; 7] = ["name", "names", "key", "until", "days", "used by", "source"];

pub(super) fn list(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let recipient = session.recipient();
    let engine = session.engine();
    let requests = engine.requests()?;
    let adopted = engine.adopted_certificates();
    // There may be ten thousand: only the form that is asked for is made, a row at a time.
    let (mut failed, mut lines, mut documents) =
        (Vec::new(), Vec::new(), Rows::new("certificates"));
    engine.each_listed(&mut |mut listed| {
        let files = by_files(&listed.leaf.fingerprint, &adopted);
        listed.used_by.extend(files);
        failed.extend(renew::failure(&listed));
        match global.output {
            Output::Text => {
                lines.push(row(&listed));
                lines.extend(waiting_row(&listed));
            }
            Output::Json => documents.push(&document(&listed)),
        }
    })?;
    Ok(match global.output {
        Output::Text => {
            renew::warn(&failed, global);
            lines.extend(requests.iter().map(waiting));
            Answer::new(text(&lines), Value::Null)
        }
        Output::Json => {
            let requests: Vec<Value> = requests.iter().map(request).collect();
            let document = json!({
                "changed": false,
                "findings": failed,
                "requests": requests,
                "recipient": recipient,
                "ca": super::issue::directory(global),
            });
            Answer::new("", document).rows(documents)
        }
    })
}

fn text(rows: &[Vec<String>]) -> String {
    match rows {
        [] => "No certificates.\n".to_owned(),
        rows => table::render(&HEAD, rows),
    }
}

fn row(listed: &Listed) -> Vec<String> {
    vec![
        listed.name.clone(),
        some_names(&names(&listed.leaf), NAMES),
        listed.leaf.key.to_string(),
        date(listed.leaf.not_after),
        days(&listed.leaf),
        listed.used_by.join(", "),
        listed.source.clone(),
    ]
}

/// A newer version stands below the one in force.
fn waiting_row(listed: &Listed) -> Option<Vec<String>> {
    let waiting = listed.waiting.as_ref()?;
    Some(vec![
        format!("{} [version {}]", listed.name, waiting.version),
        some_names(&names(&waiting.leaf), NAMES),
        waiting.leaf.key.to_string(),
        date(waiting.leaf.not_after),
        days(&waiting.leaf),
        // What helps may be several steps, which no column has room for.
        waits(listed, waiting, &|why| {
            let name = &listed.name;
            format!(
                "{} [{}] `postseal cert show {name}` says what helps",
                why.message, why.code
            )
        }),
        waiting.source.clone(),
    ])
}

/// Since when a newer version is here, and what it waits for.
fn waits(listed: &Listed, waiting: &Waiting, why: &dyn Fn(&Finding) -> String) -> String {
    let since = date(waiting.since_ms.div_euclid(1000));
    let by = match waiting.used_by.as_slice() {
        [] => match waiting.waits_for.first() {
            Some(first) => why(first),
            None => format!(
                "`postseal cert deploy {}` presents it{}",
                listed.name,
                unsure(waiting.untold.as_ref())
            ),
        },
        places => format!("{}, `postseal apply` presents it", places.join(", ")),
    };
    format!("not in force, here since {since}: {by}")
}

/// That nobody could tell whether it may be presented yet.
pub(crate) fn unsure(untold: Option<&Finding>) -> &'static str {
    match untold {
        Some(_) => "; DNS did not tell whether published TLSA records match it [dane.undetermined]",
        None => "",
    }
}

/// Why `cert deploy` does not present it, and what helps.
pub(super) fn why(why: &Finding) -> String {
    format!("{} [{}] {}", why.message, why.code, why.remedy)
}

/// That the version before is in force still, and what presents the one that has just come.
pub(super) fn before(view: &CertificateView) -> String {
    if view.in_force_instead.is_none() {
        return String::new();
    }
    let by = match view.waits_for.first() {
        Some(first) => why(first),
        None => format!(
            "`postseal cert deploy {}` presents this one{}.",
            view.name,
            unsure(view.untold.as_ref())
        ),
    };
    format!("The version before is in force still: {by}\n")
}

/// A request stands among the certificates: its name is taken.
fn waiting(request: &PendingRequest) -> Vec<String> {
    let made = date(request.made_ms.div_euclid(1000));
    vec![
        request.name.clone(),
        request.names.join(" "),
        String::new(),
        "requested".to_owned(),
        String::new(),
        String::new(),
        format!("request of {made}, waits for its certificate"),
    ]
}

fn request(request: &PendingRequest) -> Value {
    json!({
        "name": request.name,
        "names": request.names,
        "made": date_time(request.made_ms.div_euclid(1000)),
    })
}

/// A certificate in one line.
pub(crate) fn line(listed: &Listed) -> String {
    let used = if listed.used_by.is_empty() {
        String::new()
    } else {
        format!(", used by {}", listed.used_by.join(", "))
    };
    let names = match names(&listed.leaf).as_slice() {
        // A CA has none.
        [] => listed.leaf.subject.clone(),
        names => some_names(names, NAMES),
    };
    format!(
        "{}: {names}, {}, until {} ({}){used}\n",
        listed.name,
        listed.leaf.key,
        date(listed.leaf.not_after),
        left(&listed.leaf)
    )
}

/// Who presents a certificate from files that are not the store's, as in `used by`.
pub(crate) fn by_files(leaf: &Fingerprint, adopted: &[Adopted]) -> Vec<String> {
    let its = adopted.iter();
    let its = its.filter(|one| {
        one.leaf
            .as_ref()
            .is_some_and(|own| own.fingerprint() == *leaf)
    });
    its.map(|one| {
        let (path, services) = (one.path.display(), one.services.join(", "));
        format!("{services} (by {path}, a file of your own)")
    })
    .collect()
}

/// A certificate that is presented from a file that is not the store's, in one line.
pub(crate) fn adopted_line(adopted: &Adopted) -> String {
    let services = adopted.services.join(", ");
    let Some(leaf) = &adopted.leaf else {
        let path = adopted.path.display();
        return format!("{path}: Postfix cannot use it, named by {services}\n");
    };
    let until = leaf.not_after;
    let stored = match adopted.same_as.as_slice() {
        [] => "not in the store".to_owned(),
        names => format!("a file of your own with {} of the store", names.join(", ")),
    };
    format!(
        "{}: {}, until {} ({}), {stored}, used by {}\n",
        adopted.path.display(),
        leaf.names_shown(),
        date(until),
        ends(until),
        services
    )
}

pub(crate) fn adopted_document(adopted: &Adopted) -> Value {
    let leaf = adopted.leaf.as_ref();
    json!({
        "path": adopted.path,
        "names": leaf.map(|leaf| &leaf.dns_names),
        "fingerprint": leaf.map(mailtls::Certificate::fingerprint),
        "key": leaf.map(|leaf| leaf.key.to_string()),
        "not_before": leaf.map(|leaf| date_time(leaf.not_before)),
        "not_after": leaf.map(|leaf| date_time(leaf.not_after)),
        "used_by": adopted.services,
        "same_as": adopted.same_as,
        "findings": adopted.problems,
    })
}

/// `12 days`, `expired 3 days ago`.
pub(crate) fn ends(not_after: i64) -> String {
    match not_after < Timestamp::now().as_second() {
        true => format!("expired {}", from_now(not_after)),
        false => from_now(not_after),
    }
}

/// The newer version of a certificate that is not in force, in one line below it.
pub(crate) fn waiting_line(listed: &Listed) -> String {
    let Some(waiting) = &listed.waiting else {
        return String::new();
    };
    format!(
        "    version {}: {}, until {} ({}), {}\n",
        waiting.version,
        waiting.leaf.key,
        date(waiting.leaf.not_after),
        left(&waiting.leaf),
        waits(listed, waiting, &why)
    )
}

/// Host names, then addresses.
fn names(leaf: &Summary) -> Vec<String> {
    let mut names = leaf.dns_names.clone();
    names.extend(leaf.ip_addresses.iter().map(ToString::to_string));
    names
}

/// Names in a line: the first few, and how many there are.
pub(super) fn some_names(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let first = names[..names.len() - more].join(" ");
    match more {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A certificate for programs; never its key.
pub(crate) fn document(listed: &Listed) -> Value {
    let leaf = &listed.leaf;
    json!({
        "name": listed.name,
        "version": listed.version,
        "names": leaf.dns_names,
        "addresses": leaf.ip_addresses,
        "subject": leaf.subject,
        "issuer": leaf.issuer,
        "serial": leaf.serial,
        "key": leaf.key.to_string(),
        "not_before": date_time(leaf.not_before),
        "not_after": date_time(leaf.not_after),
        "fingerprint": leaf.fingerprint,
        "self_signed": leaf.names_itself,
        "chain_length": listed.chain_length,
        "has_key": listed.has_key,
        "source": listed.source,
        "used_by": listed.used_by,
        "waiting": listed.waiting.as_deref().map(waiting_document),
        "renewal": listed.renewal.as_ref().map(renew::document),
    })
}

fn waiting_document(waiting: &Waiting) -> Value {
    let leaf = &waiting.leaf;
    json!({
        "version": waiting.version,
        "since": date_time(waiting.since_ms.div_euclid(1000)),
        "names": leaf.dns_names,
        "addresses": leaf.ip_addresses,
        "key": leaf.key.to_string(),
        "not_before": date_time(leaf.not_before),
        "not_after": date_time(leaf.not_after),
        "fingerprint": leaf.fingerprint,
        "source": waiting.source,
        "used_by": waiting.used_by,
        "waits_for": waiting.waits_for,
        "undetermined": waiting.untold,
    })
}

pub(super) fn date_time(unix: i64) -> String {
    postseal_planner::calendar::moment(unix)
}

/// Days that are left to a certificate, as a column; where it is not valid, why.
fn days(leaf: &Summary) -> String {
    let left = left(leaf);
    match left.strip_suffix(" days") {
        Some(days) => days.to_owned(),
        None => left,
    }
}

/// `89 days`, `expired 3 days ago`, `not valid before 2027-02-20`.
pub(crate) fn left(leaf: &Summary) -> String {
    let now = Timestamp::now().as_second();
    match () {
        () if now < leaf.not_before => format!("not valid before {}", date(leaf.not_before)),
        () if now > leaf.not_after => {
            let ago = mailtls::span(now.saturating_sub(leaf.not_after));
            format!("expired {ago} ago")
        }
        () => from_now(leaf.not_after),
    }
}

/// How far a moment is from now: `12 days`, `3 days ago`.
pub(super) fn from_now(at: i64) -> String {
    let left = at.saturating_sub(Timestamp::now().as_second());
    match left < 0 {
        true => format!("{} ago", mailtls::span(left.saturating_neg())),
        false => mailtls::span(left),
    }
}

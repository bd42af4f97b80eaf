//! `cert tlsa`: the records to publish, and what DNS has of them.
//!
//! Owns: their words; what is printed can be pasted into a zone file as it is, remarks included.
//! Never: publishes a record.

use crate::answer::Answer;
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{Elsewhere, Instead, Reach, RecordOf, RecordState, Tlsa, TlsaRow};
use serde_json::{Value, json};

/// Arguments of `cert tlsa`.
#[derive(Debug, clap::Args)]
pub(crate) struct TlsaArgs {
    /// A certificate of the store
    name: String,
    /// The name that senders connect to (default: myhostname, and the MX hosts of this host's
    /// domains that are this host)
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    mx: Vec<String>,
    /// Make the key of the next certificate under this name now, so that its record can be
    /// published before it is used
    #[arg(long)]
    next_key: bool,
    /// The kind of that key [default: that of the certificate]
    #[arg(long, value_enum, requires = "next_key")]
    key_type: Option<super::make::Kind>,
    /// Forget the next key
    #[arg(long, conflicts_with_all = ["next_key", "mx"])]
    forget_next_key: bool,
}

pub(super) fn tlsa(args: &TlsaArgs, global: &Global) -> Result<Answer, Failure> {
    let is_bad = |name: &&String| mailtls::host_name(name).is_none();
    if let Some(bad) = args.mx.iter().find(is_bad) {
        let message = format!("{bad:?} is no host name");
        return Err(Failure::new(Exit::Usage, "cert.bad-host-name", message)
            .hint("Say the name that MX records give: --mx mx.example.org."));
    }
    let mut session = match args.next_key || args.forget_next_key {
        true => Session::existing(global)?,
        false => Session::reading(global)?,
    };
    let mut engine = session.engine();
    let name = &args.name;
    if args.forget_next_key {
        engine.forget_next_key(name)?;
        let gone = Change::default().of(name.clone(), "next key", None::<String>);
        let text = format!("The next key of {name} is forgotten. Take its record out of DNS.\n");
        return Ok(Answer::new(text, gone.document(json!({}))));
    }
    let before = engine.waiting_key(name)?;
    if before.is_some() && args.key_type.is_some() {
        let message = format!("a next key waits for {name} already");
        return Err(Failure::new(Exit::Data, "cert.next-key-waits", message)
            .hint("Keep it, or forget it first: --forget-next-key."));
    }
    if args.next_key {
        let kind = args.key_type.map(super::make::Kind::key_type);
        engine.make_next_key(name, kind)?;
    }
    let tlsa = engine.tlsa(name, &args.mx)?;
    let reuses = engine.reuses_key(name)?;
    let record =
        |key: &Option<postseal_engine::WaitingKey>| key.as_ref().map(|key| key.record.to_string());
    let change = Change::default().of(
        format!("{name} next key"),
        record(&before),
        record(&tlsa.next),
    );
    let rows: Vec<Value> = tlsa.rows.iter().map(row_document).collect();
    let document = change.document(json!({
        "name": name,
        "records": rows,
        "presented": reach(&tlsa.reach),
        "elsewhere": tlsa.elsewhere.iter().map(elsewhere_document).collect::<Vec<_>>(),
        "beside": tlsa.beside,
        "next_key": record(&tlsa.next),
        "reuses_key": reuses,
        "waiting_version": tlsa.waits,
        "insecure": tlsa.insecure,
        "unlisted": tlsa.unlisted,
        "ttl": tlsa.ttl.map(|ttl| ttl.seconds),
        "ttl_of_zone": tlsa.ttl.map(|ttl| ttl.of_zone),
    }));
    let mut said = text(args, &tlsa);
    if reuses && tlsa.next.is_some() {
        said.push_str(&comment(REUSES));
    }
    Ok(Answer::new(said, document))
}

/// Said where a next key waits for what is renewed with the same key each time.
const REUSES: &str = "It is renewed with the same key each time (--reuse-key): the next renewal takes \
    the next key\nall the same, and those after it keep that one.";

/// A zone file: records, and remarks as comments.
fn text(args: &TlsaArgs, tlsa: &Tlsa) -> String {
    let mut text = headline(args, tlsa);
    let mut owner = "";
    for row in &tlsa.rows {
        if row.owner != owner && !owner.is_empty() {
            text.push('\n');
        }
        owner = &row.owner;
        // What is published and not ours is not for pasting.
        let start = match row.of {
            RecordOf::Nothing => "; ",
            _ => "",
        };
        text.push_str(&format!(
            "; {}: {}\n{start}{} IN TLSA {}\n",
            stands_for(&row.of),
            state(row),
            row.owner,
            row.record
        ));
    }
    if tlsa.rows.is_empty() && !matches!(tlsa.reach, Reach::Unasked(_)) {
        text.push_str("; No name is known that senders could connect to: say one by --mx.\n");
    }
    if !tlsa.elsewhere.is_empty() {
        text.push_str(&comment(&elsewhere(args, tlsa)));
    }
    for remark in remarks(args, tlsa) {
        text.push_str(&comment(&remark));
    }
    text
}

/// What has to be known before anything below is pasted.
fn headline(args: &TlsaArgs, tlsa: &Tlsa) -> String {
    let name = &args.name;
    let said = match &tlsa.reach {
        Reach::Unasked(ports) => {
            let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
            format!(
                "{name} is presented on port {} to clients that ask for no name, and to none that asks \
                 for\none of those below, as senders that use DANE do: it needs no record.",
                ports.join(", ")
            )
        }
        _ if tlsa.rows.is_empty() => return String::new(),
        Reach::InForce => return String::new(),
        Reach::Nowhere => format!(
            "{name} is presented nowhere. These are the records that it would need: publish \
             them before\nyou present it (`postseal cert bind {name}`, `postseal apply`)."
        ),
        Reach::Pending(owners) => format!(
            "{name} is not presented yet at\n  {}\nIts binding is pending: publish these records \
             first, then `postseal apply`.",
            owners.join("\n  ")
        ),
    };
    let lines = said.lines().map(|line| format!("; {line}\n"));
    lines.chain(["\n".to_owned()]).collect()
}

/// A line for each place that shows something else.
fn elsewhere(args: &TlsaArgs, tlsa: &Tlsa) -> String {
    let name = &args.name;
    let line = |place: &Elsewhere| {
        let shows = match &place.instead {
            Instead::Others(others) => {
                format!("presents {}, not {name}", clean(&others.join(", ")))
            }
            Instead::Nothing => "presents no certificate".to_owned(),
            Instead::Nobody => "no server is there".to_owned(),
            Instead::Unknown => format!("not {name}; the files do not tell what it presents"),
        };
        format!(
            "{}, port {}: {shows}",
            place.endpoint.host, place.endpoint.port
        )
    };
    let lines: Vec<String> = tlsa.elsewhere.iter().map(line).collect();
    lines.join("\n")
}

fn clean(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// A paragraph of comment lines; what DNS or a file said cannot leave it.
fn comment(paragraph: &str) -> String {
    let lines = paragraph.lines().map(|line| format!("; {line}\n"));
    std::iter::once(";\n".to_owned()).chain(lines).collect()
}

fn stands_for(of: &RecordOf) -> String {
    match of {
        RecordOf::Key(name) => format!("the key of {name}"),
        RecordOf::Issuer(subject) => format!("the CA that issued it, {}", clean(subject)),
        RecordOf::Presented(name) => format!("the key of {name}, which is presented still"),
        RecordOf::NextKey => "the next key".to_owned(),
        RecordOf::Nothing => "nothing that is presented here".to_owned(),
    }
}

fn state(row: &TlsaRow) -> String {
    match &row.state {
        RecordState::Published => "published, and DNSSEC vouches for it".to_owned(),
        RecordState::PublishedInsecurely => {
            "published, but DNSSEC does not vouch for it: senders do not use it".to_owned()
        }
        RecordState::Missing => "not published, there are no TLSA records at this name".to_owned(),
        RecordState::Different => "not published, there are only others at this name".to_owned(),
        RecordState::Undetermined(why) => {
            format!("undetermined: {}", clean(why))
        }
    }
}

fn remarks(args: &TlsaArgs, tlsa: &Tlsa) -> Vec<String> {
    let mut remarks = Vec::new();
    let name = &args.name;
    if let Some(version) = tlsa.waits {
        remarks.push(format!(
            "Version {version} of {name} is not in force, and not among these: `postseal cert show {name}` \
             says\nwhat it waits for."
        ));
    }
    if !tlsa.beside.is_empty() {
        remarks.push(format!(
            "{} is presented beside {name}, to clients that take its kind of key:\npublish the \
             records of all of them, or mail of some senders stops.",
            tlsa.beside.join(", ")
        ));
    }
    if tlsa
        .rows
        .iter()
        .any(|row| matches!(row.of, RecordOf::Issuer(_)))
    {
        remarks.push(
            "Either record is enough. The one of the CA (2 1 1) outlives renewals with a new key,\n\
             as long as the same CA issues them and the certificate has the name of the MX host."
                .to_owned(),
        );
    }
    if !tlsa.insecure.is_empty() {
        remarks.push(format!(
            "DNSSEC does not vouch for what the resolver says of\n  {}\nSenders use DANE only where \
             it does: sign the zone, or ask a validating resolver (--resolver).",
            tlsa.insecure.join("\n  ")
        ));
    }
    if !tlsa.unlisted.is_empty() {
        let list = tlsa.unlisted.join("\n  ");
        remarks.push(format!(
            "MX names may be missing here, of domains that could not be listed:\n  {list}\nName \
             them by --mx."
        ));
    }
    if tlsa.next.is_some() {
        remarks.push(rollover(name, tlsa));
    }
    remarks
}

/// The steps of RFC 7671, 8.1.
fn rollover(name: &str, tlsa: &Tlsa) -> String {
    let ttl = match tlsa.ttl {
        Some(ttl) => format!(" ({})", ttl.text()),
        None => String::new(),
    };
    format!(
        "A next key waits for {name} (RFC 7671, 8.1):\n\
         1. Publish the record of the next key beside those of today. Remove none.\n\
         2. Wait until all name servers of the zone have it, and then for the time to live of\n   \
         the old records{ttl}, twice to be safe.\n\
         3. Renew under the same name: the next certificate {name} is made for this key\n   \
         (`cert renew`, `cert self-signed` or `cert request` with --renew), or import one that was.\n\
         4. `postseal cert deploy {name}`: it is refused while the record is not there.\n\
         5. Take the record of the old key out."
    )
}

/// `yes`; `pending` where it is not in all of the places yet; `unasked` where only clients that ask
/// for no name are shown it; `no`.
fn reach(reach: &Reach) -> &'static str {
    match reach {
        Reach::InForce => "yes",
        Reach::Pending(_) => "pending",
        Reach::Unasked(_) => "unasked",
        Reach::Nowhere => "no",
    }
}

fn elsewhere_document(place: &Elsewhere) -> Value {
    let (instead, names): (&str, &[String]) = match &place.instead {
        Instead::Others(names) => ("others", names),
        Instead::Nothing => ("nothing", &[]),
        Instead::Nobody => ("no-server", &[]),
        Instead::Unknown => ("unknown", &[]),
    };
    json!({
        "host": place.endpoint.host,
        "port": place.endpoint.port,
        "instead": instead,
        "presents": names,
    })
}

fn row_document(row: &TlsaRow) -> Value {
    let (of, subject) = match &row.of {
        RecordOf::Key(name) => ("key", Some(name)),
        RecordOf::Issuer(subject) => ("issuer", Some(subject)),
        RecordOf::Presented(name) => ("presented", Some(name)),
        RecordOf::NextKey => ("next-key", None),
        RecordOf::Nothing => ("nothing", None),
    };
    let (state, why) = match &row.state {
        RecordState::Published => ("published", None),
        RecordState::PublishedInsecurely => ("insecure", None),
        RecordState::Missing => ("missing", None),
        RecordState::Different => ("different", None),
        RecordState::Undetermined(why) => ("undetermined", Some(why)),
    };
    json!({
        "owner": row.owner,
        "record": row.record.to_string(),
        "line": format!("{} IN TLSA {}", row.owner, row.record),
        "of": of,
        "subject": subject,
        "state": state,
        "why": why,
    })
}

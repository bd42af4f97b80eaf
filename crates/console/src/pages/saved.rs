//! The form of SMTP TLS as one task, and what is refused of it.
//!
//! Owns: which wishes a form is, and at which of its fields a refusal is shown. Never: judges a wish.

use super::doc::Doc;
use super::finding::Found;
use super::typed::Typed;
use postseal_planner::task::{Beside, Task};

/// The fields whose name is a key of `set`.
const KEYS: [&str; 4] = ["inbound", "outbound", "submission", "smtps"];

/// Whether wishes are stored, or only looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Yes,
    No,
}

/// The one task that a form is; none where it says what it said when it was shown, so that nothing is wished by merely
/// looking.
pub(super) fn task(typed: &Typed, store: Store) -> Option<Task> {
    let mut pairs: Vec<String> = KEYS
        .into_iter()
        .filter_map(|key| differs(typed, key))
        .collect();
    let profile = typed.given("profile");
    pairs.extend(profile.map(|profile| format!("profile={profile}")));
    let others = typed.text("others").lines().map(str::trim);
    pairs.extend(others.filter(|line| !line.is_empty()).map(str::to_owned));
    let certificate = |verb: &str| {
        let named = typed.text("certificate").split_once(' ');
        let named = named.filter(|(said, _)| *said == verb);
        named.map(|(_, name)| name.to_owned()).into_iter().collect()
    };
    let beside = Beside {
        bind: certificate("bind"),
        unbind: certificate("unbind"),
        unset: typed.words("unset"),
        whole: store == Store::Yes,
        check: store == Store::No,
    };
    let says = !pairs.is_empty() || !beside.wishes_nothing();
    says.then_some(Task::Set { pairs, beside })
}

/// The value that is wanted of a key; where both directions are joined, that of mail that comes in.
pub(super) fn value<'a>(typed: &'a Typed, key: &str) -> &'a str {
    match key == "outbound" && typed.is_on("linked") {
        true => typed.text("inbound"),
        false => typed.text(key),
    }
}

fn differs(typed: &Typed, key: &str) -> Option<String> {
    let value = value(typed, key);
    let was = format!("was.{key}");
    (!value.is_empty() && value != typed.text(&was)).then(|| format!("{key}={value}"))
}

/// Something that is refused, with the field that it concerns; empty where it is none of them.
pub(crate) struct Refused {
    pub(crate) field: &'static str,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) remedy: String,
}

impl Refused {
    /// All that an answer refuses.
    pub(crate) fn all(answer: &Doc) -> Vec<Self> {
        let found = Found::all(answer, "findings");
        if !found.is_empty() {
            return found.into_iter().map(Self::of).collect();
        }
        let error = answer.at("error");
        vec![Self::of(Found {
            code: error.text("code"),
            severity: String::new(),
            message: error.text("message"),
            remedy: error.text("hint"),
            evidence: Vec::new(),
        })]
    }

    fn of(found: Found) -> Self {
        Self {
            field: field(&found.code, &found.message),
            code: found.code,
            message: found.message,
            remedy: found.remedy,
        }
    }
}

/// By the family of the code; what is wrong with a word of `set` names its key.
fn field(code: &str, message: &str) -> &'static str {
    let family = code.split('.').next().unwrap_or_default();
    match (family, code) {
        (_, "level.no-certificate" | "name.unknown") | ("cert" | "dane", _) => "certificate",
        (_, "level.submission-not-encrypted" | "service.no-submission") => "submission",
        // Of both where both are refused; the message names the service.
        ("auth", _) if message.contains("submissions") || message.contains("smtps") => "smtps",
        ("auth", _) => "submission",
        (_, "level.smtps-without-wrapper" | "service.no-implicit-tls") => "smtps",
        ("setting" | "set", _) => of_key(message),
        ("inbound", _) => "inbound",
        ("outbound", _) => "outbound",
        ("profile", _) => "profile",
        _ => "",
    }
}

fn of_key(message: &str) -> &'static str {
    let key = message.split_whitespace().next().unwrap_or_default();
    let key = key.trim_matches('"');
    let known = KEYS.into_iter().chain(["profile"]);
    let mut known = known.filter(|known| key == *known);
    known.next().unwrap_or("others")
}

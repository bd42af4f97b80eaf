//! Values of the keys that have words of their own.
//!
//! Owns: text → [`Setting`]. Never: knows about `param.`.

use super::{bad_value, table};
use crate::Refusal;
use crate::intent::{Inbound, Key, Outbound, Setting, Switch, Trust};
use std::path::{Component, Path, PathBuf};

/// The setting that `value` means for `key`.
pub(super) fn parse(key: &Key, value: &str) -> Result<Setting, Refusal> {
    let setting = match key {
        Key::Inbound => inbound(value),
        Key::Outbound => outbound(value),
        Key::InboundCertificate => word(value, &["none"]),
        Key::SmtpsOut => word(value, &["on"]),
        Key::Profile | Key::ProfileInbound | Key::ProfileSubmission | Key::ProfileOutbound => {
            word(value, &crate::profile::WORDS)
        }
        Key::SessionCache => word(value, &["off", "client", "both"]),
        Key::ClientCerts => word(value, &["off", "ask", "require"]),
        Key::Submission | Key::Smtps => switch(value, "on", "off"),
        Key::AuthOnly | Key::ReceivedHeader | Key::LoopbackCleartext => switch(value, "yes", "no"),
        Key::LoglevelInbound | Key::LoglevelOutbound => loglevel(value),
        Key::TrustInbound | Key::TrustOutbound => trust(value).map(Setting::Trust),
        Key::Param(_) | Key::Override { .. } => Some(Setting::Raw(value.to_owned())),
    };
    setting.ok_or_else(|| {
        let name = key.name();
        bad_value(&name, value, table::doc(&name).values)
    })
}

fn inbound(value: &str) -> Option<Setting> {
    let level = match value {
        "off" => Inbound::Off,
        "may" => Inbound::May,
        "encrypt" => Inbound::Encrypt,
        _ => return None,
    };
    Some(Setting::Inbound(level))
}

fn outbound(value: &str) -> Option<Setting> {
    let level = match value {
        "off" => Outbound::Off,
        "may" => Outbound::May,
        "encrypt" => Outbound::Encrypt,
        "dane" => Outbound::Dane,
        "dane-only" => Outbound::DaneOnly,
        "verify" => Outbound::Verify,
        "secure" => Outbound::Secure,
        _ => return None,
    };
    Some(Setting::Outbound(level))
}

fn word(value: &str, allowed: &[&str]) -> Option<Setting> {
    allowed
        .contains(&value)
        .then(|| Setting::Word(value.to_owned()))
}

fn switch(value: &str, on: &str, off: &str) -> Option<Setting> {
    if value == on {
        Some(Setting::Switch(Switch::On))
    } else if value == off {
        Some(Setting::Switch(Switch::Off))
    } else {
        None
    }
}

fn loglevel(value: &str) -> Option<Setting> {
    match value.as_bytes() {
        [digit @ b'0'..=b'4'] => Some(Setting::Loglevel(digit - b'0')),
        _ => None,
    }
}

/// A path must be absolute, plain (Postfix would expand `$`, split at blanks) and without `..`.
fn trust(value: &str) -> Option<Trust> {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '$' | ',' | '{' | '}');
    match value {
        "none" => Some(Trust::None),
        "system" => Some(Trust::System),
        path if path.starts_with('/') && path.chars().all(plain) => {
            let climbs = Path::new(path)
                .components()
                .any(|part| part == Component::ParentDir);
            let kind = if path.ends_with('/') {
                Trust::Directory(PathBuf::from(path))
            } else {
                Trust::File(PathBuf::from(path))
            };
            (!climbs).then_some(kind)
        }
        _ => None,
    }
}

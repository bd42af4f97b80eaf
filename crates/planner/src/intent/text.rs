//! The text form of settings.
//!
//! Owns: [`Setting::text`] and [`Wish::text`], as `postseal set` takes them. Never: parses (`settings` does).

use super::{Inbound, Key, Outbound, Setting, Switch, Trust, Wish};

/// The word for no line at all. No TLS parameter has it as a value of its own.
pub(crate) const DEFAULT: &str = "default";

impl Setting {
    /// The value of `key` as `postseal set` takes it: services are on or off, the rest yes or no.
    pub fn text(&self, key: &Key) -> String {
        let service = matches!(key, Key::Submission | Key::Smtps);
        match self {
            Self::Inbound(level) => inbound(*level).to_owned(),
            Self::Outbound(level) => outbound(*level).to_owned(),
            Self::Word(word) | Self::Raw(word) => word.clone(),
            Self::Default => DEFAULT.to_owned(),
            Self::Switch(on) => switch(*on, service).to_owned(),
            Self::Loglevel(level) => level.to_string(),
            Self::Trust(Trust::None) => "none".to_owned(),
            Self::Trust(Trust::System) => "system".to_owned(),
            Self::Trust(Trust::File(path) | Trust::Directory(path)) => path.display().to_string(),
        }
    }
}

impl Wish {
    /// `KEY=VALUE`, as `postseal set` takes it; `None` for what `set` does not say.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Set(key, setting) => Some(format!("{}={}", key.name(), setting.text(key))),
            Self::Unset(_) | Self::Bind(_) | Self::Unbind(..) => None,
        }
    }
}

const fn switch(on: Switch, service: bool) -> &'static str {
    match (on, service) {
        (Switch::On, true) => "on",
        (Switch::Off, true) => "off",
        (Switch::On, false) => "yes",
        (Switch::Off, false) => "no",
    }
}

const fn inbound(level: Inbound) -> &'static str {
    match level {
        Inbound::Off => "off",
        Inbound::May => "may",
        Inbound::Encrypt => "encrypt",
    }
}

const fn outbound(level: Outbound) -> &'static str {
    match level {
        Outbound::Off => "off",
        Outbound::May => "may",
        Outbound::Encrypt => "encrypt",
        Outbound::Dane => "dane",
        Outbound::DaneOnly => "dane-only",
        Outbound::Verify => "verify",
        Outbound::Secure => "secure",
    }
}

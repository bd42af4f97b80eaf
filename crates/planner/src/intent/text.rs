//! The text form of settings.
//!
//! Owns: [`Setting::text`], the value as `postseal set` takes it. Never: parses (`settings` does).

use super::{Inbound, Outbound, Setting, Switch, Trust};

impl Setting {
    /// The value as `postseal set` takes it.
    pub fn text(&self) -> String {
        match self {
            Self::Inbound(level) => inbound(*level).to_owned(),
            Self::Outbound(level) => outbound(*level).to_owned(),
            Self::Word(word) | Self::Raw(word) => word.clone(),
            Self::Switch(Switch::On) => "on".to_owned(),
            Self::Switch(Switch::Off) => "off".to_owned(),
            Self::Loglevel(level) => level.to_string(),
            Self::Trust(Trust::None) => "none".to_owned(),
            Self::Trust(Trust::System) => "system".to_owned(),
            Self::Trust(Trust::File(path) | Trust::Directory(path)) => path.display().to_string(),
        }
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

//! `param.NAME=VALUE`.
//!
//! Owns: the check against the catalogue, and which parameters are aliases of words. Never:
//! writes a parameter that the installed version does not know, or one that is on its way out.

use super::{refuse, values};
use crate::catalog::{self, Ending, Parameter, Role, State};
use crate::compile::{self, is_of_certificates};
use crate::intent::{DEFAULT, Key, Setting, Wish};
use crate::{Finding, PostfixVersion, Refusal, Severity};

/// The key whose word decides exactly this parameter, if there is one. Words that decide several
/// parameters at once (`profile`, `trust.…`, `client-certs`, `session-cache`) have no alias: a
/// parameter of theirs can be set beside them.
pub(crate) fn alias(name: &str) -> Option<Key> {
    match name {
        "smtpd_tls_security_level" => Some(Key::Inbound),
        "smtp_tls_security_level" => Some(Key::Outbound),
        "smtpd_tls_auth_only" => Some(Key::AuthOnly),
        "smtpd_tls_received_header" => Some(Key::ReceivedHeader),
        "smtpd_tls_loglevel" => Some(Key::LoglevelInbound),
        "smtp_tls_loglevel" => Some(Key::LoglevelOutbound),
        _ => None,
    }
}

/// Parses the value of a parameter, for this version of Postfix.
pub(super) fn parse(name: &str, value: &str, version: PostfixVersion) -> Result<Wish, Refusal> {
    let value = value.trim();
    let parameter = known(name)?;
    if let Some(key) = alias(name) {
        usable(parameter, version)?;
        let word = match (&key, value) {
            (Key::Inbound | Key::Outbound, "none") => "off",
            _ => value,
        };
        let setting = values::parse(&key, word)?;
        return Ok(Wish::Set(key, setting));
    }
    let setting = setting(parameter, value, version)?;
    Ok(Wish::Set(Key::Param(name.to_owned()), setting))
}

/// Parses the value of a parameter in a `-o` of a service.
pub(super) fn parse_override(
    service: &str,
    name: &str,
    value: &str,
    version: PostfixVersion,
) -> Result<Wish, Refusal> {
    let parameter = known(name)?;
    if is_of_certificates(name) || name == compile::policies::PARAMETER {
        return Err(refuse(
            "setting.not-by-service",
            format!("{name} of a service is not set as a parameter."),
            "Certificates: `postseal cert bind NAME --service PORT`; rules for destinations: \
             `postseal policy add`.",
        ));
    }
    let key = Key::Override {
        service: service.to_owned(),
        name: name.to_owned(),
    };
    setting(parameter, value.trim(), version).map(|setting| Wish::Set(key, setting))
}

/// `default`, which every parameter takes, however old; or a value that this version can use.
fn setting(
    parameter: &Parameter,
    value: &str,
    version: PostfixVersion,
) -> Result<Setting, Refusal> {
    if value == DEFAULT {
        return Ok(Setting::Default);
    }
    usable(parameter, version)?;
    let name = &parameter.name;
    if let Err(error) = postfix_cf::check_expansion(value.as_bytes()) {
        return Err(refuse(
            "syntax.bad-expansion",
            format!("{name} cannot be {value:?}: {error}; no program of Postfix would start."),
            "Close the brace, or write $$ for a dollar sign.",
        ));
    }
    parameter.check(value, version).map_err(|reason| {
        Refusal::from(
            Finding::new(
                reason.code,
                Severity::Error,
                format!("{name} cannot be {value:?}: {}.", reason.message),
                reason.remedy,
            )
            .seen(format!("{name} = {value}")),
        )
    })?;
    Ok(Setting::Raw(value.to_owned()))
}

fn known(name: &str) -> Result<&'static Parameter, Refusal> {
    match catalog::find(name) {
        Some(parameter) if parameter.role == Role::Tls => Ok(parameter),
        Some(_) => Err(refuse(
            "setting.not-a-tls-parameter",
            format!("{name} is not a TLS parameter."),
            format!("Set it in main.cf: `postconf -e '{name} = …'`; Postseal leaves it alone."),
        )),
        None => Err(refuse(
            "setting.unknown-parameter",
            format!("Postfix has no TLS parameter {name:?}."),
            match catalog::nearest(name) {
                Some(near) => format!("Perhaps {} is meant.", near.name),
                None => "postconf(5) lists the parameters.".to_owned(),
            },
        )),
    }
}

fn usable(parameter: &Parameter, version: PostfixVersion) -> Result<(), Refusal> {
    let name = &parameter.name;
    let ending = match parameter.state(version) {
        State::Current => return Ok(()),
        State::NotYet => {
            let since = parameter.since;
            return Err(refuse(
                "parameter.unknown-to-version",
                format!("Postfix {version} does not know {name}."),
                format!("It exists from Postfix {}.{} on.", since.major, since.minor),
            ));
        }
        State::Ended(ending) => ending,
    };
    let what = match ending {
        Ending::Obsolete => "is obsolete",
        Ending::Warned => "is obsolete and will be removed",
        Ending::Ignored => "has no effect any more",
        Ending::Gone => "does not exist any more",
    };
    let remedy = match &parameter.replaced_by {
        Some(replacement) => sentence(replacement.text),
        None => "Leave it out.".to_owned(),
    };
    Err(refuse(
        "parameter.obsolete",
        format!("{name} {what} in Postfix {version}."),
        remedy,
    ))
}

/// The text as a sentence: first letter large, full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    let sentence: String = first.chain(letters).collect();
    sentence + "."
}

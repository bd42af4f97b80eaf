//! What Postfix hands to the TLS library: a configuration file of its own.
//!
//! Owns: whether it is there. Never: what stands in it; cipher lists and groups (`ciphers`).

use super::context::Context;
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::Error;
use crate::catalog::{Kind, State};
use crate::facts::FileLook;

/// The rules.
pub(super) const RULES: &[Rule] = &[MISSING];

#[rustfmt::skip]
const MISSING: Rule = rule("library.config-file-missing", Error, "configuration file of OpenSSL that is not there",
    "Every program that reads it switches TLS off: the server answers STARTTLS with 454, a client at may sends in clear.",
    "Delete tls_config_file, or name a file that is there; none passes over OpenSSL's own file.");

/// Looks at the file that is named.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter.filter(|p| p.kind == Kind::LibraryFile) else {
            continue;
        };
        let path = context.expanded(setting).unwrap_or_default();
        if parameter.state(context.version) != State::NotYet
            && matches!(context.look(&path), Some(FileLook::Missing))
        {
            let message = format!("There is no {path}. {}", MISSING.why);
            let found = MISSING.says(message).on(Some(setting));
            out.push(found.mended_by(fix::absent(context, setting)));
        }
    }
}

//! Rows of the catalogue: one line of data for a whole family of parameters.
//!
//! Owns: the compact form and its spreading (`smtp_` also as `lmtp_`, tlsproxy(8)'s copies).
//! Never: holds data.

use super::{
    DefaultFrom, Direction, Empty, End, Ending, Kind, Parameter, PerService, Remote, Replacement,
    Role,
};
use crate::PostfixVersion;

/// The oldest release line that the catalogue tells apart.
pub const OLDEST: PostfixVersion = PostfixVersion::new(3, 4, 0);

/// Of what is older than the catalogue: since when is not recorded.
const BEFORE: PostfixVersion = v(0, 0);

/// Which prefixes a row stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `smtpd_` + stem.
    Server,
    /// `smtpd_` + stem, and `tlsproxy_` + stem with `$smtpd_` + stem as default.
    ServerAndTlsproxy,
    /// `smtp_` + stem.
    Smtp,
    /// `smtp_` and `lmtp_` + stem.
    SmtpAndLmtp,
    /// The same, and `tlsproxy_client_` + stem without `tls_`, default `$smtp_` + stem.
    ClientAndTlsproxy,
    /// The stem is the whole name.
    Plain(Direction),
}

/// One line of data.
pub(super) struct Row {
    family: Family,
    stem: &'static str,
    kind: Kind,
    /// `$@` stands for `$` and the prefix (`$@tls_cert_file`).
    default: &'static str,
    later: &'static [(PostfixVersion, &'static str)],
    lmtp_default: Option<&'static str>,
    empty: Empty,
    since: PostfixVersion,
    backports: &'static [PostfixVersion],
    ends: &'static [End],
    replaced_by: Option<Replacement>,
    per_service: PerService,
    role: Role,
}

/// A row with what most rows have: old, in use, may be empty, may stand in `-o`.
pub(super) const fn row(
    family: Family,
    stem: &'static str,
    kind: Kind,
    default: &'static str,
) -> Row {
    Row {
        family,
        stem,
        kind,
        default,
        later: &[],
        lmtp_default: None,
        empty: Empty::Allowed,
        since: BEFORE,
        backports: &[],
        ends: &[],
        replaced_by: None,
        per_service: PerService::Yes,
        role: Role::Tls,
    }
}

/// The version `major.minor`.
pub(super) const fn v(major: u16, minor: u16) -> PostfixVersion {
    PostfixVersion::new(major, minor, 0)
}

/// The end `how` from `major.minor` on.
pub(super) const fn end(major: u16, minor: u16, how: Ending) -> End {
    End {
        from: v(major, minor),
        how,
    }
}

impl Row {
    pub(super) const fn since(mut self, major: u16, minor: u16) -> Self {
        self.since = v(major, minor);
        self
    }

    pub(super) const fn backports(mut self, to: &'static [PostfixVersion]) -> Self {
        self.backports = to;
        self
    }

    pub(super) const fn later(mut self, later: &'static [(PostfixVersion, &'static str)]) -> Self {
        self.later = later;
        self
    }

    pub(super) const fn lmtp_default(mut self, default: &'static str) -> Self {
        self.lmtp_default = Some(default);
        self
    }

    pub(super) const fn not_empty(mut self) -> Self {
        self.empty = Empty::Refused;
        self
    }

    pub(super) const fn empty_from(mut self, major: u16, minor: u16) -> Self {
        self.empty = Empty::AllowedFrom(v(major, minor));
        self
    }

    /// Its life ends so, and this parameter replaces it.
    pub(super) const fn use_instead(
        mut self,
        ends: &'static [End],
        parameter: &'static str,
        text: &'static str,
    ) -> Self {
        self.ends = ends;
        self.replaced_by = Some(Replacement {
            parameter: Some(parameter),
            text,
        });
        self
    }

    /// Its life ends so, and no one parameter replaces it.
    pub(super) const fn drop_it(mut self, ends: &'static [End], text: &'static str) -> Self {
        self.ends = ends;
        self.replaced_by = Some(Replacement {
            parameter: None,
            text,
        });
        self
    }

    pub(super) const fn main_only(mut self) -> Self {
        self.per_service = PerService::MainOnly;
        self
    }

    pub(super) const fn companion(mut self) -> Self {
        self.role = Role::Companion;
        self
    }

    /// The parameters that this row stands for.
    pub(super) fn expand(&self) -> Vec<Parameter> {
        let own = |prefix, direction| self.parameter(prefix, direction);
        let tlsproxy = |name, of| self.tlsproxy(name, of);
        match self.family {
            Family::Plain(direction) => vec![own("", direction)],
            Family::Server => vec![own("smtpd_", Direction::Inbound)],
            Family::ServerAndTlsproxy => vec![
                own("smtpd_", Direction::Inbound),
                tlsproxy(format!("tlsproxy_{}", self.stem), "smtpd_"),
            ],
            Family::Smtp => vec![own("smtp_", Direction::Outbound)],
            Family::SmtpAndLmtp => vec![
                own("smtp_", Direction::Outbound),
                own("lmtp_", Direction::Outbound),
            ],
            Family::ClientAndTlsproxy => {
                let stem = self.stem.strip_prefix("tls_").unwrap_or(self.stem);
                vec![
                    own("smtp_", Direction::Outbound),
                    own("lmtp_", Direction::Outbound),
                    tlsproxy(format!("tlsproxy_client_{stem}"), "smtp_"),
                ]
            }
        }
    }

    fn parameter(&self, prefix: &str, direction: Direction) -> Parameter {
        let first = [(OLDEST, self.default)];
        let mut defaults: Vec<DefaultFrom> = first
            .iter()
            .chain(self.later)
            .map(|(from, value)| DefaultFrom {
                from: *from,
                value: value.replace("$@", &format!("${prefix}")),
            })
            .collect();
        if let (Some(value), "lmtp_") = (self.lmtp_default, prefix) {
            defaults.truncate(1);
            defaults.iter_mut().for_each(|d| d.value = value.to_owned());
        }
        Parameter {
            name: format!("{prefix}{}", self.stem),
            kind: self.kind,
            empty: self.empty,
            since: self.since,
            backports: self.backports,
            ends: self.ends,
            replaced_by: self.replaced_by,
            defaults,
            direction,
            remote: self.remote(),
            per_service: self.per_service,
            role: self.role,
        }
    }

    fn tlsproxy(&self, name: String, of: &str) -> Parameter {
        // tlsproxy(8) makes connections since 3.4, and takes them since long before.
        let oldest_copy = if of == "smtp_" { OLDEST } else { BEFORE };
        Parameter {
            name,
            since: self.since.max(oldest_copy),
            defaults: vec![DefaultFrom {
                from: OLDEST,
                value: format!("${of}{}", self.stem),
            }],
            ..self.parameter(of, Direction::Tlsproxy)
        }
    }

    fn remote(&self) -> Remote {
        let local = self.kind.names_something_local()
            || !self.ends.is_empty()
            || self.role == Role::Companion;
        if local {
            Remote::LocalOnly
        } else {
            Remote::Allowed
        }
    }
}

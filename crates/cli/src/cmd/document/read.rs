//! Reading the declarative file.
//!
//! Owns: which sections and keys there are, and the line of each that is wrong: all of them are told
//! at once. Never: judges what is wanted; the engine and the planner do.

mod fields;

use super::SCHEMA;
use super::lines::{Lines, unknown_key};
use crate::cmd::policy::records::Request;
use crate::cmd::policy::toml::toml_rules;
use fields::{Reader, integer, wrong};
use mailtls::policy::Dialect;
use postseal_engine::{
    Declared, DeclaredBinding, DeclaredCredentials, DeclaredDomain, DeclaredSetting, DomainRequest,
};
use postseal_planner::Refusal;
use postseal_planner::intent::Place;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A document has no more bytes: some hundred thousand rules. Each is held in memory as tables,
/// which takes several times as much.
pub(crate) const MOST: u64 = 64 << 20;
/// The line that begins a rule, as it is written.
const RULE: &str = "[[rules]]";
/// So many rules are parsed together.
const TOGETHER: usize = 2_000;
/// What is to be done where a rule of the file is wrong.
const MEND: &str = "Mend the line: nothing of the file is taken as long as it is wrong.";
const SECTIONS: &str = "schema, settings, certificates, credentials, domains, rules";

/// What a document says.
pub(crate) fn declared(bytes: &[u8], dialect: Dialect) -> Result<Declared, Refusal> {
    let text = text(bytes)?;
    let (head, rules) = split(text, dialect).unwrap_or((text, Vec::new()));
    let mut declared = read(text, head, |reader, document| {
        let mut declared = Declared::default();
        for (name, value) in document {
            match name.get_ref().as_ref() {
                "settings" => declared.settings = Some(reader.settings(value)),
                "certificates" => declared.certificates = Some(reader.certificates(value)),
                "credentials" => declared.credentials = reader.credentials(value),
                "domains" => declared.domains = Some(reader.domains(value)),
                "rules" => declared.rules = Some(reader.rules(value, dialect)),
                _ => {}
            }
        }
        declared
    })?;
    if !rules.is_empty() {
        declared.rules = Some(rules);
    }
    let rules = declared.rules.iter_mut().flatten();
    for refused in rules.filter_map(|one| one.as_mut().err()) {
        for finding in &mut refused.findings {
            finding.remedy = MEND.to_owned();
        }
    }
    Ok(declared)
}

/// The rules that a document says; none where it has no such section.
pub(crate) fn rules(bytes: &[u8], dialect: Dialect) -> Result<Vec<Request>, Refusal> {
    let text = text(bytes)?;
    let (head, rules) = split(text, dialect).unwrap_or((text, Vec::new()));
    let of_head = read(text, head, |reader, document| {
        let rules = document.iter().find(|(name, _)| name.get_ref() == "rules");
        rules.map_or_else(Vec::new, |(_, value)| reader.rules(value, dialect))
    })?;
    Ok(match rules.is_empty() {
        true => of_head,
        false => rules,
    })
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes[..error.valid_up_to()].iter();
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Refusal::from(wrong(line, "", "it has bytes that are no UTF-8"))
    })
}

/// The rules at the end of a document, parsed some thousand at a time, and what stands before them:
/// the tables of all together take much memory. `None` where that cannot be: then the whole says what
/// is wrong. A cut in the middle of a text or an array leaves one without an end, which is no TOML.
fn split(text: &str, dialect: Dialect) -> Option<(&str, Vec<Request>)> {
    let lines = Lines::new(text);
    let mut cuts = lines.of_text(RULE).step_by(TOGETHER).peekable();
    let head = &text[..*cuts.peek()?];
    let mut found = Vec::new();
    while let Some(begin) = cuts.next() {
        let end = cuts.peek().copied().unwrap_or(text.len());
        let piece = DeTable::parse(&text[begin..end]).ok()?.into_inner();
        let mut sections = piece.iter();
        let (Some((name, rules)), None) = (sections.next(), sections.next()) else {
            return None;
        };
        let rules = rules
            .get_ref()
            .as_array()
            .filter(|_| name.get_ref() == "rules")?;
        found.extend(toml_rules(rules, &lines.from(begin), dialect));
    }
    let before = DeTable::parse(head).ok()?;
    let twice = before
        .get_ref()
        .iter()
        .any(|(name, _)| name.get_ref() == "rules");
    (!twice).then_some((head, found))
}

fn read<T>(
    whole: &str,
    text: &str,
    work: impl FnOnce(&mut Reader<'_>, &DeTable<'_>) -> T,
) -> Result<T, Refusal> {
    let lines = Lines::new(whole);
    let document = DeTable::parse(text).map_err(|error| {
        let line = lines.of_span(error.span());
        Refusal::from(wrong(line, "", error.message()))
    })?;
    let mut reader = Reader {
        lines,
        wrong: Vec::new(),
    };
    reader.known(document.get_ref());
    let read = work(&mut reader, document.get_ref());
    match reader.wrong.is_empty() {
        true => Ok(read),
        false => Err(Refusal {
            findings: reader.wrong,
        }),
    }
}

impl Reader<'_> {
    /// Whether the document is of this form.
    fn known(&mut self, document: &DeTable<'_>) {
        let mut schema = None;
        for (name, value) in document {
            match name.get_ref().as_ref() {
                "schema" => schema = Some(value),
                "settings" | "certificates" | "credentials" | "domains" | "rules" => {}
                other => self.note(name, other, &unknown_key(other, "a document", SECTIONS)),
            }
        }
        match schema {
            None => {
                let why = format!("it does not say which form it has: schema = {SCHEMA}");
                self.wrong.push(wrong(1, "", &why));
            }
            Some(value) if integer(value) == Some(SCHEMA) => {}
            Some(value) => self.note(value, "schema", &format!("schema is not {SCHEMA}")),
        }
    }

    /// `key = "value"`, and the same below `a.b`.
    fn settings(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<DeclaredSetting> {
        let mut found = Vec::new();
        self.settings_below("", value, &mut found);
        found
    }

    fn settings_below(
        &mut self,
        above: &str,
        value: &Spanned<DeValue<'_>>,
        found: &mut Vec<DeclaredSetting>,
    ) {
        let Some(table) = self.table(value, "settings") else {
            return;
        };
        for (name, value) in table {
            let key = format!("{above}{}", name.get_ref());
            let value_said = match value.get_ref() {
                DeValue::Table(_) => {
                    self.settings_below(&format!("{key}."), value, found);
                    continue;
                }
                DeValue::String(text) => text.to_string(),
                DeValue::Integer(number) => number.to_string(),
                _ => {
                    self.note(value, &key, &format!("{key} is a text: {key} = \"…\""));
                    continue;
                }
            };
            found.push(DeclaredSetting {
                key,
                value: value_said,
                line: self.lines.of(name),
            });
        }
    }

    fn certificates(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<DeclaredBinding> {
        let tables = self.array(value, "certificates");
        tables.iter().filter_map(|one| self.binding(one)).collect()
    }

    fn binding(&mut self, said: &Spanned<DeValue<'_>>) -> Option<DeclaredBinding> {
        const KEYS: &str = "name, service, sni, client, transport, allow-self-signed";
        let (mut name, mut transport) = (None, None);
        let (mut client, mut allow_self_signed) = (false, false);
        let mut places = Vec::new();
        for (key, value) in self.table(said, "a certificate")? {
            match key.get_ref().as_ref() {
                "name" => name = self.text(value, "name"),
                "service" => {
                    let word = integer(value).map_or_else(
                        || self.text(value, "service"),
                        |port| Some(port.to_string()),
                    );
                    places.extend(word.and_then(|word| self.place(value, Place::service(&word))));
                }
                "sni" => {
                    let word = self.text(value, "sni");
                    places.extend(word.and_then(|word| self.place(value, Place::name(&word))));
                }
                "client" => client = self.flag(value, "client"),
                "transport" => transport = self.text(value, "transport"),
                "allow-self-signed" => allow_self_signed = self.flag(value, "allow-self-signed"),
                other => self.note(key, other, &unknown_key(other, "a certificate", KEYS)),
            }
        }
        if transport.is_some() && !client {
            self.note(said, "transport", "transport goes with client = true");
        }
        if client {
            places.push(Place::Client(transport));
        }
        if places.len() > 1 {
            let why = "a certificate names several places; each is a [[certificates]] of its own";
            self.note(said, "certificates", why);
        }
        if name.is_none() {
            self.note(said, "certificates", "a certificate needs a name");
        }
        Some(DeclaredBinding {
            name: name?,
            place: places.pop().unwrap_or_default(),
            allow_self_signed,
            line: self.lines.of(said),
        })
    }

    fn place(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        place: Result<Place, Refusal>,
    ) -> Option<Place> {
        let line = self.lines.of(value);
        match place {
            Ok(place) => Some(place),
            Err(refusal) => {
                let found = refusal.findings.into_iter();
                self.wrong.extend(found.map(|one| one.at_line(line, "")));
                None
            }
        }
    }

    fn credentials(&mut self, value: &Spanned<DeValue<'_>>) -> Option<DeclaredCredentials> {
        let mut said = None;
        for (key, value) in self.table(value, "credentials")? {
            match key.get_ref().as_ref() {
                "rules" => said = Some(self.flag(value, "rules")),
                other => self.note(key, other, &unknown_key(other, "credentials", "rules")),
            }
        }
        said.map(|rules| match rules {
            true => DeclaredCredentials::Rules,
            false => DeclaredCredentials::None,
        })
    }

    fn domains(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<DeclaredDomain> {
        let tables = self.array(value, "domains");
        tables.iter().filter_map(|one| self.domain(one)).collect()
    }

    fn domain(&mut self, said: &Spanned<DeValue<'_>>) -> Option<DeclaredDomain> {
        const KEYS: &str = "domain, next-hop, policy, requires-auth, smtps, note, reason";
        let mut domain = None;
        let mut entry = DomainRequest {
            requires_auth: Some(false),
            smtps: Some(false),
            ..DomainRequest::default()
        };
        for (key, value) in self.table(said, "a domain")? {
            match key.get_ref().as_ref() {
                "domain" => domain = self.text(value, "domain"),
                "next-hop" => entry.next_hop = self.text(value, "next-hop"),
                "policy" => entry.policy = self.text(value, "policy"),
                "requires-auth" => entry.requires_auth = Some(self.flag(value, "requires-auth")),
                "smtps" => entry.smtps = Some(self.flag(value, "smtps")),
                "note" => entry.note = self.text(value, "note"),
                "reason" => entry.reason = self.text(value, "reason"),
                other => self.note(key, other, &unknown_key(other, "a domain", KEYS)),
            }
        }
        if domain.is_none() {
            self.note(said, "domains", "an entry needs a domain");
        }
        entry.domain = domain?;
        let line = self.lines.of(said);
        Some(DeclaredDomain { entry, line })
    }

    fn rules(&mut self, value: &Spanned<DeValue<'_>>, dialect: Dialect) -> Vec<Request> {
        toml_rules(self.array(value, "rules"), &self.lines, dialect)
    }
}

#[cfg(test)]
mod tests;

//! master.cf: services.
//!
//! Owns: the eight fields, the arguments, the `-o` overrides, and the commented-out services of the
//! stock files. Never: knows a service or a parameter. The rules are those of Postfix's
//! `master_ent` and `postconf -M`, and the line rules are those of main.cf.

mod edit;
mod findings;
mod service;
mod template;
mod token;

pub use service::{Field, Override, OverrideForm, Service, ServiceKey};
pub use template::Template;

use crate::document::{Document, Placed};
use crate::{EditError, Finding, MainCf};
use service::Parsed;
use token::{FIELDS, tokens};

/// A master.cf file.
#[derive(Clone, Debug)]
pub struct MasterCf {
    document: Document,
}

/// The types of services that master(8) knows.
const KINDS: [&[u8]; 5] = [b"inet", b"unix", b"unix-dgram", b"fifo", b"pass"];

/// Whether the installed Postfix reads `-o { name = value }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Braces {
    /// Postfix 3.0 and later.
    Allowed,
    /// Before 3.0: a value with blanks is refused.
    Refused,
}

impl MasterCf {
    /// The value of a file. Nothing is refused and nothing is lost.
    pub fn parse(bytes: &[u8]) -> Self {
        Self {
            document: Document::parse(bytes, |body| {
                let tokens = tokens(body, FIELDS);
                if tokens.len() < FIELDS {
                    return None;
                }
                let (name, kind) = (tokens[0].text(body), tokens[1].text(body));
                Some([&name[..], &kind[..]].join(&b'\n').into())
            }),
        }
    }

    /// Whether a file of any name reads as master.cf rather than as main.cf: more of it are services of a type that
    /// master(8) knows than parameters.
    pub fn is_likely(bytes: &[u8]) -> bool {
        let known = |service: &Service| KINDS.contains(&service.kind.as_bytes());
        let services = Self::parse(bytes).services().filter(known).count();
        services > MainCf::parse(bytes).entries().count()
    }

    /// The file, byte for byte, with the edits made.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.document.to_bytes()
    }

    /// All services in the order of the file, overridden ones included.
    pub fn services(&self) -> impl Iterator<Item = Service> {
        self.document.blocks().filter_map(service)
    }

    /// The service that wins: the last one of that name and type.
    pub fn service(&self, key: ServiceKey<'_>) -> Option<Service> {
        let index = self.document.find(&key.index())?;
        self.document.blocks().nth(index).and_then(service)
    }

    /// The value of the `-o` that wins in the service that wins, before `$name` expansion.
    pub fn get_override(&self, key: ServiceKey<'_>, parameter: &str) -> Option<Vec<u8>> {
        let index = self.document.find(&key.index())?;
        let (text, body) = self.document.block(index);
        let parsed = Parsed::of(&text[..body]);
        let last = parsed.assignments().rfind(|a| a.is(parameter))?;
        Some(last.value)
    }

    /// Gives a `-o` a new value in place; when the parameter is repeated, the last one. An absent
    /// one gets a line of its own after the last option, indented like its neighbours; when other
    /// arguments follow on that line, it is put before them.
    ///
    /// # Errors
    /// See [`EditError`]; nothing is changed then.
    pub fn set_override(
        &mut self,
        key: ServiceKey<'_>,
        parameter: &str,
        value: &[u8],
        braces: Braces,
    ) -> Result<(), EditError> {
        edit::set_override(
            &mut self.document,
            key,
            edit::Wish::new(parameter, value, braces)?,
        )
    }

    /// Takes every `-o` of the parameter out of the service that wins, and lines that are empty
    /// then. Returns how many there were.
    ///
    /// # Errors
    /// [`EditError::NoSuchService`], [`EditError::WouldBecomeComment`].
    pub fn unset_override(
        &mut self,
        key: ServiceKey<'_>,
        parameter: &str,
    ) -> Result<usize, EditError> {
        edit::unset_override(&mut self.document, key, parameter)
    }

    /// Gives one field of the service that wins a new value. The columns to its right stay where
    /// they are as far as there are blanks to give or take.
    ///
    /// # Errors
    /// [`EditError::NoSuchService`], [`EditError::NotOneWord`].
    pub fn set_field(
        &mut self,
        key: ServiceKey<'_>,
        field: Field,
        value: &str,
    ) -> Result<(), EditError> {
        edit::set_field(&mut self.document, key, field, value)
    }

    /// Appends one or more services, given as they shall stand in the file.
    ///
    /// # Errors
    /// [`EditError::NotAService`].
    pub fn append_service(&mut self, block: &[u8]) -> Result<(), EditError> {
        edit::append_service(&mut self.document, block)
    }

    /// Puts one or more services below the service that wins and its commented-out `-o` lines.
    ///
    /// # Errors
    /// [`EditError::NotAService`], [`EditError::NoSuchService`].
    pub fn insert_after(&mut self, key: ServiceKey<'_>, block: &[u8]) -> Result<(), EditError> {
        let bytes = edit::insert_after(&self.document, key, block)?;
        *self = Self::parse(&bytes);
        Ok(())
    }

    /// Takes all services of that name and type out, and returns how many there were. Comments stay.
    pub fn remove_service(&mut self, key: ServiceKey<'_>) -> usize {
        self.document
            .take_out(&key.index(), crate::document::without_content)
    }

    /// Puts `#` before the lines of all services of that name and type, and returns how many there
    /// were.
    pub fn comment_out_service(&mut self, key: ServiceKey<'_>) -> usize {
        self.document.take_out(&key.index(), edit::comment_out)
    }

    /// The commented-out services, in the order of the file.
    pub fn templates(&self) -> Vec<Template> {
        template::find(&self.to_bytes())
    }

    /// Uncomments the service with that index in [`MasterCf::templates`]: its line and its `-o`
    /// lines, not the prose between them.
    ///
    /// # Errors
    /// [`EditError::NoSuchTemplate`], and [`EditError::InsideService`] when indented lines of
    /// another service follow, which would become part of this one.
    pub fn uncomment_template(&mut self, index: usize) -> Result<(), EditError> {
        let bytes = template::uncomment(&self.to_bytes(), index)?;
        *self = Self::parse(&bytes);
        Ok(())
    }

    /// What is remarkable, in the order of lines.
    pub fn findings(&self) -> Vec<Finding> {
        findings::findings(&self.document)
    }
}

fn service(placed: Placed<'_>) -> Option<Service> {
    placed
        .keyed
        .then(|| Service::of(placed.body, placed.line))
        .flatten()
}

#[cfg(test)]
mod tests;

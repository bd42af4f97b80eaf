//! `transport_maps`: what overrides transport and next hop (transport(5), `transport.c`).
//!
//! Owns: its keys in their order, and what its values mean. Never: a next hop's own syntax.

use super::Resolver;
use super::lists::parents;
use super::tables::{Key, Stop};

const PARAMETER: &str = "transport_maps";

impl Resolver<'_> {
    pub(super) fn transport_maps(&mut self, domain: &str) -> Result<(), Stop> {
        let Some((key, value)) = self.transport_entry(domain)? else {
            return Ok(());
        };
        let (transport, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        let by = format!("{PARAMETER} ({key})");
        if !transport.is_empty() {
            self.result.transport = transport.to_owned();
            self.result.transport_by.clone_from(&by);
            // A transport without a next hop takes the recipient's domain, and no relay host.
            self.result.nexthop = match transport {
                "error" | "retry" => "Address is undeliverable".to_owned(),
                _ => domain.to_owned(),
            };
            self.result.nexthop_by.clone_from(&by);
        }
        if !nexthop.is_empty() {
            self.result.nexthop = nexthop.to_owned();
            self.result.nexthop_by = by;
        }
        Ok(())
    }

    /// The row that is found first, with its key.
    fn transport_entry(&mut self, domain: &str) -> Result<Option<(String, String)>, Stop> {
        if self.list(PARAMETER).is_empty() {
            return Ok(None);
        }
        let recipient = self.result.recipient.clone();
        if let Some(value) = self.find(PARAMETER, &recipient, Key::Whole)? {
            return Ok(Some((recipient, value)));
        }
        let local = recipient.rsplit_once('@').map_or("", |(local, _)| local);
        let bare = self.without_extension(local);
        let mut keys: Vec<String> = bare
            .map(|bare| format!("{bare}@{domain}"))
            .into_iter()
            .collect();
        keys.push(domain.to_owned());
        let parents_match = self.parents_match(PARAMETER);
        keys.extend(parents(domain).map(|parent| match parents_match {
            true => parent[1..].to_owned(),
            false => parent.to_owned(),
        }));
        keys.push("*".to_owned());
        for key in keys {
            if let Some(value) = self.find(PARAMETER, &key, Key::Part)? {
                return Ok(Some((key, value)));
            }
        }
        Ok(None)
    }
}

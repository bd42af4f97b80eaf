//! Access restriction lists without the policy services that they ask.
//!
//! Owns: finding `check_policy_service ENDPOINT` in a list and putting something in its place that
//! decides nothing. Never: knows another restriction.

/// A list, and the policy services that it named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Without {
    pub(super) value: Vec<u8>,
    pub(super) services: Vec<String>,
}

const POLICY: &[u8] = b"check_policy_service";
/// Looks up the client in a table that answers DUNNO to everything: no decision. It keeps a list
/// from becoming empty, which a restriction class must not be.
const NOTHING: [&[u8]; 2] = [b"check_client_access", b"static:DUNNO"];

/// None where the list asks no policy service. Words are put together with commas, which is right
/// in main.cf and in a `-o`.
pub(super) fn without_policy(value: &[u8]) -> Option<Without> {
    let mut services = Vec::new();
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut words = postfix_cf::elements_of_bytes(value);
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(POLICY) {
            let service = words.next().unwrap_or_default();
            services.push(String::from_utf8_lossy(service).into_owned());
            kept.extend(NOTHING);
        } else {
            kept.push(word);
        }
    }
    (!services.is_empty()).then(|| Without {
        value: kept.join(&b','),
        services,
    })
}

#[cfg(test)]
mod tests;

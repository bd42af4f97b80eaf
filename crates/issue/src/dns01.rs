//! DNS-01 (RFC 8555, 8.4): a TXT record below the name.
//!
//! Owns: a hook that the operator names, and dynamic updates (RFC 2136) signed by TSIG
//! (RFC 8945), with keys as name servers write them. Never: runs a shell, resolves through the system's resolver.

mod hook;
mod key_file;
mod update;
mod wire;

pub use hook::{Hook, HookVariable, keep};
pub use update::{DynamicUpdate, TsigAlgorithm, TsigKey};

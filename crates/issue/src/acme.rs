//! Certificates from a CA that speaks ACME (RFC 8555).
//!
//! Owns: accounts, orders, renewal information (RFC 9773), and errors that say which name, which
//! challenge and what the CA said. Never: keeps an account's key or a certificate; decides when
//! to renew. The protocol itself is `instant-acme`'s; what is ours is the deadline around every
//! step, and that an answer of the CA is checked before it is believed.

mod account;
mod ari;
mod chain;
mod error;
mod http;
mod order;
mod session;
mod terms;

pub use account::{Account, AcmeCa, ExternalAccount, Registered, Secret};
pub use ari::{RenewalInfo, certificate_id};
pub use error::{AcmeError, NamedProblem, Problem};
pub use order::{Order, Ordered};
pub use terms::terms_of_service;

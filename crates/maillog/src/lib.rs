//! Postfix log lines as typed events.
//!
//! Owns: cutting a log into [`Record`]s, saying what each [`Event`] is, telling which lines speak
//! of a TLS fault ([`tls_warnings`]), and joining deliveries with the TLS sessions they went
//! through ([`deliveries`]). Never: opens a file, follows one, aggregates for a screen.
//!
//! Everything borrows from the log and is read once, front to back, with bounded memory. A log is
//! hostile input: peers choose host names, addresses and SMTP answers in it. Bytes that are not
//! UTF-8 spoil the field they stand in (it reads `\u{fffd}`) and nothing else.
//!
//! ```
//! use maillog::{Weight, tls_warnings};
//! let log = b"Nov 21 03:15:49 mx postfix/smtpd[7]: fatal: Invalid TLS level \"maybe\"\n";
//! let worst = tls_warnings(log).max_by_key(|warning| warning.weight).unwrap();
//! assert_eq!((worst.code, worst.weight), ("log.bad-level", Weight::Kills));
//! ```

mod event;
mod pairing;
mod record;
mod rules;
#[cfg(test)]
mod samples;
mod warning;

pub use event::{Attempts, Delivery, Direction, Event, Peer, TlsSession, TrustWord};
pub use pairing::{Delivered, Wire, deliveries};
pub use record::{Record, Severity, records};
pub use warning::{TlsWarning, Weight, tls_warnings};

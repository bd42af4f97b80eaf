//! SMTP and TLS as seen from outside.
//!
//! Owns: the SMTP dialogue (a state machine without I/O), its driver over blocking sockets, TLS
//! handshakes on the system's OpenSSL (the library that Postfix uses too), sending one message,
//! a small receiving server on loopback, and questions to a resolver. Never: changes anything on a server, judges what it
//! saw (the planner does), or runs without a deadline.
//!
//! In reading order: [`target`] says what to look at; `reply` and [`dialogue`] hold the protocol;
//! `wire` and `tls` hold the bytes; [`driver`] brings them together, `many` for many targets at once; [`mod@full`] asks for all that TLS can do; [`session`] sends mail;
//! [`sink`] receives it; [`dns`] asks a resolver; [`https`] fetches a policy; [`library`] answers questions about OpenSSL itself.

pub mod dialogue;
pub mod dns;
pub mod driver;
pub mod full;
pub mod https;
pub mod library;
mod many;
mod parallel;
pub mod reply;
pub mod session;
pub mod sink;
pub mod target;
mod tls;
mod wire;

pub use driver::{StageSeen, probe, probe_told};
pub use full::{FullBudget, full};
pub use library::{cipher_list, openssl_version, suites};
pub use many::{Budget, News, probe_all, probe_each, probe_within};
pub use reply::Reply;
pub use session::{Accepted, Envelope, SendError, Session, relay_test, send};
pub use sink::{
    Asks, Delivered, Keep, Sink, SinkCertificate, SinkError, SinkOptions, SinkSession, SinkTls,
    TlsUsed,
};
pub use target::{Credentials, Greeting, MailBeforeTls, Start, Target};

//! What brings a certificate into the store: files, or one that is made on the mail server.
//!
//! Owns: which task each of these forms is. Never: keeps a private key: what comes in is sealed to the agent's store
//! before it is filed.

use super::super::frame::View;
use super::super::typed::Typed;
use super::{filed, unknown};
use crate::app::App;
use crate::caller::Caller;
use crate::parts::Parts;
use crate::problem::Problem;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use postseal_planner::task::{KeyKind, NewKey, Order, Task};
use postseal_store::desk::Upload;

/// Kinds of keys, the usual one first.
pub(super) const KINDS: [KeyKind; 6] = [
    KeyKind::EcdsaP256,
    KeyKind::EcdsaP384,
    KeyKind::Rsa2048,
    KeyKind::Rsa3072,
    KeyKind::Rsa4096,
    KeyKind::Ed25519,
];

/// Files that were sent or pasted. From here on only the agent's store can read them.
pub(crate) async fn import(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.ok_or_else(|| Problem::malformed("it is no form"))?;
    let parts = Parts::read(kind, &body)?;
    let Some(cert) = parts.file_or_pasted("cert") else {
        return Err(Problem::malformed(
            "it names no certificate: choose a file, or paste one",
        ));
    };
    let upload = Upload {
        cert,
        key: parts.file_or_pasted("key"),
        chain: parts.file_or_pasted("chain"),
        private_ca: parts.file_or_pasted("private_ca"),
        password: parts.text("password"),
    };
    let mut view = View::of(&app, &caller, "certificates", &["certificates"]).await?;
    let recipient = view.take("certificates").doc.text("recipient");
    let sealed = upload
        .seal(&recipient)
        .map_err(|_| Problem::no_recipient())?;
    let task = Task::CertImport {
        name: parts
            .text("name")
            .map(|name| name.to_string())
            .unwrap_or_default(),
        sealed,
        renew: parts.text("renew").is_some(),
    };
    filed(&app, &caller, &task).await
}

/// One that is made on the mail server: self-signed, requested, or ordered from a CA.
pub(crate) async fn make(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let typed = Typed::new(fields);
    let name = typed.text("name").to_owned();
    let domains = typed.words("domains");
    if domains.is_empty() {
        return Err(Problem::malformed(
            "it says no name that the certificate is for",
        ));
    }
    let days = typed.given("days").map(|days| days.parse::<u32>());
    let days = days.transpose().map_err(Problem::malformed)?;
    let key = NewKey {
        kind: kind(typed.text("key"))?,
        reuse: typed.is_on("reuse"),
        renew: typed.is_on("renew"),
    };
    let task = match typed.text("do") {
        "self-signed" => Task::CertSelfSigned {
            name,
            domains,
            key,
            days,
        },
        "request" => Task::CertRequest {
            name: Some(name),
            domains,
            key,
            forget: false,
        },
        "issue" => Task::CertIssue {
            name,
            domains,
            keys: match typed.is_on("pair") {
                true => vec![KeyKind::Rsa2048, KeyKind::EcdsaP256],
                false => vec![key.kind],
            },
            order: Order {
                staging: typed.is_on("staging"),
                agree_terms: typed.is_on("agree_terms"),
                contacts: typed.words("contacts"),
                renew: key.renew,
            },
        },
        other => return Err(unknown(other)),
    };
    filed(&app, &caller, &task).await
}

fn kind(said: &str) -> Result<KeyKind, Problem> {
    let mut kinds = KINDS.into_iter();
    let known = kinds.find(|kind| kind.name() == said);
    match (known, said) {
        (Some(kind), _) => Ok(kind),
        (None, "") => Ok(KeyKind::default()),
        (None, _) => Err(Problem::malformed("there is no such kind of key")),
    }
}

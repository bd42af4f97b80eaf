//! Documents: what the store keeps as JSON.
//!
//! Owns: the envelope with the format number. Never: the shapes inside, which are the planner's
//! and this crate's records. A later version that changes a shape raises the number and reads
//! both; this one says so when it meets a newer one, rather than guessing.

use crate::StoreError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: u32,
    body: T,
}

#[derive(Deserialize)]
struct FormatOnly {
    format: u32,
}

/// The document of `body`. Fails on what JSON cannot say (a path that is not UTF-8).
pub(crate) fn write<T: Serialize>(what: &'static str, body: &T) -> Result<String, StoreError> {
    serde_json::to_string(&Envelope {
        format: FORMAT,
        body,
    })
    .map_err(|source| StoreError::Unfit {
        what,
        source: source.into(),
    })
}

/// The body of a document.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    match serde_json::from_str::<Envelope<T>>(text) {
        Ok(envelope) if envelope.format == FORMAT => Ok(envelope.body),
        Ok(envelope) => Err(newer(what, envelope.format)),
        Err(error) => Err(match serde_json::from_str::<FormatOnly>(text) {
            Ok(FormatOnly { format }) if format != FORMAT => newer(what, format),
            _ => StoreError::Format {
                what,
                source: error.into(),
            },
        }),
    }
}

fn newer(what: &'static str, format: u32) -> StoreError {
    let source = format!("its format is {format}, known is {FORMAT}").into();
    StoreError::Format { what, source }
}

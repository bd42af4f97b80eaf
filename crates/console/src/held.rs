//! The body of a request, in memory that is wiped.
//!
//! Owns: that what somebody sends (a private key, a password) is written over once nobody holds it any more, and leaves no
//! copy where its buffer grows. Never: wipes what is not the console's: a piece stays in the buffer of its connection
//! until the next one, or the connection's end.

use crate::problem::Problem;
use axum::body::{Body, Bytes, HttpBody as _};
use http_body_util::BodyExt as _;
use zeroize::Zeroizing;

/// What is made room for at first, where the length is not said.
const FIRST: usize = 8 * 1024;

/// Reads it whole; none is larger than this, in bytes. All copies of what is given share one buffer, and the last to go
/// wipes it.
pub(crate) async fn read(mut body: Body, largest: usize) -> Result<Bytes, Problem> {
    let said = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if said > largest {
        return Err(Problem::too_large(largest));
    }
    let mut held = Zeroizing::new(Vec::with_capacity(said.max(FIRST)));
    while let Some(frame) = body.frame().await {
        let ended = |_| Problem::malformed("its body ended too early");
        let Ok(piece) = frame.map_err(ended)?.into_data() else {
            continue;
        };
        let length = held.len().saturating_add(piece.len());
        if length > largest {
            return Err(Problem::too_large(largest));
        }
        if length > held.capacity() {
            // Grown in place it would leave what it held behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(length.max(2 * held.capacity())));
            larger.extend_from_slice(&held);
            held = larger;
        }
        held.extend_from_slice(&piece);
    }
    Ok(Bytes::from_owner(held))
}

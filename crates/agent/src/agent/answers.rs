//! Answers to jobs that were not carried out.
//!
//! Owns: their documents, in the form of every answer. Never: decides that there is none.

use postseal_store::desk::End;
use serde_json::{Value, json};

/// The answer to a job whose agent went away.
pub(super) fn lost(recovered: &Value) -> End {
    let document = json!({
        "schema": 1,
        "changed": Value::Null,
        "error": {
            "code": "job.lost",
            "message": "the agent ended while it carried this out",
            "hint": "See the history for what became of it.",
        },
        "recovered": recovered,
        "findings": [],
    });
    End {
        exit: 1,
        answer: document.to_string(),
    }
}

pub(super) fn given_up() -> End {
    refused("job.cancelled", "it was given up before it began")
}

pub(super) fn refused(code: &str, why: &str) -> End {
    let document = json!({
        "schema": 1,
        "changed": false,
        "error": { "code": code, "message": why, "hint": Value::Null },
        "findings": [],
    });
    End {
        exit: 65,
        answer: document.to_string(),
    }
}

//! The main job, step by step, and what each step must prove.
//!
//! Owns: the order and the proofs. Never: goes on after a proof that failed.

mod after;
mod before;
mod change;
mod look;

use super::Proof;
use super::site::Site;
use after::{drift, old_state, refusal, rollback};
use before::{certificate, init, lint, plan, set};
use change::{apply, log_in, messages, verify};

/// The ports that mx serves in the end.
const PORTS: [u16; 3] = [25, 465, 587];

/// A step of the main job.
pub(super) struct Step {
    pub(super) title: &'static str,
    pub(super) run: fn(&mut Site) -> Proof,
}

/// All of them, in order.
pub(super) const STEPS: &[Step] = &[
    Step {
        title: "lint: what is wrong today",
        run: lint,
    },
    Step {
        title: "init: adopt, observe-only",
        run: init,
    },
    Step {
        title: "cert import and bind",
        run: certificate,
    },
    Step {
        title: "set: what is wanted",
        run: set,
    },
    Step {
        title: "plan: what would be done",
        run: plan,
    },
    Step {
        title: "apply: rehearse, write, prove",
        run: apply,
    },
    Step {
        title: "verify: every port by its own handshake",
        run: verify,
    },
    Step {
        title: "log in, and no open relay",
        run: log_in,
    },
    Step {
        title: "a message in each direction",
        run: messages,
    },
    Step {
        title: "a hand edit is found",
        run: drift,
    },
    Step {
        title: "a broken wish is refused",
        run: refusal,
    },
    Step {
        title: "rollback",
        run: rollback,
    },
    Step {
        title: "the old state is back",
        run: old_state,
    },
];

//! The copies that pages show.
//!
//! Owns: by which task each is made. Never: how a page looks.

use postseal_planner::task::{Beside, Task};
use postseal_store::desk::CopyOf;

/// The task whose answer a copy is.
pub(crate) fn task(copy: CopyOf) -> Task {
    match copy {
        CopyOf::Plan => Task::Plan { diff: false },
        CopyOf::Status => Task::Status {},
        CopyOf::History => Task::History { limit: None },
        CopyOf::Certificates => Task::CertList {},
        CopyOf::Domains => Task::DomainList {},
        CopyOf::Findings => Task::Lint {
            fix: false,
            with: Vec::new(),
        },
        CopyOf::Checks => Task::CertCheck { name: None },
        CopyOf::Drift => Task::Drift {
            adopt: false,
            restore: false,
            check: false,
        },
        CopyOf::Keys => Task::Set {
            pairs: Vec::new(),
            beside: Beside::default(),
        },
        CopyOf::Profiles => Task::ProfileList {},
        CopyOf::Notify => Task::Notify {},
        CopyOf::Parameters => Task::Show {
            parameters: Vec::new(),
            all: true,
            expand: false,
            service: None,
            cipher_list: false,
        },
    }
}

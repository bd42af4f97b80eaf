//! The agent: carries out what is filed at the desk.
//!
//! Owns: claiming jobs, their leases, the verbs that they come to, the copies that pages show, what is due
//! by the clock. Never: decides what is wanted, listens on anything, opens `agent.db` or `console.db`.
//!
//! It is the one process that has every right and reads what the console wrote, so it does little: a job is
//! read as a [`Task`](postseal_planner::task::Task), the task becomes words of the command line, and this
//! program is started with them. So console and API do what an administrator at the host could do,
//! by the same path, and a job that dies takes nothing with it. The desk's files are opened by
//! a child with the console's rights ([`PipeClerk`]).

mod agent;
mod child;
mod copies;
mod pipe;
mod words;

pub use agent::{Agent, AgentError, Told};
pub use child::{Beyond, Program, Running};
pub use pipe::{PipeClerk, serve};
pub use words::words;

//! The desk on PostgreSQL.
//!
//! Owns: reaching a server, its schema, and what its refusals mean. Never: anything that decides; that stays in `agent.db`, on the
//! host. SQL of a table is in `sql`, which the desk on SQLite shares, and in the files of `desk`.

mod connection;
mod desk;
mod place;
mod schema;
mod trouble;

pub use desk::PostgresDesk;
pub use place::{BadPlace, PostgresPlace};

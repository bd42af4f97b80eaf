//! The connections that are open.
//!
//! Owns: how many there may be, and which goes for a new one: the oldest that is not at work. So whoever
//! holds thousands of them keeps nobody out. Never: what is said on one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// All that are open.
#[derive(Clone)]
pub(crate) struct Open(Arc<Table>);

struct Table {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    /// By their age: a later one has a greater number.
    open: BTreeMap<u64, Arc<Connection>>,
}

#[derive(Default)]
struct Connection {
    /// Requests that are being answered.
    at_work: AtomicUsize,
    /// Told when the place is wanted.
    wanted: Notify,
}

/// A connection's place, until it is dropped.
pub(crate) struct Place {
    open: Open,
    number: u64,
    connection: Arc<Connection>,
}

/// A connection's requests.
#[derive(Clone)]
pub(crate) struct Work(Arc<Connection>);

/// A request that is being answered.
pub(crate) struct AtWork(Arc<Connection>);

impl Open {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Table {
            most,
            state: Mutex::default(),
        }))
    }

    /// A place for a new connection; none where all are at work.
    pub(crate) fn enter(&self) -> Option<Place> {
        let mut state = self.state();
        if state.open.len() >= self.0.most && !state.end_an_idle_one() {
            return None;
        }
        let number = state.next;
        state.next += 1;
        let connection = Arc::new(Connection::default());
        state.open.insert(number, Arc::clone(&connection));
        drop(state);
        Some(Place {
            open: self.clone(),
            number,
            connection,
        })
    }

    /// Wants the place of the oldest that is not at work.
    pub(crate) fn end_an_idle_one(&self) {
        self.state().end_an_idle_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end_an_idle_one(&mut self) -> bool {
        let rests = |(_, one): &(&u64, &Arc<Connection>)| one.at_work.load(Ordering::Relaxed) == 0;
        let oldest = self.open.iter().find(rests).map(|(number, _)| *number);
        let gone = oldest.and_then(|number| self.open.remove(&number));
        if let Some(gone) = &gone {
            gone.wanted.notify_one();
        }
        gone.is_some()
    }
}

impl Place {
    pub(crate) fn work(&self) -> Work {
        Work(Arc::clone(&self.connection))
    }

    /// Ready once another connection is to have the place.
    pub(crate) async fn is_wanted(&self) {
        self.connection.wanted.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.state().open.remove(&self.number);
    }
}

impl Work {
    pub(crate) fn begin(&self) -> AtWork {
        self.0.at_work.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(&self.0))
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.at_work.fetch_sub(1, Ordering::Relaxed);
    }
}

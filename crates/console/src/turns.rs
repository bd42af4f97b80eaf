//! Turns at what there is little of.
//!
//! Owns: how many have theirs at once, in all and of one person, so that nobody keeps all others from one. Never: what is
//! done in a turn.

use crate::problem::Problem;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turns at one thing.
pub(crate) struct Turns {
    all: Arc<Semaphore>,
    /// How many one person has at once.
    own: usize,
    /// Those who have one, or wait for it.
    people: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// A turn, until it is dropped.
pub(crate) struct Turn {
    _own: OwnedSemaphorePermit,
    _of_all: OwnedSemaphorePermit,
}

impl Turns {
    pub(crate) fn new(all: usize, own: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(all)),
            own,
            people: Mutex::default(),
        }
    }

    /// Waits for one. Who has theirs already waits at their own place, and takes none of the others'.
    pub(crate) async fn wait(&self, person: &str) -> Result<Turn, Problem> {
        let own = self.of(person).acquire_owned().await;
        let own = own.map_err(|_| Problem::stopping())?;
        let of_all = Arc::clone(&self.all).acquire_owned().await;
        Ok(Turn {
            _own: own,
            _of_all: of_all.map_err(|_| Problem::stopping())?,
        })
    }

    /// One now; none where there is none.
    pub(crate) fn now(&self, person: &str) -> Result<Turn, Problem> {
        let own = self.of(person).try_acquire_owned();
        let own = own.map_err(|_| Problem::busy())?;
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        Ok(Turn {
            _own: own,
            _of_all: of_all.map_err(|_| Problem::busy())?,
        })
    }

    fn of(&self, person: &str) -> Arc<Semaphore> {
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        people.retain(|_, turns| turns.strong_count() > 0);
        if let Some(turns) = people.get(person).and_then(Weak::upgrade) {
            return turns;
        }
        let turns = Arc::new(Semaphore::new(self.own));
        people.insert(person.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

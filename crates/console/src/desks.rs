//! A few open desks, shared by all requests.
//!
//! Owns: how many there are, and that their blocking work runs where it blocks nobody. Never: what is asked of
//! a desk.

use crate::problem::Problem;
use postseal_store::StoreError;
use postseal_store::desk::{Desk, DeskPlace};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How many requests are at the database at once.
const DESKS: usize = 4;

#[derive(Clone)]
pub(crate) struct Desks(Arc<Pool>);

struct Pool {
    place: DeskPlace,
    free: Mutex<Vec<Box<dyn Desk>>>,
    permits: Arc<Semaphore>,
}

impl Desks {
    /// Opens the first one, so that a desk that cannot be used is told at the start.
    pub(crate) fn open(place: DeskPlace) -> Result<Self, StoreError> {
        let first = place.open()?;
        Ok(Self(Arc::new(Pool {
            place,
            free: Mutex::new(vec![first]),
            permits: Arc::new(Semaphore::new(DESKS)),
        })))
    }

    /// Does something at a desk.
    pub(crate) async fn at<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Desk) -> Result<T, StoreError> + Send + 'static,
    {
        let permits = Arc::clone(&self.0.permits);
        let permit = permits.acquire_owned().await;
        let permit = permit.map_err(|_| Problem::stopping())?;
        let pool = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || {
            // It goes with the work, not with a request that gave up.
            let _permit = permit;
            let mut desk = pool.take()?;
            let done = work(&mut *desk);
            // After an error it is opened anew: the folder, or the server, may have come back.
            if done.is_ok() {
                pool.lock().push(desk);
            }
            done
        });
        match done.await {
            Ok(done) => done.map_err(|error| Problem::store(&error)),
            Err(_) => Err(Problem::stopping()),
        }
    }
}

impl Pool {
    fn take(&self) -> Result<Box<dyn Desk>, StoreError> {
        let free = self.lock().pop();
        free.map_or_else(|| self.place.open(), Ok)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Box<dyn Desk>>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

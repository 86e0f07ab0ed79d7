//! Rows that several threads add to, one at a time → the rows, spilled where memory is short.
//!
//! A thread changes the state under the lock. If that leaves a spill job to be done, the same thread does it
//! outside of the lock, while the others go on.
//!
//! Invariant: no thread waits for one that failed or panicked.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::{RowStore, SpillJob};
use crate::error::Error;

/// A state with rows that threads change one at a time.
pub(crate) struct Turnstile<T> {
    inner: Mutex<Inner<T>>,
    /// Notified whenever a thread has left, and when a spill job is done.
    moved: Condvar,
}

struct Inner<T> {
    state: T,
    has_failed: bool,
}

/// Ends the waiting of the others if its thread panics.
pub(crate) struct PanicGuard<'t, T: AsMut<RowStore>>(&'t Turnstile<T>);

impl<T: AsMut<RowStore>> Turnstile<T> {
    pub(crate) fn new(state: T) -> Self {
        Self { inner: Mutex::new(Inner { state, has_failed: false }), moved: Condvar::new() }
    }

    /// Must be kept by a thread for as long as others may wait for it.
    pub(crate) fn guard(&self) -> PanicGuard<'_, T> {
        PanicGuard(self)
    }

    /// Waits until the thread may enter and there is room for rows, changes the state, and does the spill
    /// jobs that result. `false` if the run has failed elsewhere and should end.
    pub(crate) fn enter(
        &self,
        may_enter: impl Fn(&T) -> bool,
        change: impl FnOnce(&mut T) -> Result<Vec<SpillJob>, Error>,
    ) -> Result<bool, Error> {
        let must_wait = |inner: &mut Inner<T>| {
            !inner.has_failed && (!may_enter(&inner.state) || inner.state.as_mut().is_full())
        };
        let waited = self.moved.wait_while(self.lock(), must_wait);
        let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut inner.state);
        inner.has_failed |= changed.is_err();
        let mut go_on = !inner.has_failed;
        drop(inner);
        self.moved.notify_all();
        for job in changed? {
            let written = job.write();
            let mut inner = self.lock();
            inner.has_failed |= written.is_err();
            go_on = !inner.has_failed;
            let written = written.map(|run| inner.state.as_mut().spilled(run));
            drop(inner);
            self.moved.notify_all();
            written?;
        }
        Ok(go_on)
    }

    /// Looks at the state without waiting for a turn.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().state)
    }

    /// The state, when all threads are done.
    pub(crate) fn into_inner(self) -> T {
        self.inner.into_inner().unwrap_or_else(PoisonError::into_inner).state
    }

    /// If another thread panicked, the run is about to end; until then its data is still valid.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsMut<RowStore>> Drop for PanicGuard<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().has_failed = true;
            self.0.moved.notify_all();
        }
    }
}

impl AsMut<RowStore> for RowStore {
    fn as_mut(&mut self) -> &mut RowStore {
        self
    }
}

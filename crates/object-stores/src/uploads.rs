//! Uploads that go on behind `finish`: how many there are, and what failed.
//!
//! Thousands of small objects take thousands of answers, and the threads that encode them are few. So a small
//! object is handed over, and its answer awaited later.
//!
//! Invariant: at most [`AT_ONCE`] uploads and [`BYTES_AT_ONCE`] bytes are on their way. A failure is
//! returned once, by the next upload or [`Uploads::wait_for_all`].

use std::{
    collections::BTreeSet,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Uploads at once.
const AT_ONCE: usize = 64;
/// The bytes of all of them. One that is larger goes alone.
const BYTES_AT_ONCE: usize = 64 << 20;

/// The uploads on their way.
#[derive(Debug, Default)]
pub(crate) struct Uploads {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    keys: BTreeSet<String>,
    bytes: usize,
    failure: Option<io::Error>,
}

impl Uploads {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'s>(
        &self,
        state: MutexGuard<'s, State>,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'s, State> {
        self.ended.wait_while(state, |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room for one more.
    pub(crate) fn enter(&self, key: &str, bytes: usize) -> io::Result<()> {
        let is_full = |state: &State| {
            !state.keys.is_empty() && (state.keys.len() >= AT_ONCE || state.bytes + bytes > BYTES_AT_ONCE)
        };
        let mut state = self.wait_while(self.state(), is_full);
        if let Some(failure) = state.failure.take() {
            return Err(failure);
        }
        state.keys.insert(key.to_owned());
        state.bytes += bytes;
        Ok(())
    }

    /// One has ended.
    pub(crate) fn leave(&self, key: &str, bytes: usize, result: io::Result<()>) {
        let mut state = self.state();
        state.keys.remove(key);
        state.bytes -= bytes;
        if let Err(failure) = result {
            state.failure.get_or_insert(failure);
        }
        drop(state);
        self.ended.notify_all();
    }

    /// Waits for one, whatever comes of it.
    pub(crate) fn wait_for(&self, key: &str) {
        drop(self.wait_while(self.state(), |state| state.keys.contains(key)));
    }

    /// Waits for all.
    pub(crate) fn wait_for_all(&self) -> io::Result<()> {
        let mut state = self.wait_while(self.state(), |state| !state.keys.is_empty());
        state.failure.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;

    #[test]
    fn room_is_awaited_and_a_failure_is_told_once() {
        let uploads = Uploads::default();
        for number in 0..AT_ONCE {
            uploads.enter(&number.to_string(), 1).unwrap();
        }
        thread::scope(|scope| {
            let (send, receive) = mpsc::channel();
            let uploads = &uploads;
            scope.spawn(move || send.send(uploads.enter("one more", BYTES_AT_ONCE).is_ok()).unwrap());
            assert!(receive.recv_timeout(Duration::from_millis(20)).is_err());
            for number in 0..AT_ONCE {
                uploads.leave(&number.to_string(), 1, Ok(()));
            }
            assert!(receive.recv().unwrap());
        });
        uploads.leave("one more", BYTES_AT_ONCE, Err(io::Error::other("lost")));
        uploads.wait_for("one more");
        assert_eq!(uploads.wait_for_all().unwrap_err().to_string(), "lost");
        uploads.wait_for_all().unwrap();
    }
}

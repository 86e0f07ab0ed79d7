//! Uploads that go on behind `finish`: how many there are, and what failed.
//!
//! Thousands of small objects take thousands of answers, and the threads that encode them are few. So a small
//! object is handed over, and its answer awaited later.
//!
//! Invariant: at most [`AT_ONCE`] objects and parts are on their way, and as many bytes as there is memory
//! for. A failure is returned once, by the next upload or [`Uploads::wait_for_all`].

use std::{
    collections::BTreeSet,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// Objects and parts at once.
const AT_ONCE: usize = 64;
/// The bytes of all of them, if nothing else is said.
pub(crate) const BYTES_AT_ONCE: usize = 64 << 20;
/// The size of a part. S3 takes 10,000 of them.
const PART_BYTES: usize = 8 << 20;
/// The least that S3 takes.
const PART_BYTES_MIN: usize = 5 << 20;

/// The uploads on their way.
#[derive(Debug)]
pub(crate) struct Uploads {
    /// The bytes of all of them. One that is larger goes alone.
    bytes_at_once: usize,
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
    pub(crate) fn new(bytes_at_once: usize) -> Self {
        Self { bytes_at_once, state: Mutex::default(), ended: Condvar::new() }
    }

    /// The size of the parts of a large object, one of which is in memory while it is filled.
    pub(crate) fn part_bytes(&self) -> usize {
        if self.bytes_at_once < 2 * PART_BYTES { PART_BYTES_MIN } else { PART_BYTES }
    }

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
            !state.keys.is_empty()
                && (state.keys.len() >= AT_ONCE || state.bytes + bytes > self.bytes_at_once)
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
        let uploads = Uploads::new(BYTES_AT_ONCE);
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

//! Pieces of a COPY that several threads make → one after the other, for the thread that sends them.
//!
//! The sender never waits while there is work that nobody does: it makes pieces itself.
//!
//! Invariant: no more pieces wait than are allowed, each is handed out once, and nobody waits for a thread
//! that has failed.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

/// What is made, and waits to be sent.
#[derive(Debug)]
pub(super) struct Pieces {
    state: Mutex<State>,
    changed: Condvar,
    waiting_max: usize,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Vec<u8>>,
    /// The next partition that nobody encodes yet, and the number of all.
    next: usize,
    partitions: usize,
    /// How many are being encoded by others than the sender.
    begun: usize,
    /// Whether nothing is sent any more.
    is_closed: bool,
}

/// What the sender does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Send(Vec<u8>),
    /// It encodes this partition itself.
    Encode(usize),
    End,
}

/// A partition that a thread encodes. If it is dropped before its end, nothing is sent any more.
#[derive(Debug)]
pub(super) struct Begun<'p> {
    pieces: &'p Pieces,
    /// Its number.
    pub(super) number: usize,
    is_ended: bool,
}

impl Pieces {
    pub(super) fn new(partitions: usize, waiting_max: usize) -> Self {
        let state = State { waiting: VecDeque::new(), next: 0, partitions, begun: 0, is_closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), waiting_max: waiting_max.max(1) }
    }

    /// The next partition for a thread that does not send; `None` if there is none left.
    pub(super) fn begin(&self) -> Option<Begun<'_>> {
        let mut state = self.lock();
        let number = state.take_next()?;
        state.begun += 1;
        Some(Begun { pieces: self, number, is_ended: false })
    }

    /// What the sender does next: what waits goes first.
    pub(super) fn next(&self) -> Next {
        let must_wait = |state: &mut State| {
            !state.is_closed && state.waiting.is_empty() && state.next >= state.partitions && state.begun > 0
        };
        let waited = self.changed.wait_while(self.lock(), must_wait);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return Next::End;
        }
        if let Some(piece) = state.waiting.pop_front() {
            drop(state);
            self.changed.notify_all();
            return Next::Send(piece);
        }
        state.take_next().map_or(Next::End, Next::Encode)
    }

    /// A piece that waits; `None` if there is none now.
    pub(super) fn waiting(&self) -> Option<Vec<u8>> {
        let piece = self.lock().waiting.pop_front()?;
        self.changed.notify_all();
        Some(piece)
    }

    /// Nothing is sent any more.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take_next(&mut self) -> Option<usize> {
        let number = self.next;
        (number < self.partitions && !self.is_closed).then(|| {
            self.next += 1;
            number
        })
    }
}

impl Begun<'_> {
    /// Hands a piece over, once there is room. `false` if nothing is sent any more.
    pub(super) fn hand_over(&self, piece: Vec<u8>) -> bool {
        let Pieces { changed, waiting_max, .. } = self.pieces;
        let is_full = |state: &mut State| !state.is_closed && state.waiting.len() >= *waiting_max;
        let waited = changed.wait_while(self.pieces.lock(), is_full);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if !state.is_closed {
            state.waiting.push_back(piece);
        }
        let goes_on = !state.is_closed;
        drop(state);
        changed.notify_all();
        goes_on
    }

    /// All of its pieces were handed over.
    pub(super) fn end(mut self) {
        self.is_ended = true;
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut state = self.pieces.lock();
        state.begun -= 1;
        state.is_closed |= !self.is_ended;
        drop(state);
        self.pieces.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_thread_makes_and_sends_all() {
        let pieces = Pieces::new(2, 1);
        assert_eq!(
            [pieces.next(), pieces.next(), pieces.next()],
            [Next::Encode(0), Next::Encode(1), Next::End]
        );
    }

    #[test]
    fn what_others_make_is_sent_once() {
        let all: Vec<_> =
            (0..50_u8).flat_map(|number| (0..7).map(move |piece| vec![number, piece])).collect();
        let made = |number: usize| all[number * 7..(number + 1) * 7].iter().cloned();
        for (threads, waiting_max) in [(1, 1), (2, 1), (4, 3)] {
            let pieces = Pieces::new(50, waiting_max);
            let sent = workers::each(threads, |thread| {
                let mut sent = Vec::new();
                if thread == 0 {
                    loop {
                        match pieces.next() {
                            Next::Send(piece) => sent.push(piece),
                            Next::Encode(number) => sent.extend(made(number)),
                            Next::End => return Ok::<_, ()>(sent),
                        }
                    }
                }
                while let Some(begun) = pieces.begin() {
                    assert!(made(begun.number).all(|piece| begun.hand_over(piece)));
                    begun.end();
                }
                Ok(sent)
            });
            let mut sent = sent.unwrap().concat();
            sent.sort_unstable();
            assert_eq!(sent, all, "{threads} threads");
        }
    }

    #[test]
    fn nobody_waits_for_who_has_failed() {
        let pieces = Pieces::new(3, 1);
        let begun = pieces.begin().unwrap();
        assert!(begun.hand_over(vec![1]));
        drop(begun);
        assert_eq!(pieces.next(), Next::End);
        assert!(pieces.begin().is_none());
    }
}

//! Independent pieces of work → the same work on several threads.
//!
//! A system that starts no more threads (`ulimit -u`, the pids limit of a container) makes the work take
//! longer, and is no error: the caller's thread is always there.
//!
//! Invariant: results are in the order of the pieces, whichever thread did them. After the first error no
//! further piece begins, and of several errors that of the first piece is returned.

use std::{
    convert::Infallible,
    panic,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

/// Calls `work` for each piece of `0..pieces`, on at most `threads` threads.
///
/// # Errors
/// The error of the first piece that failed.
pub fn map<T: Send, E: Send>(
    threads: usize,
    pieces: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    map_with(threads, pieces, |_| Ok(()), |(), piece| work(piece))
}

/// Like [`map`], for work that can't fail.
pub fn compute<T: Send>(threads: usize, pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    match map(threads, pieces, |piece| Ok::<T, Infallible>(work(piece))) {
        Ok(done) => done,
    }
}

/// Like [`map`], with a state that each thread makes from its number and keeps from piece to piece.
///
/// # Errors
/// The error of `make`, or that of the first piece that failed.
pub fn map_with<S, T: Send, E: Send>(
    threads: usize,
    pieces: usize,
    make: impl Fn(usize) -> Result<S, E> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let done = each(threads.min(pieces), |thread| {
        let mut own = make(thread)?;
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                break;
            }
            let result = work(&mut own, piece);
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.push((piece, result));
        }
        Ok(done)
    })?;
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|(piece, _)| *piece);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Calls `work` once on each of `threads` threads, including the caller's, with the thread's number. There
/// may be fewer threads, so none may wait for another to begin.
///
/// # Errors
/// The error of the thread with the lowest number that failed.
pub fn each<T: Send, E: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let work = &work;
    thread::scope(|scope| {
        let start = |number| thread::Builder::new().spawn_scoped(scope, move || work(number)).ok();
        let others: Vec<_> = (1..threads).map_while(start).collect();
        let mut results = vec![work(0)];
        for other in others {
            // A panic is a bug; it must end the run as one, before anything is published.
            results.push(other.join().unwrap_or_else(|payload| panic::resume_unwind(payload)));
        }
        results.into_iter().collect()
    })
}

/// Calls `beside` on a thread of its own while `work` runs on the caller's; or after it, if there is no other
/// thread.
pub fn both<A: Send, B>(beside: impl FnOnce() -> A + Send, work: impl FnOnce() -> B) -> (A, B) {
    let beside = Mutex::new(Some(beside));
    let take = || beside.lock().unwrap_or_else(PoisonError::into_inner).take();
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, || take().map(|beside| beside()));
        let worked = work();
        let done = match thread {
            Ok(thread) => thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload)),
            Err(_) => take().map(|beside| beside()),
        };
        match done {
            Some(done) => (done, worked),
            None => unreachable!("it is taken once, by the thread or by its caller"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_error_wins() {
        for threads in [1, 2, 5] {
            let doubled = map(threads, 100, |piece| Ok::<_, String>(piece * 2));
            assert_eq!(doubled.unwrap(), (0..100).map(|piece| piece * 2).collect::<Vec<_>>());
            let failing = |piece: usize| if piece == 3 { Err(format!("piece {piece}")) } else { Ok(piece) };
            assert_eq!(map(threads, 5, failing).unwrap_err(), "piece 3");
            assert_eq!(compute(threads, 0, |piece| piece), Vec::<usize>::new());
        }
    }
}

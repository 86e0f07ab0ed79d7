//! Work that falls into independent pieces → the same work on several threads.
//!
//! Invariant: results come in the order of the pieces, whichever thread did them; after the first error no further piece
//! is begun, and of several errors that of the first piece is reported.

use std::{
    panic,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use crate::error::Error;

/// Does `work` for every piece `0..pieces` on up to `threads` threads.
pub(crate) fn map<T: Send>(
    threads: usize,
    pieces: usize,
    work: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    map_with(threads, pieces, |_| Ok(()), |(), piece| work(piece))
}

/// The same, with what each thread makes for itself, by its number, and keeps from piece to piece.
pub(crate) fn map_with<S, T: Send>(
    threads: usize,
    pieces: usize,
    make: impl Fn(usize) -> Result<S, Error> + Sync,
    work: impl Fn(&mut S, usize) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
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

/// Does `work` once on each of `threads` threads (the caller's is one), with the thread's number.
pub(crate) fn each<T: Send>(
    threads: usize,
    work: impl Fn(usize) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|number| scope.spawn(move || work(number))).collect();
        let mut results = vec![work(0)];
        for other in others {
            // A panic is a bug; it must end the run as one, before anything is published.
            results.push(other.join().unwrap_or_else(|payload| panic::resume_unwind(payload)));
        }
        results.into_iter().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_the_first_error_wins() {
        for threads in [1, 2, 5] {
            assert_eq!(
                map(threads, 100, |i| Ok(i * 2)).unwrap(),
                (0..100).map(|i| i * 2).collect::<Vec<_>>()
            );
            let failing = |i: usize| if i == 3 { Err(Error::Unbalanced(i.to_string())) } else { Ok(i) };
            assert!(map(threads, 5, failing).unwrap_err().to_string().contains(" 3;"));
            assert_eq!(map(threads, 0, Ok).unwrap(), Vec::<usize>::new());
        }
    }
}

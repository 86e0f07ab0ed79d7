//! Does a store hold conditions? Without them, two writers could both believe that they created one object.

use std::{
    io,
    sync::Barrier,
    thread,
    time::{Duration, SystemTime},
};

use super::{Put, Store, create};

/// Tries whether of several writers one creates an object, and whether it then stays as it is. Leaves nothing
/// below `prefix`, where the tries have names of their own.
///
/// # Errors
/// If it could not be tried.
pub fn holds_conditions(store: &dyn Store, prefix: &str) -> io::Result<bool> {
    const ROUNDS: usize = 2;
    let nanos =
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time: Duration| time.as_nanos());
    for round in 0..ROUNDS {
        let key = format!("{prefix}{:x}-{nanos:x}-{round}", std::process::id());
        let holds = one_creates(store, &key);
        let deleted = store.delete(&key);
        if !holds? {
            return Ok(false);
        }
        deleted?;
    }
    Ok(true)
}

/// Whether exactly one of several writers at once creates an object, and another behind them does not.
fn one_creates(store: &dyn Store, key: &str) -> io::Result<bool> {
    const WRITERS: usize = 4;
    let barrier = Barrier::new(WRITERS);
    let texts: Vec<_> = (0..WRITERS).map(|writer| format!("{key} {writer}")).collect();
    let answers = thread::scope(|scope| {
        let write = |text| {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                create(store, key, text)
            })
        };
        let writers: Vec<_> = texts.iter().map(|text| write(text.as_bytes())).collect();
        let join = |writer: thread::ScopedJoinHandle<'_, _>| {
            writer.join().unwrap_or_else(|_| Err(io::Error::other("a writer panicked")))
        };
        writers.into_iter().map(join).collect::<io::Result<Vec<_>>>()
    })?;
    let is_one = answers.iter().filter(|&&answer| answer == Put::Created).count() == 1;
    Ok(is_one && create(store, key, b"another")? == Put::Exists)
}

//! SIGINT, SIGTERM and SIGHUP → a load that ends at its next step and leaves nothing behind.
//!
//! A load checks for them between two blocks and between two partitions. If it can't, because it waits for a
//! silent pipe, the process ends a moment later, and the next load cleans up. A commit that has begun is
//! completed. A second signal ends the process at once, which is safe at any moment.
//!
//! Invariant: a load that this module has told to end commits nothing. A signal that the process was started
//! to ignore (`nohup`, `command &` in a script) does not end it.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI32, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use command_line::is_ignored;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

use crate::error::Error;

/// How long a load that does not check may go on.
const GRACE: Duration = Duration::from_secs(2);
/// How soon a second signal is seen meanwhile.
const LOOKED_EVERY: Duration = Duration::from_millis(20);

/// Whether a load should end; never, unless signals are listened to.
#[derive(Debug, Clone, Default)]
pub struct Interruption {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first signal that came, or 0.
    signal: AtomicI32,
    is_committing: AtomicBool,
}

impl Interruption {
    /// Handles the signals from now on, instead of being ended by them. `say` gets the error if the process
    /// has to end without the load.
    ///
    /// # Errors
    /// Those of the system, if it allows no more handlers or threads.
    pub fn listen(say: impl Fn(&Error) + Send + 'static) -> io::Result<Self> {
        let interruption = Self::default();
        let state = Arc::clone(&interruption.state);
        let (hand_over, taken) = mpsc::channel::<Signals>();
        let listener = move || {
            let Ok(mut signals) = taken.recv() else { return };
            let Some(first) = signals.forever().next() else { return };
            state.signal.store(first, Ordering::SeqCst);
            let end = Instant::now() + GRACE;
            while Instant::now() < end {
                signals.pending().for_each(end_process);
                thread::sleep(LOOKED_EVERY);
            }
            if !state.is_committing.load(Ordering::SeqCst) {
                say(&interrupted(first));
                end_process(first);
            }
            signals.forever().for_each(end_process);
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listener)?;
        // Only now: once it is handled, a signal does nothing unless there is a listener.
        drop(hand_over.send(Signals::new(handled())?));
        Ok(interruption)
    }

    /// Begins a load, perhaps after the commit of another one.
    pub(crate) fn begin_load(&self) {
        self.state.is_committing.store(false, Ordering::SeqCst);
    }

    /// Fails if the load should end.
    ///
    /// # Errors
    /// [`Error::Interrupted`] once a signal came.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.state.signal.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => Err(interrupted(signal)),
        }
    }

    /// Checks for the last time: later signals wait for the commit.
    pub(crate) fn begin_commit(&self) -> Result<(), Error> {
        self.state.is_committing.store(true, Ordering::SeqCst);
        self.check()
    }
}

/// The signals that end a load, without those that the process was started to ignore. Where the system does
/// not say which these are, SIGHUP is left alone, so that `nohup` works everywhere.
fn handled() -> Vec<i32> {
    let always = [SIGINT, SIGTERM].into_iter().filter(|signal| is_ignored(*signal) != Some(true));
    always.chain((is_ignored(SIGHUP) == Some(false)).then_some(SIGHUP)).collect()
}

/// Ends the process as the signal would have, so that its parent sees that.
pub fn end_process(signal: i32) {
    // It returns only if there is no such signal.
    drop(low_level::emulate_default_handler(signal));
}

fn interrupted(signal: i32) -> Error {
    Error::Interrupted { signal, name: low_level::signal_name(signal).unwrap_or("a signal") }
}

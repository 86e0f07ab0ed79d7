//! How far a run has come → one line on the terminal: bytes, rate and remaining time while reading, then partitions.
//!
//! Nothing is shown where standard error is no terminal, where that was asked for, or of a run that is over in a moment. The
//! line has no colours, and is gone when the run ends.
//!
//! Invariant: what is shown never changes what is done.

use std::{
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sources::Source;

/// A run that ends before this shows nothing: a line that flashes up is only noise.
const SHOWN_AFTER: Duration = Duration::from_millis(400);
/// How often the line is drawn anew, also while one partition takes long.
const DRAWN_EVERY: Duration = Duration::from_millis(150);

const OF_BYTES: &str = "reading [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const SO_FAR: &str = "reading {bytes}, {bytes_per_sec}, {elapsed}";
const OF_PARTITIONS: &str = "writing [{wide_bar}] {pos} of {len} partitions, {eta} left";

/// The line on the terminal; clones share it.
#[derive(Debug, Clone)]
pub struct Progress {
    reading: Stage,
    writing: Stage,
}

/// What the line says during one stage.
#[derive(Debug, Clone)]
struct Stage {
    bar: ProgressBar,
    /// Whether the line is on the terminal, or never will be.
    settled: Arc<AtomicBool>,
    run_started: Instant,
}

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self::new(true)
    }

    /// Shows a line on standard error, if that is a terminal; nothing if the user asked for silence.
    #[must_use]
    pub fn on_terminal(quiet: bool) -> Self {
        Self::new(quiet || !io::stderr().is_terminal())
    }

    /// Does what is to be shown, and takes the line away: what comes next is the summary, or an error.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        self.reading.end();
        self.writing.end();
        done
    }

    fn new(hidden: bool) -> Self {
        let run_started = Instant::now();
        let stage = || Stage {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            settled: Arc::new(AtomicBool::new(hidden)),
            run_started,
        };
        Self { reading: stage(), writing: stage() }
    }

    /// The sources are about to be read; how much there is, is known of files only.
    pub(crate) fn begin_reading(&self, sources: &[Source]) {
        if self.reading.never_shown() {
            return;
        }
        let bytes_of = |source: &Source| {
            let metadata = fs_err::metadata(source.path.as_ref()?).ok()?;
            metadata.is_file().then_some(metadata.len())
        };
        let total = sources.iter().map(bytes_of).sum::<Option<u64>>();
        self.reading.begin(total, if total.is_some() { OF_BYTES } else { SO_FAR });
    }

    /// So many more bytes were read.
    pub(crate) fn read(&self, bytes: u64) {
        self.reading.advance(bytes);
    }

    /// So many partitions are about to be written.
    pub(crate) fn begin_writing(&self, partitions: usize) {
        self.reading.end();
        self.writing.begin(Some(partitions as u64), OF_PARTITIONS);
    }

    /// One more partition is written.
    pub(crate) fn partition_written(&self) {
        self.writing.advance(1);
    }
}

impl Stage {
    /// Whether nothing will be on the terminal, from the start.
    fn never_shown(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    fn begin(&self, length: Option<u64>, template: &str) {
        // All templates are constants; a test reads each of them.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        if let Some(length) = length {
            self.bar.set_length(length);
        }
        self.bar.reset();
        self.show_when_due();
    }

    fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.show_when_due();
    }

    fn show_when_due(&self) {
        if !self.settled.load(Ordering::Relaxed)
            && self.run_started.elapsed() >= SHOWN_AFTER
            && !self.settled.swap(true, Ordering::Relaxed)
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            if !self.bar.is_hidden() {
                self.bar.enable_steady_tick(DRAWN_EVERY);
            }
        }
    }

    fn end(&self) {
        self.settled.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

/// Reads through, and tells how much was read.
pub(crate) struct Counted<R> {
    pub(crate) input: R,
    pub(crate) progress: Progress,
}

impl<R: io::Read> io::Read for Counted<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(bytes)?;
        self.progress.read(read as u64);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_are_well_formed() {
        for template in [OF_BYTES, SO_FAR, OF_PARTITIONS] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}

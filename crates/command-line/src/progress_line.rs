//! How far something has come → a line on the terminal.
//!
//! Nothing is shown where standard error is no terminal, where that was asked for, or of a run that is over
//! in a moment. The line has no colours, and is gone when the run ends.
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

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A run that ends before this shows nothing: a line that flashes up is only noise.
const SHOWN_AFTER: Duration = Duration::from_millis(400);
/// How often the line is drawn anew, also while one step takes long.
const DRAWN_EVERY: Duration = Duration::from_millis(150);

/// A line on the terminal; clones share it.
#[derive(Debug, Clone)]
pub struct ProgressLine {
    bar: ProgressBar,
    /// Whether the line is on the terminal, or never will be.
    settled: Arc<AtomicBool>,
    run_started: Instant,
}

impl ProgressLine {
    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self::new(true)
    }

    /// Shows a line on standard error, if that is a terminal; nothing if it is to be hidden.
    #[must_use]
    pub fn on_terminal(hidden: bool) -> Self {
        Self::new(hidden || !io::stderr().is_terminal())
    }

    fn new(hidden: bool) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            settled: Arc::new(AtomicBool::new(hidden)),
            run_started: Instant::now(),
        }
    }

    /// Whether nothing will be on the terminal, from the start.
    #[must_use]
    pub fn is_never_shown(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Begins, with so much to do, if that is known. The template is a constant; a test reads each of them.
    pub fn begin(&self, length: Option<u64>, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("=> "));
        }
        if let Some(length) = length {
            self.bar.set_length(length);
        }
        self.bar.reset();
        self.show_when_due();
    }

    /// So much more is done.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.show_when_due();
    }

    /// So much more is done, and there is more to say of it.
    pub fn advance_with(&self, by: u64, message: impl FnOnce() -> String) {
        self.advance(by);
        if !self.bar.is_hidden() {
            self.bar.set_message(message());
        }
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

    /// Takes the line away: what comes next is the summary, or an error.
    pub fn end(&self) {
        self.settled.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

/// So many bytes as people say it: `1.50 MiB`.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// Whether a progress line can be made of this.
#[must_use]
pub fn is_template(template: &str) -> bool {
    ProgressStyle::with_template(template).is_ok()
}

//! The progress of an operation → a line on the terminal.
//!
//! Nothing is shown if standard error is not a terminal, if that was asked for, or if the operation ends
//! quickly. The line has no colours, and disappears at the end.
//!
//! Invariant: what is shown never changes what is done.

use std::{
    io::{self, IsTerminal},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// An operation that ends before this shows nothing: a line that only flashes is noise.
const SHOWN_AFTER: Duration = Duration::from_millis(400);
/// How often the line is redrawn, even during a long step.
const DRAWN_EVERY: Duration = Duration::from_millis(150);

/// A progress line on the terminal; clones share it.
#[derive(Debug, Clone)]
pub struct ProgressLine {
    bar: ProgressBar,
    /// Whether it is decided that the line is shown, or that it never will be.
    settled: Arc<AtomicBool>,
    run_started: Instant,
}

impl ProgressLine {
    /// A line that is never shown.
    #[must_use]
    pub fn hidden() -> Self {
        Self::new(true)
    }

    /// A line on standard error, if that is a terminal and the line is not `hidden`.
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

    /// Before the first step: whether the line will never be shown.
    #[must_use]
    pub fn is_never_shown(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// Begins, with this much to do, if known. `template` is a constant that a test checks with
    /// [`is_template`].
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

    /// Advances by this much.
    pub fn advance(&self, by: u64) {
        self.bar.inc(by);
        self.show_when_due();
    }

    /// Advances by this much, and shows a message.
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
                let bar = self.bar.clone();
                let redraw = move || {
                    while !bar.is_finished() {
                        bar.tick();
                        thread::sleep(DRAWN_EVERY);
                    }
                };
                // Not by `enable_steady_tick`, which panics if the system starts no more threads. Without
                // one, the line is drawn whenever it advances.
                drop(thread::Builder::new().name("progress".to_owned()).spawn(redraw));
            }
        }
    }

    /// Removes the line: the summary or an error comes next.
    pub fn end(&self) {
        self.settled.store(true, Ordering::Relaxed);
        self.bar.finish_and_clear();
    }
}

/// A number of bytes for people: `1.50 MiB`.
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// Whether this is a valid template of a progress line.
#[must_use]
pub fn is_template(template: &str) -> bool {
    ProgressStyle::with_template(template).is_ok()
}

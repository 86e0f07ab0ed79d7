//! The progress of a run → a line on the terminal, and a line for what it waits for.
//!
//! Invariant: what is shown never changes what is written.

use std::{fmt::Display, path::Path};

use command_line::ProgressLine;

use crate::{
    deliver::{Progress, Total},
    render::Summary,
};

const EVENTS_TEMPLATE: &str =
    "writing [{wide_bar}] {human_pos} of {human_len} events, {msg}, {per_sec}, {eta} left";
const ABOUT_TEMPLATE: &str =
    "writing [{wide_bar}] {human_pos} of about {human_len} events, {msg}, {per_sec}, {eta} left";
const BYTES_TEMPLATE: &str =
    "writing [{wide_bar}] {bytes} of {total_bytes}, {msg}, {bytes_per_sec}, {eta} left";

/// A progress line on standard error.
#[derive(Debug)]
pub struct TerminalProgress {
    line: ProgressLine,
    /// Whether the total is in bytes.
    counts_bytes: bool,
    /// Says what anyone should know, even without a terminal.
    say: Option<fn(&dyn Display)>,
}

impl TerminalProgress {
    pub(super) fn new(hidden: bool, counts_bytes: bool, say: Option<fn(&dyn Display)>) -> Self {
        Self { line: ProgressLine::on_terminal(hidden), counts_bytes, say }
    }
}

impl Progress for TerminalProgress {
    fn waits_for(&self, directory: &Path) {
        if let Some(say) = self.say {
            say(&format_args!("waiting for another run that writes to {}", directory.display()));
        }
    }

    fn begin(&self, total: Total) {
        match total {
            Total::Events(events) => self.line.begin(Some(events), EVENTS_TEMPLATE),
            Total::About(events) => self.line.begin(Some(events), ABOUT_TEMPLATE),
            Total::Bytes(bytes) => self.line.begin(Some(bytes), BYTES_TEMPLATE),
        }
    }

    fn advance(&self, by: u64, written: Summary) {
        self.line.advance_with(by, || {
            if self.counts_bytes {
                format!("{} events", written.events)
            } else {
                command_line::bytes_text(written.bytes)
            }
        });
    }

    fn end(&self) {
        self.line.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_templates_are_well_formed() {
        for template in [EVENTS_TEMPLATE, ABOUT_TEMPLATE, BYTES_TEMPLATE] {
            assert!(command_line::is_template(template), "{template}");
        }
    }
}

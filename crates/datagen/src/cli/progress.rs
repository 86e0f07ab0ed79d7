//! The progress of a run → a line on the terminal.
//!
//! Invariant: what is shown never changes what is written.

use command_line::ProgressLine;

use crate::{
    deliver::{Progress, Total},
    render::Summary,
};

const EVENTS_TEMPLATE: &str =
    "writing [{wide_bar}] {human_pos} of {human_len} events, {msg}, {per_sec}, {eta} left";
const BYTES_TEMPLATE: &str =
    "writing [{wide_bar}] {bytes} of {total_bytes}, {msg}, {bytes_per_sec}, {eta} left";

/// A progress line on standard error.
#[derive(Debug)]
pub struct TerminalProgress {
    line: ProgressLine,
    /// Whether the total is in bytes.
    counts_bytes: bool,
}

impl TerminalProgress {
    pub(super) fn new(hidden: bool, counts_bytes: bool) -> Self {
        Self { line: ProgressLine::on_terminal(hidden), counts_bytes }
    }
}

impl Progress for TerminalProgress {
    fn begin(&self, total: Total) {
        match total {
            Total::Events(events) => self.line.begin(Some(events), EVENTS_TEMPLATE),
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
        for template in [EVENTS_TEMPLATE, BYTES_TEMPLATE] {
            assert!(command_line::is_template(template), "{template}");
        }
    }
}

//! The progress of a run → one line on the terminal: bytes, rate and remaining time while reading, then
//! partitions.
//!
//! Nothing is shown if standard error is not a terminal, if the user asked for silence, or for a run that
//! ends within a moment. The line has no colours, and disappears when the run ends.
//!
//! Invariant: what is shown never changes what is done.

use std::io;

use command_line::ProgressLine;

const OF_BYTES: &str = "reading [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const SO_FAR: &str = "reading {bytes}, {bytes_per_sec}, {elapsed}";
const OF_PARTITIONS: &str = "writing [{wide_bar}] {pos} of {len} partitions, {eta} left";

/// The line on the terminal, with a different text in each of two stages; clones share it.
#[derive(Debug, Clone)]
pub struct Progress {
    reading: ProgressLine,
    writing: ProgressLine,
}

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn hidden() -> Self {
        Self { reading: ProgressLine::hidden(), writing: ProgressLine::hidden() }
    }

    /// Shows a line on standard error, if that is a terminal and the user did not ask for silence.
    #[must_use]
    pub fn on_terminal(quiet: bool) -> Self {
        Self { reading: ProgressLine::on_terminal(quiet), writing: ProgressLine::on_terminal(quiet) }
    }

    /// Does the work, then removes the line before the summary or an error follows.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        self.reading.end();
        self.writing.end();
        done
    }

    /// Begins the reading stage. `total_bytes` returns the number of bytes, or `None` if it is unknown; it is
    /// called only if the line may be shown.
    pub(crate) fn begin_reading(&self, total_bytes: impl FnOnce() -> Option<u64>) {
        if self.reading.is_never_shown() {
            return;
        }
        let total = total_bytes();
        self.reading.begin(total, if total.is_some() { OF_BYTES } else { SO_FAR });
    }

    /// Adds bytes that were read.
    pub(crate) fn read(&self, bytes: u64) {
        self.reading.advance(bytes);
    }

    /// Begins the writing stage, with this many partitions.
    pub(crate) fn begin_writing(&self, partitions: usize) {
        self.reading.end();
        self.writing.begin(Some(partitions as u64), OF_PARTITIONS);
    }

    /// Adds a partition that was written.
    pub(crate) fn partition_written(&self) {
        self.writing.advance(1);
    }
}

/// A reader that counts its bytes.
pub(crate) struct CountingReader<R> {
    pub(crate) input: R,
    pub(crate) progress: Progress,
}

impl<R: io::Read> io::Read for CountingReader<R> {
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
            assert!(command_line::is_template(template), "{template}");
        }
    }
}

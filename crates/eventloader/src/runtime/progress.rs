//! How far a run has come → one line on the terminal: bytes, rate and remaining time while reading, then partitions.
//!
//! Nothing is shown where standard error is no terminal, where that was asked for, or of a run that is over in a moment. The
//! line has no colours, and is gone when the run ends.
//!
//! Invariant: what is shown never changes what is done.

use std::io;

use command_line::ProgressLine;

const OF_BYTES: &str = "reading [{wide_bar}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const SO_FAR: &str = "reading {bytes}, {bytes_per_sec}, {elapsed}";
const OF_PARTITIONS: &str = "writing [{wide_bar}] {pos} of {len} partitions, {eta} left";

/// The line on the terminal, which says something else in each of two stages; clones share it.
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

    /// Shows a line on standard error, if that is a terminal; nothing if the user asked for silence.
    #[must_use]
    pub fn on_terminal(quiet: bool) -> Self {
        Self { reading: ProgressLine::on_terminal(quiet), writing: ProgressLine::on_terminal(quiet) }
    }

    /// Does what is to be shown, and takes the line away: what comes next is the summary, or an error.
    pub fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let done = work();
        self.reading.end();
        self.writing.end();
        done
    }

    /// Sources are about to be read. `total_bytes` says how many bytes there are, or `None` where that is unknown; it is
    /// called only if the line may be shown.
    pub(crate) fn begin_reading(&self, total_bytes: impl FnOnce() -> Option<u64>) {
        if self.reading.is_never_shown() {
            return;
        }
        let total = total_bytes();
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

/// Passes a reader through, and counts its bytes.
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

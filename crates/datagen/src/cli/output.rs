//! The flags for where the events go, in which files, how compressed and how fast → an [`Output`].
//!
//! Invariant: none of these flags changes which events are generated, except that appending continues the
//! stream.

use std::{
    io::{self, IsTerminal},
    num::NonZero,
    path::PathBuf,
};

use clap::{Args, builder::RangedU64ValueParser};

use super::values::{COMPRESSIONS, IF_EXISTS, ROTATIONS, one_of};
use crate::{
    deliver::{Destination, FILE_NUMBER_MAX, FileLayout, IfExists, Output, Rotation},
    render::compression::Compression,
};

pub(super) const OUTPUT: &str = "Output";

/// A larger number of threads is a typing error.
const THREADS_MAX: u64 = 1024;

/// One thread cannot write more events per second than this.
const EVENTS_PER_SECOND_MAX: u64 = 10_000_000;

/// Where the events go, and how.
#[derive(Debug, Clone, Args)]
pub(super) struct OutputArgs {
    /// Write events.json in --base-path instead of standard output
    ///
    /// The file appears under its name only when it is complete and on the disk. Until then it is a hidden
    /// temporary file next to it, so a run that is stopped, killed or out of disk space leaves the old
    /// events.json as it was; the next run removes what such a run left. A file that is replaced or continued
    /// keeps its mode, its owner and the links to it. Runs that write to one directory at the same time do so
    /// one after the other. Standard error says what was written, and where.
    #[arg(short, long, help_heading = OUTPUT)]
    write_data: bool,

    /// The directory for --write-data; created if missing
    #[arg(short, long, value_name = "DIR", default_value = "data/raw_events/", help_heading = OUTPUT)]
    base_path: PathBuf,

    /// What --write-data does with existing events files
    #[arg(
        long, value_name = "WHAT", value_parser = one_of(IF_EXISTS), default_value = "overwrite",
        help_heading = OUTPUT
    )]
    if_exists: IfExists,

    /// Write this many files instead of one: events-00001.json, events-00002.json, …
    ///
    /// The numbers of events in them differ by at most one. Each file appears when it is complete, so a run
    /// that fails leaves the files before. With --if-exists append and new-file, the numbers continue after
    /// the highest existing one.
    #[arg(
        long, value_name = "N", requires = "write_data", conflicts_with = "rotate", help_heading = OUTPUT,
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=u64::from(FILE_NUMBER_MAX))
    )]
    files: Option<u32>,

    /// Write a file for each day or hour (UTC) that has events; each appears when it is complete
    #[arg(
        long, value_name = "UNIT", value_parser = one_of(ROTATIONS), requires = "write_data",
        help_heading = OUTPUT
    )]
    rotate: Option<Rotation>,

    /// Compress the events, in files or on standard output; the loader reads both formats directly
    #[arg(
        long, value_name = "FORMAT", value_parser = one_of(COMPRESSIONS), default_value = "none",
        help_heading = OUTPUT
    )]
    compress: Compression,

    /// Write the events as a live feed, at this many per second
    ///
    /// The event at position K of the run is written K/N seconds after the start, or slightly later. Events
    /// are sent in small batches, about 50 a second, or one by one if there are fewer. They are the same as
    /// without --rate: timestamps are those of the stream, not of the clock. With --compress, each batch is
    /// compressed by itself.
    #[arg(
        long, value_name = "N", help_heading = OUTPUT,
        value_parser = RangedU64ValueParser::<u64>::new().range(1..=EVENTS_PER_SECOND_MAX)
    )]
    rate: Option<u64>,

    /// The number of threads that render events [default: all cores]
    ///
    /// The output is the same for any number. Each thread takes about 2 MB of memory, whatever the number of
    /// events.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = OUTPUT
    )]
    pub(super) threads: Option<usize>,

    /// Print only errors
    ///
    /// Otherwise a progress line is shown if standard error is a terminal and the events go elsewhere, and
    /// the last line says what --write-data has written.
    #[arg(short, long, help_heading = OUTPUT)]
    pub(super) quiet: bool,
}

impl OutputArgs {
    pub(super) fn output(&self) -> Output {
        let layout = match (self.files.and_then(NonZero::new), self.rotate) {
            (Some(files), _) => FileLayout::Numbered(files),
            (None, Some(rotation)) => FileLayout::Rotated(rotation),
            (None, None) => FileLayout::Single,
        };
        let destination = if self.write_data {
            let (base_path, if_exists) = (self.base_path.clone(), self.if_exists);
            Destination::EventsFiles { base_path, layout, if_exists }
        } else {
            Destination::StandardOutput
        };
        Output {
            destination,
            compression: self.compress,
            events_per_second: self.rate.and_then(NonZero::new),
        }
    }

    /// Whether a progress line is unwanted, or would be mixed with the events on the terminal.
    pub(super) fn hides_progress(&self) -> bool {
        self.quiet || !self.write_data && io::stdout().is_terminal()
    }
}

//! The flags that say where the events go, in which files, how they are compressed and how fast they come → an [`Output`].

use std::num::NonZero;
use std::path::PathBuf;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use crate::compression::Compression;
use crate::destination::{Destination, Output};
use crate::events_files::{IfExists, Rotation, Sharing};
use crate::file_names::NUMBER_MAX;

pub(super) const OUTPUT: &str = "Output";

/// More threads than this are a slip of the keyboard.
const THREADS_MAX: u64 = 1024;

/// More events a second than this are more than one thread can write.
const EVENTS_PER_SECOND_MAX: u64 = 10_000_000;

/// Where to, and how.
#[derive(Clone, Debug, Args)]
pub(super) struct OutputArgs {
    /// Write events.json in --base-path instead of standard output
    ///
    /// The file appears under its name only when it is complete and on the disk. Until then it is a hidden temporary file next to it,
    /// so that a run that is stopped, killed or out of disk space leaves the old events.json as it was; the next run
    /// removes what such a run left. What was written, and where, is said on standard error.
    #[arg(short, long, help_heading = OUTPUT)]
    write_data: bool,

    /// The directory for --write-data; created when missing
    #[arg(short, long, value_name = "DIR", default_value = "data/raw_events/", help_heading = OUTPUT)]
    base_path: PathBuf,

    /// What --write-data does with events files that are there
    #[arg(
        long, value_name = "WHAT", value_enum, default_value_t = IfExists::Overwrite, help_heading = OUTPUT
    )]
    if_exists: IfExists,

    /// Write so many files instead of one: events-00001.json, events-00002.json, …
    ///
    /// Each has as many events as the others, or one more. Each appears when it is complete, so that a run that fails leaves those before
    /// it. With --if-exists append and new-file the numbers go on behind the highest that is there.
    #[arg(
        long, value_name = "N", requires = "write_data", conflicts_with = "rotate", help_heading = OUTPUT,
        value_parser = RangedU64ValueParser::<u32>::new().range(1..=u64::from(NUMBER_MAX))
    )]
    files: Option<u32>,

    /// Write a file for each day or hour that has events, in UTC; each appears when it is complete
    #[arg(long, value_name = "UNIT", value_enum, requires = "write_data", help_heading = OUTPUT)]
    rotate: Option<Rotation>,

    /// Compress the events, in files or on standard output; the loader reads both as they are
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, help_heading = OUTPUT)]
    compress: Compression,

    /// Write the events as a live feed, so many a second
    ///
    /// The event at place K of the run is written K/N seconds after the start, or a little later. They go out in small batches,
    /// about 50 a second, or one by one where there are fewer events. They are the same as without --rate: their timestamps are the
    /// stream's, not the clock's. With --compress each batch is compressed by itself.
    #[arg(
        long, value_name = "N", help_heading = OUTPUT,
        value_parser = RangedU64ValueParser::<u64>::new().range(1..=EVENTS_PER_SECOND_MAX)
    )]
    rate: Option<u64>,

    /// How many threads render events [default: all cores]
    ///
    /// The output is the same bytes for every number. Each takes about 2 MB of memory, whatever the number of events.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = OUTPUT
    )]
    pub(super) threads: Option<usize>,

    /// Say nothing but errors
    ///
    /// Otherwise, a line shows how far the run is if standard error is a terminal and the events go elsewhere, and the last line says what
    /// --write-data has written.
    #[arg(short, long, help_heading = OUTPUT)]
    quiet: bool,
}

impl OutputArgs {
    pub(super) fn output(&self) -> Output {
        let sharing = match (self.files.and_then(NonZero::new), self.rotate) {
            (Some(files), _) => Sharing::Number(files),
            (None, Some(rotation)) => Sharing::Rotate(rotation),
            (None, None) => Sharing::Whole,
        };
        let destination = if self.write_data {
            let (base_path, if_exists) = (self.base_path.clone(), self.if_exists);
            Destination::EventsFiles { base_path, sharing, if_exists }
        } else {
            Destination::StandardOutput
        };
        Output {
            destination,
            compression: self.compress,
            events_per_second: self.rate.and_then(NonZero::new),
            quiet: self.quiet,
        }
    }
}

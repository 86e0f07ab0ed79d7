//! Seed and flags in, fake account and transaction events out, as JSON lines.
//!
//! The output is a pure function of ([`STREAM_VERSION`], seed, start date, number of events): the same bytes on any
//! machine, with any number of threads, in any later release. The first *k* lines of a longer run are the run of *k*.
//!
//! The way of an event, file by file:
//!
//! - `cli` reads the flags, `destination` decides between standard output and `events_file`;
//! - `plan` cuts the stream into chunks and gives each its first timestamp;
//! - `ordered` hands the chunks to threads and writes their lines in order;
//! - `simple` decides what happens, from the engines of `streams`, with the ids of `event_id` and the sentences of
//!   `sentence` and `words`;
//! - `json_lines` writes it down, with `line`, `clock` and `text_tables`; `payload` says the same as structs.
//!
//! ```
//! use std::num::NonZero;
//!
//! let config = datagen::Config {
//!     seed: 42,
//!     num_events: 1000,
//!     start_date: datagen::DEFAULT_START_DATE,
//!     threads: NonZero::<usize>::MIN,
//! };
//! let mut lines = Vec::new();
//! let summary = datagen::generate(&config, &mut lines)?;
//! assert_eq!(summary.bytes, lines.len() as u64);
//! # Ok::<(), datagen::Error>(())
//! ```

use std::io::Write;
use std::num::NonZero;

use chrono::NaiveDate;

pub mod cli;
mod clock;
pub mod destination;
mod error;
mod event_id;
pub mod events_file;
mod json_lines;
mod line;
mod ordered;
pub mod payload;
mod plan;
mod sentence;
mod simple;
mod streams;
mod text_tables;
mod words;

pub use error::Error;

use crate::plan::{CHUNK_EVENTS, Plan};
use crate::simple::SimpleWorld;

/// The version of the stream: which bytes a seed stands for.
///
/// It covers every byte of the output: ids, times, choices, words and the form of the lines. A release may write other
/// bytes for a seed only together with a new version. It does not cover messages, or the names of files. The start date
/// moves the timestamps and nothing else.
pub const STREAM_VERSION: u32 = 1;

/// The day on which the events begin if nobody says otherwise.
pub const DEFAULT_START_DATE: NaiveDate =
    NaiveDate::from_ymd_opt(2024, 10, 10).expect("a day of the calendar");

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which of the possible streams.
    pub seed: u64,
    /// How many events.
    pub num_events: u64,
    /// The first event is at midnight of this day; each next one is 1 to 120 seconds later.
    pub start_date: NaiveDate,
    /// How many threads render; the bytes are the same for every number.
    pub threads: NonZero<usize>,
}

/// What was generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many events, each a line.
    pub events: u64,
    /// How many bytes all lines have together.
    pub bytes: u64,
}

/// Writes the events of `config` to `out`, about 500 kB at a time; `out` needs no buffer of its own.
///
/// Memory depends on the number of threads alone, about 2 MB for each.
///
/// # Errors
///
/// [`Error::CalendarEnds`] when a timestamp would leave the year 9999, before the first byte where that can be known
/// by then; [`Error::Write`] when `out` fails; [`Error::Thread`] when the system refuses a thread.
pub fn generate(config: &Config, out: &mut impl Write) -> Result<Summary, Error> {
    let plan = Plan::new(config)?;
    let world = SimpleWorld::new(config.seed);
    let chunks = config.num_events.div_ceil(u64::from(CHUNK_EVENTS));
    let threads = usize::try_from(chunks).unwrap_or(usize::MAX).min(config.threads.get());
    let summary = if threads <= 1 {
        ordered::write_alone(&world, plan, out)?
    } else {
        ordered::write_with_threads(&world, plan, threads, out)?
    };
    out.flush().map_err(Error::Write)?;
    Ok(summary)
}

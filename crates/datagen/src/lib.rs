//! Seed and flags in, fake account and transaction events out, as JSON lines.
//!
//! The output is a pure function of ([`STREAM_VERSION`], world, seed, start date, number of events): the same bytes on any
//! machine, with any number of threads, in any later release. The first *k* lines of a longer run are the run of *k*.
//!
//! The way of an event, file by file:
//!
//! - `cli` makes an `order` of the flags, with `amount` and `continued` for how much of the stream it is;
//! - a `world` cuts its stream into chunks and says what happens in them: `simple`, from engines of `streams`, with the ids of
//!   `event_id` and the sentences of `sentence` and `words`, or `ledger`;
//! - `ordered` hands the chunks to threads and writes their lines in order;
//! - `render` writes the lines of a chunk, with `line`, `clock` and `text_tables`; `payload` says the same as structs;
//! - `destination` decides between standard output and `events_files`; `delivery` brings the pieces there, at the pace of `live`;
//! - `explain` goes to one event alone, and tells what its account did before;
//! - `check` proves that lines are a stream, and uses none of the above.
//!
//! ```
//! let config = datagen::Config { seed: 42, num_events: 1000, ..datagen::Config::default() };
//! let mut lines = Vec::new();
//! let summary = datagen::generate(&config, &mut lines)?;
//! assert_eq!(summary.bytes, lines.len() as u64);
//! # Ok::<(), datagen::Error>(())
//! ```

use std::io::Write;
use std::num::NonZero;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;
use clap::ValueEnum;
use events_core::catalog::{BUILT_IN, Catalog, LEDGER};

pub mod amount;
pub mod check;
pub mod cli;
mod clock;
pub mod compression;
mod continued;
mod delivery;
pub mod destination;
mod error;
mod event_id;
mod events_file;
pub mod events_files;
pub mod explain;
pub mod faults;
mod file_names;
mod ledger;
mod line;
mod lines;
mod live;
pub mod order;
mod ordered;
pub mod payload;
mod pieces;
pub mod records;
mod render;
mod sentence;
mod simple;
mod streams;
mod text_tables;
mod truth;
mod words;
mod world;

pub use error::Error;

use crate::compression::Compression;
use crate::faults::{FaultCounts, Faults};
use crate::ledger::LedgerWorld;
use crate::ordered::Job;
use crate::pieces::{Cut, Files};
use crate::render::{Rendered, Rendering};
use crate::simple::SimpleWorld;
use crate::world::{CHUNK_EVENTS, Chunk, World};

/// The version of the stream: which bytes a seed stands for.
///
/// It covers every byte of the output: ids, times, choices, words and the form of the lines. A release may write other
/// bytes for a seed only together with a new version. It does not cover messages, or the names of files. The start date
/// moves the timestamps and nothing else.
pub const STREAM_VERSION: u32 = 1;

/// The day on which the events begin if nobody says otherwise.
pub const DEFAULT_START_DATE: NaiveDate =
    NaiveDate::from_ymd_opt(2024, 10, 10).expect("a day of the calendar");

/// How many events an average day of the ledger has if nobody says otherwise: as many as one of the simple world, about.
pub const DEFAULT_EVENTS_PER_DAY: u64 = 1_440;

/// Which events there are, and how they hang together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WorldName {
    /// Events that know nothing of each other, each 1 to 120 seconds after the one before.
    #[default]
    Simple,
    /// Accounts with lives, and payments between them: statuses follow from each other, each payment is seen by both
    /// sides, balances hold. A few accounts do most; days and hours differ.
    Ledger,
}

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which world.
    pub world: WorldName,
    /// Which of its possible streams.
    pub seed: u64,
    /// Which event of the stream is the first; those before it are passed over.
    pub first_event: u64,
    /// How many events.
    pub num_events: u64,
    /// The first event is at midnight of this day.
    pub start_date: NaiveDate,
    /// How many events an average day of the ledger has; at least 1.
    pub events_per_day: u64,
    /// How many events have which fault.
    pub faults: FaultCounts,
    /// How many threads render; the bytes are the same for every number.
    pub threads: NonZero<usize>,
}

impl WorldName {
    /// As it is given.
    fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Ledger => "ledger",
        }
    }

    /// The catalog that the world's events are loaded with.
    fn catalog(self) -> &'static Catalog {
        static WITH_LEDGER: LazyLock<Catalog> = LazyLock::new(|| {
            BUILT_IN.extended(&[("ledger.toml", LEDGER)]).expect("the ledger's catalog is read by a test")
        });
        match self {
            Self::Simple => &BUILT_IN,
            Self::Ledger => &WITH_LEDGER,
        }
    }
}

impl Default for Config {
    /// Ten events of the simple world, by one thread.
    fn default() -> Self {
        Self {
            world: WorldName::Simple,
            seed: 0,
            first_event: 0,
            num_events: 10,
            start_date: DEFAULT_START_DATE,
            events_per_day: DEFAULT_EVENTS_PER_DAY,
            faults: FaultCounts::default(),
            threads: NonZero::<usize>::MIN,
        }
    }
}

impl Config {
    /// The events of the run, by their places in the stream.
    fn events(&self) -> Range<u64> {
        self.first_event..self.first_event.saturating_add(self.num_events)
    }
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
    let mut summary = Summary::default();
    run(config, &Form::default(), |rendered| {
        for part in rendered.parts() {
            out.write_all(part.bytes).map_err(Error::Write)?;
            summary.bytes += part.bytes.len() as u64;
        }
        summary.events += rendered.events;
        Ok(ControlFlow::Continue(()))
    })?;
    out.flush().map_err(Error::Write)?;
    Ok(summary)
}

/// What becomes of lines when they are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) files: Files,
    pub(crate) compression: Compression,
    /// How many events of a live feed are sent on together.
    pub(crate) batch_events: Option<NonZero<u64>>,
    /// Whether anybody asks what a right load makes of them.
    pub(crate) wants_truth: bool,
}

impl Default for Form {
    /// The lines, and nothing else.
    fn default() -> Self {
        Self { files: Files::Whole, compression: Compression::None, batch_events: None, wants_truth: false }
    }
}

/// Renders the events of `config`; `take` gets what became of each chunk, in order, until it has enough.
pub(crate) fn run(
    config: &Config,
    form: &Form,
    take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let Config { seed, start_date, events_per_day, .. } = *config;
    match config.world {
        WorldName::Simple => run_in(&SimpleWorld::new(seed, start_date), config, form, take),
        WorldName::Ledger => run_in(&LedgerWorld::new(seed, start_date, events_per_day), config, form, take),
    }
}

fn run_in<W: World>(
    world: &W,
    config: &Config,
    form: &Form,
    take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let &Form { files, compression, batch_events, wants_truth } = form;
    let events = config.events();
    let jobs = jobs(world, config)?;
    let faults =
        (config.faults.total() > 0).then(|| Faults::new(config.seed, events.clone(), &config.faults));
    let cut = Cut { events, files, batch_events };
    let rendering = Rendering { world, cut, compression, faults, wants_truth };
    let count = config.num_events.div_ceil(u64::from(CHUNK_EVENTS));
    let threads = usize::try_from(count).unwrap_or(usize::MAX).min(config.threads.get());
    if threads <= 1 {
        ordered::render_alone(&rendering, jobs, take)
    } else {
        ordered::render_with_threads(&rendering, jobs, threads, take)
    }
}

/// The chunks of a run, each with the one before if there are faults.
fn jobs<W: World>(
    world: &W,
    config: &Config,
) -> Result<impl Iterator<Item = Result<Job<W::Chunk>, Error>>, Error> {
    let Range { start, end } = config.events();
    let is_wanted = move |chunk: &W::Chunk| chunk.first_event() + u64::from(chunk.events()) > start;
    let chunks = world.chunks(end)?;
    let chunks = chunks.skip_while(move |chunk| chunk.as_ref().is_ok_and(|chunk| !is_wanted(chunk)));
    let looks_back = config.faults.total() > 0;
    let mut last = None;
    Ok(chunks.map(move |chunk| {
        let chunk = Arc::new(chunk?);
        let before = last.take();
        if looks_back {
            last = Some(Arc::clone(&chunk));
        }
        Ok(Job { before, chunk })
    }))
}

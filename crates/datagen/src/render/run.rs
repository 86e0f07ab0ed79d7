//! A [`Config`] → the chunks of its events, rendered, in order.
//!
//! Invariant: what `take` receives depends on the configuration and the format only, not on the number of
//! threads.

use std::{
    io::Write,
    num::NonZero,
    ops::{ControlFlow, Range},
    sync::Arc,
};

use super::{Rendered, Rendering, compression::Compression, document::Documents, threads};
use crate::{
    changes::{Changes, tables},
    config::{Config, WorldName},
    dress::Dress,
    error::Error,
    faults::Faults,
    lines::pieces::{FileSplit, Split},
    stream::CHUNK_EVENTS,
    worlds::{Chunk, End, Job, World, ledger::LedgerWorld, simple::SimpleWorld},
};

/// What was generated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of events.
    pub events: u64,
    /// The total size of their lines.
    pub bytes: u64,
}

/// Writes the events of `config` to `out` as JSON lines, about 500 kB at a time; `out` needs no buffer of its
/// own.
///
/// Memory depends only on the number of threads: about 2 MB for each.
///
/// # Errors
///
/// - [`Error::CalendarEnds`] if a timestamp would be after the year 9999, before the first byte is written
///   where that can be known by then;
/// - [`Error::Changes`] if there are more changes than events;
/// - [`Error::Write`] if `out` fails.
pub fn generate(config: &Config, out: &mut impl Write) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut documents = Documents::new(document_of(config), Compression::None);
    let mut write = |bytes: &[u8]| {
        summary.bytes += bytes.len() as u64;
        out.write_all(bytes).map_err(Error::Write)
    };
    let mut events = 0;
    let changes = Changes::of(config)?;
    run(config, changes.as_ref(), &Format::default(), |rendered| {
        for part in rendered.parts() {
            let (_, joint) = documents.before(part.piece.key.file);
            write(&joint.bytes)?;
            write(part.bytes)?;
        }
        events += rendered.events;
        Ok(ControlFlow::Continue(()))
    })?;
    if let Some((_, joint)) = documents.close() {
        write(&joint.bytes)?;
    }
    summary.events = events;
    out.flush().map_err(Error::Write)?;
    Ok(summary)
}

/// What opens and what closes a file, where it is one document.
pub(crate) fn document_of(config: &Config) -> Option<[&'static str; 2]> {
    config
        .envelope
        .and_then(|envelope| Dress::new(envelope, config.world, &tables(config.world, None)).document())
}

/// How lines are split and encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Format {
    pub(crate) files: FileSplit,
    pub(crate) compression: Compression,
    /// How many events of a live feed are sent together.
    pub(crate) batch_events: Option<NonZero<u64>>,
    /// Whether to compute what a correct load leaves.
    pub(crate) wants_truth: bool,
}

impl Default for Format {
    /// Plain lines in one file.
    fn default() -> Self {
        Self {
            files: FileSplit::Single,
            compression: Compression::None,
            batch_events: None,
            wants_truth: false,
        }
    }
}

/// Renders the events of `config`, with its changes. `take` receives each rendered chunk, in order, until it
/// breaks.
pub(crate) fn run(
    config: &Config,
    changes: Option<&Changes>,
    format: &Format,
    take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let Config { seed, start_date, events_per_day, .. } = *config;
    match config.world {
        WorldName::Simple => run_world(&SimpleWorld::new(seed, start_date), config, changes, format, take),
        WorldName::Ledger => {
            run_world(&LedgerWorld::new(seed, start_date, events_per_day), config, changes, format, take)
        }
    }
}

fn run_world<W: World>(
    world: &W,
    config: &Config,
    changes: Option<&Changes>,
    format: &Format,
    take: impl FnMut(&Rendered) -> Result<ControlFlow<()>, Error>,
) -> Result<(), Error> {
    let &Format { files, compression, batch_events, wants_truth } = format;
    let events = config.events();
    let jobs = jobs(world, config)?;
    let faults =
        (config.faults.total() > 0).then(|| Faults::new(config.seed, events.clone(), &config.faults));
    let split = Split { events, files, batch_events };
    let dress =
        config.envelope.map(|envelope| Dress::new(envelope, config.world, &tables(config.world, changes)));
    let rendering = Rendering { world, split, compression, faults, changes, dress, wants_truth };
    let chunks = config.num_events.div_ceil(u64::from(CHUNK_EVENTS));
    let threads = usize::try_from(chunks).unwrap_or(usize::MAX).min(config.threads.get());
    if threads <= 1 {
        threads::render_in_this_thread(&rendering, jobs, take)
    } else {
        threads::render_in_threads(&rendering, jobs, threads, take)
    }
}

/// The chunks of a run; each comes with its predecessor if there are faults.
fn jobs<W: World>(
    world: &W,
    config: &Config,
) -> Result<impl Iterator<Item = Result<Job<W::Chunk>, Error>>, Error> {
    let Range { start, end } = config.events();
    let is_wanted = move |chunk: &W::Chunk| chunk.first_event() + u64::from(chunk.events()) > start;
    let chunks = world.chunks(End { event: end, micros: config.until_micros })?;
    let chunks = chunks.skip_while(move |chunk| chunk.as_ref().is_ok_and(|chunk| !is_wanted(chunk)));
    let needs_predecessor = config.faults.total() > 0;
    let mut last = None;
    Ok(chunks.map(move |chunk| {
        let chunk = Arc::new(chunk?);
        let before = last.take();
        if needs_predecessor {
            last = Some(Arc::clone(&chunk));
        }
        Ok(Job { before, chunk })
    }))
}

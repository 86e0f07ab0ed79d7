//! Sources and a catalog → what a load would make of each line, without writing anything.
//!
//! Invariant: lines are judged by the load's own reader; every line that is not blank or filtered would load or would be
//! quarantined, and is counted as one of them.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::{ReadSettings, raw_lines};
use crate::{
    blocks::{BlockReader, Buffer},
    error::Error,
    events::EventReader,
    inert_text::inert,
    lines::{self, BadLine, BlockOutcome, LineReader, OTHER_NAMES},
    memory::MemoryShares,
    plan::Plan,
    sources, workers,
};

/// Unknown fields and event types that are told apart.
const NAMES_MAX: usize = 10_000;

/// What a load would come to.
#[derive(Debug, Default)]
pub struct Checked {
    lines: u64,
    blank: u64,
    filtered: u64,
    /// By `domain/event_type`; lines that don't say what they are, under no name.
    by_type: BTreeMap<String, OfType>,
    unknown_fields: BTreeMap<String, u64>,
}

#[derive(Debug, Default)]
struct OfType {
    /// Versions of one event each count.
    loads: u64,
    faults: BTreeMap<&'static str, Faults>,
}

/// Lines that are bad for one reason.
#[derive(Debug)]
struct Faults {
    count: u64,
    first: Place,
    detail: String,
}

/// A line: its source, its block's number, and which line from the block's first; in input order.
type Place = (usize, u32, i64);

/// By source and block: by how much the file's line number is higher behind the block.
type LineCounts = BTreeMap<(usize, u32), u64>;

/// Judges all lines.
///
/// # Errors
/// A source can't be read.
pub fn check(settings: &ReadSettings) -> Result<Checked, Error> {
    settings.selection.check(&settings.catalog)?;
    let sources = sources::list(&settings.sources, None)?;
    let shares = MemoryShares::of(settings.memory_bytes, settings.threads);
    let plan = Plan::new(&settings.catalog);
    let blocks = Mutex::new(BlockReader::new(sources.clone(), shares.block_bytes, settings.progress.clone()));
    let parts = workers::each(settings.threads, |_| {
        let events = EventReader::new(&plan, &settings.selection, false);
        let mut lines = LineReader::new(events, &plan, true);
        let (mut checked, mut counts) = (Checked::default(), LineCounts::new());
        let mut recycled = Buffer::default();
        loop {
            let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).next_block(recycled)?;
            let Some(block) = next else { return Ok((checked, counts)) };
            let outcome = lines.read(&block);
            counts.insert((outcome.source, outcome.number), u64::from(outcome.newlines));
            checked.add(outcome, &plan);
            recycled = block.bytes;
        }
    })?;
    let (mut checked, mut counts) = (Checked::default(), LineCounts::new());
    for (part, part_counts) in parts {
        checked.merge(part);
        counts.extend(part_counts);
    }
    checked.name_places(&counts, &sources);
    Ok(checked)
}

impl Checked {
    /// Lines that would be quarantined.
    #[must_use]
    pub fn quarantined(&self) -> u64 {
        self.by_type.values().flat_map(|of_type| of_type.faults.values()).map(|faults| faults.count).sum()
    }

    fn add(&mut self, outcome: BlockOutcome, plan: &Plan) {
        self.lines += u64::from(outcome.lines);
        self.blank += u64::from(outcome.blank);
        self.filtered += u64::from(outcome.filtered);
        for (type_index, batch) in &outcome.batches {
            let name = plan.event_types[*type_index].event_type.to_string();
            self.by_type.entry(name).or_default().loads += batch.rows() as u64;
        }
        for bad in outcome.bad.iter().filter(|bad| bad.fragment.unwrap_or(0) == 0) {
            let place = (outcome.source, outcome.number, bad.line_index);
            let name = raw_lines::type_of(&bad.raw).map(|(domain, name)| format!("{domain}/{name}"));
            self.of_type(name.unwrap_or_default()).add(bad.fault.reason.code(), 1, place, || detail(bad));
        }
        for (name, count) in outcome.unknown_fields {
            lines::count_name(&mut self.unknown_fields, name, NAMES_MAX, count);
        }
    }

    fn of_type(&mut self, mut name: String) -> &mut OfType {
        if self.by_type.len() >= NAMES_MAX && !self.by_type.contains_key(&name) {
            OTHER_NAMES.clone_into(&mut name);
        }
        self.by_type.entry(name).or_default()
    }

    fn merge(&mut self, other: Self) {
        self.lines += other.lines;
        self.blank += other.blank;
        self.filtered += other.filtered;
        for (name, theirs) in other.by_type {
            let ours = self.of_type(name);
            ours.loads += theirs.loads;
            for (reason, Faults { count, first, detail }) in theirs.faults {
                ours.add(reason, count, first, || detail);
            }
        }
        for (name, count) in other.unknown_fields {
            lines::count_name(&mut self.unknown_fields, name, NAMES_MAX, count);
        }
    }

    /// Writes file and line in front of what is told of a first bad line.
    fn name_places(&mut self, counts: &LineCounts, sources: &[sources::Source]) {
        for faults in self.by_type.values_mut().flat_map(|of_type| of_type.faults.values_mut()) {
            let (source, block, index) = faults.first;
            let before: u64 = counts.range((source, 0)..(source, block)).map(|(_, lines)| lines).sum();
            faults.detail = format!(
                "{}:{}: {}",
                sources[source].name,
                (before + 1).saturating_add_signed(index),
                faults.detail
            );
        }
    }
}

impl OfType {
    fn add(&mut self, reason: &'static str, count: u64, first: Place, detail: impl FnOnce() -> String) {
        match self.faults.get_mut(reason) {
            None => drop(self.faults.insert(reason, Faults { count, first, detail: detail() })),
            Some(faults) => {
                faults.count += count;
                if first < faults.first {
                    (faults.first, faults.detail) = (first, detail());
                }
            }
        }
    }
}

fn detail(bad: &BadLine) -> String {
    let detail = &bad.fault.detail;
    let field = detail.field.as_ref().map_or(String::new(), |field| format!("{field}: "));
    format!("{field}expected {}, found {}", detail.expected, detail.found)
}

/// A line for each event type, and below it one for each reason.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.by_type.keys().map(|name| inert(name).chars().count()).max().unwrap_or_default();
        for (name, OfType { loads, faults }) in &self.by_type {
            let name = if name.is_empty() { "(no event)".to_owned() } else { inert(name) };
            let quarantined: u64 = faults.values().map(|faults| faults.count).sum();
            write!(f, "{name:width$}  {loads} would load")?;
            if quarantined > 0 {
                write!(f, ", {quarantined} would be quarantined")?;
            }
            writeln!(f)?;
            for (reason, Faults { count, detail, .. }) in faults {
                writeln!(f, "    {reason} {count}, the first {}", inert(detail))?;
            }
        }
        if !self.unknown_fields.is_empty() {
            writeln!(f, "Not in the catalog, would be left out:")?;
            for (name, count) in &self.unknown_fields {
                writeln!(f, "    {} in {count}", inert(name))?;
            }
        }
        let loads: u64 = self.by_type.values().map(|of_type| of_type.loads).sum();
        writeln!(
            f,
            "{} lines: {loads} would load, {} would be quarantined, {} blank, {} of other domains or types",
            self.lines,
            self.quarantined(),
            self.blank,
            self.filtered
        )
    }
}

//! Sources and a catalog → how a load would treat each line, without writing anything.
//!
//! Invariant: lines are judged by the load's own parser. Every line that is not blank or filtered is counted
//! either as loaded or as quarantined.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use event_parser::{Buffer, OTHER_NAMES, Parsed, Parser, ParserOptions, Plan};
use events_core::catalog::OPEN_TYPES_MAX;

use super::ReadSettings;
use crate::{
    error::Error,
    input::{BlockReader, Framed, Listed, Source, Window, list_sources, reads_objects},
    runtime::{MemoryShares, Needs, escape_for_terminal, names, open_store},
};

/// The number of unknown fields and event types that are counted by name.
const NAMES_MAX: usize = 10_000;

/// The result of a check.
#[derive(Debug, Default)]
pub struct Checked {
    lines: u64,
    blank: u64,
    filtered: u64,
    /// By `domain/event_type`; lines that have none are under an empty name.
    by_type: BTreeMap<String, OfType>,
    unknown_fields: BTreeMap<String, u64>,
    /// Links that lead nowhere.
    dangling: Vec<String>,
}

#[derive(Debug, Default)]
struct OfType {
    /// Each version of an event counts.
    loads: u64,
    faults: BTreeMap<&'static str, Faults>,
}

/// Lines that are bad for one reason.
#[derive(Debug)]
struct Faults {
    count: u64,
    first: LinePosition,
    detail: String,
}

/// A line: its source, its block's number, and its line from the start of the block; orders as the input
/// does.
type LinePosition = (usize, u32, i64);

/// By source and block: the number of newlines in the block.
type LineCounts = BTreeMap<(usize, u32), u64>;

/// Judges all lines.
///
/// # Errors
/// A source can't be read.
pub fn check(settings: &ReadSettings) -> Result<Checked, Error> {
    settings.selection.check(&settings.catalog)?;
    let open = |root: &str| open_store(root, &settings.stores);
    let Listed { sources, dangling } = list_sources(&settings.sources, None, &open)?;
    let plan = Plan::new(&settings.catalog);
    let window = Window::of(settings.memory_bytes);
    let needs = Needs { ahead_bytes: window.memory_bytes(reads_objects(&sources)), ..Needs::to_read(&plan) };
    let shares = MemoryShares::of(settings.memory_bytes, settings.threads, needs);
    let options =
        ParserOptions { selection: &settings.selection, flatten: true, wants_later_candidates: false };
    let framed = Framed { framing: settings.framing, records: Arc::clone(plan.records()) };
    let blocks =
        BlockReader::new(sources.clone(), window, shares.block_bytes, framed, settings.progress.clone());
    let blocks = Mutex::new(blocks);
    let parts = workers::each(shares.workers, |_| -> Result<_, Error> {
        let mut parser = Parser::new(&plan, options);
        let (mut checked, mut counts) = (Checked::default(), LineCounts::new());
        let mut recycled = Buffer::default();
        loop {
            let next = blocks.lock().unwrap_or_else(PoisonError::into_inner).next_block(recycled)?;
            let Some(next) = next else { return Ok((checked, counts)) };
            let parsed = parser.parse(&next.block);
            let block = (next.source, next.block.number);
            if plan.has_too_many_types() {
                return Err(Error::OpenTypes(OPEN_TYPES_MAX));
            }
            counts.insert(block, u64::from(parsed.newlines));
            checked.add(block, parsed, &plan);
            recycled = next.block.bytes;
        }
    })?;
    let (mut checked, mut counts) = (Checked { dangling, ..Checked::default() }, LineCounts::new());
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

    fn add(&mut self, (source, block): (usize, u32), parsed: Parsed, plan: &Plan) {
        self.lines += u64::from(parsed.lines);
        self.blank += u64::from(parsed.blank);
        self.filtered += u64::from(parsed.filtered);
        for (type_index, batch) in &parsed.batches {
            let name = plan.event_type(*type_index).to_string();
            self.by_type.entry(name).or_default().loads += batch.rows() as u64;
        }
        for bad in parsed.bad.iter().filter(|bad| bad.fragment.unwrap_or(0) == 0) {
            let place = (source, block, bad.line_index);
            let name = plan.type_of(&bad.raw).map(|(domain, name)| format!("{domain}/{name}"));
            self.of_type(name.unwrap_or_default())
                .add(bad.fault.reason.code(), 1, place, || bad.fault.detail.to_string());
        }
        for (name, count) in parsed.unknown_fields {
            names::count_name(&mut self.unknown_fields, name, NAMES_MAX, count);
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
            names::count_name(&mut self.unknown_fields, name, NAMES_MAX, count);
        }
    }

    /// Puts file and line in front of the detail of each first bad line.
    fn name_places(&mut self, counts: &LineCounts, sources: &[Source]) {
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
    fn add(
        &mut self,
        reason: &'static str,
        count: u64,
        first: LinePosition,
        detail: impl FnOnce() -> String,
    ) {
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

/// A line for each event type, and below it one for each reason.
impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .by_type
            .keys()
            .map(|name| escape_for_terminal(name).chars().count())
            .max()
            .unwrap_or_default();
        for (name, OfType { loads, faults }) in &self.by_type {
            let name = if name.is_empty() { "(no event)".to_owned() } else { escape_for_terminal(name) };
            let quarantined: u64 = faults.values().map(|faults| faults.count).sum();
            write!(f, "{name:width$}  {loads} would load")?;
            if quarantined > 0 {
                write!(f, ", {quarantined} would be quarantined")?;
            }
            writeln!(f)?;
            for (reason, Faults { count, detail, .. }) in faults {
                writeln!(f, "    {reason} {count}, the first {}", escape_for_terminal(detail))?;
            }
        }
        if !self.unknown_fields.is_empty() {
            writeln!(f, "Not in the catalog, would be left out:")?;
            for (name, count) in &self.unknown_fields {
                writeln!(f, "    {} in {count}", escape_for_terminal(name))?;
            }
        }
        for link in &self.dangling {
            writeln!(f, "{} leads nowhere", escape_for_terminal(link))?;
        }
        let loads: u64 = self.by_type.values().map(|of_type| of_type.loads).sum();
        writeln!(
            f,
            "{} {}: {loads} would load, {} would be quarantined, {} blank, {} of other domains or types",
            self.lines,
            if self.lines == 1 { "line" } else { "lines" },
            self.quarantined(),
            self.blank,
            self.filtered
        )
    }
}

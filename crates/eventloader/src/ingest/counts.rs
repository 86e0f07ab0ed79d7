//! The lines of the input → counts by source, by reason, and by name.
//!
//! Invariant: the counts depend on the order of the input, not on that of the threads. The number of names is
//! bounded.

use std::{borrow::Cow, collections::BTreeMap};

use event_parser::{BadLine, Parsed, Reason};
use event_target::Fingerprint;
use serde::{Deserialize, Serialize};

use super::{KeysSeen, lacking};
use crate::{
    input::{Source, StoredObject},
    runtime::names,
};

/// The most names of fields and unknown events that are counted separately; a hostile file could have one per
/// line.
const NAMES_MAX: usize = 1_000;
/// The number of bad lines whose keys are collected.
const LINES_LOOKED_AT: u64 = 100;

/// The counts of all sources.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct InputCounts {
    /// Counted separately from the sources, not added up from them: `report/proof.rs` compares the two.
    pub(crate) run: RunCounts,
    pub(crate) sources: Vec<SourceCounts>,
    /// Bad lines by reason.
    pub(crate) by_reason: BTreeMap<Cow<'static, str>, u64>,
    /// Events that the catalog does not know, by `domain/event_type`.
    pub(crate) unknown_events: BTreeMap<String, u64>,
    /// Rows by the path of a field that is not in the catalog.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// Rows by the path of a value of another type that was converted.
    pub(crate) coerced: BTreeMap<String, u64>,
    /// Rows by the path of a value that lost digits.
    pub(crate) rounded: BTreeMap<String, u64>,
    /// The first bad line, for messages.
    pub(crate) first_bad: Option<FirstBad>,
    /// Bad lines that have several values.
    pub(crate) several_values: u64,
    /// The keys of the first bad lines.
    pub(crate) keys_of_bad: KeysSeen,
}

/// The first bad line of a run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FirstBad {
    source: usize,
    line: u64,
    detail: String,
    /// Whether it has several values.
    pub(crate) has_several_values: bool,
    /// The base fields that it lacks, for messages.
    pub(crate) lacks: String,
}

/// The counts of the run.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RunCounts {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: u64,
    pub(crate) filtered: u64,
}

/// The counts of one source.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct SourceCounts {
    pub(crate) name: String,
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: u64,
    pub(crate) filtered: u64,
    /// Good lines that are rows.
    pub(crate) rows: u64,
    /// Bytes of its text.
    pub(crate) bytes: u64,
    /// Its content as it is stored; in merges only.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// Of an object of a bucket: its `ETag`.
    pub(crate) etag: Option<String>,
}

impl InputCounts {
    pub(crate) fn of(sources: &[Source]) -> Self {
        let counts = |source: &Source| SourceCounts {
            name: source.name.clone(),
            etag: source.object().and_then(StoredObject::etag).map(str::to_owned),
            ..SourceCounts::default()
        };
        Self { sources: sources.iter().map(counts).collect(), ..Self::default() }
    }

    /// Counts a bad line, which is number `line` of its source.
    pub(super) fn add_bad(&mut self, source_index: usize, line: u64, bad: &BadLine) {
        let source = &mut self.sources[source_index];
        if bad.fragment.unwrap_or(0) == 0 {
            self.run.quarantined += 1;
            source.quarantined += 1;
            *self.by_reason.entry(bad.fault.reason.code().into()).or_default() += 1;
            self.several_values += u64::from(bad.fault.is_further_value());
            if bad.fault.reason == Reason::UnknownEvent {
                count_name(&mut self.unknown_events, &bad.fault.detail.found, 1);
            }
        }
        if self.run.quarantined <= LINES_LOOKED_AT {
            self.keys_of_bad.add(&bad.raw);
        }
        if self.first_bad.is_none() {
            self.first_bad = Some(FirstBad {
                source: source_index,
                line,
                detail: bad.fault.detail.to_string(),
                has_several_values: bad.fault.is_further_value(),
                lacks: lacking(&bad.raw).join(", "),
            });
        }
    }

    /// Counts the lines of a block, except for the bad ones.
    pub(super) fn add_block(&mut self, source: usize, parsed: &mut Parsed) {
        let source = &mut self.sources[source];
        source.lines += u64::from(parsed.lines);
        source.blank += u64::from(parsed.blank);
        source.filtered += u64::from(parsed.filtered);
        self.run.lines += u64::from(parsed.lines);
        self.run.blank += u64::from(parsed.blank);
        self.run.filtered += u64::from(parsed.filtered);
        source.rows += parsed.batches.iter().map(|(_, batch)| batch.rows() as u64).sum::<u64>();
        for (counts, of_block) in [
            (&mut self.unknown_fields, &mut parsed.unknown_fields),
            (&mut self.coerced, &mut parsed.coerced),
            (&mut self.rounded, &mut parsed.rounded),
        ] {
            let mut named: Vec<_> = of_block.drain().collect();
            named.sort_unstable();
            for (name, count) in named {
                count_name(counts, &name, count);
            }
        }
    }

    /// Adds the counts of a part of a source, of which so many lines come before it. Parts come in input
    /// order.
    pub(crate) fn append(&mut self, source_index: usize, lines_before: u64, part: Self) {
        let RunCounts { lines, blank, quarantined, filtered } = part.run;
        if self.run.quarantined < LINES_LOOKED_AT {
            self.keys_of_bad.merge(part.keys_of_bad);
        }
        self.run.lines += lines;
        self.run.blank += blank;
        self.run.quarantined += quarantined;
        self.run.filtered += filtered;
        let source = &mut self.sources[source_index];
        for of_part in part.sources {
            source.lines += of_part.lines;
            source.blank += of_part.blank;
            source.quarantined += of_part.quarantined;
            source.filtered += of_part.filtered;
            source.rows += of_part.rows;
            source.bytes += of_part.bytes;
            source.fingerprint = source.fingerprint.or(of_part.fingerprint);
        }
        for (reason, count) in part.by_reason {
            *self.by_reason.entry(reason).or_default() += count;
        }
        for (counts, of_part) in [
            (&mut self.unknown_events, part.unknown_events),
            (&mut self.unknown_fields, part.unknown_fields),
            (&mut self.coerced, part.coerced),
            (&mut self.rounded, part.rounded),
        ] {
            for (name, count) in of_part {
                count_name(counts, &name, count);
            }
        }
        self.several_values += part.several_values;
        if let (None, Some(first)) = (&self.first_bad, part.first_bad) {
            self.first_bad =
                Some(FirstBad { source: source_index, line: lines_before + first.line, ..first });
        }
    }

    /// The first bad line, with its place.
    pub(crate) fn first_bad_text(&self) -> String {
        let text = |FirstBad { source, line, detail, .. }: &FirstBad| {
            format!("{}:{line}: {detail}", self.sources[*source].name)
        };
        self.first_bad.as_ref().map(text).unwrap_or_default()
    }
}

fn count_name(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    names::count_name(counts, names::cut_name(name), NAMES_MAX, count);
}

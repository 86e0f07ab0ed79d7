//! A run's report → a short table for people, on standard error.
//!
//! Invariant: counts of zero are not shown; a line has only a few names, the most frequent first.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use event_target::Action;

use super::{PartitionReport, Report};
use crate::{
    input::{SkipReason, SkippedSource},
    runtime::{StageReport, bytes_text, duration_text, escape_for_terminal, grouped, plural},
};

/// The report for people.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What to show.
    pub report: &'a Report,
    /// The target, as it was given; a database without its password.
    pub target: &'a str,
    /// Whether it is a database.
    pub is_database: bool,
    /// The catalog that the load was given, if it was one file.
    pub catalog: Option<&'a str>,
    /// The memory that the run might take.
    pub memory_bytes: usize,
    /// The number of threads that it might use.
    pub threads: usize,
    /// Adds conversions, and a line per partition, stage and sampled row.
    pub verbose: bool,
    /// Its sources are files of the quarantine, of which no catalog can be drafted.
    pub is_replay: bool,
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.report;
        let sources = plural(report.sources.len() as u64, "source");
        writeln!(
            f,
            "{:>14} {} read from {sources} in {}",
            grouped(report.lines),
            if report.lines == 1 { "line" } else { "lines" },
            duration_text(report.duration_ms)
        )?;
        let mut row = |count: u64, what: &str| {
            if count > 0 { writeln!(f, "{:>14} {what}", grouped(count)) } else { Ok(()) }
        };
        row(report.blank, "blank")?;
        row(
            report.quarantined.total,
            &format!("quarantined: {}", largest(&report.quarantined.by_reason, None)),
        )?;
        let filtered =
            if self.is_replay { "left as they are" } else { "filtered out by domain, type or day" };
        row(report.filtered, filtered)?;
        row(
            report.superseded,
            &format!(
                "superseded by a later version: {} redelivered, {} corrected",
                grouped(report.redelivered),
                grouped(report.corrected)
            ),
        )?;
        if self.verbose {
            for sample in &report.superseded_samples {
                writeln!(f, "{:15}{sample}", "")?;
            }
        }
        let bytes: u64 = report.partitions.iter().map(|partition| partition.bytes).sum();
        let partitions = plural(report.partitions.len() as u64, "partition");
        let verb = if report.dry_run { "would be written" } else { "written" };
        writeln!(
            f,
            "{:>14} {verb} to {partitions}, {}: {}",
            grouped(report.written),
            bytes_text(bytes),
            self.actions()
        )?;
        if report.existing_superseded > 0 {
            let rows = if report.existing_superseded == 1 { "row" } else { "rows" };
            let count = grouped(report.existing_superseded);
            writeln!(f, "{count:>14} {rows} of the target superseded by the input")?;
        }
        if self.verbose {
            for partition in &report.partitions {
                let PartitionReport { path, rows, bytes, action, .. } = partition;
                let action = format!("{action:?}").to_lowercase();
                writeln!(f, "{:>14} {path}, {}, {action}", grouped(*rows), bytes_text(*bytes))?;
            }
            for StageReport { stage, thread_ms, bytes, threads } in &report.stages {
                let bytes = bytes.map_or(String::new(), |bytes| format!(", {}", bytes_text(bytes)));
                let threads = threads.map_or(String::new(), |threads| {
                    let threads = plural(threads as u64, "thread");
                    format!(", {threads}: memory has no room for more")
                });
                let stage = format!("{stage:?}").to_lowercase();
                writeln!(f, "{:>14} of thread time: {stage}{bytes}{threads}", duration_text(*thread_ms))?;
            }
            let memory = bytes_text(self.memory_bytes as u64);
            writeln!(f, "{memory:>14} of memory at most, {}", plural(self.threads as u64, "thread"))?;
        }
        if !report.unknown_events.is_empty() {
            writeln!(f, "event types not in the catalog: {}", largest(&report.unknown_events, None))?;
            if !self.is_replay {
                self.drafting(f)?;
            }
        }
        if report.several_values > 0 && !self.is_replay {
            let lines = plural(report.several_values, "line");
            writeln!(f, "{lines} with several documents; read them with: eventloader --framing documents")?;
        }
        if !report.unknown_fields.is_empty() {
            writeln!(
                f,
                "fields not in the schema, left out: {}",
                largest(&report.unknown_fields, Some("row"))
            )?;
        }
        // Applications often write one type for another in every event, so every run would have this line.
        if self.verbose && !report.coerced.is_empty() {
            writeln!(f, "converted to the column's type: {}", largest(&report.coerced, Some("row")))?;
        }
        if !report.rounded.is_empty() {
            writeln!(f, "rounded to fit the column: {}", largest(&report.rounded, Some("row")))?;
        }
        self.skipped(f)?;
        write!(f, "{}", report.days_without_rows)?;
        self.bad_lines(f)?;
        if report.dry_run {
            writeln!(f, "dry run: nothing was changed")?;
        }
        Ok(())
    }
}

impl Summary<'_> {
    /// The only source as an argument of a shell command, or a placeholder.
    fn source(&self) -> String {
        match self.report.sources.as_slice() {
            [source] if source.path != "-" && is_plain(&source.path) => source.path.clone(),
            _ => "SOURCE…".to_owned(),
        }
    }

    /// Where the bad lines are.
    fn bad_lines(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, is_database, .. } = self;
        let target = self.target.trim_end_matches('/');
        match report.quarantined.total > 0 && report.committed {
            true if *is_database => {
                writeln!(f, "bad lines and their reasons: the table _quarantine of {target}")
            }
            true => writeln!(f, "bad lines and their reasons: {target}/_quarantine/"),
            false => Ok(()),
        }
    }

    /// How to get event types into a catalog.
    fn drafting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source();
        match self.catalog.filter(|catalog| is_plain(catalog)) {
            Some(catalog) => writeln!(
                f,
                "add them to {catalog} with: eventloader catalog infer --catalog {catalog} {source} -o {catalog}"
            ),
            None => writeln!(f, "draft a catalog for them with: eventloader catalog infer {source}"),
        }
    }

    /// What is damaged or foreign is an error, and not told here.
    fn skipped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let skipped = &self.report.skipped;
        let known = |reason| matches!(reason, SkipReason::Loaded | SkipReason::Same);
        let known = skipped.iter().filter(|source| known(source.reason)).count();
        if known > 0 {
            writeln!(f, "skipped, already loaded: {}", plural(known as u64, "source"))?;
        }
        for SkippedSource { path, reason, detail } in skipped {
            let path = escape_for_terminal(path);
            match reason {
                SkipReason::Unfinished => {
                    let detail = detail.as_deref().unwrap_or_default();
                    writeln!(f, "skipped until complete: {path}: {detail}")?;
                }
                SkipReason::Dangling => writeln!(f, "skipped, a link that leads nowhere: {path}")?,
                _ => {}
            }
        }
        Ok(())
    }

    fn actions(&self) -> String {
        let counted = [Action::Created, Action::Replaced, Action::Removed, Action::Unchanged]
            .map(|action| (self.report.count(action), format!("{action:?}").to_lowercase()));
        let shown: Vec<_> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        if shown.is_empty() { "no partition changes".to_owned() } else { shown.join(", ") }
    }
}

/// The largest counts by name, for one line: `name 5` or, with a unit, `name in 5 rows`.
fn largest<K: AsRef<str>>(counts: &BTreeMap<K, u64>, unit: Option<&str>) -> String {
    const SHOWN: usize = 8;
    let mut sorted: Vec<_> = counts.iter().map(|(name, count)| (name.as_ref(), *count)).collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let mut text = String::new();
    for (index, (name, count)) in sorted.iter().take(SHOWN).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let count = unit.map_or_else(|| grouped(*count), |unit| format!("in {}", plural(*count, unit)));
        let _ = write!(text, "{comma}{} {count}", escape_for_terminal(name));
    }
    if sorted.len() > SHOWN {
        let _ = write!(text, " and {} more", sorted.len() - SHOWN);
    }
    text
}

/// Whether a shell takes a path as it is.
fn is_plain(path: &str) -> bool {
    path.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
}

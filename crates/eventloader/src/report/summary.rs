//! A run's report → a short table for people, on standard error.
//!
//! Invariant: what is zero is not said; names in one line are few, the most frequent first.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use super::{PartitionReport, Report};
use crate::{
    commit::Action,
    inert_text::inert,
    stages::StageReport,
    survey::{PassedOver, Reason},
};

/// The report for people; `verbose` adds each partition.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What to show.
    pub report: &'a Report,
    /// Where it was loaded to.
    pub target: &'a str,
    /// With a line per partition, stage and sampled row.
    pub verbose: bool,
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
            duration(report.duration_ms)
        )?;
        let mut row = |count: u64, what: &str| {
            if count > 0 { writeln!(f, "{:>14} {what}", grouped(count)) } else { Ok(()) }
        };
        row(report.blank, "blank")?;
        row(report.quarantined.total, &format!("quarantined: {}", counts(&report.quarantined.by_reason)))?;
        row(report.filtered, "filtered: of other domains, types or days")?;
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
            size(bytes),
            self.actions()
        )?;
        if report.held_superseded > 0 {
            let rows = grouped(report.held_superseded);
            writeln!(f, "{rows:>14} of the target's own rows superseded")?;
        }
        if self.verbose {
            for partition in &report.partitions {
                let PartitionReport { path, rows, bytes, action, .. } = partition;
                writeln!(f, "{:>14} {path}, {}, {action:?}", grouped(*rows), size(*bytes))?;
            }
            for StageReport { stage, thread_ms, bytes } in &report.stages {
                let bytes = bytes.map_or(String::new(), |bytes| format!(", {}", size(bytes)));
                writeln!(f, "{:>14} of threads: {stage:?}{bytes}", duration(*thread_ms))?;
            }
        }
        if !report.unknown_events.is_empty() {
            writeln!(f, "not in the catalog: {}", counts(&report.unknown_events))?;
            writeln!(f, "draft a catalog of them with: eventloader catalog infer {}", self.source())?;
        }
        if !report.unknown_fields.is_empty() {
            writeln!(f, "not in the schema, left out: {}", counts(&report.unknown_fields))?;
        }
        // What an application always writes so, every run would say.
        if self.verbose && !report.coerced.is_empty() {
            writeln!(f, "given as another type, converted: {}", counts(&report.coerced))?;
        }
        if !report.rounded.is_empty() {
            writeln!(f, "rounded to what their columns hold: {}", counts(&report.rounded))?;
        }
        self.passed_over(f)?;
        for day in &report.days_without_events {
            writeln!(f, "no events on {day}: what the target has of it was left as it is")?;
        }
        if report.quarantined.total > 0 && report.committed {
            writeln!(f, "bad lines with their reasons: {}/_quarantine/", self.target.trim_end_matches('/'))?;
        }
        if report.dry_run {
            writeln!(f, "dry run: nothing was changed")?;
        }
        Ok(())
    }
}

impl Summary<'_> {
    /// The source as an argument of a shell command, where there is one.
    fn source(&self) -> String {
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
        match self.report.sources.as_slice() {
            [source] if source.path != "-" && source.path.chars().all(is_plain) => source.path.clone(),
            _ => "SOURCE…".to_owned(),
        }
    }

    fn passed_over(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unfinished, known): (Vec<_>, Vec<_>) =
            self.report.passed_over.iter().partition(|source| source.reason == Reason::Unfinished);
        if !known.is_empty() {
            writeln!(f, "passed over: {} that were loaded before", plural(known.len() as u64, "source"))?;
        }
        for PassedOver { path, detail, .. } in unfinished {
            let detail = detail.as_deref().unwrap_or_default();
            writeln!(f, "passed over until it is finished: {}: {detail}", inert(path))?;
        }
        Ok(())
    }

    fn actions(&self) -> String {
        let counted = [Action::Created, Action::Replaced, Action::Removed, Action::Unchanged]
            .map(|action| (self.report.count(action), format!("{action:?}").to_lowercase()));
        let said: Vec<_> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        if said.is_empty() { "no rows".to_owned() } else { said.join(", ") }
    }
}

/// The largest counts by name, for one line.
fn counts<K: AsRef<str>>(counts: &BTreeMap<K, u64>) -> String {
    const SHOWN: usize = 8;
    let mut sorted: Vec<_> = counts.iter().map(|(name, count)| (name.as_ref(), *count)).collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let mut text = String::new();
    for (index, (name, count)) in sorted.iter().take(SHOWN).enumerate() {
        let comma = if index > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{} {}", inert(name), grouped(*count));
    }
    if sorted.len() > SHOWN {
        let _ = write!(text, " and {} more", sorted.len() - SHOWN);
    }
    text
}

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, larger);
    }
    if unit == "B" || value >= 100.0 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn duration(millis: u64) -> String {
    if millis < 1_000 { format!("{millis} ms") } else { format!("{:.1} s", millis as f64 / 1_000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(
            (grouped(0), grouped(999), grouped(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(
            (size(999), size(2048), size(160 << 20)),
            ("999 B".into(), "2.0 KiB".into(), "160 MiB".into())
        );
    }
}

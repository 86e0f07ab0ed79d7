//! What a run did, as counts → JSON for machines, a short table for people.
//!
//! Invariant (`Report::check`): `lines = blank + quarantined + filtered + superseded + written`, and `written` is what the
//! footers of the files say. A run that does not balance commits nothing.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
};

use serde::Serialize;

use crate::{commit::Action, error::Error, inert_text::inert, stages::StageReport};

/// The run report of CONTRACT.md section 7.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) quarantined: Quarantined,
    pub(crate) filtered: u64,
    pub(crate) superseded: u64,
    pub(crate) written: u64,
    /// By path.
    pub(crate) partitions: Vec<PartitionReport>,
    /// Days that were asked for by name and have no rows.
    pub(crate) days_without_events: Vec<String>,
    /// By path in the event: rows that have a field that the schema doesn't know.
    pub(crate) unknown_fields: BTreeMap<String, u64>,
    /// By `domain/event_type`: events that the catalog doesn't know.
    pub(crate) unknown_events: BTreeMap<String, u64>,
    pub(crate) sources: Vec<SourceReport>,
    pub(crate) committed: bool,
    pub(crate) dry_run: bool,
    pub(crate) duration_ms: u64,
    /// In the order of the data's way.
    pub(crate) stages: Vec<StageReport>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct Quarantined {
    pub(crate) total: u64,
    pub(crate) by_reason: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PartitionReport {
    pub(crate) path: String,
    pub(crate) rows: u64,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    pub(crate) action: Action,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct SourceReport {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
}

impl Report {
    /// Refuses counts that don't add up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let accounted = self.blank + self.quarantined.total + self.filtered + self.superseded + self.written;
        if self.lines != accounted {
            return Err(Error::Unbalanced(format!(
                "{} lines, but {} blank + {} quarantined + {} filtered + {} superseded + {} written = {accounted}",
                self.lines, self.blank, self.quarantined.total, self.filtered, self.superseded, self.written
            )));
        }
        let of_sources: u64 = self.sources.iter().map(|source| source.lines).sum();
        if self.lines != of_sources {
            return Err(Error::Unbalanced(format!("{} lines, but {of_sources} by source", self.lines)));
        }
        Ok(())
    }

    /// The report as JSON, with a newline.
    ///
    /// # Errors
    /// None that can happen: all keys are strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    fn count(&self, action: Action) -> usize {
        self.partitions.iter().filter(|partition| partition.action == action).count()
    }
}

/// The report for people; `verbose` adds each partition.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What to show.
    pub report: &'a Report,
    /// Where it was loaded to.
    pub target: &'a str,
    /// With a line per partition and source.
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
        row(report.superseded, "superseded by a later version")?;
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

    fn actions(&self) -> String {
        let counted = [Action::Created, Action::Replaced, Action::Unchanged]
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
    fn a_lost_line_is_refused() {
        let sources = || vec![SourceReport { lines: 3, ..SourceReport::default() }];
        let report = Report { lines: 3, written: 3, sources: sources(), ..Report::default() };
        assert!(report.check().is_ok());
        let report = Report { lines: 3, written: 2, sources: sources(), ..Report::default() };
        assert!(report.check().unwrap_err().to_string().contains("= 2;"));
    }

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

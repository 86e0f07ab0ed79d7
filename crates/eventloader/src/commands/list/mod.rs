//! `eventloader list`: a target → the loads that were committed to it, the latest last.
//!
//! With `--html`, what it holds and what became of its loads, as a page: [`page()`].
//!
//! Invariant: nothing is changed, and the command does not wait for a running load.

mod bad_lines;
mod cube;
mod grid;
mod loads;
mod marks;
mod noticed;
mod page;
mod shown;

use std::fmt::{self, Write};

use event_target::{AcceptedFiles, CommittedLoad, Discarded, Location, Mode};
use events_core::truth::Counts;

pub use self::page::{page, write_page};
use crate::{
    error::Error,
    runtime::{escape_for_terminal, grouped, plural},
};

/// The loads of a target: the last thousand, and those whose commits are not folded yet.
#[derive(Debug)]
pub struct Runs(Vec<CommittedLoad>);

/// Reads the loads of a target.
///
/// # Errors
/// [`TargetError::Locked`](event_target::TargetError::Locked) while a load is running,
/// [`TargetError::Unusable`](event_target::TargetError::Unusable) if nothing was ever loaded, and read
/// errors.
pub fn list(target: &Location) -> Result<Runs, Error> {
    let _lock = target.lock_to_read()?;
    Ok(Runs(target.history(|_, _| {})?.runs))
}

impl Runs {
    /// One JSON object per line.
    ///
    /// # Errors
    /// None in practice: all keys are strings.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        self.0.iter().map(|run| serde_json::to_string(run).map(|line| line + "\n")).collect()
    }
}

const HEAD: [&str; 9] =
    ["commit", "when (UTC)", "mode", "lines", "written", "superseded", "quarantined", "partitions", "from"];

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = vec![HEAD.map(str::to_owned)];
        table.extend(self.0.iter().map(row));
        let mut widths = [0; HEAD.len()];
        for (width, column) in widths.iter_mut().zip(0..) {
            *width = table.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        }
        for row in &table {
            let mut line = String::new();
            for (column, (text, width)) in row.iter().zip(widths).enumerate() {
                // Numbers are aligned right.
                let is_text = matches!(column, 1 | 2 | 8);
                if is_text { write!(line, "{text:<width$}  ")? } else { write!(line, "{text:>width$}  ")? }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

fn row(run: &CommittedLoad) -> [String; HEAD.len()] {
    let CommittedLoad { commit, at, mode, counts, partitions, .. } = run;
    [
        commit.to_string(),
        at.clone(),
        mode_name(*mode),
        grouped(counts.lines),
        grouped(counts.written),
        grouped(counts.superseded),
        grouped(counts.quarantined),
        grouped(*partitions as u64),
        escape_for_terminal(&from(run)),
    ]
}

fn mode_name(mode: Mode) -> String {
    format!("{mode:?}").to_lowercase()
}

/// What a load read, and of a commit that was no load, what it did.
fn from(run: &CommittedLoad) -> String {
    if let Some(Discarded { lines, .. }) = &run.discarded {
        return format!("discarded {}", reasons_text(lines));
    }
    if let Some(accepted) = &run.accepted {
        return accepted_text(accepted);
    }
    match (&run.first_source, run.sources) {
        (None, _) => String::new(),
        (Some(first), 1) => first.clone(),
        (Some(first), sources) => format!("{first} and {} more", sources - 1),
    }
}

/// `2 files gone, 1 file changed or new`
fn accepted_text(AcceptedFiles { gone, changed, forgets_sources }: &AcceptedFiles) -> String {
    let files = [(*gone, "gone"), (*changed, "changed or new")].into_iter().filter(|(files, _)| *files > 0);
    let mut parts: Vec<_> =
        files.map(|(files, how)| format!("{} {how}", plural(files as u64, "file"))).collect();
    if *forgets_sources {
        parts.push("every source counts as new".to_owned());
    }
    parts.join(", ")
}

/// `12 bad lines: malformed_json 2, type_mismatch 10`
pub(in crate::commands) fn reasons_text(lines: &Counts) -> String {
    let reasons: Vec<_> =
        lines.iter().map(|(reason, count)| format!("{reason} {}", grouped(*count))).collect();
    format!("{}: {}", plural(lines.values().sum(), "bad line"), reasons.join(", "))
}

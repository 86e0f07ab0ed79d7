//! The recorded loads of a target → the tables of loads, their sums, a chart of the latest.
//!
//! Invariant: each number is that of `list --json`.

use event_target::{CommittedLoad, LineCounts, SupersededKinds};

use super::{from, mode_name, shown::Shown};
use crate::runtime::{grouped, plural};

/// So many of the latest loads are shown at once, the others on request.
const OPEN_LOADS: usize = 40;
/// So many of the latest loads are in the chart.
const CHART_LOADS: usize = 100;
/// Of a bar and the space behind it, in the units of the chart.
const BAR_WIDTH: usize = 8;
/// Of the largest bar.
const CHART_HEIGHT: f64 = 60.0;

/// A load.
#[derive(Debug)]
pub(super) struct LoadLine {
    pub(super) commit: u64,
    pub(super) at: Shown,
    pub(super) mode: String,
    pub(super) lines: String,
    pub(super) written: String,
    /// `?` where the load did not record it.
    pub(super) redelivered: String,
    pub(super) corrected: String,
    pub(super) existing: String,
    pub(super) quarantined: String,
    pub(super) filtered: String,
    pub(super) blank: String,
    pub(super) partitions: String,
    pub(super) from: Shown,
}

/// The loads that a target has recorded.
#[derive(Debug)]
pub(super) struct Loads {
    /// The latest first.
    pub(super) latest: Vec<LoadLine>,
    pub(super) earlier: Vec<LoadLine>,
    pub(super) sums: LineCounts,
    /// What was superseded, as far as loads recorded the kind.
    pub(super) kinds: SupersededKinds,
    /// What else was superseded.
    pub(super) of_unknown_kind: u64,
    /// Where earlier loads are not listed: the first that is.
    pub(super) since_commit: Option<u64>,
    pub(super) chart: Option<Chart>,
}

/// Bars for the lines and the bad lines of loads, the latest at the right.
#[derive(Debug)]
pub(super) struct Chart {
    pub(super) width: usize,
    pub(super) loads: String,
    pub(super) lines: String,
    pub(super) lines_max: String,
    pub(super) bad: String,
    pub(super) bad_max: String,
}

impl Loads {
    pub(super) fn of(runs: &[CommittedLoad]) -> Self {
        let (mut sums, mut kinds, mut of_unknown_kind) =
            (LineCounts::default(), SupersededKinds::default(), 0);
        for run in runs {
            sums.add(&run.counts);
            match run.superseded {
                Some(SupersededKinds { redelivered, corrected, existing }) => {
                    kinds.redelivered += redelivered;
                    kinds.corrected += corrected;
                    kinds.existing += existing;
                }
                None => of_unknown_kind += run.counts.superseded,
            }
        }
        let mut latest: Vec<_> = runs.iter().rev().map(line).collect();
        let earlier = latest.split_off(latest.len().min(OPEN_LOADS));
        let since_commit = runs.first().map(|run| run.commit).filter(|commit| *commit > 1);
        Self { latest, earlier, sums, kinds, of_unknown_kind, since_commit, chart: chart(runs) }
    }
}

fn line(run: &CommittedLoad) -> LoadLine {
    let CommittedLoad { commit, at, mode, counts, superseded, partitions, .. } = run;
    let kind = |number: fn(&SupersededKinds) -> u64| match superseded {
        Some(kinds) => grouped(number(kinds)),
        None if counts.superseded == 0 => "0".to_owned(),
        None => "?".to_owned(),
    };
    LoadLine {
        commit: *commit,
        at: Shown::text(&at_text(at)),
        mode: mode_name(*mode),
        lines: grouped(counts.lines),
        written: grouped(counts.written),
        redelivered: kind(|kinds| kinds.redelivered),
        corrected: kind(|kinds| kinds.corrected),
        existing: kind(|kinds| kinds.existing),
        quarantined: grouped(counts.quarantined),
        filtered: grouped(counts.filtered),
        blank: grouped(counts.blank),
        partitions: grouped(*partitions as u64),
        from: Shown::path(&from(run)),
    }
}

/// `2024-10-10 07:30:00.123`
pub(super) fn at_text(at: &str) -> String {
    at.replace('T', " ").replace('Z', "")
}

/// `None` where there is nothing to compare.
fn chart(runs: &[CommittedLoad]) -> Option<Chart> {
    let runs: Vec<_> = runs.iter().filter(|run| run.counts.lines > 0).collect();
    let runs = &runs[runs.len().saturating_sub(CHART_LOADS)..];
    if runs.len() < 2 {
        return None;
    }
    let lines: Vec<_> = runs.iter().map(|run| run.counts.lines).collect();
    let bad: Vec<_> = runs.iter().map(|run| run.counts.quarantined).collect();
    let max = |numbers: &[u64], noun| plural(numbers.iter().copied().max().unwrap_or_default(), noun);
    Some(Chart {
        width: runs.len() * BAR_WIDTH,
        loads: plural(runs.len() as u64, "load"),
        lines_max: max(&lines, "line"),
        bad_max: max(&bad, "bad line"),
        lines: bars(&lines),
        bad: bars(&bad),
    })
}

/// A path of vertical strokes. Loads of an hour stand beside backfills of years, so heights are logarithms.
#[expect(clippy::cast_precision_loss, reason = "a bar has some sixty heights")]
fn bars(numbers: &[u64]) -> String {
    let height = |number: u64| (1.0 + number as f64).ln();
    let max = height(numbers.iter().copied().max().unwrap_or_default().max(1));
    let stroke = |(place, number): (usize, &u64)| {
        let height = (CHART_HEIGHT * height(*number) / max).round();
        format!("M{} {CHART_HEIGHT}v-{height}", place * BAR_WIDTH + BAR_WIDTH / 2)
    };
    numbers.iter().enumerate().filter(|(_, number)| **number > 0).map(stroke).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_grow_with_the_logarithm() {
        assert_eq!(bars(&[0, 999, 999_999]), "M12 60v-30M20 60v-60");
        assert_eq!(bars(&[0, 0]), "");
    }
}

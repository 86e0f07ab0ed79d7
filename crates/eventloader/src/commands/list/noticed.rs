//! What the page knows of a target → what somebody should look at, in sentences.
//!
//! Invariant: a sentence says what is so and, where a rule decided, names its days, so that the calendar
//! shows the same. No sentence says that all is well.

use std::collections::BTreeMap;

use event_target::History;
use events_core::partition::Day;

use super::{
    bad_lines::{BadLines, percent},
    cube::{Cube, Kind},
    grid::gap,
    marks::{Mark, Marked, Marks},
    shown::Shown,
};
use crate::runtime::{grouped, plural};

/// The most days, ranges or event types that a sentence names.
const NAMED_MAX: usize = 6;
/// The most sentences about event types.
const TYPES_MAX: usize = 12;

/// A sentence, and where the page has more about it.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) text: String,
    /// The id of a section.
    pub(super) section: &'static str,
}

/// What there is to notice, the most serious first.
pub(super) fn notices(
    history: &History,
    is_unfinished: bool,
    bad: &BadLines,
    (cube, marks): (&Cube, &Marks),
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut say = |section, text| notices.push(Notice { text, section });
    if is_unfinished {
        say(
            "loads",
            "A commit was interrupted. The next load finishes it, or eventloader recover.".to_owned(),
        );
    }
    for lost in &history.lost {
        let (first, last) = (lost.start(), lost.end());
        let commits = if first == last {
            format!("commit {first} is")
        } else {
            format!("commits {first} to {last} are")
        };
        say("loads", format!("The record of {commits} lost, so numbers on this page may be, too."));
    }
    if bad.damaged > 0 {
        let records = plural(bad.damaged, "record");
        say(
            "bad-lines",
            format!("{records} of the quarantine can't be read; eventloader quarantine names them."),
        );
    }
    if let Some(last) = history.runs.iter().rev().find(|run| run.counts.lines > 0)
        && last.counts.quarantined > 0
    {
        let (bad, lines) = (last.counts.quarantined, last.counts.lines);
        let text = format!(
            "The last load with lines, commit {}, quarantined {} of {}: {}.",
            last.commit,
            grouped(bad),
            plural(lines, "line"),
            percent(bad, lines)
        );
        say("loads", text);
    }
    if bad.total > 0 {
        let lines = plural(bad.total, "bad line");
        let verb = if bad.total == 1 { "waits" } else { "wait" };
        say("bad-lines", format!("{lines} {verb} in the quarantine."));
    }
    if cube.undated.files > 0 {
        let rows = plural(cube.undated.rows, "row");
        say(
            "calendar",
            format!("{rows} are in directories that stand for no day, so the calendar lacks them."),
        );
    }
    if let Some(text) = days_without_rows(cube) {
        say("calendar", text);
    }
    for text in of_types(cube, marks) {
        say("calendar", text);
    }
    notices
}

/// Ranges between the first and the last day on which nothing has rows.
fn days_without_rows(cube: &Cube) -> Option<String> {
    let days: Vec<_> = cube.days.keys().copied().collect();
    let ranges = days.windows(2).rev().filter(|pair| pair[1] - pair[0] > 1);
    let ranges: Vec<_> = ranges.map(|pair| gap(pair[0] + 1, pair[1] - 1)).collect();
    (!ranges.is_empty()).then(|| format!("No event type has rows: {}.", some_of(&ranges, "earlier range")))
}

/// A sentence for each event type with marked days, the most days first.
fn of_types(cube: &Cube, marks: &Marks) -> Vec<String> {
    let mut by_kind = BTreeMap::<(usize, Mark), Vec<(i64, Marked)>>::new();
    for ((kind, day), marked) in marks {
        by_kind.entry((*kind, marked.mark)).or_default().push((*day, *marked));
    }
    let mut of_types: Vec<_> = by_kind.into_iter().collect();
    of_types.sort_by_key(|(key, days)| (std::cmp::Reverse(days.len()), *key));
    let more = of_types.split_off(of_types.len().min(TYPES_MAX));
    let mut texts: Vec<_> = of_types.into_iter().map(|(key, days)| of_type(cube, key, &days)).collect();
    if !more.is_empty() {
        texts.push(format!("The calendar marks days of {} more.", plural(more.len() as u64, "event type")));
    }
    texts
}

fn of_type(cube: &Cube, (kind, mark): (usize, Mark), days: &[(i64, Marked)]) -> String {
    let name = match &cube.kinds[kind] {
        Kind::Type { name, .. } => Shown::column(name).to_string(),
        Kind::Others(types) => super::grid::others(*types),
    };
    let text = |day| Day::from_epoch_days(day).to_string();
    // The latest first.
    let named: Vec<_> = match mark {
        Mark::Missing => ranges(cube, days)
            .into_iter()
            .rev()
            .map(
                |(first, last)| {
                    if first == last { text(first) } else { format!("{} to {}", text(first), text(last)) }
                },
            )
            .collect(),
        Mark::Few | Mark::Many => days
            .iter()
            .rev()
            .map(|(day, marked)| format!("{} ({})", text(*day), grouped(marked.rows)))
            .collect(),
    };
    let named = some_of(&named, if mark == Mark::Missing { "earlier range" } else { "earlier day" });
    let median = days.first().map_or_else(String::new, |(_, marked)| grouped(marked.median));
    match mark {
        Mark::Missing => format!("{name} has no rows: {named}."),
        Mark::Few => format!("{name} has less than half of its median day’s {median} rows: {named}."),
        Mark::Many => format!("{name} has more than twice its median day’s {median} rows: {named}."),
    }
}

/// Days that follow each other, among those on which the target has rows, as ranges.
fn ranges(cube: &Cube, days: &[(i64, Marked)]) -> Vec<(i64, i64)> {
    let mut ranges = Vec::<(i64, i64)>::new();
    for (day, _) in days {
        match ranges.last_mut() {
            Some((_, last)) if cube.days.range(*last + 1..*day).next().is_none() => *last = *day,
            _ => ranges.push((*day, *day)),
        }
    }
    ranges
}

/// `a, b and 3 earlier days`
fn some_of(all: &[String], noun: &str) -> String {
    let shown = all[..all.len().min(NAMED_MAX)].join(", ");
    match all.len().checked_sub(NAMED_MAX) {
        Some(more @ 1..) => format!("{shown} and {}", plural(more as u64, noun)),
        _ => shown,
    }
}

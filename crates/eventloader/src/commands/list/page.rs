//! `eventloader list --html`: a target → one page that shows what it holds and what became of its loads.
//!
//! The page has all that it needs in itself, and no script. A browser that obeys its policy runs none, and
//! fetches nothing. The template is compiled by `askama`, which escapes every text that it inserts: it adds
//! no parser to the program, and a field that is misspelt does not compile. `minijinja`, which interprets its
//! templates, would do both.
//!
//! Invariant: the numbers are those of the target's records and of its quarantine: exact, and their sums
//! agree. Text from data, names and paths is a [`Shown`].

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use askama::Template;
use event_target::{History, Location, TargetLayout};
use events_core::partition::{Day, PartitionUnit};

use super::{
    bad_lines::BadLines,
    cube::{Cube, Held, Kind},
    grid::{Calendar, Line, others},
    loads::{Loads, at_text},
    marks::{self, marks, medians},
    noticed::{Notice, notices},
    shown::Shown,
};
use crate::{
    commands::{new_file, quarantine, report_place},
    error::Error,
    runtime::{bytes_text, grouped, plural},
};

/// The style of the page, which its policy names by checksum.
const STYLE: &str = include_str!("page.css");
/// Of all of it, as a `Content-Security-Policy` has it.
const STYLE_CHECKSUM: &str = "sha256-jP9m0nRkKhxzlJkmwtynvdJbmL9PIyZ9ARgErh13tsM=";
/// A line of the types shows its last days with rows, so many.
const TREND_DAYS: usize = 60;
/// The height of such a line, in its own units.
const TREND_HEIGHT: u64 = 20;

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    style: &'static str,
    style_checksum: &'static str,
    version: &'static str,
    target: Shown,
    layout: String,
    is_by_hour: bool,
    made_at: String,
    state: Shown,
    figures: Vec<Figure>,
    notices: Vec<Notice>,
    calendar: Calendar,
    types: Vec<TypeLine>,
    all: TypeLine,
    loads: Loads,
    bad: BadLines,
    rule: Rule,
}

/// How days are marked.
struct Rule {
    days_min: usize,
    share: usize,
    median_min: u64,
}

/// What is held of an event type.
struct TypeLine {
    domain: Shown,
    name: Shown,
    rows: String,
    share: String,
    first: String,
    last: String,
    days: String,
    partitions: String,
    files: String,
    bytes: String,
    bytes_per_row: String,
    /// The path of a line of bars.
    trend: String,
}

/// The page of a target. `name` gets what is wrong with damaged records of its quarantine.
///
/// # Errors
/// [`TargetError::Locked`](event_target::TargetError::Locked) while a load is running,
/// [`TargetError::Unusable`](event_target::TargetError::Unusable) if nothing was ever loaded, and read
/// errors.
pub fn page(target: &Location, name: impl FnMut(&Error)) -> Result<String, Error> {
    let _lock = target.lock_to_read()?;
    let history = target.history(|_, _| {})?;
    let bad = BadLines::of(&quarantine::group(target, name)?)?;
    let page = Page::of(target, &history, bad)?;
    let text = page.render().map_err(|error| Error::Output(std::io::Error::other(error)))?;
    Ok(text + "\n")
}

/// Writes the page of a target to a file, which appears when it is complete.
///
/// # Errors
/// [`Error::ReportPlace`] for a file where readers of the target take data, write errors, and those of
/// [`page`].
pub fn write_page(target: &Location, file: &Path, name: impl FnMut(&Error)) -> Result<(), Error> {
    report_place::refuse_among_data(file, target)?;
    let page = page(target, name)?;
    report_place::refuse_among_data(file, target)?;
    new_file::write(file, &page, true, "writing the page")
}

impl Page {
    fn of(target: &Location, history: &History, bad: BadLines) -> Result<Self, Error> {
        let cube = Cube::of(history);
        let medians = medians(&cube);
        let marks = marks(&cube, &medians);
        let loads = Loads::of(&history.runs);
        let unit = history.layout.as_ref().and_then(TargetLayout::parts).map(|(_, unit)| unit);
        let days: Vec<_> = cube.days.keys().copied().collect();
        let trend_since = days.iter().rev().nth(TREND_DAYS - 1).copied().unwrap_or(i64::MIN);
        Ok(Self {
            style: STYLE,
            style_checksum: STYLE_CHECKSUM,
            version: env!("CARGO_PKG_VERSION"),
            target: Shown::path(&target.root().display().to_string()),
            layout: history.layout.as_ref().map_or_else(String::new, layout_text),
            is_by_hour: unit == Some(PartitionUnit::Hour),
            made_at: made_at(),
            state: Shown::text(&match history.runs.last() {
                Some(run) => format!("commit {}, {} UTC", run.commit, at_text(&run.at)),
                None => "no commit".to_owned(),
            }),
            figures: figures(&cube, &loads, &bad),
            notices: notices(history, target.is_unfinished()?, &bad, (&cube, &marks)),
            calendar: Calendar::of(&cube, &medians, &marks),
            types: (0..cube.kinds.len()).map(|kind| type_line(&cube, kind, trend_since)).collect(),
            all: all_types(&cube),
            loads,
            bad,
            rule: Rule {
                days_min: marks::DAYS_MIN,
                share: marks::DAYS_SHARE_MIN_PERCENT,
                median_min: marks::MEDIAN_ROWS_MIN,
            },
        })
    }
}

/// A number at the top.
struct Figure {
    what: &'static str,
    number: String,
    /// A word about it, in parts that are not broken.
    notes: Vec<String>,
}

fn figures(cube: &Cube, loads: &Loads, bad: &BadLines) -> Vec<Figure> {
    let all = cube.all();
    let day = |day: &i64| Day::from_epoch_days(*day).to_string();
    let range = cube.days.keys().next().zip(cube.days.keys().next_back());
    let days = range.map_or_else(Vec::new, |(first, last)| vec![format!("{} to", day(first)), day(last)]);
    let commits = (loads.latest.len() + loads.earlier.len()) as u64;
    let figure = |what, number, notes| Figure { what, number, notes };
    vec![
        figure("rows", grouped(all.rows), vec![format!("in {}", plural(all.partitions, "partition"))]),
        figure("days with rows", grouped(cube.days.len() as u64), days),
        figure("data files", bytes_text(all.bytes), vec![plural(all.files, "file")]),
        figure("lines read", grouped(loads.sums.lines), vec![format!("by {}", plural(commits, "commit"))]),
        figure("superseded", grouped(loads.sums.superseded), vec!["of these lines".to_owned()]),
        figure("bad lines", grouped(bad.total), vec!["in the".to_owned(), "quarantine".to_owned()]),
    ]
}

fn type_line(cube: &Cube, kind: usize, trend_since: i64) -> TypeLine {
    let of_type: Vec<_> =
        cube.days.iter().filter_map(|(day, held)| held.get(&kind).map(|held| (*day, *held))).collect();
    let held = Held::sum(of_type.iter().map(|(_, held)| held));
    let (domain, name) = match &cube.kinds[kind] {
        Kind::Type { domain, name } => (Shown::whole(domain), Shown::whole(name)),
        Kind::Others(types) => (Shown::whole("smaller"), Shown::whole(&others(*types))),
    };
    let rows_on =
        |held: &std::collections::BTreeMap<usize, Held>| held.get(&kind).map_or(0, |held| held.rows);
    let trend: Vec<_> = cube.days.range(trend_since..).map(|(_, held)| rows_on(held)).collect();
    let day = |day: Option<&(i64, Held)>| {
        day.map_or_else(String::new, |(day, _)| Day::from_epoch_days(*day).to_string())
    };
    TypeLine {
        first: day(of_type.first()),
        last: day(of_type.last()),
        days: grouped(of_type.len() as u64),
        trend: trend_path(&trend),
        ..line_of(domain, name, held, cube.all().rows)
    }
}

fn all_types(cube: &Cube) -> TypeLine {
    let days = grouped(cube.days.len() as u64);
    let all = cube.all();
    TypeLine { days, ..line_of(Shown::whole("all"), Shown::whole(""), all, all.rows) }
}

fn line_of(domain: Shown, name: Shown, held: Held, all_rows: u64) -> TypeLine {
    TypeLine {
        domain,
        name,
        rows: grouped(held.rows),
        share: super::bad_lines::percent(held.rows, all_rows),
        first: String::new(),
        last: String::new(),
        days: String::new(),
        partitions: grouped(held.partitions),
        files: grouped(held.files),
        bytes: grouped(held.bytes),
        bytes_per_row: held.bytes.checked_div(held.rows).map_or_else(String::new, grouped),
        trend: String::new(),
    }
}

/// A stroke for each day with rows, as high as its share of the largest.
fn trend_path(rows: &[u64]) -> String {
    let max = rows.iter().copied().max().unwrap_or_default().max(1);
    let stroke = |(place, rows): (usize, &u64)| {
        let height = u128::from(*rows) * u128::from(TREND_HEIGHT) / u128::from(max);
        format!("M{} {TREND_HEIGHT}v-{}", 2 * place + 1, height.max(1))
    };
    rows.iter().enumerate().filter(|(_, rows)| **rows > 0).map(stroke).collect()
}

/// `layout plain by day`
fn layout_text(layout: &TargetLayout) -> String {
    let text = layout.to_string();
    text.strip_prefix("the ").unwrap_or(&text).to_owned()
}

/// For the template.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "a template has references")]
fn number(number: &u64) -> String {
    grouped(*number)
}

/// `2024-10-10 07:30`, now and in UTC.
fn made_at() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let minutes = seconds / 60 % (24 * 60);
    let day = Day::from_epoch_days(i64::try_from(seconds / 86_400).unwrap_or_default());
    format!("{day} {:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine as _};
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_of_the_page() {
        let checksum = format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(STYLE)));
        assert_eq!(STYLE_CHECKSUM, checksum, "page.css has changed: this is its checksum");
        assert!(!STYLE.contains('<'), "the style stands in the page as it is");
    }

    #[test]
    fn a_day_with_few_rows_still_has_a_stroke() {
        assert_eq!(trend_path(&[0, 1, 1_000]), "M3 20v-1M5 20v-20");
    }
}

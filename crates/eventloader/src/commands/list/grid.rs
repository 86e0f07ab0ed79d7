//! The cube → the tables of the calendar: a row for each day or month, a column for each event type.
//!
//! A table has so many columns that paper takes it; more event types are more tables. Ranges without rows are
//! one row, however long.
//!
//! Invariant: each row of all tables of a month together has all of the day; what is not shown by day is
//! shown by month, and what is not shown by month is in the row of all earlier months.

use std::collections::BTreeMap;

use events_core::partition::Day;

use super::{
    cube::{Cube, Held, Kind},
    marks::{Mark, Marks},
    shown::Shown,
};
use crate::runtime::{grouped, plural};

/// The most event types in a table: with seven digits each, they fit across a sheet.
const COLUMNS_MAX: usize = 12;
/// Months are shown by day, the latest first, as long as they have no more cells than this altogether.
const DAY_CELLS_MAX: usize = 40_000;
/// The most months that are told apart.
const MONTHS_MAX: usize = 120;
/// Months are open, the latest first, as long as they have no more days than this.
const OPEN_DAYS: usize = 62;
/// The shades: of less than half of the median day's rows, of less than two thirds, of about as many, of more
/// than one and a half times as many, of more than twice as many.
const SHADES: [&str; 5] = ["a", "b", "c", "d", "e"];

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A table with some of the event types.
#[derive(Debug)]
pub(super) struct Grid {
    /// What the table shows.
    pub(super) label: String,
    /// The head of the first column.
    pub(super) corner: &'static str,
    /// Domains, each with the number of its columns.
    pub(super) domains: Vec<(Shown, usize)>,
    pub(super) columns: Vec<Shown>,
    pub(super) lines: Vec<Line>,
    /// Whether it has the sums of all event types.
    pub(super) has_totals: bool,
}

#[derive(Debug)]
pub(super) enum Line {
    Held {
        head: String,
        note: &'static str,
        total: String,
        cells: Vec<Cell>,
    },
    /// Nothing is held of this range.
    Gap(String),
}

#[derive(Debug, Default)]
pub(super) struct Cell {
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The days of a month.
#[derive(Debug)]
pub(super) struct Month {
    pub(super) name: String,
    pub(super) rows: String,
    pub(super) days: String,
    pub(super) is_open: bool,
    pub(super) grids: Vec<Grid>,
}

/// Rows by day and event type.
#[derive(Debug)]
pub(super) struct Calendar {
    /// The latest first.
    pub(super) months: Vec<Month>,
    /// Before these days, there are months only.
    pub(super) days_since: Option<String>,
    /// Rows by month, if there are several.
    pub(super) rows_by_month: Vec<Grid>,
    pub(super) bytes_by_month: Vec<Grid>,
}

/// A month, or all months before another.
struct Period<'c> {
    name: String,
    is_month: bool,
    /// By kind.
    sums: BTreeMap<usize, Held>,
    days: Vec<(i64, &'c BTreeMap<usize, Held>)>,
}

impl Calendar {
    pub(super) fn of(cube: &Cube, medians: &[u64], marks: &Marks) -> Self {
        let periods = by_month(cube);
        let drawing = Drawing { cube, marks, medians };
        let (mut cells, mut open_days) = (0, 0);
        let (mut months, mut days_since) = (Vec::new(), None);
        for Period { days, .. } in periods.iter().rev().filter(|period| period.is_month) {
            cells += days.len() * cube.kinds.len();
            if cells > DAY_CELLS_MAX && !months.is_empty() {
                break;
            }
            open_days += days.len();
            days_since = days.first().map(|(day, _)| Day::from_epoch_days(*day).to_string());
            months.push(drawing.month(days, months.is_empty() || open_days <= OPEN_DAYS));
        }
        let days_since = days_since.filter(|_| months.len() < periods.len());
        let rows = |held: &Held| held.rows;
        let rows_by_month =
            if periods.len() > 1 { drawing.periods("Rows", &periods, rows) } else { Vec::new() };
        let bytes_by_month = drawing.periods("Bytes", &periods, |held| held.bytes);
        Self { months, days_since, rows_by_month, bytes_by_month }
    }
}

/// The months of the cube; those before the latest `MONTHS_MAX` are one period.
fn by_month(cube: &Cube) -> Vec<Period<'_>> {
    let mut periods = Vec::<Period<'_>>::new();
    for (day, held) in &cube.days {
        let name = Day::from_epoch_days(*day).to_string()[..7].to_owned();
        if periods.last().is_none_or(|last| last.name != name) {
            periods.push(Period { name, is_month: true, sums: BTreeMap::new(), days: Vec::new() });
        }
        let Some(period) = periods.last_mut() else { continue };
        for (kind, held) in held {
            period.sums.entry(*kind).or_default().add(*held);
        }
        period.days.push((*day, held));
    }
    let Some(earlier) = periods.len().checked_sub(MONTHS_MAX).filter(|earlier| *earlier > 0) else {
        return periods;
    };
    let late = periods.split_off(earlier);
    let name = format!("before {}", late[0].name);
    let mut early = Period { name, is_month: false, sums: BTreeMap::new(), days: Vec::new() };
    for period in periods {
        for (kind, held) in period.sums {
            early.sums.entry(kind).or_default().add(held);
        }
        early.days.extend(period.days);
    }
    [early].into_iter().chain(late).collect()
}

struct Drawing<'c> {
    cube: &'c Cube,
    marks: &'c Marks,
    medians: &'c [u64],
}

impl Drawing<'_> {
    fn month(&self, days: &[(i64, &BTreeMap<usize, Held>)], is_open: bool) -> Month {
        let first = days.first().map_or(0, |(day, _)| *day);
        let name = month_name(first);
        let grids = self.grids(&format!("Rows by day, {name}"), "Day (UTC)", |kinds| {
            let mut lines = Vec::new();
            let mut later = None;
            for &(day, held) in days.iter().rev() {
                lines.extend(
                    later.filter(|later| day + 1 < *later).map(|later| Line::Gap(gap(day + 1, later - 1))),
                );
                later = Some(day);
                let cells = kinds.iter().map(|kind| self.cell(*kind, day, held)).collect();
                let total = grouped(Held::sum(held.values()).rows);
                let note = WEEKDAYS[usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default()];
                lines.push(Line::Held { head: Day::from_epoch_days(day).to_string(), note, total, cells });
            }
            lines
        });
        let rows = days.iter().map(|(_, held)| Held::sum(held.values()).rows).sum();
        Month { name, rows: plural(rows, "row"), days: plural(days.len() as u64, "day"), is_open, grids }
    }

    fn cell(&self, kind: usize, day: i64, held: &BTreeMap<usize, Held>) -> Cell {
        let mark = self.marks.get(&(kind, day)).map(|marked| marked.mark);
        let Some(held) = held.get(&kind) else {
            return match mark {
                Some(_) => Cell { class: "gap", text: "–".to_owned() },
                None => Cell::default(),
            };
        };
        let class = shade(held.rows, self.medians[kind]);
        let sign = match mark {
            Some(Mark::Few) => "▼\u{202F}",
            Some(Mark::Many) => "▲\u{202F}",
            Some(Mark::Missing) | None => "",
        };
        Cell { class, text: format!("{sign}{}", grouped(held.rows)) }
    }

    fn periods(&self, what: &str, periods: &[Period<'_>], number: impl Fn(&Held) -> u64) -> Vec<Grid> {
        self.grids(&format!("{what} by month"), "Month", |kinds| {
            let line = |Period { name, sums, .. }: &Period<'_>| {
                let text = |held: &Held| Cell { class: "", text: grouped(number(held)) };
                let cells =
                    kinds.iter().map(|kind| sums.get(kind).map_or_else(Cell::default, text)).collect();
                let total = grouped(sums.values().map(&number).sum());
                Line::Held { head: name.clone(), note: "", total, cells }
            };
            let all = self.cube.by_kind();
            let cells = kinds.iter().map(|kind| Cell { class: "", text: grouped(number(&all[*kind])) });
            let total = grouped(all.iter().map(&number).sum());
            let sum = Line::Held { head: "all".to_owned(), note: "", total, cells: cells.collect() };
            periods.iter().rev().map(line).chain([sum]).collect()
        })
    }

    /// Tables with the same lines, and in each some of the kinds, which `lines` gets.
    fn grids(&self, label: &str, corner: &'static str, lines: impl Fn(&[usize]) -> Vec<Line>) -> Vec<Grid> {
        let tables = self.columns();
        let grid = |(number, kinds): (usize, &Vec<usize>)| {
            let parts = tables.len();
            let part = if parts > 1 { format!(", part {} of {parts}", number + 1) } else { String::new() };
            let (domains, columns) = self.heads(kinds);
            let label = format!("{label}{part}");
            Grid { label, corner, domains, columns, lines: lines(kinds), has_totals: number == 0 }
        };
        tables.iter().enumerate().map(grid).collect()
    }

    /// The kinds of each table. Those of a domain are in one, if it has room for them.
    fn columns(&self) -> Vec<Vec<usize>> {
        let kinds: Vec<_> = (0..self.cube.kinds.len()).collect();
        let mut tables = vec![Vec::new()];
        for of_domain in kinds.chunk_by(|one, other| self.domain(*one) == self.domain(*other)) {
            let tables_needed = of_domain.len().div_ceil(COLUMNS_MAX);
            for kinds in of_domain.chunks(of_domain.len().div_ceil(tables_needed)) {
                match tables.last_mut() {
                    Some(last) if last.len() + kinds.len() <= COLUMNS_MAX => last.extend(kinds),
                    _ => tables.push(kinds.to_vec()),
                }
            }
        }
        tables
    }

    fn domain(&self, kind: usize) -> Option<&str> {
        match &self.cube.kinds[kind] {
            Kind::Type { domain, .. } => Some(domain),
            Kind::Others(_) => None,
        }
    }

    fn heads(&self, kinds: &[usize]) -> (Vec<(Shown, usize)>, Vec<Shown>) {
        let (mut domains, mut columns) = (Vec::<(Shown, usize)>::new(), Vec::new());
        for kind in kinds {
            let (domain, name) = match &self.cube.kinds[*kind] {
                Kind::Type { domain, name } => (Shown::column(domain), Shown::column(name)),
                Kind::Others(types) => (Shown::column("smaller"), Shown::column(&others(*types))),
            };
            match domains.last_mut() {
                Some((last, columns)) if *last == domain => *columns += 1,
                _ => domains.push((domain, 1)),
            }
            columns.push(name);
        }
        (domains, columns)
    }
}

fn shade(rows: u64, median: u64) -> &'static str {
    let (rows, median) = (u128::from(rows), u128::from(median));
    let place = match () {
        () if rows * 2 < median => 0,
        () if rows * 3 < median * 2 => 1,
        () if rows > median * 2 => 4,
        () if rows * 2 > median * 3 => 3,
        () => 2,
    };
    SHADES[place]
}

/// How event types are called that are not told apart.
pub(super) fn others(types: usize) -> String {
    plural(types as u64, "other type")
}

fn month_name(day: i64) -> String {
    let text = Day::from_epoch_days(day).to_string();
    let (year, rest) = text.split_at(4);
    let month = rest[1..3].parse::<usize>().unwrap_or(1);
    format!("{} {year}", MONTHS[month.clamp(1, MONTHS.len()) - 1])
}

/// `2024-10-04 to 2024-10-06: 3 days without rows`
pub(super) fn gap(first: i64, last: i64) -> String {
    let days = plural(u64::try_from(last - first + 1).unwrap_or_default(), "day");
    let (first, last) = (Day::from_epoch_days(first), Day::from_epoch_days(last));
    if first == last {
        format!("{first}: no rows")
    } else {
        format!("{first} to {last}: {days} without rows")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(domains: &[&str]) -> Vec<Vec<usize>> {
        let kind = |domain: &&str| Kind::Type { domain: (*domain).to_owned(), name: String::new() };
        let cube = Cube { kinds: domains.iter().map(kind).collect(), ..Cube::default() };
        Drawing { cube: &cube, marks: &Marks::new(), medians: &[] }.columns()
    }

    #[test]
    fn a_domain_is_in_one_table_if_it_fits() {
        assert_eq!(columns(&[]), [[]; 1] as [[usize; 0]; 1]);
        assert_eq!(columns(&["a"; 12]).len(), 1);
        let lengths = |domains: &[&str]| columns(domains).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[["a"; 5], ["b"; 5]].concat()), [10]);
        assert_eq!(lengths(&[&["a"; 5][..], &["b"; 8], &["c"; 4]].concat()), [5, 12]);
        assert_eq!(lengths(&["a"; 25]), [9, 9, 7]);
    }

    #[test]
    fn shades_are_of_the_median() {
        let shades = [49, 50, 66, 67, 100, 150, 151, 200, 201].map(|rows| shade(rows, 100));
        assert_eq!(shades, ["a", "b", "b", "c", "c", "c", "d", "d", "e"]);
        assert_eq!(shade(u64::MAX, u64::MAX), "c");
    }
}

//! The quarantine of a target → its bad lines by reason, with the first of each and the largest groups.
//!
//! Invariant: the numbers of lines are those of `quarantine --json`.

use super::shown::Shown;
use crate::{
    commands::quarantine::{Group, Grouped},
    error::Error,
    runtime::{grouped, plural},
};

/// So many groups of a reason are shown.
const GROUPS_SHOWN: usize = 20;

/// The bad lines of a target.
#[derive(Debug, Default)]
pub(super) struct BadLines {
    pub(super) total: u64,
    /// The most frequent first.
    pub(super) reasons: Vec<Reason>,
    /// Records that can't be read.
    pub(super) damaged: u64,
}

/// Bad lines with one reason.
#[derive(Debug)]
pub(super) struct Reason {
    pub(super) name: Shown,
    count: u64,
    pub(super) lines: String,
    pub(super) share: String,
    pub(super) first: First,
    /// The largest first.
    pub(super) groups: Vec<GroupLine>,
    /// Those that are not shown.
    pub(super) others: Option<String>,
}

/// The first of them.
#[derive(Debug)]
pub(super) struct First {
    pub(super) source: Shown,
    pub(super) line: String,
    pub(super) field: Option<Shown>,
    pub(super) expected: Shown,
    pub(super) found: Shown,
    pub(super) excerpt: Shown,
}

/// Those of one source and field.
#[derive(Debug)]
pub(super) struct GroupLine {
    pub(super) lines: String,
    pub(super) field: Shown,
    pub(super) source: Shown,
}

impl BadLines {
    pub(super) fn of(grouped: &Grouped) -> Result<Self, Error> {
        let mut bad =
            Self { total: grouped.looked.lines, damaged: grouped.looked.damaged, ..Self::default() };
        let mut by_reason = Collected::default();
        // Groups come by reason.
        grouped.groups.each(|group| {
            if by_reason.name.as_deref() != Some(group.reason) {
                bad.reasons.extend(std::mem::take(&mut by_reason).finish(bad.total));
                by_reason.name = Some(group.reason.to_owned());
            }
            by_reason.add(group);
            Ok(())
        })?;
        bad.reasons.extend(by_reason.finish(bad.total));
        // Stable: reasons with as many lines stay by name.
        bad.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.count));
        Ok(bad)
    }
}

/// The groups of a reason.
#[derive(Default)]
struct Collected {
    name: Option<String>,
    lines: u64,
    /// The place of the first line: source and number.
    place: Option<(String, u64)>,
    first: Option<First>,
    groups: Vec<(u64, GroupLine)>,
}

impl Collected {
    fn add(&mut self, group: &Group<'_>) {
        let Group { source, field, lines, first, .. } = *group;
        self.lines += lines;
        let place = (source.to_owned(), first.line);
        if self.place.as_ref().is_none_or(|earliest| place < *earliest) {
            self.place = Some(place);
            self.first = Some(First {
                source: Shown::path(source),
                line: grouped(first.line),
                field: field.map(Shown::path),
                expected: Shown::text(&first.expected),
                found: Shown::text(&first.found),
                excerpt: Shown::text(&first.excerpt),
            });
        }
        let line = GroupLine {
            lines: grouped(lines),
            field: Shown::path(field.unwrap_or_default()),
            source: Shown::path(source),
        };
        self.groups.push((lines, line));
    }

    fn finish(mut self, total: u64) -> Option<Reason> {
        let (name, first) = (self.name?, self.first?);
        // Stable: groups of one size stay by source and field.
        self.groups.sort_by_key(|(lines, _)| std::cmp::Reverse(*lines));
        let others = self.groups.split_off(self.groups.len().min(GROUPS_SHOWN));
        let lines_of_others = others.iter().map(|(lines, _)| lines).sum();
        Some(Reason {
            name: Shown::whole(&name),
            count: self.lines,
            lines: plural(self.lines, "line"),
            share: percent(self.lines, total),
            first,
            groups: self.groups.into_iter().map(|(_, line)| line).collect(),
            others: (!others.is_empty()).then(|| {
                format!(
                    "{} in {}",
                    plural(lines_of_others, "line"),
                    plural(others.len() as u64, "smaller group")
                )
            }),
        })
    }
}

/// `12.5 %`; what is more than nothing is at least 0.1 %.
pub(super) fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    let tenths = if part > 0 { tenths.max(1) } else { tenths };
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_never_rounded_to_nothing() {
        assert_eq!(percent(1, 8), "12.5 %");
        assert_eq!(percent(1, 1_000_000), "0.1 %");
        assert_eq!(percent(0, 0), "0.0 %");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.0 %");
    }
}

//! The rows of one event → which of the superseded ones were redelivered, and which corrected.
//!
//! Of rows with the same content, the last one is the version, and the others are copies that were
//! redelivered. A version that is not the latest was corrected. So of n different contents, n - 1 are
//! corrected.
//!
//! Invariant: the result depends on the rows, not on the order in which they are compared.

use event_rows::{Position, VersionOrder};

use super::superseded::{Move, SupersededKind, SupersededRow};

/// The facts about a row by which it is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Version {
    pub(crate) micros: i64,
    /// May be unknown if no other row of the event has this timestamp.
    pub(crate) content: u64,
    pub(crate) position: Position,
}

impl Version {
    fn has_same_content(&self, other: &Self) -> bool {
        (self.micros, self.content) == (other.micros, other.content)
    }
}

/// Judges superseded rows, each with the one that is kept; those of one event are neighbours.
pub(super) fn judge(pairs: impl ExactSizeIterator<Item = (Version, Version)>) -> Vec<SupersededRow> {
    let mut judged = Vec::with_capacity(pairs.len());
    let mut pairs = pairs.peekable();
    let mut superseded_rows = Vec::new();
    while let Some((winner, superseded)) = pairs.next() {
        superseded_rows.push(superseded);
        if pairs.peek().is_none_or(|(next, _)| next.position != winner.position) {
            judge_event(&winner, &mut superseded_rows, &mut judged);
            superseded_rows.clear();
        }
    }
    judged
}

fn judge_event(winner: &Version, superseded_rows: &mut [Version], judged: &mut Vec<SupersededRow>) {
    superseded_rows
        .sort_unstable_by_key(|superseded| (superseded.micros, superseded.content, superseded.position));
    for same in superseded_rows.chunk_by(Version::has_same_content) {
        let Some((version, copies)) = same.split_last() else { continue };
        let superseded =
            |row: &Version, kind| SupersededRow { position: row.position, micros: row.micros, kind };
        judged.extend(copies.iter().map(|copy| superseded(copy, SupersededKind::Redelivered)));
        let kind = if winner.has_same_content(version) {
            SupersededKind::Redelivered
        } else {
            SupersededKind::Corrected
        };
        judged.push(superseded(version, kind));
    }
}

/// Where the winner has the content of a row of the target, makes that row the winner, so that a redelivery
/// changes nothing. The pairs of one event are neighbours, before and afterwards.
pub(super) fn let_existing_win<R: Copy>(pairs: &mut [(R, R)], version: impl Fn(R) -> Version) {
    for event in pairs.chunk_by_mut(|(a, _), (b, _)| version(*a).position == version(*b).position) {
        let winner = event[0].0;
        let is_the_same = |(_, superseded): &(R, R)| {
            version(*superseded).position.is_existing()
                && version(*superseded).has_same_content(&version(winner))
        };
        let Some(existing) = event.iter().position(is_the_same) else { continue };
        let kept = event[existing].1;
        event[existing].1 = winner;
        for (winner, _) in event {
            *winner = kept;
        }
    }
}

/// The rows of the target whose later version comes from the input, in event types that have a version: only
/// their rows may move to an earlier day.
pub(super) fn moves<'k>(pairs: impl Iterator<Item = (VersionOrder<'k>, VersionOrder<'k>)>) -> Vec<Move> {
    let is_move = |(winner, superseded): &(VersionOrder<'_>, VersionOrder<'_>)| {
        let comes_in = !winner.position.is_existing() && !winner.position.is_later_candidate();
        superseded.key.is_some() && superseded.position.is_existing() && comes_in
    };
    let as_move = |(winner, superseded): (VersionOrder<'_>, VersionOrder<'_>)| Move {
        position: superseded.position,
        from_micros: superseded.micros,
        to_micros: winner.micros,
    };
    pairs.filter(is_move).map(as_move).collect()
}

/// Whether two rows have the same timestamp, so that their contents must be known.
pub(super) fn times_meet(winner: i64, superseded_rows: &mut [i64]) -> bool {
    superseded_rows.sort_unstable();
    superseded_rows.contains(&winner) || superseded_rows.windows(2).any(|two| two[0] == two[1])
}

#[cfg(test)]
mod tests {
    use event_rows::Place;

    use super::*;

    fn line_of(position: Position) -> u32 {
        match position.place() {
            Place::Input { line, .. } => line,
            place => panic!("{place:?}"),
        }
    }

    /// The kinds of the superseded rows among rows (timestamp, content) in this order.
    fn kinds(rows: &[(i64, u64)]) -> Vec<(u32, SupersededKind)> {
        let version = |(row, &(micros, content)): (usize, &(i64, u64))| {
            let position = Position::new(0, u32::try_from(row).unwrap());
            Version { micros, content, position }
        };
        let mut versions: Vec<_> = rows.iter().enumerate().map(version).collect();
        versions.sort_by_key(|version| (version.micros, version.position));
        let winner = versions.pop().unwrap();
        let superseded_rows = judge(versions.into_iter().map(|superseded| (winner, superseded)));
        let mut kinds: Vec<_> = superseded_rows
            .into_iter()
            .map(|superseded| (line_of(superseded.position), superseded.kind))
            .collect();
        kinds.sort_by_key(|(row, _)| *row);
        kinds
    }

    #[test]
    fn of_rows_with_one_content_the_last_is_the_version() {
        use SupersededKind::{Corrected, Redelivered};
        assert_eq!(kinds(&[(1, 7)]), []);
        assert_eq!(kinds(&[(1, 7), (1, 7)]), [(0, Redelivered)]);
        assert_eq!(kinds(&[(1, 7), (1, 8)]), [(0, Corrected)]);
        assert_eq!(kinds(&[(2, 7), (1, 7)]), [(1, Corrected)], "another time is another content");
        assert_eq!(
            kinds(&[(1, 7), (1, 8), (1, 7), (1, 8), (1, 8), (2, 0), (1, 7)]),
            [
                (0, Redelivered),
                (1, Redelivered),
                (2, Redelivered),
                (3, Redelivered),
                (4, Corrected),
                (6, Corrected)
            ]
        );
    }

    #[test]
    fn contents_matter_where_times_meet() {
        assert!(!times_meet(3, &mut [2, 1]) && !times_meet(3, &mut []));
        assert!(times_meet(3, &mut [1, 3]) && times_meet(3, &mut [1, 2, 1]));
    }
}

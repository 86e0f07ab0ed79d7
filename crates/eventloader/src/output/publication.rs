//! Between which partitions events move → the order in which these are published, and which of them are
//! published twice.
//!
//! An event has to leave its old partition before it enters the new one. Where a version decides before the
//! timestamp, it may also move to an earlier time, so the order of time is not always enough; and where
//! events move in a circle, no order is: one partition of the circle loses its rows that move first, and is
//! published whole in its turn.
//!
//! Invariant: of two partitions between which an event moves, the one that it leaves is published first, or
//! has lost the event before any is published. Partitions between which no event moves are in the order of
//! time.

use std::collections::{BTreeMap, BTreeSet};

/// A partition: its unit of time, and its directory.
pub(crate) type Place = (i64, String);

/// How the partitions of a load are published.
#[derive(Debug, Default)]
pub(super) struct Publication {
    /// From where to where events move, without what is published twice.
    moves: BTreeSet<(Place, Place)>,
    twice: BTreeSet<Place>,
}

impl Publication {
    pub(super) fn new(mut moves: BTreeSet<(Place, Place)>) -> Self {
        let places = moves.iter().flat_map(|(from, to)| [from.clone(), to.clone()]).collect();
        let (_, twice) = arrange(places, &moves);
        moves.retain(|(from, _)| !twice.contains(from));
        Self { moves, twice }
    }

    /// Whether a partition first loses the rows whose events move.
    pub(super) fn is_twice(&self, place: &Place) -> bool {
        self.twice.contains(place)
    }

    /// What is published in each place, in the order of publishing.
    pub(super) fn in_order<T>(&self, mut changes: BTreeMap<Place, T>) -> Vec<T> {
        let (order, _) = arrange(changes.keys().cloned().collect(), &self.moves);
        order.iter().filter_map(|place| changes.remove(place)).collect()
    }
}

/// The places in an order in which each move begins before it ends, except for moves from places that are
/// published twice. Where there is a choice, the earlier comes first.
fn arrange(mut waiting: BTreeSet<Place>, moves: &BTreeSet<(Place, Place)>) -> (Vec<Place>, BTreeSet<Place>) {
    let (mut order, mut twice) = (Vec::new(), BTreeSet::new());
    // The places that each has to wait for, and those that wait for it.
    let (mut before, mut behind) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for (from, to) in moves.iter().filter(|(from, to)| waiting.contains(from) && waiting.contains(to)) {
        before.entry(to).or_default().insert(from);
        behind.entry(from).or_default().push(to);
    }
    let mut ready: BTreeSet<_> =
        waiting.iter().filter(|place| !before.contains_key(place)).cloned().collect();
    while let Some(first) = waiting.first() {
        let (done, is_published) = match ready.pop_first() {
            Some(place) => (place, true),
            None => (one_of_a_circle(first, &before), false),
        };
        for to in behind.remove(&done).into_iter().flatten() {
            if let Some(left) = before.get_mut(to)
                && left.remove(&done)
                && left.is_empty()
            {
                ready.insert(to.clone());
            }
        }
        if is_published {
            waiting.remove(&done);
            order.push(done);
        } else {
            twice.insert(done);
        }
    }
    (order, twice)
}

/// A place that waits for itself, by way of others; `start` waits for some place.
fn one_of_a_circle(start: &Place, before: &BTreeMap<&Place, BTreeSet<&Place>>) -> Place {
    let (mut seen, mut place) = (BTreeSet::new(), start);
    while seen.insert(place) {
        let next = before.get(place).and_then(BTreeSet::first);
        place = next.copied().unwrap_or(place);
    }
    place.clone()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(unit: i64) -> Place {
        (unit, String::new())
    }

    fn moves(moves: &[(i64, i64)]) -> BTreeSet<(Place, Place)> {
        moves.iter().map(|&(from, to)| (place(from), place(to))).collect()
    }

    fn published(of: &[(i64, i64)], units: i64) -> (Vec<i64>, Vec<i64>) {
        let publication = Publication::new(moves(of));
        let changes = (0..units).map(|unit| (place(unit), unit)).collect();
        (publication.in_order(changes), publication.twice.iter().map(|(unit, _)| *unit).collect())
    }

    #[test]
    fn time_decides_where_no_event_moves_to_an_earlier_one() {
        assert_eq!(published(&[], 4), (vec![0, 1, 2, 3], vec![]));
        assert_eq!(published(&[(0, 2), (1, 3)], 4), (vec![0, 1, 2, 3], vec![]));
        assert_eq!(published(&[(2, 0)], 4), (vec![1, 2, 0, 3], vec![]));
        assert_eq!(published(&[(3, 1), (1, 2)], 4), (vec![0, 3, 1, 2], vec![]));
    }

    #[test]
    fn one_partition_of_a_circle_is_published_twice() {
        assert_eq!(published(&[(0, 1), (1, 0)], 2), (vec![1, 0], vec![0]));
        assert_eq!(published(&[(0, 1), (1, 2), (2, 0), (3, 0)], 4), (vec![1, 2, 3, 0], vec![0]));
    }

    proptest! {
        #[test]
        fn no_event_enters_before_it_left(
            of in prop::collection::vec((0_i64..6, 0_i64..6), 0..20),
        ) {
            let of: Vec<_> = of.into_iter().filter(|(from, to)| from != to).collect();
            let (order, twice) = published(&of, 6);
            prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>().len(), 6, "each once in the end");
            let turn = |unit: i64| order.iter().position(|other| *other == unit).unwrap();
            for &(from, to) in &of {
                prop_assert!(twice.contains(&from) || turn(from) < turn(to), "{from} to {to} in {order:?}");
            }
            let is_in_a_circle = |unit: i64| {
                let mut reached = BTreeSet::from([unit]);
                for _ in 0..6 {
                    let next: Vec<_> = of.iter().filter(|(from, _)| reached.contains(from)).map(|(_, to)| *to).collect();
                    if next.contains(&unit) {
                        return true;
                    }
                    reached.extend(next);
                }
                false
            };
            prop_assert!(twice.iter().all(|unit| is_in_a_circle(*unit)), "{twice:?} of {of:?}");
        }
    }
}

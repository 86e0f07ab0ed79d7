//! Good events → which of them is the latest version of its event, and what the others are: redelivered, or
//! corrected.
//!
//! What an event says is its timestamp and its values as the table holds them. Of the versions that say the
//! same, each but the last was redelivered; the last was corrected, unless it is the latest.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::{Flags, judge::Event};

/// What becomes of an event; if it is superseded, with the position of the latest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Latest,
    Redelivered { by: usize },
    Corrected { by: usize },
}

/// The fate of each event, in their order, which is that of the input.
pub(crate) fn fates(events: &[Event], flags: &Flags) -> Vec<Fate> {
    let mut versions = BTreeMap::<VersionKey<'_>, Vec<usize>>::new();
    for (position, event) in events.iter().enumerate() {
        versions.entry(version_key(event, flags)).or_default().push(position);
    }
    let mut fates = vec![Fate::Latest; events.len()];
    for positions in versions.values() {
        // Of equal timestamps the later in the input is the later version.
        let order = |position: usize| (events[position].timestamp, position);
        let by = positions.iter().copied().max_by_key(|position| order(*position)).unwrap();
        for &position in positions {
            let comes_again = positions.iter().any(|&other| {
                order(other) > order(position)
                    && content(&events[other], flags) == content(&events[position], flags)
            });
            fates[position] = match comes_again {
                _ if position == by => Fate::Latest,
                true => Fate::Redelivered { by },
                false => Fate::Corrected { by },
            };
        }
    }
    fates
}

/// What versions of one event have in common: event type, id, and the day where "latest" is a matter of each
/// day.
type VersionKey<'a> = (&'a str, &'a str, Option<NaiveDate>);

fn version_key<'a>(event: &'a Event, flags: &Flags) -> VersionKey<'a> {
    (&event.event_type, &event.event_id, flags.by_day.then(|| event.timestamp.date_naive()))
}

/// What an event says. Where `data` is a column, null is not the same as an object without anything.
fn content<'a>(event: &'a Event, flags: &Flags) -> (DateTime<Utc>, &'a [String]) {
    (event.timestamp, if flags.nested { &event.as_one } else { &event.payload })
}

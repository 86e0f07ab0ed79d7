//! Good events → which of them is the latest version of its event, and what the others are.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::{Event, Flags};

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Latest,
    Superseded,
}

/// The fate of each event, in their order, which is that of the input.
pub(super) fn fates(events: &[Event], flags: &Flags) -> Vec<Fate> {
    let latest = latest_of(events, flags);
    let fate = |(position, event): (usize, &Event)| {
        if latest[&version_key(event, flags)].1 == position { Fate::Latest } else { Fate::Superseded }
    };
    events.iter().enumerate().map(fate).collect()
}

/// What versions of one event have in common: event type, id, and the day where "latest" is a matter of each day.
type VersionKey<'a> = (&'a str, &'a str, Option<NaiveDate>);

fn version_key<'a>(event: &'a Event, flags: &Flags) -> VersionKey<'a> {
    (&event.event_type, &event.event_id, flags.by_day.then(|| event.timestamp.date_naive()))
}

/// The latest version of each event: its timestamp and position in the input; of equal timestamps, the later in the input.
fn latest_of<'a>(events: &'a [Event], flags: &Flags) -> BTreeMap<VersionKey<'a>, (DateTime<Utc>, usize)> {
    let mut latest = BTreeMap::new();
    for (position, event) in events.iter().enumerate() {
        let version = (event.timestamp, position);
        let best = latest.entry(version_key(event, flags)).or_insert(version);
        *best = version.max(*best);
    }
    latest
}

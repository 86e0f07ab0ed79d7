//! Good events → which of them is the latest version of its event, and what the others are: redelivered, or
//! corrected.
//!
//! The latest has the highest version, if the catalog names one: numbers as numbers, texts by their bytes,
//! one field after the other. Then the timestamp decides, then the place in the input.
//!
//! What an event says is its timestamp and its values as the table holds them. Of the versions that say the
//! same, each but the last was redelivered; the last was corrected, unless it is the latest.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use crate::{Flags, columns::Kind, event_types::built_in, judge::Event};

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
        // Of equal versions and timestamps the later in the input is the later version.
        let order = |position: usize| {
            let event = &events[position];
            let version: Vec<_> = version(event, flags).into_iter().map(|(_, value)| value).collect();
            (version, event.timestamp, position)
        };
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

/// The value of a field of a version.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VersionValue {
    /// Without the point; all values of a field have the same number of digits behind it. 0 of a text.
    number: i128,
    pub(crate) text: String,
}

/// The fields that decide, with their values.
pub(crate) fn version<'f>(event: &Event, flags: &'f Flags) -> Vec<(&'f str, VersionValue)> {
    let Some(names) = flags.versions.get(&event.domain) else { return Vec::new() };
    let types = built_in();
    let (_, _, fields) = types.iter().find(|(_, name, _)| *name == event.event_type).unwrap();
    let value = |name: &'f String| {
        let place = fields.iter().position(|field| field.name == *name).unwrap();
        let text = &event.values[place];
        let value = match &fields[place].kind {
            Kind::String => VersionValue { number: 0, text: serde_json::from_str(text).unwrap() },
            _ => VersionValue { number: text.replace('.', "").parse().unwrap(), text: text.clone() },
        };
        (name.as_str(), value)
    };
    names.iter().map(value).collect()
}

/// What versions of one event have in common: domain, event type, id, and the day where "latest" is a matter
/// of each day.
type VersionKey<'a> = (&'a str, &'a str, &'a str, Option<NaiveDate>);

fn version_key<'a>(event: &'a Event, flags: &Flags) -> VersionKey<'a> {
    let Event { domain, event_type, event_id, .. } = event;
    (domain, event_type, event_id, flags.by_day.then(|| event.timestamp.date_naive()))
}

/// What an event says. Where `data` is a column, null is not the same as an object without anything.
fn content<'a>(event: &'a Event, flags: &Flags) -> (DateTime<Utc>, &'a [String]) {
    (event.timestamp, if flags.nested { &event.as_one } else { &event.payload })
}

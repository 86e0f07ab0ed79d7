//! What was seen of event types → the domains that need a `"*"` for those that the draft does not name.
//!
//! - A type whose payload is not always an object can't have columns: `"*"` loads it, as one `json` column.
//! - Where many of a domain's types occurred once, the next events will have others. By Good and Turing's
//!   estimate, the share of such types among the events is how likely the next event is of a type not seen.
//! - With too many types to be told apart, there is nothing but a `"*"` for all domains.
//!
//! Invariant: a domain gets a `"*"` only with a comment that says why.

use std::collections::BTreeMap;

use events_core::catalog::OTHERS;

use super::DomainDraft;
use crate::{
    commands::catalog::observe::{EVENT_TYPES_MAX, Observed},
    runtime::{grouped, plural},
};

/// With fewer types, a domain says nothing of others.
const TYPES_MIN: usize = 20;
/// At least one type in so many must have occurred once.
const ONCE_ONE_IN: usize = 4;
/// The most event types that a comment names.
const NAMED_MAX: usize = 10;

/// Adds a `"*"` to the domains that need one.
pub(super) fn add(domains: &mut Vec<DomainDraft>, observed: &Observed) {
    if observed.of_any_type.is_some() {
        let why = format!(
            "There are more than {} event types: none of them was looked at, and their payload is JSON. Does \
             domain or event_type hold data?",
            grouped(EVENT_TYPES_MAX as u64)
        );
        domains.push(DomainDraft::open(OTHERS, why));
        return;
    }
    for (name, why) in without_columns(observed) {
        match domains.iter_mut().find(|domain| domain.name == name) {
            Some(domain) => domain.others.push(why),
            None => domains.push(DomainDraft::open(name, why)),
        }
    }
    domains.sort_by(|a, b| a.name.cmp(&b.name));
    for domain in domains {
        let seen = observed.event_types.iter().filter(|((of, _), _)| *of == domain.name);
        let (types, once) = seen.fold((0, 0), |(types, once), (_, seen)| {
            (types + 1, once + usize::from(seen.events + seen.others == 1))
        });
        if types >= TYPES_MIN && once * ONCE_ONE_IN >= types {
            let why = format!(
                "{once} of {types} event types occurred once: others will come; their payload is JSON"
            );
            domain.others.push(why);
        }
    }
}

/// By domain: its types whose payload is not always an object, in words.
pub(crate) fn without_columns(observed: &Observed) -> BTreeMap<&str, String> {
    let mut types: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((domain, name), seen) in observed.event_types.iter().filter(|(_, seen)| seen.others > 0) {
        let events = plural(seen.events + seen.others, "event");
        types.entry(domain).or_default().push(format!("{name} ({} of {events})", grouped(seen.others)));
    }
    let in_words = |mut types: Vec<String>| {
        let more = types.len().saturating_sub(NAMED_MAX);
        types.truncate(NAMED_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "The payload is no object in {}{more}, so it is JSON: such a type would have columns if it were named \
             here, and quarantine these events",
            types.join(", ")
        )
    };
    types.into_iter().map(|(domain, types)| (domain, in_words(types))).collect()
}

impl DomainDraft {
    /// A domain of which no type is named.
    pub(crate) fn open(name: &str, why: String) -> Self {
        Self { name: name.to_owned(), shared: Vec::new(), event_types: Vec::new(), others: vec![why] }
    }

    /// That event types are loaded through `"*"`, if they are, and why.
    pub(crate) fn open_note(&self) -> Option<String> {
        let which = match self.name.as_str() {
            OTHERS => "Event types".to_owned(),
            name => format!("Other event types of {name}"),
        };
        (!self.others.is_empty())
            .then(|| format!("{which} are loaded through \"*\". {}", self.others.join(". ")))
    }
}

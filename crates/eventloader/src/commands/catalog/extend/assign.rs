//! What was seen of each event type → which catalog file says something of it, or none.
//!
//! Invariant: each event type that was seen is in one place of the result.

use std::collections::{BTreeMap, BTreeSet};

use events_core::catalog::{
    Catalog, OTHERS,
    document::{DomainNode, Outline},
};

use crate::{
    commands::catalog::{
        draft::without_columns,
        evidence::PAYLOAD_KEYS_MAX,
        observe::{Observed, Payloads},
    },
    runtime::{grouped, plural},
};

/// Domain and event type, which may be `"*"`.
type Name<'o> = (&'o str, &'o str);

/// What was seen, by where it belongs.
#[derive(Debug, Default)]
pub(super) struct Assigned<'o> {
    /// Of types that a file names, and of those that its `"*"` with fields stands for.
    pub(super) known: BTreeMap<(usize, String, String), Payloads>,
    /// Of types that are new in a domain that a file has.
    pub(super) new_types: BTreeMap<(usize, &'o str), Vec<(&'o str, &'o Payloads)>>,
    /// Why such a domain needs a `"*"`.
    pub(super) new_others: BTreeMap<(usize, String), String>,
    /// Of domains that no file has.
    pub(super) new_domains: Observed,
    /// What no file is changed for.
    pub(super) notes: Vec<String>,
}

/// Assigns what was seen to these files; with `all`, also what the built-in types and a `"*"` without fields
/// stand for.
pub(super) fn assign<'o>(
    observed: &'o Observed,
    outlines: &[Outline],
    catalog: &Catalog,
    all: bool,
) -> Assigned<'o> {
    let mut assigned = Assigned::default();
    let (mut built_in, mut open, mut others) = (Vec::new(), Vec::new(), Observed::default());
    for ((domain, name), payloads) in &observed.event_types {
        let events = plural(payloads.events + payloads.others, "event");
        let shown = format!("{domain}/{name} ({events})");
        let known = catalog.event_type(domain, name);
        if let Some(file) = named_in(outlines, (domain, name)) {
            assigned.note_others((domain, name), payloads);
            assigned.add_known((file, domain.clone(), name.clone()), payloads);
            continue;
        }
        match known {
            Some(known) if !known.is_open && !all => built_in.push(shown),
            Some(known) if known.is_open && known.is_json && !all => open.push(shown),
            Some(known) if known.is_open && !known.is_json => {
                let own = named_in(outlines, (domain, OTHERS)).map(|file| (file, domain.clone()));
                let of_all = || Some((domain_in(outlines, OTHERS)?, OTHERS.to_owned()));
                if let Some((file, domain)) = own.or_else(of_all) {
                    assigned.note_others((&domain, name), payloads);
                    assigned.add_known((file, domain, OTHERS.to_owned()), payloads);
                }
            }
            _ => match domain_in(outlines, domain) {
                Some(_) if payloads.others > 0 => {
                    others.event_types.insert((domain.clone(), name.clone()), payloads.clone());
                }
                Some(file) => {
                    assigned.new_types.entry((file, domain)).or_default().push((name, payloads));
                }
                None => {
                    let key = (domain.clone(), name.clone());
                    assigned.new_domains.event_types.insert(key, payloads.clone());
                }
            },
        }
    }
    for (domain, why) in without_columns(&others) {
        if let Some(file) = domain_in(outlines, domain) {
            assigned.new_others.insert((file, domain.to_owned()), why);
        }
    }
    assigned.note("Left out, because they are built in (--all drafts them, too)", &built_in);
    assigned.note("Loaded through \"*\" as JSON (--all names them)", &open);
    assigned
}

impl Assigned<'_> {
    fn add_known(&mut self, key: (usize, String, String), payloads: &Payloads) {
        let known = self.known.entry(key).or_default();
        known.events += payloads.events;
        known.others += payloads.others;
        known.payload.merge(payloads.payload.clone(), PAYLOAD_KEYS_MAX);
    }

    fn note_others(&mut self, (domain, name): Name<'_>, payloads: &Payloads) {
        if payloads.others > 0 {
            let others = grouped(payloads.others);
            self.notes.push(format!(
                "The payload is no object in {others} of {domain}/{name}: they do not fit its columns"
            ));
        }
    }

    fn note(&mut self, what: &str, which: &[String]) {
        if !which.is_empty() {
            self.notes.push(format!("{what}: {}", which.join(", ")));
        }
    }
}

/// The file that names an event type.
fn named_in(outlines: &[Outline], (domain, name): Name<'_>) -> Option<usize> {
    let names = |of_domain: &DomainNode| {
        of_domain.name == domain && of_domain.event_types.iter().any(|of_type| of_type.name == name)
    };
    outlines.iter().position(|outline| outline.domains.iter().any(names))
}

/// The last file that has a domain.
fn domain_in(outlines: &[Outline], domain: &str) -> Option<usize> {
    let has = |outline: &Outline| outline.domains.iter().any(|of_domain| of_domain.name == domain);
    outlines.iter().rposition(has)
}

/// The names of the types that a file has, in lower case.
pub(super) fn type_names(outline: &Outline) -> BTreeSet<String> {
    outline.types.iter().map(|(name, _)| name.to_lowercase()).collect()
}

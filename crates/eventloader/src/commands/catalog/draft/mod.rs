//! The evidence of all event types → the draft of their catalog.
//!
//! Domains and event types are ordered by name, fields by their usual order in events. A field that all event
//! types of a domain have with the same type becomes a field of the domain. Objects that are alike in several
//! places become a type with a name (`shapes.rs`, `types.rs`).
//!
//! Invariant: a draft depends only on what was seen. Its text is a valid catalog, and it loads every line
//! that it was drafted from, except for lines that no catalog could accept.

mod comments;
pub(super) mod fields;
pub(super) mod forms;
pub(super) mod names;
mod neighbours;
mod open;
pub(super) mod shapes;
pub(super) mod text;
pub(super) mod types;

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write,
};

use events_core::catalog::{Catalog, ValueType};

pub(crate) use self::open::without_columns;
use self::{fields::Drafter, shapes::Shapes, types::Types};
use super::{
    decide::{self, DecidedKind},
    evidence::{Evidence, Objects},
    observe::{Observed, Payloads},
};
use crate::runtime::plural;

/// A catalog that is being drafted.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The `[envelope]` that the records are in.
    pub(crate) envelope: Option<String>,
    /// Ordered by name.
    pub(crate) types: Vec<ObjectType>,
    pub(crate) domains: Vec<DomainDraft>,
    /// Remarks on the draft as a whole.
    pub(crate) notes: Vec<String>,
}

/// The fields of objects in several places.
#[derive(Debug)]
pub(crate) struct ObjectType {
    pub(crate) name: String,
    pub(crate) fields: Vec<FieldDraft>,
    /// What was seen of them.
    comment: String,
}

/// A domain.
#[derive(Debug)]
pub(crate) struct DomainDraft {
    pub(crate) name: String,
    pub(crate) shared: Vec<FieldDraft>,
    pub(crate) event_types: Vec<TypeDraft>,
    /// Why there is a `"*"` for all other event types; none if there is not.
    pub(crate) others: Vec<String>,
}

/// An event type.
#[derive(Debug)]
pub(crate) struct TypeDraft {
    pub(crate) name: String,
    /// Set where the name can't be a directory.
    pub(crate) directory: Option<String>,
    /// Set where its domain has a version whose fields it lacks.
    pub(crate) has_no_version: bool,
    pub(crate) fields: Vec<FieldDraft>,
    pub(crate) comments: Vec<String>,
}

/// A field.
#[derive(Debug, Clone)]
pub(crate) struct FieldDraft {
    pub(crate) name: String,
    /// Set where the path can't be a column name.
    pub(crate) column: Option<String>,
    pub(crate) kind: KindDraft,
    /// What a catalog says of the field that it takes the place of.
    pub(crate) said: Said,
    /// The comment behind the field.
    pub(crate) comment: String,
    /// Another possible type.
    pub(crate) alternative: Option<String>,
}

/// What data can't tell of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) required: bool,
    pub(crate) description: Option<String>,
}

#[derive(Debug, Clone)]
pub(crate) enum KindDraft {
    Value(ValueType),
    List(Box<KindDraft>),
    Map(Box<KindDraft>),
    Object(Vec<FieldDraft>),
    /// A type with this name.
    Named(String),
}

/// Drafts a catalog of the event types that `known` lacks, or of all.
pub(crate) fn draft(observed: &Observed, known: &Catalog, with_known: bool) -> Draft {
    let is_known = |domain: &str, name: &str| {
        known.event_types().iter().any(|known| known.domain == domain && known.name == name)
    };
    let mut notes = notes(observed, known);
    let mut by_domain = ByDomain::new();
    let mut left_out = Vec::new();
    for ((domain, name), payloads) in &observed.event_types {
        if is_known(domain, name) && !with_known {
            left_out.push(format!("{domain}/{name} ({})", plural(payloads.events, "event")));
        } else if payloads.others == 0 {
            by_domain.entry(domain).or_default().push((name, payloads));
        }
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        notes.push(format!(
            "Left out, because the catalog has them already (--all drafts them, too): {left_out}"
        ));
    }
    let (types, domains) = draft_domains(&by_domain, observed, known, HashSet::new());
    Draft { envelope: None, types, domains, notes }
}

/// Event types with their payloads, by domain.
type ByDomain<'o> = BTreeMap<&'o str, Vec<(&'o str, &'o Payloads)>>;

/// Drafts the domains that `known` does not have at all; names of types that are taken are those of others.
pub(crate) fn draft_new_domains(observed: &Observed, known: &Catalog, taken: HashSet<String>) -> Draft {
    let mut by_domain = ByDomain::new();
    for ((domain, name), payloads) in observed.event_types.iter().filter(|(_, seen)| seen.others == 0) {
        by_domain.entry(domain).or_default().push((name, payloads));
    }
    let (types, domains) = draft_domains(&by_domain, observed, known, taken);
    Draft { envelope: None, types, domains, notes: Vec::new() }
}

fn draft_domains(
    by_domain: &ByDomain<'_>,
    observed: &Observed,
    known: &Catalog,
    taken: HashSet<String>,
) -> (Vec<ObjectType>, Vec<DomainDraft>) {
    let mut shapes = Shapes::default();
    let mut inner = Vec::new();
    for types in by_domain.values() {
        inner.push(types.iter().map(|(_, payloads)| shapes.add_payload(&payloads.payload)).collect());
    }
    let types = Types::of(shapes, &inner, taken);
    let drafter = Drafter::new(&types, by_domain.values().flatten().map(|(_, payloads)| &payloads.payload));
    let domains = by_domain.iter().zip(&inner);
    let mut domains: Vec<_> =
        domains.map(|((name, event_types), inner)| drafter.domain(name, event_types, inner)).collect();
    open::add(&mut domains, observed);
    names::give_directories(&mut domains, known);
    for domain in &mut domains {
        names::give_columns(domain, &types);
    }
    (drafter.named_types(), domains)
}

pub(crate) fn notes(observed: &Observed, known: &Catalog) -> Vec<String> {
    let Observed { lines, blank, filtered, bad, times_cut, beside, event_types, of_any_type, .. } = observed;
    let events: u64 = event_types.values().map(|payloads| payloads.events + payloads.others).sum();
    let events = events + of_any_type.unwrap_or_default();
    let mut notes = vec![format!("{} of {}", plural(events, "event"), plural(*lines, "line"))];
    if blank + filtered > 0 {
        let _ = write!(notes[0], " ({blank} blank, {filtered} of other domains or types)");
    }
    let mut bad: BTreeMap<&str, u64> = bad.clone();
    let repeated: u64 = event_types.values().map(|payloads| repeated_keys(&payloads.payload)).sum();
    if repeated > 0 {
        *bad.entry("duplicate_key").or_default() += repeated;
    }
    if !bad.is_empty() {
        let total: u64 = bad.values().sum();
        let reasons: Vec<_> = bad.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        notes.push(format!(
            "Bad whatever a catalog says, to be quarantined: {total} ({})",
            reasons.join(", ")
        ));
    }
    if let Some(named) = beside.named() {
        notes.push(if known.envelope().is_base() {
            format!("Beside `data`, and left out, because only its fields become columns: {named}")
        } else {
            format!(
                "Beside the payload, and left out, because the envelope has no `fields` for them: {named}"
            )
        });
    }
    if *times_cut > 0 {
        notes.push(format!(
            "The timestamp has digits beyond microseconds in {}: they are cut, also where the latest version \
             of an event is decided",
            plural(*times_cut, "event")
        ));
    }
    notes
}

/// The number of objects with a repeated key that will become columns.
fn repeated_keys(objects: &Objects) -> u64 {
    let inner = objects
        .members
        .iter()
        .map(|member| repeated_in(&decide::decide(&member.name, &member.evidence).kind, &member.evidence));
    objects.with_repeated_key + inner.sum::<u64>()
}

fn repeated_in(kind: &DecidedKind, evidence: &Evidence) -> u64 {
    match (kind, &evidence.objects, &evidence.lists) {
        (DecidedKind::List(element), _, Some(lists)) => repeated_in(element, &lists.elements),
        (DecidedKind::Map(value), Some(objects), _) => {
            objects.with_repeated_key + repeated_in(value, &objects.values())
        }
        (DecidedKind::Object, Some(objects), _) => repeated_keys(objects),
        _ => 0,
    }
}

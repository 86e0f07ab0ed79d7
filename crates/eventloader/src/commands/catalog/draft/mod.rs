//! The evidence of all event types → the draft of their catalog.
//!
//! Domains and event types are ordered by name, fields by their usual order in events. A field that all event
//! types of a domain have with the same type becomes a field of the domain.
//!
//! Invariant: a draft depends only on what was seen. Its text is a valid catalog, and it loads every line
//! that it was drafted from, except for lines that no catalog could accept.

mod comments;
mod names;
mod text;

use std::{collections::BTreeMap, fmt::Write};

use events_core::catalog::{Catalog, ValueType};

use super::{
    decide::{self, DecidedKind},
    evidence::{Evidence, Member, Objects},
    observe::{Observed, Payloads},
};
use crate::runtime::plural;

/// A catalog that is being drafted.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) domains: Vec<DomainDraft>,
    /// Remarks on the draft as a whole.
    pub(crate) notes: Vec<String>,
}

/// A domain.
#[derive(Debug)]
pub(crate) struct DomainDraft {
    pub(crate) name: String,
    shared: Vec<FieldDraft>,
    event_types: Vec<TypeDraft>,
}

/// An event type.
#[derive(Debug)]
struct TypeDraft {
    name: String,
    /// Set where the name can't be a directory.
    directory: Option<String>,
    fields: Vec<FieldDraft>,
    comments: Vec<String>,
}

/// A field.
#[derive(Debug)]
struct FieldDraft {
    name: String,
    /// Set where the path can't be a column name.
    column: Option<String>,
    kind: KindDraft,
    /// The comment behind the field.
    comment: String,
    /// Another possible type.
    alternative: Option<String>,
}

#[derive(Debug)]
enum KindDraft {
    Value(ValueType),
    List(Box<KindDraft>),
    Object(Vec<FieldDraft>),
}

/// Drafts a catalog of the event types that `known` lacks, or of all.
pub(crate) fn draft(observed: &Observed, known: &Catalog, with_known: bool) -> Draft {
    let is_known = |domain: &str, name: &str| {
        known.event_types().iter().any(|known| known.domain == domain && known.name == name)
    };
    let mut notes = notes(observed);
    let mut by_domain: BTreeMap<&str, Vec<(&str, &Payloads)>> = BTreeMap::new();
    let mut left_out = Vec::new();
    for ((domain, name), payloads) in &observed.event_types {
        if is_known(domain, name) && !with_known {
            left_out.push(format!("{domain}/{name} ({})", plural(payloads.events, "event")));
        } else {
            by_domain.entry(domain).or_default().push((name, payloads));
        }
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        notes.push(format!(
            "Left out, because the catalog has them already (--all drafts them, too): {left_out}"
        ));
    }
    let mut domains: Vec<_> = by_domain.into_iter().map(|(name, types)| draft_domain(name, &types)).collect();
    names::give_directories(&mut domains, known);
    domains.iter_mut().for_each(names::give_columns);
    Draft { domains, notes }
}

fn notes(observed: &Observed) -> Vec<String> {
    let Observed { lines, blank, filtered, bad, times_cut, beside, event_types, .. } = observed;
    let events: u64 = event_types.values().map(|payloads| payloads.events).sum();
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
        notes.push(format!("Beside `data`, and left out, because only its fields become columns: {named}"));
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
    let inner = objects.members.iter().map(|member| {
        let mut evidence = &member.evidence;
        let mut kind = decide::decide(&member.name, evidence).kind;
        while let (DecidedKind::List(element), Some(lists)) = (kind.clone(), &evidence.lists) {
            (evidence, kind) = (&lists.elements, *element);
        }
        match (&evidence.objects, kind) {
            (Some(objects), DecidedKind::Object) => repeated_keys(objects),
            _ => 0,
        }
    });
    objects.with_repeated_key + inner.sum::<u64>()
}

fn draft_domain(name: &str, types: &[(&str, &Payloads)]) -> DomainDraft {
    let shared = shared_fields(types);
    let events = types.iter().map(|(_, payloads)| payloads.events).sum();
    let shared_drafts = shared.ordered().into_iter().map(|member| draft_field(member, events)).collect();
    let event_types = types.iter().map(|(name, payloads)| {
        let own = payloads.payload.ordered();
        let own = own.into_iter().filter(|member| shared.find(&member.name).is_none());
        let mut comments = vec![plural(payloads.events, "event")];
        if payloads.payload.has_too_many_keys {
            comments.push(
                "The keys of its data vary without bound, and data itself can't be json: none of them is loaded."
                    .to_owned(),
            );
        }
        TypeDraft {
            name: (*name).to_owned(),
            directory: None,
            fields: own.map(|member| draft_field(member, payloads.events)).collect(),
            comments,
        }
    });
    DomainDraft { name: name.to_owned(), shared: shared_drafts, event_types: event_types.collect() }
}

/// The fields that all of several event types have with the same type, as one object.
fn shared_fields(types: &[(&str, &Payloads)]) -> Objects {
    let mut all = Objects::default();
    let [first, others @ ..] = types else { return all };
    if others.is_empty() {
        return all;
    }
    for member in &first.1.payload.members {
        let same: Option<Vec<&Member>> =
            types.iter().map(|(_, payloads)| payloads.payload.find(&member.name)).collect();
        let Some(same) = same else { continue };
        let mut merged = Member::clone(same[0]);
        for other in &same[1..] {
            merged.merge(Member::clone(other));
        }
        if same.iter().all(|member| decide::goes_with(&member.name, &member.evidence, &merged.evidence)) {
            all.add(merged);
        }
    }
    all
}

fn draft_field(member: &Member, of: u64) -> FieldDraft {
    let evidence = &member.evidence;
    let decision = decide::decide(&member.name, evidence);
    let comment = comments::of(member, of, &decision);
    FieldDraft {
        name: String::from_utf8_lossy(&member.name).into_owned(),
        column: None,
        kind: draft_kind(&decision.kind, evidence),
        comment,
        alternative: decision.alternative,
    }
}

fn draft_kind(kind: &DecidedKind, evidence: &Evidence) -> KindDraft {
    match (kind, &evidence.objects, &evidence.lists) {
        (DecidedKind::Value(value_type), ..) => KindDraft::Value(*value_type),
        (DecidedKind::List(element), _, Some(lists)) => {
            KindDraft::List(Box::new(draft_kind(element, &lists.elements)))
        }
        (DecidedKind::Object, Some(objects), _) => {
            let members = objects.ordered();
            KindDraft::Object(members.into_iter().map(|member| draft_field(member, objects.count)).collect())
        }
        // The evidence has a list or an object if one was decided.
        (DecidedKind::List(_) | DecidedKind::Object, ..) => KindDraft::Value(ValueType::Json),
    }
}

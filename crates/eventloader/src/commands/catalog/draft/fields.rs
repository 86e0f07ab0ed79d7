//! The evidence of a domain's event types, and the types with a name → the domain's fields and event types.
//!
//! Invariant: a field takes every value that was seen there. Where it is of a type with a name, that type has
//! seen its objects.

use super::{
    DomainDraft, FieldDraft, KindDraft, ObjectType, Said, TypeDraft, comments, names,
    neighbours::Neighbours,
    shapes::{Inner, ShapeId},
    types::Types,
};
use crate::{
    commands::catalog::{
        decide::{self, DecidedKind},
        evidence::{Evidence, Member, Objects},
        observe::Payloads,
    },
    runtime::plural,
};
use events_core::catalog::ValueType;

/// Drafts fields.
#[derive(Debug)]
pub(crate) struct Drafter<'t> {
    types: &'t Types,
    neighbours: Neighbours,
}

impl<'t> Drafter<'t> {
    /// By these types, and whatever the payloads hold.
    pub(crate) fn new<'p>(types: &'t Types, payloads: impl Iterator<Item = &'p Objects>) -> Self {
        Self { types, neighbours: Neighbours::of(payloads) }
    }

    /// The types with a name, whose fields have columns.
    pub(crate) fn named_types(&self) -> Vec<ObjectType> {
        let mut drafted = self.types();
        for of_type in &mut drafted {
            names::give_columns_of_type(of_type, self.types);
        }
        drafted
    }

    fn types(&self) -> Vec<ObjectType> {
        let drafted = self.types.named().into_iter().map(|(name, id)| {
            let objects = &self.types.shapes.get(id).objects;
            ObjectType {
                name: name.to_owned(),
                fields: self.fields(objects, Some(id), Within::Type),
                comment: plural(objects.count, "object"),
            }
        });
        drafted.collect()
    }

    /// A domain; `inner` are the shapes in the payloads of its types.
    pub(crate) fn domain(&self, name: &str, types: &[(&str, &Payloads)], inner: &[Inner]) -> DomainDraft {
        let (shared, shared_inner) = self.shared_fields(types, inner);
        let events = types.iter().map(|(_, payloads)| payloads.events).sum();
        let shared_drafts = shared.ordered().into_iter();
        let shared_drafts = shared_drafts
            .map(|member| self.field(member, shared_inner.get(&member.name).copied(), events, Within::Event));
        let event_types = types.iter().zip(inner).map(|((name, payloads), inner)| {
            let own = payloads.payload.ordered();
            let own = own.into_iter().filter(|member| shared.find(&member.name).is_none());
            let mut comments = vec![plural(payloads.events, "event")];
            if payloads.payload.has_too_many_keys() {
                comments.push(
                    "The keys of its data vary without bound, and data itself can't be json: none of them is loaded."
                        .to_owned(),
                );
            }
            let fields =
                own.map(|member| self.field(member, inner.get(&member.name).copied(), payloads.events, Within::Event));
            TypeDraft {
                name: (*name).to_owned(),
                directory: None,
                has_no_version: false,
                fields: fields.collect(),
                comments,
            }
        });
        DomainDraft {
            name: name.to_owned(),
            shared: shared_drafts.collect(),
            event_types: event_types.collect(),
            others: Vec::new(),
        }
    }

    /// The fields that all of several event types have with the same type, as one object, and the shapes in
    /// it.
    fn shared_fields(&self, types: &[(&str, &Payloads)], inner: &[Inner]) -> (Objects, Inner) {
        let (mut all, mut all_inner) = (Objects::default(), Inner::new());
        let [first, others @ ..] = types else { return (all, all_inner) };
        if others.is_empty() {
            return (all, all_inner);
        }
        for member in &first.1.payload.members {
            let same: Option<Vec<&Member>> =
                types.iter().map(|(_, payloads)| payloads.payload.find(&member.name)).collect();
            let Some(same) = same else { continue };
            let mut merged = Member::clone(same[0]);
            for other in &same[1..] {
                merged.merge(Member::clone(other));
            }
            let shape = self.shape_of_all(&member.name, inner);
            let is_shared = |member: &&Member| match shape {
                Some(_) => has_kind_of(member, &merged),
                None => decide::goes_with(&member.name, &member.evidence, &merged.evidence),
            };
            if same.iter().all(is_shared) {
                all_inner.extend(shape.map(|shape| (member.name.clone(), shape)));
                all.add(merged);
            }
        }
        (all, all_inner)
    }

    /// The shape with a name that the objects behind a key have in all payloads.
    fn shape_of_all(&self, key: &[u8], inner: &[Inner]) -> Option<ShapeId> {
        let mut shapes =
            inner.iter().filter_map(|inner| inner.get(key)).map(|&id| self.types.shapes.current(id));
        let first = shapes.next()?;
        (self.types.name_of(first).is_some() && shapes.all(|other| other == first)).then_some(first)
    }

    /// The fields of a payload, or of what is new in an object; `inner` are the shapes in it.
    pub(crate) fn fields_of(&self, objects: &Objects, inner: &Inner, within: Within) -> Vec<FieldDraft> {
        let members = objects.ordered().into_iter();
        let shape = |name: &[u8]| inner.get(name).copied();
        members.map(|member| self.field(member, shape(&member.name), objects.count, within)).collect()
    }

    fn fields(&self, objects: &Objects, shape: Option<ShapeId>, within: Within) -> Vec<FieldDraft> {
        let inner = |name: &[u8]| self.types.shapes.get(shape?).inner.get(name).copied();
        let members = objects.ordered().into_iter();
        members.map(|member| self.field(member, inner(&member.name), objects.count, within)).collect()
    }

    /// A field that could occur in `of` events or objects; its objects are of this shape.
    fn field(&self, member: &Member, shape: Option<ShapeId>, of: u64, within: Within) -> FieldDraft {
        let Member { name, evidence, .. } = member;
        let mut decision = self.neighbours.agree(name, evidence, decide::decide(name, evidence));
        let has_columns = |shape: Option<ShapeId>| shape.is_some_and(|shape| self.types.has_columns(shape));
        if within == Within::Type && decision.kind == DecidedKind::Object && !has_columns(shape) {
            decision.kind = DecidedKind::Value(ValueType::Json);
            decision.because = Some("columns with names of their own can't be in a type".to_owned());
        }
        FieldDraft {
            name: String::from_utf8_lossy(name).into_owned(),
            column: None,
            said: Said::default(),
            kind: self.kind(&decision.kind, evidence, shape, within),
            comment: comments::of(member, of, &decision),
            alternative: decision.alternative,
        }
    }

    fn kind(
        &self,
        kind: &DecidedKind,
        evidence: &Evidence,
        shape: Option<ShapeId>,
        within: Within,
    ) -> KindDraft {
        match (kind, &evidence.objects, &evidence.lists) {
            (DecidedKind::Value(value_type), ..) => KindDraft::Value(*value_type),
            (DecidedKind::List(element), _, Some(lists)) => {
                KindDraft::List(Box::new(self.kind(element, &lists.elements, shape, Within::Event)))
            }
            (DecidedKind::Map(value), Some(objects), _) => {
                KindDraft::Map(Box::new(self.kind(value, &objects.values(), shape, Within::Event)))
            }
            (DecidedKind::Object, Some(objects), _) => {
                let shape = shape.filter(|&shape| self.types.shapes.get(shape).covers(objects));
                match shape.and_then(|shape| self.types.name_of(shape)) {
                    Some(name) => KindDraft::Named(name.to_owned()),
                    None => KindDraft::Object(self.fields(objects, shape, within)),
                }
            }
            // The evidence has a list or an object if one was decided.
            (DecidedKind::List(_) | DecidedKind::Map(_) | DecidedKind::Object, ..) => {
                KindDraft::Value(ValueType::Json)
            }
        }
    }
}

/// What a field is a part of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Within {
    /// An event type, or an element of a list or map, where a field may have a column of its own.
    Event,
    /// A type with a name.
    Type,
}

/// Whether a field is of the same kind by itself as together with others, but for the fields of its objects.
fn has_kind_of(member: &Member, all: &Member) -> bool {
    let kind = |member: &Member| decide::decide(&member.name, &member.evidence).kind;
    member.evidence.values() == 0 || kind(member) == kind(all)
}

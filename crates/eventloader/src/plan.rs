//! The catalog → what reading a line needs of it: where each key of a payload goes, found without hashing where possible.
//!
//! Invariant: a plan has the columns of the catalog's flat schema, in its order; an object's columns are consecutive.

use std::ops::Range;

use events_core::{
    catalog::{Catalog, EventType, Field, FieldKind},
    event,
    schema::{self, Column},
};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// Names are few and come from the catalog, so a fast hash without a seed does.
type ByName<T> = HashMap<Box<[u8]>, T, FixedState>;

/// All event types, compiled.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) event_types: Vec<TypePlan>,
    by_domain: ByName<ByName<usize>>,
}

/// One event type, compiled.
#[derive(Debug)]
pub(crate) struct TypePlan {
    pub(crate) event_type: EventType,
    pub(crate) columns: Vec<Column>,
    /// The payload's objects; the first is `data` itself.
    pub(crate) objects: Vec<ObjectPlan>,
}

/// An object of a payload: which keys are read, and where they go.
#[derive(Debug, Default)]
pub(crate) struct ObjectPlan {
    /// Where it stands in the event: `data.merchant`.
    pub(crate) path: String,
    /// The columns of all that is in it.
    pub(crate) columns: Range<usize>,
    pub(crate) members: Vec<Member>,
    by_name: ByName<usize>,
}

/// A key that is read.
#[derive(Debug)]
pub(crate) struct Member {
    /// As it stands in most lines, with its closing quote.
    pub(crate) quoted: Box<[u8]>,
    pub(crate) target: Target,
}

/// Where a key's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Index into [`TypePlan::columns`].
    Column(usize),
    /// Index into [`TypePlan::objects`].
    Object(usize),
}

impl Plan {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        let event_types: Vec<_> = catalog.event_types().iter().map(TypePlan::new).collect();
        let mut by_domain: ByName<ByName<usize>> = ByName::default();
        for (index, TypePlan { event_type, .. }) in event_types.iter().enumerate() {
            let of_domain = by_domain.entry(event_type.domain.as_bytes().into()).or_default();
            of_domain.insert(event_type.name.as_bytes().into(), index);
        }
        Self { event_types, by_domain }
    }

    /// The index of an event type.
    pub(crate) fn find(&self, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        self.by_domain.get(domain)?.get(event_type).copied()
    }
}

impl TypePlan {
    fn new(event_type: &EventType) -> Self {
        let mut plan = Self {
            event_type: event_type.clone(),
            columns: schema::columns(event_type),
            objects: Vec::new(),
        };
        plan.add_object(event::DATA.to_owned(), &event_type.fields, 0);
        plan
    }

    /// Adds an object and all in it; returns its index and the column behind its last.
    fn add_object(&mut self, path: String, fields: &[Field], first_column: usize) -> (usize, usize) {
        let index = self.objects.len();
        self.objects.push(ObjectPlan::default());
        let (mut members, mut column) = (Vec::new(), first_column);
        for field in fields {
            let target = match &field.kind {
                FieldKind::Value(_) => {
                    column += 1;
                    Target::Column(column - 1)
                }
                FieldKind::Object(fields) => {
                    let (object, end) = self.add_object(format!("{path}.{}", field.name), fields, column);
                    column = end;
                    Target::Object(object)
                }
            };
            members.push(Member { quoted: format!("{}\"", field.name).into_bytes().into(), target });
        }
        let by_name = fields.iter().enumerate().map(|(i, field)| (field.name.as_bytes().into(), i)).collect();
        self.objects[index] = ObjectPlan { path, columns: first_column..column, members, by_name };
        (index, column)
    }
}

impl ObjectPlan {
    /// The index of the member with this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_objects_take_consecutive_columns() {
        let catalog = Catalog::from_toml(&[(
            "x.toml",
            "[domain.card.events.sale.fields]\nid = 'string'\n\
             merchant = { fields = { name = 'string', address = { fields = { city = 'string' } } } }\nat = 'date'",
        )])
        .unwrap();
        let plan = Plan::new(&catalog);
        let index = plan.find(b"card", b"sale").unwrap();
        let sale = &plan.event_types[index];
        let objects: Vec<_> = sale.objects.iter().map(|o| (o.path.as_str(), o.columns.clone())).collect();
        assert_eq!(objects, [("data", 0..4), ("data.merchant", 1..3), ("data.merchant.address", 2..3)]);
        assert_eq!(sale.objects[0].members[1].target, Target::Object(1));
        assert_eq!(sale.objects[0].members[2].target, Target::Column(3));
        assert_eq!(plan.find(b"card", b"other"), None);
    }
}

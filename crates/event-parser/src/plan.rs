//! The catalog → a plan for reading lines: which types there are, and where each key of a payload goes, found
//! without hashing where possible.
//!
//! - `shape`: the columns of a payload, and the keys that they are read from;
//! - `rest`: the keys of a record whose payload is the rest of it;
//! - `found`: types that no catalog names, which are added while lines are read;
//! - `found_lately`: the types of the last events, found faster than by the maps of the plan.
//!
//! Invariant: the index of a type never changes.

mod found;
mod found_lately;
mod rest;
mod shape;

use std::sync::Arc;

use event_rows::{ReadId, VersionColumns};
use events_core::{
    catalog::{Catalog, EventType},
    envelope::{Data, Envelope, paths_text},
    event,
    partition::Layout,
};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

pub(crate) use self::{
    found::OfType,
    found_lately::TypesFound,
    rest::RestMember,
    shape::{ColumnPlan, KeyTarget, KindPlan, ListPlan, MapPlan, Member, Shape},
};
use self::{
    found::{FoundTypes, OpenPlan},
    rest::RestPlan,
};
use crate::{envelope::EnvelopePlan, fault::Fault, framing::Records};

/// Names are few and come from the catalog, so a fast hash without a seed is enough.
pub(crate) type ByName<T> = HashMap<Box<[u8]>, T, FixedState>;

/// A catalog, compiled for reading lines.
#[derive(Debug)]
pub struct Plan {
    /// The event types that the catalog names.
    pub(crate) named: Vec<TypePlan>,
    found: FoundTypes,
    /// By [`shape::ObjectPlan::id`]: the path of an object in the event, with dots; elements of lists without
    /// their index, values of maps without their key.
    pub(crate) object_paths: Vec<String>,
    /// `None`: the base contract.
    pub(crate) envelope: Option<EnvelopePlan>,
    by_domain: ByName<ByName<usize>>,
    records: Arc<Records>,
    /// In a database: the most bytes of an event's id.
    id_bytes_max: Option<usize>,
}

/// One event type, compiled.
#[derive(Debug)]
pub(crate) struct TypePlan {
    pub(crate) event_type: EventType,
    pub(crate) payload: Arc<PayloadPlan>,
}

/// What a payload consists of.
#[derive(Debug)]
pub(crate) struct PayloadPlan {
    /// Its number among all of the plan.
    pub(crate) index: usize,
    pub(crate) shape: Shape,
    /// The members of a payload that is the rest of its record, with the keys that the envelope reads.
    pub(crate) rest: Option<RestPlan>,
    /// Whether the rows become those of a table in a database.
    pub(crate) is_for_database: bool,
    has_version: bool,
    /// The fields of its version in the flat and in the nested form.
    flat_version: VersionColumns,
    nested_version: VersionColumns,
}

impl Plan {
    /// Compiles a catalog. Its event types keep their order.
    #[must_use]
    pub fn new(catalog: &Catalog) -> Self {
        Self::for_layout(catalog, Layout::Plain)
    }

    /// The same for a target with this layout: it decides which names an event type may have.
    #[must_use]
    pub fn for_layout(catalog: &Catalog, layout: Layout) -> Self {
        let mut object_paths = Vec::new();
        let envelope = catalog.envelope();
        let root = payload_path(envelope);
        let envelope = (!envelope.is_base()).then(|| EnvelopePlan::new(envelope, &mut object_paths));
        let mut payload = |index: usize, event_type: &EventType| {
            let shape = Shape::of_event(event_type, &root, &mut object_paths);
            let rest = envelope.as_ref().and_then(|envelope| RestPlan::new(envelope, &shape));
            let [flat_version, nested_version] =
                [true, false].map(|flatten| VersionColumns::of(event_type, flatten));
            let has_version = !event_type.version.is_empty();
            let is_for_database = layout == Layout::Database;
            Arc::new(PayloadPlan {
                index,
                shape,
                rest,
                is_for_database,
                has_version,
                flat_version,
                nested_version,
            })
        };
        let types = catalog.event_types().iter().enumerate();
        let named: Vec<_> = types
            .map(|(index, event_type)| TypePlan {
                event_type: event_type.clone(),
                payload: payload(index, event_type),
            })
            .collect();
        let open = catalog.open_types().iter().zip(named.len()..).map(|(event_type, index)| OpenPlan {
            event_type: event_type.clone(),
            payload: payload(index, event_type),
        });
        let found = FoundTypes::new(catalog, layout, open.collect());
        let mut by_domain: ByName<ByName<usize>> = ByName::default();
        for (index, TypePlan { event_type, .. }) in named.iter().enumerate() {
            let of_domain = by_domain.entry(event_type.domain.as_bytes().into()).or_default();
            of_domain.insert(event_type.name.as_bytes().into(), index);
        }
        let keys: Vec<_> = catalog.envelope().enclosing_keys().into_iter().map(str::to_owned).collect();
        let records = Arc::new(Records::new(&catalog.envelope().records, &keys));
        let id_bytes_max = layout.id_bytes_max();
        Self { named, found, object_paths, envelope, by_domain, records, id_bytes_max }
    }

    /// Refuses an id that the target can't hold; `path` is where it comes from.
    #[inline]
    pub(crate) fn check_id<'l>(&self, id: ReadId<'l>, path: &str) -> Result<ReadId<'l>, Fault> {
        match (self.id_bytes_max, &id) {
            (Some(bytes_max), ReadId::Text(text)) if text.len() > bytes_max => {
                Err(Fault::long_id(path, text.len(), bytes_max))
            }
            (Some(_), ReadId::Text(text)) if text.contains(&0) => Err(Fault::nul(path)),
            _ => Ok(id),
        }
    }

    /// Where the records are in a document.
    #[must_use]
    pub fn records(&self) -> &Arc<Records> {
        &self.records
    }

    /// The number of event types, with those that were found so far.
    #[must_use]
    pub fn event_type_count(&self) -> usize {
        self.named.len() + self.found.count()
    }

    /// The event type with this index.
    ///
    /// # Panics
    /// If the index is out of range.
    #[must_use]
    pub fn event_type(&self, index: usize) -> &EventType {
        &self.type_plan(index).event_type
    }

    #[inline]
    fn type_plan(&self, index: usize) -> &TypePlan {
        let found = || self.found.get(index - self.named.len());
        match self.named.get(index).or_else(found) {
            Some(type_plan) => type_plan,
            None => unreachable!("only indices of event types are given out"),
        }
    }

    /// The payload of the event type with this index.
    #[inline]
    pub(crate) fn payload(&self, index: usize) -> &PayloadPlan {
        &self.type_plan(index).payload
    }

    /// The payload of a type that may not have an index yet.
    #[inline]
    pub(crate) fn payload_of(&self, of_type: OfType) -> &PayloadPlan {
        match of_type {
            OfType::Known(index) => self.payload(index),
            OfType::Open(open) => &self.found.open[open].payload,
        }
    }

    /// All payloads: those of the types that the catalog names, and those of its open types.
    pub(crate) fn payloads(&self) -> impl ExactSizeIterator<Item = &PayloadPlan> {
        let (named, open) = (self.named.len(), &self.found.open);
        (0..named + open.len()).map(move |index| match self.named.get(index) {
            Some(type_plan) => &*type_plan.payload,
            None => &*open[index - named].payload,
        })
    }

    /// The index of an event type that the catalog names, or that was found.
    #[must_use]
    pub fn find(&self, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        self.find_named(domain, event_type).or_else(|| self.found.find(domain, event_type))
    }

    fn find_named(&self, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        self.by_domain.get(domain)?.get(event_type).copied()
    }
}

impl PayloadPlan {
    /// Where the fields of its version are among the columns of a batch.
    pub(crate) fn version(&self, flatten: bool) -> &VersionColumns {
        if flatten { &self.flat_version } else { &self.nested_version }
    }

    /// Whether it has a version, so that events of all days compete.
    pub(crate) fn has_version(&self) -> bool {
        self.has_version
    }
}

/// Where the payload is, for messages.
fn payload_path(envelope: &Envelope) -> String {
    match &envelope.data {
        _ if envelope.is_base() => event::DATA.to_owned(),
        Data::Rest => String::new(),
        Data::At(paths) => paths_text(paths),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(fields: &str) -> Plan {
        let text = format!("[domain.card.events.sale.fields]\n{fields}");
        Plan::new(&Catalog::from_toml(&[("x.toml", &text)]).unwrap())
    }

    #[test]
    fn nested_objects_take_consecutive_columns() {
        let plan = plan(
            "id = 'string'\n\
             merchant = { fields = { name = 'string', address = { fields = { city = 'string' } } } }\nat = 'date'",
        );
        let index = plan.find(b"card", b"sale").unwrap();
        let sale = &plan.named[index].payload.shape;
        let objects: Vec<_> = sale.objects.iter().map(|o| (o.path.as_str(), o.columns.clone())).collect();
        assert_eq!(objects, [("data", 0..4), ("data.merchant", 1..3), ("data.merchant.address", 2..3)]);
        assert_eq!(sale.objects[0].members[1].target, KeyTarget::Object(1));
        assert_eq!(sale.objects[0].members[2].target, KeyTarget::Column(3));
        assert_eq!(plan.find(b"card", b"other"), None);
    }

    #[test]
    fn a_list_of_objects_is_a_column_whose_elements_have_a_shape() {
        let plan = plan(
            "tags = 'list(string)'\n\
             items = { list = { list = { fields = { sku = 'string', price = { fields = { value = 'int32' } } } } } }",
        );
        let sale = &plan.named[0].payload.shape;
        assert_eq!(sale.objects[0].members[0].target, KeyTarget::Column(0));
        assert_eq!(sale.objects[0].members[1].target, KeyTarget::Keyed(0));
        assert_eq!(sale.columns[1].kind.to_string(), "list(list(object))");
        let (column, list) = &sale.keyed[0];
        let shape = list.shape().unwrap();
        let paths: Vec<_> = shape.columns.iter().map(|column| column.path.as_str()).collect();
        assert_eq!((*column, paths), (1, vec![".sku", ".price.value"]));
        assert_eq!(plan.object_paths, ["data", "data.items", "data.items.price"]);
    }
}

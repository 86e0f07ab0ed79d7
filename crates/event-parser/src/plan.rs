//! The catalog → a plan for reading lines: where each key of a payload goes, found without hashing where
//! possible.
//!
//! A [`Shape`] is an object as columns. The payload is one, and so are the objects in a list or a map, whose
//! shape is read and filled in the same way, one by one.
//!
//! The fields of an envelope come first in the shapes of all types: as the members of an object of their own.
//!
//! Types that no catalog names are added while lines are read (`plan/found.rs`).
//!
//! Invariant: a type's shape has the columns of the catalog's flat schema, in its order; an object's columns
//! are consecutive.

mod found;

use std::{fmt, ops::Range, sync::Arc};

use arrow::datatypes::{FieldRef, Fields};
use event_rows::VersionColumns;
use events_core::{
    catalog::{Catalog, EventType, Field, FieldKind, ValueType},
    envelope::{Data, Envelope, paths_text},
    event,
    partition::Layout,
    schema,
};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

pub(crate) use self::found::OfType;
use self::found::{ByFoundName, FoundTypes, OpenPlan};
use crate::{
    envelope::{DataPlan, EnvelopePlan, RECORD},
    fault::Fault,
    framing::Records,
    json,
};

/// Names are few and come from the catalog, so a fast hash without a seed is enough.
pub(crate) type ByName<T> = HashMap<Box<[u8]>, T, FixedState>;

/// A catalog, compiled for reading lines.
#[derive(Debug)]
pub struct Plan {
    /// The event types that the catalog names.
    pub(crate) named: Vec<TypePlan>,
    found: FoundTypes,
    /// By [`ObjectPlan::id`]: the path of an object in the event, with dots; elements of lists without their
    /// index, values of maps without their key.
    pub(crate) object_paths: Vec<String>,
    /// `None`: the base contract.
    pub(crate) envelope: Option<EnvelopePlan>,
    by_domain: ByName<ByName<usize>>,
    records: Arc<Records>,
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
    has_version: bool,
    /// The fields of its version in the flat and in the nested form.
    flat_version: VersionColumns,
    nested_version: VersionColumns,
}

/// The keys of a record that are read: by the envelope, as the payload, or both.
#[derive(Debug)]
pub(crate) struct RestPlan {
    pub(crate) members: Vec<RestMember>,
    by_name: ByName<usize>,
}

/// A key of such a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestMember {
    /// Its capture.
    pub(crate) key: Option<usize>,
    /// Its member in the payload's root.
    pub(crate) member: Option<usize>,
}

/// An object as columns. Paths in it begin at its root: with `data` in the payload, with nothing in an
/// element or where the payload is the rest of the record.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) columns: Vec<ColumnPlan>,
    /// The objects that it consists of.
    pub(crate) objects: Vec<ObjectPlan>,
    /// The object that it is; those before it are of the envelope.
    pub(crate) root: usize,
    /// The required ones of them, and the columns that must have a value.
    pub(crate) required_objects: Vec<usize>,
    pub(crate) required_columns: Vec<usize>,
    /// The columns in whose values keys are read, with what they are: lists of objects, and maps.
    pub(crate) keyed: Vec<(usize, KindPlan)>,
    /// Its members in the nested schema.
    pub(crate) fields: Fields,
    /// The envelope's fields there.
    pub(crate) envelope_fields: Fields,
    /// Whether its last column is the text of all of the payload, no key of which is read.
    pub(crate) is_json: bool,
}

/// A column of a shape.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    /// `data.merchant.name`; in an element `.merchant.name`.
    pub(crate) path: String,
    pub(crate) required: bool,
    pub(crate) kind: KindPlan,
}

/// The type of a column, of the elements of a list, or of the values of a map.
#[derive(Debug, Clone)]
pub(crate) enum KindPlan {
    Value(ValueType),
    List(Arc<ListPlan>),
    Map(Arc<MapPlan>),
    /// In lists and maps only: other objects have columns of their own.
    Object(Arc<Shape>),
}

/// A list.
#[derive(Debug)]
pub(crate) struct ListPlan {
    pub(crate) element: KindPlan,
    pub(crate) element_field: FieldRef,
}

/// A map.
#[derive(Debug)]
pub(crate) struct MapPlan {
    pub(crate) value: KindPlan,
    pub(crate) entry_field: FieldRef,
}

/// An object of a shape: the keys that are read, and where they go.
#[derive(Debug, Default)]
pub(crate) struct ObjectPlan {
    /// `data.merchant`; in an element `.merchant`.
    pub(crate) path: String,
    /// In front of its members' names.
    pub(crate) prefix: String,
    /// Index into [`Plan::object_paths`].
    pub(crate) id: usize,
    /// The columns of everything in it.
    pub(crate) columns: Range<usize>,
    pub(crate) members: Vec<Member>,
    by_name: ByName<usize>,
}

/// A key that is read.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Box<str>,
    pub(crate) target: KeyTarget,
}

/// Where a key's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyTarget {
    /// Index into [`Shape::columns`].
    Column(usize),
    /// Index into [`Shape::keyed`].
    Keyed(usize),
    /// Index into [`Shape::objects`].
    Object(usize),
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
            Arc::new(PayloadPlan { index, shape, rest, has_version, flat_version, nested_version })
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
        Self { named, found, object_paths, envelope, by_domain, records }
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

/// Types that were found lately, at indices computed from their names: faster than the maps of a [`Plan`].
#[derive(Debug)]
pub(crate) struct TypesFound {
    places: [Option<usize>; 64],
    /// Those that no catalog names, so that the plan is asked once for each.
    found: ByFoundName,
}

impl TypesFound {
    pub(crate) fn new() -> Self {
        Self { places: [None; 64], found: ByFoundName::default() }
    }

    /// The same as [`Plan::find`]; the plan must always be the same one.
    #[inline]
    pub(crate) fn find(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        let place = place_of(domain, event_type);
        if let Some(index) = self.places[place] {
            let known = plan.event_type(index);
            if json::same(known.name.as_bytes(), event_type) && json::same(known.domain.as_bytes(), domain) {
                return Some(index);
            }
        }
        let found = plan.find_named(domain, event_type).or_else(|| self.find_other(plan, domain, event_type));
        if found.is_some() {
            self.places[place] = found;
        }
        found
    }

    /// The type of an event; one that is not known may be one of an open type.
    pub(crate) fn of_type(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Result<OfType, Fault> {
        match self.find(plan, domain, event_type) {
            Some(index) => Ok(OfType::Known(index)),
            None => plan.open_type_of(domain, event_type).map(OfType::Open),
        }
    }

    #[cold]
    fn find_other(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        let known = self.found.get(domain).and_then(|of_domain| of_domain.get(event_type));
        if known.is_some() {
            return known.copied();
        }
        let index = plan.found.find(domain, event_type)?;
        self.found.entry(domain.into()).or_default().insert(event_type.into(), index);
        Some(index)
    }
}

/// A number below 64 that is rarely the same for names that differ at their ends or in their lengths.
#[inline]
fn place_of(domain: &[u8], event_type: &[u8]) -> usize {
    let end = |text: &[u8]| match text.last_chunk::<8>() {
        Some(&bytes) => u64::from_le_bytes(bytes),
        None => text.last_chunk::<4>().map_or(0, |&bytes| u32::from_le_bytes(bytes).into()),
    };
    let lengths = (event_type.len() << 3) ^ domain.len();
    let mixed =
        (end(event_type) ^ end(domain).rotate_left(17) ^ lengths as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 58) as usize
}

/// Where the payload is, for messages.
fn payload_path(envelope: &Envelope) -> String {
    match &envelope.data {
        _ if envelope.is_base() => event::DATA.to_owned(),
        Data::Rest => String::new(),
        Data::At(paths) => paths_text(paths),
    }
}

impl RestPlan {
    fn new(envelope: &EnvelopePlan, payload: &Shape) -> Option<Self> {
        if !matches!(envelope.data, DataPlan::Rest) {
            return None;
        }
        let keys = &envelope.nodes[RECORD].members;
        let root = &payload.objects[payload.root];
        let mut members: Vec<_> = keys
            .iter()
            .map(|&key| (&envelope.keys[key].name, RestMember { key: Some(key), member: None }))
            .collect();
        for (index, Member { name, .. }) in root.members.iter().enumerate() {
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.member = Some(index),
                None => members.push((name, RestMember { key: None, member: Some(index) })),
            }
        }
        let by_name =
            members.iter().enumerate().map(|(index, (name, _))| (name.as_bytes().into(), index)).collect();
        Some(Self { members: members.into_iter().map(|(_, member)| member).collect(), by_name })
    }

    /// The index of the member with this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

impl Shape {
    fn empty(fields: &[Field]) -> Self {
        Self {
            columns: Vec::new(),
            objects: Vec::new(),
            root: 0,
            required_objects: Vec::new(),
            required_columns: Vec::new(),
            keyed: Vec::new(),
            fields: schema::members(fields),
            envelope_fields: Fields::empty(),
            is_json: false,
        }
    }

    /// The shape of the elements of a list, whose path in the event is `event_path`.
    fn of_element(event_path: &str, fields: &[Field], object_paths: &mut Vec<String>) -> Self {
        let mut shape = Self::empty(fields);
        shape.add_object(("", "."), event_path, fields, object_paths);
        shape
    }

    /// The shape of an event type: the envelope's fields, and the payload at `root`.
    fn of_event(event_type: &EventType, root: &str, object_paths: &mut Vec<String>) -> Self {
        let mut shape = Self::empty(&event_type.fields);
        if !event_type.envelope_fields.is_empty() {
            shape.add_object(("", ""), "", &event_type.envelope_fields, object_paths);
            shape.envelope_fields = schema::members(&event_type.envelope_fields);
        }
        let prefix = if root.is_empty() { String::new() } else { format!("{root}.") };
        shape.root = shape.add_object((root, &prefix), root, &event_type.fields, object_paths);
        if event_type.is_json {
            let kind = KindPlan::Value(ValueType::Json);
            shape.add_column(ColumnPlan { path: root.to_owned(), required: false, kind });
            shape.is_json = true;
        }
        shape
    }

    /// The shape of the envelope's fields alone.
    pub(crate) fn of_record(fields: &[Field]) -> Self {
        let mut shape = Self::empty(fields);
        shape.add_object(("", ""), "", fields, &mut Vec::new());
        shape
    }

    /// Adds an object and everything in it; returns its index. It has a path, and a prefix for its members'.
    fn add_object(
        &mut self,
        (path, prefix): (&str, &str),
        event_path: &str,
        fields: &[Field],
        object_paths: &mut Vec<String>,
    ) -> usize {
        let (index, first_column) = (self.objects.len(), self.columns.len());
        let id = object_paths.len();
        self.objects.push(ObjectPlan::default());
        object_paths.push(event_path.to_owned());
        let mut members = Vec::new();
        for field in fields {
            let path = format!("{prefix}{}", field.name);
            let event_path = schema::member_path(event_path, &field.name);
            let target = if let FieldKind::Object(fields) = &field.kind {
                let inner = format!("{path}.");
                let object = self.add_object((&path, &inner), &event_path, fields, object_paths);
                if field.required {
                    self.required_objects.push(object);
                }
                KeyTarget::Object(object)
            } else {
                let kind = KindPlan::new(&field.kind, &event_path, object_paths);
                self.add_column(ColumnPlan { path, required: field.required, kind })
            };
            members.push(Member { name: field.name.as_str().into(), target });
        }
        let by_name = fields.iter().enumerate().map(|(i, field)| (field.name.as_bytes().into(), i)).collect();
        let columns = first_column..self.columns.len();
        let (path, prefix) = (path.to_owned(), prefix.to_owned());
        self.objects[index] = ObjectPlan { path, prefix, id, columns, members, by_name };
        index
    }

    fn add_column(&mut self, column: ColumnPlan) -> KeyTarget {
        let index = self.columns.len();
        let target = if column.kind.has_keys() {
            self.keyed.push((index, column.kind.clone()));
            KeyTarget::Keyed(self.keyed.len() - 1)
        } else {
            KeyTarget::Column(index)
        };
        if column.required {
            self.required_columns.push(index);
        }
        self.columns.push(column);
        target
    }
}

impl KindPlan {
    fn new(kind: &FieldKind, event_path: &str, object_paths: &mut Vec<String>) -> Self {
        match kind {
            FieldKind::Value(value_type) => Self::Value(*value_type),
            FieldKind::Object(fields) => {
                Self::Object(Arc::new(Shape::of_element(event_path, fields, object_paths)))
            }
            FieldKind::List(element) => Self::List(Arc::new(ListPlan {
                element: Self::new(element, event_path, object_paths),
                element_field: Arc::new(schema::element_field(element)),
            })),
            FieldKind::Map(value) => Self::Map(Arc::new(MapPlan {
                value: Self::new(value, event_path, object_paths),
                entry_field: Arc::new(schema::entry_field(value)),
            })),
        }
    }

    /// The shape of the objects in it, through all lists and maps.
    pub(crate) fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Value(_) => None,
            Self::List(list) => list.element.shape(),
            Self::Map(map) => map.value.shape(),
            Self::Object(shape) => Some(shape),
        }
    }

    /// Whether keys in it are read, or must be different.
    fn has_keys(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::List(list) => list.element.has_keys(),
            Self::Map(_) | Self::Object(_) => true,
        }
    }
}

/// As a catalog writes it.
impl fmt::Display for KindPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value_type) => value_type.fmt(f),
            Self::List(list) => write!(f, "list({})", list.element),
            Self::Map(map) => write!(f, "map({})", map.value),
            Self::Object(_) => f.write_str("object"),
        }
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

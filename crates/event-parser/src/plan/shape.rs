//! The fields of a payload → its shape: the columns, and where each key goes.
//!
//! A [`Shape`] is an object as columns. The payload is one, and so are the objects in a list or a map, whose
//! shape is read and filled in the same way, one by one.
//!
//! The fields of an envelope come first in the shapes of all types: as the members of an object of their own.
//!
//! Invariant: a type's shape has the columns of the catalog's flat schema, in its order; an object's columns
//! are consecutive.

use std::{fmt, ops::Range, sync::Arc};

use arrow::datatypes::{FieldRef, Fields};
use events_core::{
    catalog::{EventType, Field, FieldKind, ValueType},
    schema,
};

use super::ByName;

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
    /// Index into [`super::Plan::object_paths`].
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
    pub(super) fn of_event(event_type: &EventType, root: &str, object_paths: &mut Vec<String>) -> Self {
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
    pub(super) fn new(kind: &FieldKind, event_path: &str, object_paths: &mut Vec<String>) -> Self {
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

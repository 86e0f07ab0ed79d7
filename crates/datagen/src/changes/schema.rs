//! The plan of all changes → each type's fields at each event, and the columns of its table at the end.
//!
//! Invariant: columns are in the order in which fields are there for the first time, those of a type that was
//! split as they were in it. A column's type is the least that has all values of the field in this table; a
//! text, if no other has.

use events_core::catalog::{Field, FieldKind, ValueType};

use super::{
    plan::{FieldId, NodeId, Plan, What},
    shape::Shape,
};
use crate::worlds::table::Table;

/// A type of events, and its table.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) table: Table,
    /// The event from which on it is two other types.
    pub(super) split: Option<(u64, [NodeId; 2])>,
    /// The first begins before all events.
    versions: Vec<Version>,
    pub(super) columns: Vec<Column>,
}

/// The fields of a type's events, from an event on.
#[derive(Debug, Clone, Default)]
struct Version {
    from: u64,
    /// In the order of the columns.
    fields: Vec<Live>,
}

/// A field as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    pub(super) field: FieldId,
    pub(super) shape: Shape,
    /// The event from which on it has this shape.
    pub(super) since: u64,
}

/// A field of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) field: FieldId,
    pub(super) kind: FieldKind,
}

impl Node {
    fn new(table: Table) -> Self {
        Self { table, split: None, versions: vec![Version::default()], columns: Vec::new() }
    }

    /// The fields of an event.
    pub(super) fn fields(&self, event: u64) -> &[Live] {
        let version = self.versions.partition_point(|version| version.from <= event);
        &self.versions[version - 1].fields
    }

    fn latest(&self) -> Vec<Live> {
        self.versions.last().map(|version| version.fields.clone()).unwrap_or_default()
    }

    /// Has a field from an event on.
    fn add(&mut self, event: u64, live: Live) {
        self.columns.push(Column { field: live.field, kind: live.shape.kind() });
        let mut fields = self.latest();
        fields.push(live);
        self.begin(event, fields);
    }

    fn drop(&mut self, event: u64, field: FieldId) {
        let mut fields = self.latest();
        fields.retain(|live| live.field != field);
        self.begin(event, fields);
    }

    fn turn(&mut self, event: u64, field: FieldId, shape: Shape) {
        let mut fields = self.latest();
        for live in fields.iter_mut().filter(|live| live.field == field) {
            (live.shape, live.since) = (shape, event);
        }
        for column in self.columns.iter_mut().filter(|column| column.field == field) {
            let text = FieldKind::Value(ValueType::String);
            column.kind = column.kind.join(&shape.kind()).unwrap_or(text);
        }
        self.begin(event, fields);
    }

    fn begin(&mut self, from: u64, fields: Vec<Live>) {
        match self.versions.last_mut().filter(|last| last.from == from) {
            Some(last) => last.fields = fields,
            None => self.versions.push(Version { from, fields }),
        }
    }

    /// One of the types that this one is split into.
    fn split(&self, event: u64, letter: char) -> Self {
        let Table { domain, event_type, fields, own_fields } = &self.table;
        let event_type = format!("{event_type}-{letter}");
        let mut node = Self::new(Table {
            domain: domain.clone(),
            event_type,
            fields: fields.clone(),
            own_fields: *own_fields,
        });
        for live in self.latest() {
            node.add(event, live);
        }
        node
    }
}

/// Applies a plan to the tables of a world.
pub(super) fn nodes(tables: Vec<Table>, plan: &Plan) -> Vec<Node> {
    let mut nodes: Vec<_> = tables.into_iter().map(Node::new).collect();
    for (node, fields) in nodes.iter_mut().zip(&plan.first_fields) {
        for &(field, shape) in fields {
            node.add(0, Live { field, shape, since: 0 });
        }
    }
    for planned in &plan.changes {
        let (event, node) = (planned.event, planned.node);
        match planned.what {
            What::Added(field, shape) => nodes[node].add(event, Live { field, shape, since: event }),
            What::Dropped(field) => nodes[node].drop(event, field),
            What::Turned(field, _, shape) => nodes[node].turn(event, field, shape),
            What::Split(into) => {
                let made = ['a', 'b'].map(|letter| nodes[node].split(event, letter));
                nodes.extend(made);
                nodes[node].split = Some((event, into));
            }
        }
    }
    for node in &mut nodes {
        let field = |column: &Column| Field {
            name: field_name(column.field),
            column: None,
            description: None,
            required: false,
            kind: column.kind.clone(),
        };
        node.table.fields.extend(node.columns.iter().map(field));
    }
    nodes
}

/// The key of a field in the payload.
pub(super) fn field_name(field: FieldId) -> String {
    format!("field_{}", field + 1)
}

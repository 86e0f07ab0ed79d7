//! What is new in the tables of a catalog file → fields as a draft has them, with the types that they use.
//!
//! Invariant: each field has a column of its own, in each event type that gets it.

use std::collections::{BTreeMap, HashMap, HashSet};

use events_core::catalog::{
    Catalog, Container,
    document::{FieldNode, KeyPath, KindNode, Leaf, Outline, TableNode},
};

use super::{assign::type_names, domain::Override, retype::Retype, users::columns_of, walk::Added};
use crate::commands::catalog::{
    draft::{
        FieldDraft, KindDraft, ObjectType, Said,
        fields::{Drafter, Within},
        names::{give_columns_beside, is_safe_member},
        shapes::Shapes,
        types::Types,
    },
    observe::TypeName,
};

/// Fields that are new.
pub(super) struct Drafts {
    /// By the path of the table that they are added to.
    pub(super) by_table: BTreeMap<KeyPath, Vec<FieldDraft>>,
    /// By the same: what has the table, in words.
    pub(super) labels: BTreeMap<KeyPath, String>,
    /// Types with a name that the fields use.
    pub(super) types: Vec<ObjectType>,
    /// What can't be a field, in words.
    pub(super) left_out: Vec<String>,
}

impl Drafts {
    /// Drafts what was added to a file; `come` are the columns that come otherwise, each with its domain.
    pub(super) fn of(
        added: &BTreeMap<KeyPath, Added>,
        (catalog, come): (&Catalog, &[(String, String)]),
        outline: &Outline,
    ) -> Self {
        let mut shapes = Shapes::default();
        let inner: Vec<_> = added.values().map(|added| vec![shapes.add_payload(&added.objects)]).collect();
        let types = Types::of(shapes, &inner, type_names(outline).into_iter().collect());
        let drafter = Drafter::new(&types, added.values().map(|added| &added.objects));
        let mut columns: HashMap<TypeName, HashSet<String>> = HashMap::new();
        let (mut by_table, mut labels, mut left_out) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for ((path, added), inner) in added.iter().zip(&inner) {
            let mut fields = drafter.fields_of(&added.objects, &inner[0], added.within);
            let label = label_of(added);
            if added.within == Within::Type {
                let mut members = added.members.clone();
                fields.retain(|field| {
                    let is_free = is_safe_member(&field.name) && members.insert(field.name.to_lowercase());
                    if !is_free {
                        left_out.push(format!("{label}.{}: its name can't be that of a column", field.name));
                    }
                    is_free
                });
            } else {
                let mut known: HashSet<String> = HashSet::new();
                for user in &added.users {
                    let of_user =
                        columns.entry(user.clone()).or_insert_with(|| columns_of(catalog, outline, user));
                    known.extend(of_user.iter().cloned());
                    known.extend(
                        come.iter().filter(|(domain, _)| *domain == user.0).map(|(_, name)| name.clone()),
                    );
                }
                let members = added.members.iter().cloned().collect();
                give_columns_beside(&mut fields, added.parent.as_deref(), (&mut known, members), &types);
                for user in &added.users {
                    columns.entry(user.clone()).or_default().extend(known.iter().cloned());
                }
            }
            labels.insert(path.clone(), label);
            if !fields.is_empty() {
                by_table.insert(path.clone(), fields);
            }
        }
        Self { by_table, labels, types: drafter.named_types(), left_out }
    }
}

/// The event type or domain, or the type with a name, and the path of the object.
fn label_of(added: &Added) -> String {
    let mut users = added.users.iter().filter(|_| added.within == Within::Event);
    match (users.next(), users.next()) {
        (Some((domain, name)), None) => format!("{domain}/{name} {}", added.at),
        (Some((domain, _)), Some(_)) => format!("{domain}/* {}", added.at),
        (None, _) => added.at.clone(),
    }
}

/// The field that takes the place of a shared one.
pub(super) fn draft_override(of_type: &Override, new: &BTreeMap<KeyPath, Vec<FieldDraft>>) -> FieldDraft {
    let mut field = draft_field(&of_type.field, of_type, new);
    field.comment = of_type.comment();
    field
}

fn draft_field(
    field: &FieldNode,
    of_type: &Override,
    new: &BTreeMap<KeyPath, Vec<FieldDraft>>,
) -> FieldDraft {
    let required = field.required && !of_type.is_optional;
    let (KindNode::Text { path, .. } | KindNode::Object(path, _) | KindNode::Container(path, ..)) =
        &field.kind;
    let retyped = of_type.retypes.iter().find(|retype| retype.path == *path);
    let column = retyped.and_then(|retype| retype.column.clone());
    FieldDraft {
        name: field.name.clone(),
        column: column.or_else(|| field.column.clone()),
        kind: draft_kind(&field.kind, of_type, new),
        said: Said { required, description: field.description.clone() },
        comment: String::new(),
        alternative: None,
    }
}

fn draft_kind(kind: &KindNode, of_type: &Override, new: &BTreeMap<KeyPath, Vec<FieldDraft>>) -> KindDraft {
    let retyped = |path: &KeyPath| of_type.retypes.iter().find(|retype| retype.path == *path);
    match kind {
        KindNode::Text { path, containers, leaf } => retyped(path).map_or_else(
            || {
                let innermost = match leaf {
                    Leaf::Value(value_type) => KindDraft::Value(*value_type),
                    Leaf::Named(name) => KindDraft::Named(name.clone()),
                };
                around(containers, innermost)
            },
            changed,
        ),
        KindNode::Object(path, table) => {
            retyped(path).map_or_else(|| KindDraft::Object(draft_table(table, of_type, new)), changed)
        }
        KindNode::Container(path, container, inner) => {
            retyped(path).map_or_else(|| around(&[*container], draft_kind(inner, of_type, new)), changed)
        }
    }
}

fn draft_table(
    table: &TableNode,
    of_type: &Override,
    new: &BTreeMap<KeyPath, Vec<FieldDraft>>,
) -> Vec<FieldDraft> {
    let known = table.fields.iter().map(|field| draft_field(field, of_type, new));
    known.chain(new.get(&table.path).into_iter().flatten().cloned()).collect()
}

fn changed(retype: &Retype) -> KindDraft {
    around(&retype.around, KindDraft::Value(retype.to))
}

fn around(containers: &[Container], innermost: KindDraft) -> KindDraft {
    containers.iter().rev().fold(innermost, |inner, container| match container {
        Container::List => KindDraft::List(Box::new(inner)),
        Container::Map => KindDraft::Map(Box::new(inner)),
    })
}

/// How many types are within a type, one in the other.
pub(super) fn height(outline: &Outline, name: &str) -> usize {
    let table = outline.types.iter().find(|(known, _)| known == name).map(|(_, table)| table);
    table.map_or(0, |table| 1 + height_of_table(outline, table))
}

fn height_of_table(outline: &Outline, table: &TableNode) -> usize {
    table.fields.iter().map(|field| height_of_kind(outline, &field.kind)).max().unwrap_or(0)
}

fn height_of_kind(outline: &Outline, kind: &KindNode) -> usize {
    match kind {
        KindNode::Text { leaf: Leaf::Named(name), .. } => height(outline, name),
        KindNode::Text { .. } => 0,
        KindNode::Object(_, table) => height_of_table(outline, table),
        KindNode::Container(_, _, inner) => height_of_kind(outline, inner),
    }
}

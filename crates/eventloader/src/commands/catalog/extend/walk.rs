//! The fields of a catalog file, and what was seen of them → the types that have to be others, and the fields
//! that are new.
//!
//! What was seen of a type with a name is put together, wherever it is used, and walked last.
//!
//! Invariant: the type of a field is changed once, by all that was seen of it.

use std::collections::{BTreeMap, BTreeSet};

use events_core::catalog::{
    Container, ValueType,
    document::{FieldNode, KeyPath, KindNode, Leaf, TableNode},
};

use super::{
    retype::{Retype, within},
    widen::{Need, need},
};
use crate::commands::catalog::{
    decide,
    draft::fields::Within,
    evidence::{Evidence, Member, Objects},
    observe::TypeName,
    texts::shown,
};

/// So many new keys of one object may be data.
const DATA_KEYS_MIN: usize = 8;

/// What is new in a table of fields.
#[derive(Debug)]
pub(super) struct Added {
    pub(super) objects: Objects,
    /// The path of the object in an event, or the name of its type.
    pub(super) at: String,
    /// The beginning of the names of its columns, if it has any.
    pub(super) parent: Option<String>,
    pub(super) within: Within,
    /// The names of the other fields, in lower case.
    pub(super) members: BTreeSet<String>,
    /// The event types whose tables get it.
    pub(super) users: BTreeSet<TypeName>,
}

/// The place of a field.
#[derive(Debug, Clone)]
pub(super) struct At {
    /// The path in an event.
    pub(super) field: String,
    pub(super) parent: Option<String>,
    pub(super) within: Within,
    pub(super) user: TypeName,
    /// The fields of the version.
    pub(super) version: Vec<String>,
}

/// What was seen of a type with a name.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) objects: Objects,
    pub(super) users: BTreeSet<TypeName>,
}

/// A walk through one file.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) named: BTreeMap<String, Named>,
    /// By the path of the table.
    pub(super) added: BTreeMap<KeyPath, Added>,
    /// What was kept though a draft would have another type, and what was left out.
    pub(super) kept: Vec<String>,
}

impl At {
    fn within(&self, field: &FieldNode) -> Self {
        let natural = || match self.parent.as_deref()? {
            "" => Some(field.name.clone()),
            parent => Some(format!("{parent}_{}", field.name)),
        };
        let parent = self.parent.as_ref().and_then(|_| field.column.clone().or_else(natural));
        Self { field: format!("{}.{}", self.field, field.name), parent, ..self.clone() }
    }

    /// In a list or a map, where fields have no columns.
    fn inside(&self) -> Self {
        Self { parent: None, ..self.clone() }
    }

    pub(super) fn label(&self) -> String {
        let (domain, name) = &self.user;
        if domain.is_empty() { self.field.clone() } else { format!("{domain}/{name} {}", self.field) }
    }

    fn is_version(&self) -> bool {
        self.field.split_once('.').is_some_and(|(_, field)| self.version.iter().any(|name| name == field))
    }
}

impl Walk {
    /// Walks a field of an object.
    pub(super) fn field(&mut self, field: &FieldNode, member: &Member, at: &At, out: &mut Vec<Retype>) {
        self.kind(&field.kind, &member.name, &member.evidence, &at.within(field), out);
    }

    fn kind(&mut self, kind: &KindNode, name: &[u8], evidence: &Evidence, at: &At, out: &mut Vec<Retype>) {
        if evidence.values() == 0 {
            return;
        }
        match kind {
            KindNode::Text { path, containers, leaf } => {
                let Some((depth, to)) = self.named_type((containers, 0), leaf, name, evidence, at) else {
                    return;
                };
                let was = within(containers, &leaf_name(leaf));
                let is_object = matches!(leaf, Leaf::Named(_)) && containers.is_empty();
                let new_column = at.parent.clone().filter(|_| is_object);
                let around = containers[..depth].to_vec();
                out.push(Retype { around, to, new_column, ..Retype::to_string(path, was, at) });
            }
            KindNode::Object(path, table) => match only_objects(evidence) {
                Some(objects) => self.table(table, name, objects, at, out),
                None => out.extend(becomes_string(path, "object", evidence, at)),
            },
            KindNode::Container(path, container, inner) => {
                let (lists, objects) = (only_lists(evidence), only_objects(evidence));
                match (container, lists, objects) {
                    (Container::List, Some(elements), _) => {
                        self.kind(inner, name, elements, &at.inside(), out);
                    }
                    (Container::Map, _, Some(objects)) => {
                        self.kind(inner, name, &objects.values(), &at.inside(), out);
                    }
                    _ => out.extend(becomes_string(path, &container.to_string(), evidence, at)),
                }
            }
        }
    }

    /// The lists and maps around a type's name that stay, and the type that has to be in them.
    fn named_type(
        &mut self,
        (containers, depth): (&[Container], usize),
        leaf: &Leaf,
        name: &[u8],
        evidence: &Evidence,
        at: &At,
    ) -> Option<(usize, ValueType)> {
        if evidence.values() == 0 {
            return None;
        }
        let string = (evidence.too_deep == 0).then_some((depth, ValueType::String));
        let inside = (containers, depth + 1);
        match (containers.get(depth), leaf) {
            (Some(Container::List), _) => match only_lists(evidence) {
                Some(elements) => self.named_type(inside, leaf, name, elements, &at.inside()),
                None => string,
            },
            (Some(Container::Map), _) => match only_objects(evidence) {
                Some(objects) => self.named_type(inside, leaf, name, &objects.values(), &at.inside()),
                None => string,
            },
            (None, Leaf::Named(named)) => {
                let Some(objects) = only_objects(evidence) else { return string };
                let seen = self.named.entry(named.clone()).or_default();
                seen.objects.merge(objects.clone(), usize::MAX);
                seen.users.insert(at.user.clone());
                None
            }
            (None, Leaf::Value(from)) => self.value(*from, name, evidence, at).map(|to| (depth, to)),
        }
    }

    fn value(&mut self, from: ValueType, name: &[u8], evidence: &Evidence, at: &At) -> Option<ValueType> {
        match need(name, from, evidence) {
            Need::Kept => None,
            Need::KeptBeside(drafted) => {
                self.kept.push(format!("{} stays {from}; a draft would have {drafted}", at.label()));
                None
            }
            // Numbers compare as before; anything else would change what the latest version is.
            Need::Wider(to) if at.is_version() && to.digits().is_none() => {
                let label = at.label();
                self.kept.push(format!(
                    "{label} stays {from}, because it is a version; {to} would take all values"
                ));
                None
            }
            Need::Wider(to) => Some(to),
        }
    }

    /// Walks the fields of objects.
    pub(super) fn table(
        &mut self,
        table: &TableNode,
        name: &[u8],
        objects: &Objects,
        at: &At,
        out: &mut Vec<Retype>,
    ) {
        if objects.has_too_many_keys() {
            self.kept
                .push(format!("{} has too many keys to be told apart: it was not looked at", at.label()));
            return;
        }
        let mut new = Vec::new();
        for member in objects.ordered() {
            match field_of(table, &member.name) {
                Some(field) => self.field(field, member, at, out),
                None => new.push(member),
            }
        }
        if new.len() >= DATA_KEYS_MIN && decide::are_keys_data(name, objects) {
            let example = shown(&new[0].name);
            let (label, new) = (at.label(), new.len());
            self.kept
                .push(format!("{label} has {new} other keys, like {example:?}: they are data, no fields"));
            return;
        }
        let members = table.fields.iter().map(|field| member_name(field).to_lowercase()).collect();
        self.add(&table.path, &new, objects.count, members, at);
    }

    /// Adds new members to a table.
    pub(super) fn add(
        &mut self,
        path: &KeyPath,
        new: &[&Member],
        objects: u64,
        members: BTreeSet<String>,
        at: &At,
    ) {
        let (nulls, new): (Vec<&Member>, Vec<&Member>) =
            new.iter().copied().partition(|member| member.evidence.values() == 0);
        for member in nulls {
            let name = shown(&member.name);
            self.kept
                .push(format!("{}.{name} is always null: it is no field until it has a value", at.label()));
        }
        if new.is_empty() {
            return;
        }
        let added = self.added.entry(path.clone()).or_insert_with(|| Added {
            objects: Objects::default(),
            at: at.field.clone(),
            parent: at.parent.clone(),
            within: at.within,
            members: BTreeSet::new(),
            users: BTreeSet::new(),
        });
        added.objects.count += objects;
        for member in new {
            if let Some(index) = added.objects.find_or_add(&member.name, usize::MAX) {
                added.objects.members[index].merge(member.clone());
            }
        }
        added.members.extend(members);
        added.users.insert(at.user.clone());
    }
}

/// The field of this name.
pub(super) fn field_of<'n>(table: &'n TableNode, name: &[u8]) -> Option<&'n FieldNode> {
    let name = String::from_utf8_lossy(name);
    table.fields.iter().find(|field| field.name == name)
}

/// The name of a field in its object.
pub(super) fn member_name(field: &FieldNode) -> &str {
    field.column.as_deref().unwrap_or(&field.name)
}

fn only_objects(evidence: &Evidence) -> Option<&Objects> {
    evidence.objects.as_deref().filter(|objects| objects.count == evidence.values())
}

fn only_lists(evidence: &Evidence) -> Option<&Evidence> {
    let lists = evidence.lists.as_deref().filter(|lists| lists.count == evidence.values());
    lists.map(|lists| &lists.elements)
}

/// What is neither an object nor a list any more; what is nested too deep was not looked at.
fn becomes_string(path: &KeyPath, was: &str, evidence: &Evidence, at: &At) -> Option<Retype> {
    let new_column = at.parent.clone().filter(|_| was == "object");
    (evidence.too_deep == 0).then(|| Retype { new_column, ..Retype::to_string(path, was.to_owned(), at) })
}

fn leaf_name(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Value(value_type) => value_type.to_string(),
        Leaf::Named(name) => name.clone(),
    }
}

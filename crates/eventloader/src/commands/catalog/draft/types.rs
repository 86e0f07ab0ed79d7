//! Shapes → the object types of a draft: those that are used in several places get a name.
//!
//! A name must be worth it: it takes the place of [`LINES_SAVED_MIN`] lines at least. Where it is used within
//! another type with a name, it counts once.
//!
//! A `column` is the whole name of a column, so a type that is used twice can't have one. Where an object has
//! keys that can't be part of a column's name (`+1`), it is `json` within a type, if that saves very many
//! lines.
//!
//! Invariant: no two types have the same name, ignoring case, and each name is one that a catalog allows.
//! Every field of a type with a name has a column whose name follows from its path.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use super::{
    super::decide::{self, DecidedKind},
    names::{is_safe_member, type_name},
    shapes::{Inner, ShapeId, Shapes},
};

/// Fewer lines are not worth a name.
const LINES_SAVED_MIN: usize = 12;
/// So many, if objects in it become `json`.
const LINES_SAVED_BY_JSON_MIN: usize = 100;
/// Types with more columns get no name.
const COLUMNS_MAX: usize = 5_000;

/// The types with a name.
#[derive(Debug, Default)]
pub(super) struct Types {
    pub(super) shapes: Shapes,
    names: BTreeMap<ShapeId, String>,
    /// By name: what the names of the columns end in, after that of the field.
    pub(super) columns: HashMap<String, Vec<String>>,
}

/// The payloads of the event types of one domain.
pub(super) type DomainInner = Vec<Inner>;

impl Types {
    /// Names the shapes of these domains that are worth it.
    pub(super) fn of(shapes: Shapes, domains: &[DomainInner]) -> Self {
        let mut uses = uses(&shapes, domains);
        let mut types = Self { shapes, ..Self::default() };
        let mut taken = HashSet::new();
        for id in types.outer_first() {
            let times = uses.get(&id).copied().unwrap_or_default();
            let columns = types.columns_of(id).filter(|columns| {
                let saved = times.saturating_sub(1) * types.lines(id);
                saved >= if columns.have_json { LINES_SAVED_BY_JSON_MIN } else { LINES_SAVED_MIN }
            });
            let is_named = columns.is_some();
            if let Some(columns) = columns {
                let name = type_name(most_frequent(&types.shapes.get(id).keys), &mut taken);
                types.columns.insert(name.clone(), columns.names);
                types.names.insert(id, name);
            }
            for inner in types.shapes.get(id).inner.values() {
                *uses.entry(types.shapes.current(*inner)).or_default() += if is_named { 1 } else { times };
            }
        }
        types
    }

    /// The name of the type that takes these objects.
    pub(super) fn name_of(&self, id: ShapeId) -> Option<&str> {
        self.names.get(&self.shapes.current(id)).map(String::as_str)
    }

    /// The types with a name, ordered by it.
    pub(super) fn named(&self) -> Vec<(&str, ShapeId)> {
        let mut named: Vec<_> = self.names.iter().map(|(id, name)| (name.as_str(), *id)).collect();
        named.sort_unstable();
        named
    }

    /// All shapes, each before those within it.
    fn outer_first(&self) -> Vec<ShapeId> {
        let mut heights = HashMap::new();
        let mut ids: Vec<_> = self.shapes.ids().collect();
        ids.sort_by_key(|&id| (Reverse(self.height(id, &mut heights)), id));
        ids
    }

    fn height(&self, id: ShapeId, heights: &mut HashMap<ShapeId, usize>) -> usize {
        let id = self.shapes.current(id);
        if let Some(&height) = heights.get(&id) {
            return height;
        }
        let inner: Vec<_> = self.shapes.get(id).inner.values().copied().collect();
        let height = inner.into_iter().map(|inner| 1 + self.height(inner, heights)).max().unwrap_or(0);
        heights.insert(id, height);
        height
    }

    /// The lines that the fields of a shape take, spelt out.
    fn lines(&self, id: ShapeId) -> usize {
        let shape = self.shapes.get(id);
        let lines = |name: &[u8]| shape.inner.get(name).map_or(1, |&inner| self.lines(inner));
        shape.objects.members.iter().map(|member| lines(&member.name)).sum()
    }

    /// Whether the columns of a shape can have names that follow from their paths.
    pub(super) fn has_columns(&self, id: ShapeId) -> bool {
        self.columns_of(id).is_some()
    }

    /// The columns of a shape; `None` if their names can't follow from their paths.
    fn columns_of(&self, id: ShapeId) -> Option<Columns> {
        let shape = self.shapes.get(id);
        let (mut columns, mut members) = (Columns::default(), HashSet::new());
        for member in &shape.objects.members {
            let name = std::str::from_utf8(&member.name).ok().filter(|name| is_safe_member(name))?;
            if !members.insert(name.to_lowercase()) {
                return None;
            }
            let is_flat = decide::decide(&member.name, &member.evidence).kind == DecidedKind::Object;
            let inner =
                shape.inner.get(&member.name).filter(|_| is_flat).map(|&inner| self.columns_of(inner));
            columns.have_json |= matches!(&inner, Some(None));
            match inner.flatten() {
                Some(inner) => {
                    columns.have_json |= inner.have_json;
                    columns.names.extend(inner.names.into_iter().map(|column| format!("{name}_{column}")));
                }
                None => columns.names.push(name.to_owned()),
            }
        }
        let different: HashSet<_> = columns.names.iter().map(|column| column.to_lowercase()).collect();
        (different.len() == columns.names.len() && columns.names.len() <= COLUMNS_MAX).then_some(columns)
    }
}

/// The columns of a shape.
#[derive(Debug, Default)]
struct Columns {
    /// What their names end in.
    names: Vec<String>,
    /// Whether objects became `json` for it.
    have_json: bool,
}

/// How often the payloads use each shape; a field that all event types of a domain share counts once.
fn uses(shapes: &Shapes, domains: &[DomainInner]) -> HashMap<ShapeId, usize> {
    let mut uses = HashMap::new();
    for payloads in domains {
        let mut by_key: BTreeMap<&[u8], Vec<ShapeId>> = BTreeMap::new();
        for (key, &id) in payloads.iter().flatten() {
            by_key.entry(key).or_default().push(shapes.current(id));
        }
        for ids in by_key.into_values() {
            let is_shared = ids.len() == payloads.len() && ids.iter().all(|id| *id == ids[0]);
            let counted = if is_shared { 1 } else { ids.len() };
            ids[..counted].iter().for_each(|id| *uses.entry(*id).or_default() += 1);
        }
    }
    uses
}

/// The key that most of the objects are behind.
fn most_frequent(keys: &BTreeMap<Box<[u8]>, usize>) -> &[u8] {
    let most = keys.iter().max_by_key(|(key, count)| (**count, Reverse(key.len()), Reverse(key.to_vec())));
    most.map_or(b"object", |(key, _)| key)
}

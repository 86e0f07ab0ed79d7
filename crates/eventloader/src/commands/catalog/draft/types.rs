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
    super::{
        decide::{self, DecidedKind},
        evidence::Member,
    },
    names::{is_safe_member, type_name},
    shapes::{Inner, ShapeId, Shapes},
};

/// Fewer lines are not worth a name.
const LINES_SAVED_MIN: usize = 12;
/// So many, if objects in it become `json`.
const LINES_SAVED_BY_JSON_MIN: usize = 100;
/// Types with more columns get no name.
const COLUMNS_MAX: usize = 2_000;
/// If the fields of all payloads come to more with types, wherever they are used, none gets a name: a catalog
/// would be refused.
const FIELDS_MAX: usize = 200_000;

/// The types with a name.
#[derive(Debug, Default)]
pub(crate) struct Types {
    pub(crate) shapes: Shapes,
    names: BTreeMap<ShapeId, String>,
    sizes: HashMap<ShapeId, Size>,
    /// By name: what the names of the columns end in, after that of the field.
    pub(crate) columns: HashMap<String, Vec<String>>,
}

/// The payloads of the event types of one domain.
pub(crate) type DomainInner = Vec<Inner>;

impl Types {
    /// Names the shapes of these domains that are worth it; `taken` names, in lower case, are those of
    /// others.
    pub(crate) fn of(shapes: Shapes, domains: &[DomainInner], mut taken: HashSet<String>) -> Self {
        let mut uses = uses(&shapes, domains);
        let outer_first = outer_first(&shapes);
        let mut types = Self { shapes, ..Self::default() };
        for &id in outer_first.iter().rev() {
            let size = types.size(id);
            types.sizes.insert(id, size);
        }
        let all = domains.iter().flatten().flat_map(Inner::values);
        let fields = all.map(|&id| types.sizes[&types.shapes.current(id)].fields);
        let may_have_names = fields.fold(0, usize::saturating_add) <= FIELDS_MAX;
        for id in outer_first {
            let times = uses.get(&id).copied().unwrap_or_default();
            let columns = types.sizes[&id].is_worth_a_name(times).then(|| types.columns_of(id));
            let columns = columns.filter(|columns| may_have_names && are_different(columns));
            let is_named = columns.is_some();
            if let Some(columns) = columns {
                let name = type_name(most_frequent(&types.shapes.get(id).keys), &mut taken);
                types.columns.insert(name.clone(), columns);
                types.names.insert(id, name);
            }
            for inner in types.shapes.get(id).inner.values() {
                let uses = uses.entry(types.shapes.current(*inner)).or_default();
                *uses = uses.saturating_add(if is_named { 1 } else { times });
            }
        }
        types
    }

    /// The name of the type that takes these objects.
    pub(crate) fn name_of(&self, id: ShapeId) -> Option<&str> {
        self.names.get(&self.shapes.current(id)).map(String::as_str)
    }

    /// The types with a name, ordered by it.
    pub(crate) fn named(&self) -> Vec<(&str, ShapeId)> {
        let mut named: Vec<_> = self.names.iter().map(|(id, name)| (name.as_str(), *id)).collect();
        named.sort_unstable();
        named
    }

    /// Whether the columns of a shape can have names that follow from their paths.
    pub(crate) fn has_columns(&self, id: ShapeId) -> bool {
        self.sizes[&self.shapes.current(id)].has_columns
    }

    /// The size of a shape; those within it are known.
    fn size(&self, id: ShapeId) -> Size {
        let shape = self.shapes.get(id);
        let mut size = Size { has_columns: true, ..Size::default() };
        let mut members = HashSet::new();
        for member in &shape.objects.members {
            let name = std::str::from_utf8(&member.name).ok().filter(|name| is_safe_member(name));
            size.has_columns &= name.is_some_and(|name| members.insert(name.to_lowercase()));
            let inner = shape.inner.get(&member.name).map(|&inner| self.sizes[&self.shapes.current(inner)]);
            let spelt_out = inner.unwrap_or(Size { lines: 1, ..Size::default() });
            size.lines = size.lines.saturating_add(spelt_out.lines);
            size.fields = size.fields.saturating_add(spelt_out.fields).saturating_add(1);
            match inner.filter(|_| is_object(member)) {
                Some(inner) if inner.has_columns => {
                    size.columns = size.columns.saturating_add(inner.columns);
                    size.have_json |= inner.have_json;
                }
                other => {
                    size.columns = size.columns.saturating_add(1);
                    size.have_json |= other.is_some();
                }
            }
        }
        size.has_columns &= size.columns <= COLUMNS_MAX;
        size
    }

    /// What the names of the columns of a shape end in.
    fn columns_of(&self, id: ShapeId) -> Vec<String> {
        let shape = self.shapes.get(id);
        let mut columns = Vec::new();
        for member in &shape.objects.members {
            let name = String::from_utf8_lossy(&member.name);
            let inner =
                shape.inner.get(&member.name).filter(|&&inner| self.has_columns(inner) && is_object(member));
            match inner {
                Some(&inner) => {
                    let inner = self.columns_of(inner).into_iter();
                    columns.extend(inner.map(|column| format!("{name}_{column}")));
                }
                None => columns.push(name.into_owned()),
            }
        }
        columns
    }
}

/// What a shape comes to with all that is within it. Within each other, few shapes can be very many fields.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    /// The lines that its fields take, spelt out.
    lines: usize,
    fields: usize,
    columns: usize,
    /// Whether the names of its columns can follow from their paths.
    has_columns: bool,
    /// Whether objects in it become `json` for that.
    have_json: bool,
}

impl Size {
    fn is_worth_a_name(self, times: usize) -> bool {
        let saved = times.saturating_sub(1).saturating_mul(self.lines);
        let least = if self.have_json { LINES_SAVED_BY_JSON_MIN } else { LINES_SAVED_MIN };
        self.has_columns && saved >= least
    }
}

/// Whether a member's values are objects with fields.
fn is_object(member: &Member) -> bool {
    decide::decide(&member.name, &member.evidence).kind == DecidedKind::Object
}

fn are_different(columns: &[String]) -> bool {
    let different: HashSet<_> = columns.iter().map(|column| column.to_lowercase()).collect();
    different.len() == columns.len()
}

/// All shapes, each before those within it.
fn outer_first(shapes: &Shapes) -> Vec<ShapeId> {
    let mut heights = HashMap::new();
    let mut ids: Vec<_> = shapes.ids().collect();
    ids.sort_by_key(|&id| (Reverse(height(shapes, id, &mut heights)), id));
    ids
}

fn height(shapes: &Shapes, id: ShapeId, heights: &mut HashMap<ShapeId, usize>) -> usize {
    let id = shapes.current(id);
    if let Some(&height) = heights.get(&id) {
        return height;
    }
    let inner = shapes.get(id).inner.values();
    let height = inner.map(|&inner| 1 + height(shapes, inner, heights)).max().unwrap_or(0);
    heights.insert(id, height);
    height
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

//! Gives directories and columns a name, where that of the event type or field can't be used.
//!
//! Invariant: afterwards no two event types share a directory and no two fields share a column, ignoring
//! case, and the catalog allows every name that was given. No directory has a number: with another order of
//! the types, or one more of them, it would be another one's, and events would be in two places.

use std::collections::{HashMap, HashSet};

use events_core::{
    catalog::{self, Catalog},
    directory_name,
};

use super::{DomainDraft, FieldDraft, KindDraft, ObjectType, types::Types};

/// The longest name that is given, in bytes; a catalog still allows it with a number appended.
const NAME_BYTES_MAX: usize = 90;
/// Of a name that a hash is appended to, this much is kept.
const FRONT_CHARS: usize = 20;

/// Gives a directory to each event type whose name is already taken, or too long for one.
pub(crate) fn give_directories(domains: &mut [DomainDraft], known: &Catalog) {
    let drafted: HashSet<(String, String)> = domains
        .iter()
        .flat_map(|domain| {
            domain.event_types.iter().map(|of_type| (domain.name.clone(), of_type.name.clone()))
        })
        .collect();
    let mut claims: HashMap<String, usize> = HashMap::new();
    for event_type in known.event_types() {
        if !drafted.contains(&(event_type.domain.clone(), event_type.name.clone())) {
            *claims.entry(event_type.directory.to_lowercase()).or_default() += 1;
        }
    }
    for (_, name) in &drafted {
        *claims.entry(name.to_lowercase()).or_default() += 1;
    }
    let mut taken = claims.clone();
    for (domain, name) in &drafted {
        *taken.entry(format!("{domain}.{name}").to_lowercase()).or_default() += 1;
    }
    for domain in domains {
        for event_type in &mut domain.event_types {
            let name = &event_type.name;
            if claims.get(&name.to_lowercase()) == Some(&1) && names_a_directory(name) {
                continue;
            }
            event_type.directory = Some(of_domain_and_type(&domain.name, name, &taken));
        }
    }
}

fn names_a_directory(name: &str) -> bool {
    (1..=directory_name::NAME_BYTES_MAX).contains(&directory_name::as_plain(name).len())
}

/// Gives a column to each field whose path can't be one, or is already taken.
pub(crate) fn give_columns(domain: &mut DomainDraft, types: &Types) {
    let mut names = Names { types: &types.columns, columns: HashSet::new(), members: HashSet::new() };
    for field in &mut domain.shared {
        names.give(field, Some("data"));
    }
    for event_type in &mut domain.event_types {
        let mut names = names.clone();
        for field in &mut event_type.fields {
            names.give(field, Some("data"));
        }
    }
}

/// The same for a type: only fields in its lists and maps need one.
pub(crate) fn give_columns_of_type(of_type: &mut ObjectType, types: &Types) {
    let mut names = Names { types: &types.columns, columns: HashSet::new(), members: HashSet::new() };
    of_type.fields.iter_mut().for_each(|field| names.give(field, Some("data")));
}

/// The same for fields that are added beside others: `columns` are those of the table, to which theirs are
/// added, `members` the names in their object, and `parent` the beginning of their columns' names.
pub(crate) fn give_columns_beside(
    fields: &mut [FieldDraft],
    parent: Option<&str>,
    (columns, members): (&mut HashSet<String>, HashSet<String>),
    types: &Types,
) {
    let mut names = Names { types: &types.columns, columns: std::mem::take(columns), members };
    for field in fields {
        names.give(field, parent);
    }
    *columns = names.columns;
}

/// Names that are taken.
#[derive(Debug, Clone)]
struct Names<'t> {
    /// By the name of a type: what the names of its columns end in.
    types: &'t HashMap<String, Vec<String>>,
    /// Of columns of the flat table.
    columns: HashSet<String>,
    /// Of members of the object.
    members: HashSet<String>,
}

impl Names<'_> {
    /// Gives a field, and all fields in it, a column if needed. `parent` is the beginning of its column's
    /// name; `None` in a list, whose elements have no columns.
    fn give(&mut self, field: &mut FieldDraft, parent: Option<&str>) {
        let natural = parent.map_or_else(|| field.name.clone(), |parent| format!("{parent}_{}", field.name));
        let columns_of = |name: &str| match (parent, &field.kind) {
            (None, _) | (_, KindDraft::Object(_)) => Vec::new(),
            (_, KindDraft::Named(of)) => {
                let ends = self.types.get(of).into_iter().flatten();
                ends.map(|end| format!("{name}_{end}").to_lowercase()).collect()
            }
            _ => vec![name.to_lowercase()],
        };
        let is_taken = self.members.contains(&field.name.to_lowercase())
            || columns_of(&natural).iter().any(|column| self.columns.contains(column));
        if is_taken || !is_safe_member(&field.name) {
            let safe = replaced(&natural, '_', is_safe_character);
            let starts_well = safe.starts_with(|c: char| c.is_alphabetic() || c == '_');
            let safe = if starts_well { safe } else { format!("_{safe}") };
            let is_free = |name: &String| {
                let lower = name.to_lowercase();
                let is_one = self.columns.contains(&lower) || self.members.contains(&lower);
                !is_one && !columns_of(name).iter().any(|column| self.columns.contains(column))
            };
            field.column = numbered(&safe, '_').find(is_free);
        }
        let name = field.column.clone();
        let columns = columns_of(name.as_ref().unwrap_or(&natural));
        self.members.insert(name.as_ref().unwrap_or(&field.name).to_lowercase());
        self.columns.extend(columns);
        let name = name.unwrap_or(natural);
        self.give_within(&mut field.kind, parent.map(|_| name.as_str()));
    }

    fn give_within(&mut self, kind: &mut KindDraft, parent: Option<&str>) {
        match kind {
            KindDraft::Value(_) | KindDraft::Named(_) => {}
            KindDraft::List(inner) | KindDraft::Map(inner) => {
                let (columns, members) = (HashSet::new(), HashSet::new());
                Self { types: self.types, columns, members }.give_within(inner, None);
            }
            KindDraft::Object(fields) => {
                // Columns belong to the table, members to the object.
                let columns = std::mem::take(&mut self.columns);
                let mut inner = Self { types: self.types, columns, members: HashSet::new() };
                for field in fields {
                    inner.give(field, parent);
                }
                self.columns = inner.columns;
            }
        }
    }
}

/// Whether a field's name can be a part of its column's.
pub(crate) fn is_safe_member(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_safe_character)
}

fn is_safe_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_')
}

/// `name` with `by` in place of unsafe characters, cut to the longest length.
fn replaced(name: &str, by: char, is_safe: impl Fn(char) -> bool) -> String {
    let mut safe = String::new();
    for character in name.chars().map(|character| if is_safe(character) { character } else { by }) {
        if safe.len() + character.len_utf8() > NAME_BYTES_MAX {
            break;
        }
        safe.push(character);
    }
    safe
}

/// `name`, and `name` with each number appended.
pub(crate) fn numbered(name: &str, separator: char) -> impl Iterator<Item = String> {
    let numbered = (2..).map(move |number| format!("{name}{separator}{number}"));
    std::iter::once(name.to_owned()).chain(numbered)
}

/// A name for the type of objects behind this key; marks it as taken.
pub(crate) fn type_name(key: &[u8], taken: &mut HashSet<String>) -> String {
    let safe =
        replaced(&String::from_utf8_lossy(key), '_', |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let starts_well = safe.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_builtin = catalog::is_reserved(&safe);
    let safe = if starts_well && !is_builtin { safe } else { format!("object_{safe}") };
    numbered(&safe, '_').find(|name| taken.insert(name.to_lowercase())).unwrap_or_default()
}

/// `domain.type`; where that is no safe name, or could be another type's, with a hash of both.
fn of_domain_and_type(domain: &str, event_type: &str, taken: &HashMap<String, usize>) -> String {
    let both = format!("{domain}.{event_type}");
    let safe = replaced(&both, '-', |c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let is_safe = safe == both && !both.starts_with(['_', '.', '-']);
    if is_safe && taken.get(&both.to_lowercase()) == Some(&1) {
        return both;
    }
    let hash = xxhash_rust::xxh3::xxh3_64(format!("{domain:?} {event_type:?}").as_bytes());
    let front: String = safe.trim_start_matches(['-', '_', '.']).chars().take(FRONT_CHARS).collect();
    if front.is_empty() { format!("{hash:016x}") } else { format!("{front}-{hash:016x}") }
}

//! A catalog file, and what was seen of its event types → its new text, and what has changed.
//!
//! Invariant: a file that needs nothing has no change. What is new stands behind what its table or domain
//! has.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use events_core::catalog::{
    Catalog, CatalogError, OTHERS,
    document::{Document, KeyPath, Outline, Place, dotted},
};

use super::{
    assign::Assigned,
    domain::{Needs, walk_domain},
    drafts::{Drafts, draft_override, height},
    retype::Retype,
    users::{columns_of_domain, lacks_version, users_of},
    walk::{Added, At, Walk},
};
use crate::{
    commands::catalog::{
        draft::{
            DomainDraft, FieldDraft, TypeDraft,
            fields::Within,
            forms::{inline_entry, table_of},
            names,
            text::{lines_of, shown_type},
        },
        observe::{Observed, Payloads, TypeName},
        toml_text::{quoted, quoted_key},
    },
    runtime::plural,
};

/// A file that is being extended.
pub(super) struct File<'t> {
    pub(super) document: Document<'t>,
    pub(super) outline: Outline,
    /// What has changed, in words.
    pub(super) changes: Vec<String>,
    pub(super) kept: Vec<String>,
}

/// What a file gets.
#[derive(Default)]
struct Plan<'s> {
    walk: Walk,
    needs: Needs,
    /// By domain: its new event types.
    new_types: BTreeMap<String, Vec<(String, &'s Payloads, bool)>>,
}

impl<'t> File<'t> {
    pub(super) fn read(name: &str, text: &'t str) -> Result<Self, CatalogError> {
        let document = Document::parse(name, text)?;
        let outline = document.outline();
        Ok(Self { document, outline, changes: Vec::new(), kept: Vec::new() })
    }

    /// Extends the file with the number `index`; `directories` are those of new types that need one.
    pub(super) fn extend(
        &mut self,
        index: usize,
        (observed, assigned): (&Observed, &Assigned<'_>),
        catalog: &Catalog,
        directories: &HashMap<TypeName, String>,
    ) {
        let mut plan = Plan::default();
        let domains = self.outline.domains.clone();
        for domain in &domains {
            let users = users_of(domain, index, assigned, catalog);
            let Needs { retypes, overrides } = walk_domain(&mut plan.walk, domain, &users);
            plan.needs.retypes.extend(retypes);
            plan.needs.overrides.extend(overrides);
            let new = users.iter().filter(|user| user.is_new).filter_map(|user| {
                Some((user.node.name.clone(), user.seen?, lacks_version(domain, user, catalog)))
            });
            plan.new_types.insert(domain.name.clone(), new.collect());
        }
        if let Some(fields) = &self.outline.envelope {
            let at = At {
                field: "envelope".to_owned(),
                parent: Some(String::new()),
                within: Within::Event,
                user: TypeName::default(),
                version: catalog.envelope().version.clone(),
            };
            plan.walk.table(fields, b"", &observed.envelope, &at, &mut plan.needs.retypes);
        }
        self.walk_types(&mut plan);
        plan.needs.drop_within_strings(&mut plan.walk.added);
        self.write(plan, catalog, directories);
        for ((_, domain), why) in assigned.new_others.iter().filter(|((file, _), _)| *file == index) {
            self.add_others(domain, why);
        }
    }

    /// Walks the types with a name, each before those within it.
    fn walk_types(&self, plan: &mut Plan<'_>) {
        let mut names: Vec<_> = self.outline.types.iter().collect();
        names.sort_by_cached_key(|(name, _)| Reverse(height(&self.outline, name)));
        for (name, table) in names {
            let Some(seen) = plan.walk.named.remove(name) else { continue };
            let field = format!("types.{name}");
            let user = (String::new(), String::new());
            let at = At { field, parent: None, within: Within::Type, user, version: Vec::new() };
            plan.walk.table(table, name.as_bytes(), &seen.objects, &at, &mut plan.needs.retypes);
            if let Some(added) = plan.walk.added.get_mut(&table.path) {
                added.users.extend(seen.users);
            }
        }
    }

    fn write(&mut self, plan: Plan<'_>, catalog: &Catalog, directories: &HashMap<TypeName, String>) {
        let Plan { walk, mut needs, new_types } = plan;
        self.kept.extend(walk.kept);
        let come = needs.name_columns(catalog);
        let drafts = Drafts::of(&walk.added, (catalog, &come), &self.outline);
        self.kept.extend(drafts.left_out.iter().cloned());
        for retype in &needs.retypes {
            self.document.set_type(&retype.path, &retype.name(), retype.column.as_deref());
            self.changes.push(described(retype));
        }
        let new_paths: BTreeSet<KeyPath> = new_types
            .iter()
            .flat_map(|(domain, types)| types.iter().map(|(name, ..)| own_path(domain, name)))
            .collect();
        let mut overrides: BTreeMap<KeyPath, Vec<FieldDraft>> = BTreeMap::new();
        for of_type in &needs.overrides {
            let field = draft_override(of_type, &drafts.by_table);
            if !new_paths.contains(&of_type.path) {
                self.changes.extend(of_type.retypes.iter().map(described));
            }
            overrides.entry(of_type.path.clone()).or_default().push(field);
        }
        let tables: BTreeSet<_> = drafts.by_table.keys().chain(overrides.keys()).cloned().collect();
        let mut tables: Vec<_> = tables.into_iter().filter(|path| !new_paths.contains(path)).collect();
        // At one place, what belongs to the object in front comes first.
        tables.sort_by_key(|path| Reverse(path.len()));
        for path in tables {
            let own = overrides.remove(&path).unwrap_or_default();
            let new = drafts.by_table.get(&path).map_or(&[][..], |fields| &fields[..]);
            self.changes.extend(new.iter().map(|field| {
                let label = drafts.labels.get(&path).map_or("", String::as_str);
                format!("{label}.{}: new, {}", field.name, shown_type(&field.kind))
            }));
            self.add_fields(&path, &[&own, new].concat());
        }
        for (domain, types) in new_types {
            for (name, seen, has_no_version) in types {
                let path = own_path(&domain, &name);
                let mut fields = overrides.remove(&path).unwrap_or_default();
                fields.extend(drafts.by_table.get(&path).into_iter().flatten().cloned());
                let directory = directories.get(&(domain.clone(), name.clone())).cloned();
                let comments = vec![plural(seen.events, "event")];
                self.changes.push(format!("{domain}/{name}: new, {}", comments[0]));
                self.add_type(&domain, &TypeDraft { name, directory, has_no_version, fields, comments });
            }
        }
        let mut types = String::new();
        drafts.types.iter().for_each(|of_type| of_type.write(&mut types));
        if !types.is_empty() {
            self.document.add_tables(self.document.end(), types);
        }
    }

    fn add_fields(&mut self, path: &KeyPath, fields: &[FieldDraft]) {
        let keys_of = |keys: &[String]| if keys.is_empty() { String::new() } else { dotted(keys) + "." };
        match self.document.end_of(path) {
            Place::Inline(place) => {
                let keys = keys_of(&place.keys);
                let entries: Vec<_> = fields.iter().map(|field| inline_entry(&keys, field)).collect();
                self.document.add_inline(&place, &entries);
            }
            Place::Lines { at, indent, keys } => {
                self.document.add_lines(at, lines_of(&indent, &keys_of(&keys), fields));
            }
            Place::Tables { at } => {
                let table = |field: &FieldDraft| {
                    table_of(&format!("{}.{}", dotted(path), quoted_key(&field.name)), field)
                };
                self.document.add_tables(at, fields.iter().map(table).collect());
            }
            Place::Section { at } => {
                let lines = lines_of("", "", fields);
                self.document.add_tables(at, format!("[{}]\n{lines}", dotted(path)));
            }
        }
    }

    fn add_type(&mut self, domain: &str, of_type: &TypeDraft) {
        let path = ["domain", domain, "events"].map(str::to_owned);
        if let Place::Inline(place) = self.document.end_of(&path) {
            let keys = if place.keys.is_empty() { String::new() } else { dotted(&place.keys) + "." };
            return self.document.add_inline(&place, &[format!("{keys}{}", of_type.inline())]);
        }
        let mut text = String::from("\n");
        of_type.write(&mut text, &format!("domain.{}", quoted_key(domain)));
        self.document.add_tables(self.document.end_of_sections(&path[..2]), text);
    }

    /// Adds the `"*"` of a domain.
    fn add_others(&mut self, domain: &str, why: &str) {
        let path = ["domain", domain, "events"].map(str::to_owned);
        self.changes.push(format!("{domain}: new, \"*\" for all other types. {why}"));
        if let Place::Inline(place) = self.document.end_of(&path) {
            let keys = if place.keys.is_empty() { String::new() } else { dotted(&place.keys) + "." };
            return self.document.add_inline(&place, &[format!("{keys}{} = {{}}", quoted(OTHERS))]);
        }
        let mut text = String::from("\n");
        DomainDraft::open(domain, why.to_owned()).write_others(&mut text);
        self.document.add_tables(self.document.end_of_sections(&path[..2]), text);
    }
}

impl Needs {
    /// Gives a name to the columns of what was an object, where theirs is taken; returns their names, each
    /// with its domain.
    fn name_columns(&mut self, catalog: &Catalog) -> Vec<(String, String)> {
        let mut come = Vec::new();
        let own = self.overrides.iter_mut().flat_map(|of_type| &mut of_type.retypes);
        for retype in own.chain(&mut self.retypes) {
            let Some(natural) = &retype.new_column else { continue };
            let domain = &retype.user.0;
            let mut taken = columns_of_domain(catalog, domain);
            taken.extend(
                come.iter().filter(|(of, _)| of == domain).map(|(_, column): &(_, String)| column.clone()),
            );
            let is_free = |name: &String| !taken.contains(&name.to_lowercase());
            let name = names::numbered(natural, '_').find(is_free).unwrap_or_default();
            come.push((domain.clone(), name.to_lowercase()));
            retype.column = (name != *natural).then_some(name);
        }
        come
    }

    /// Leaves out what is within something that becomes a text.
    fn drop_within_strings(&mut self, added: &mut BTreeMap<KeyPath, Added>) {
        let strings: Vec<KeyPath> = self.retypes.iter().map(|retype| retype.path.clone()).collect();
        let is_within = |path: &KeyPath| {
            strings.iter().any(|string| string.len() < path.len() && path.starts_with(string))
        };
        self.retypes.retain(|retype| !is_within(&retype.path));
        added.retain(|path, _| !is_within(path));
    }
}

/// A change of a type, in words.
fn described(retype: &Retype) -> String {
    let Retype { field, was, new_column, .. } = retype;
    let lost = if new_column.is_some() {
        "; the columns of its fields go, so a target that has them refuses a merge"
    } else {
        ""
    };
    format!("{field}: {was} → {}{lost}", retype.name())
}

fn own_path(domain: &str, name: &str) -> KeyPath {
    ["domain", domain, "events", name, "fields"].map(str::to_owned).to_vec()
}

//! A domain of a catalog file → its event types, known and new, with what was seen of each.
//!
//! Invariant: a new type comes behind those that the domain has.

use std::collections::{BTreeSet, HashSet};

use events_core::{
    catalog::{
        Catalog, EventType, OTHERS,
        document::{DomainNode, Outline, TypeNode},
    },
    schema,
};

use super::{assign::Assigned, domain::User};
use crate::commands::catalog::observe::TypeName;

/// The event types of a domain, with what was seen of them; those that are new are the last.
pub(super) fn users_of<'s>(
    domain: &DomainNode,
    file: usize,
    assigned: &'s Assigned<'_>,
    catalog: &Catalog,
) -> Vec<User<'s>> {
    let version = |name: &str| {
        let known = catalog.event_type(&domain.name, name);
        known.map_or_else(Vec::new, |known| known.version_names())
    };
    let node_of = |name: &str| {
        let path = ["domain", &domain.name, "events", name].map(str::to_owned).to_vec();
        TypeNode { name: name.to_owned(), path, own: None }
    };
    let mut nodes = domain.event_types.clone();
    // `[domain."*"]` alone is the same as its only event type.
    if nodes.is_empty() && domain.name == OTHERS {
        nodes.push(node_of(OTHERS));
    }
    let known = nodes.into_iter().map(|node| User {
        seen: assigned.known.get(&(file, domain.name.clone(), node.name.clone())),
        version: version(&node.name),
        is_new: false,
        node,
    });
    let new = assigned.new_types.get(&(file, domain.name.as_str())).into_iter().flatten();
    let new = new.map(|&(name, seen)| User {
        node: node_of(name),
        seen: Some(seen),
        version: Vec::new(),
        is_new: true,
    });
    known.chain(new).collect()
}

/// Whether a new type would have a version whose fields not all of its events have.
pub(super) fn lacks_version(domain: &DomainNode, user: &User<'_>, catalog: &Catalog) -> bool {
    let Some(seen) = user.seen else { return false };
    let own = catalog.event_types().iter().filter(|of_type| of_type.domain == domain.name);
    let names: BTreeSet<_> = own.flat_map(EventType::version_names).collect();
    let of_envelope = |name: &str| catalog.envelope().fields.iter().any(|field| field.name == name);
    let mut names = names.iter().chain(&catalog.envelope().version).filter(|name| !of_envelope(name));
    names.any(|name| {
        let (mut objects, mut is_always) = (Some(&seen.payload), true);
        for key in name.split('.') {
            let member = objects.and_then(|objects| objects.find(key.as_bytes()));
            is_always &= member.is_some_and(|member| member.count - member.evidence.nulls == seen.events);
            objects = member.and_then(|member| member.evidence.objects.as_deref());
        }
        !is_always
    })
}

/// The columns that an event type has; of a new one, those of the fields that its domain's types share.
pub(super) fn columns_of(catalog: &Catalog, outline: &Outline, (domain, name): &TypeName) -> HashSet<String> {
    let is_it = |of_type: &&EventType| of_type.domain == *domain && of_type.name == *name;
    if let Some(known) = catalog.event_types().iter().find(is_it) {
        return names_of(schema::columns(known)).collect();
    }
    let nodes = outline.domains.iter().filter(|node| node.name == *domain);
    let shared = nodes.flat_map(|node| &node.shared).flat_map(|table| &table.fields);
    let shared: HashSet<&str> = shared.map(|field| field.name.as_str()).collect();
    let of_domain = catalog.event_types().iter().filter(|of_type| of_type.domain == *domain);
    let with_shared = of_domain.map(|of_type| {
        let fields = of_type.fields.iter().filter(|field| shared.contains(field.name.as_str()));
        EventType { fields: fields.cloned().collect(), ..of_type.clone() }
    });
    let open = catalog.event_type(domain, name).map(|open| EventType::clone(&open));
    with_shared.chain(open).flat_map(|of_type| names_of(schema::columns(&of_type))).collect()
}

/// The columns of all event types of a domain.
pub(super) fn columns_of_domain(catalog: &Catalog, domain: &str) -> HashSet<String> {
    let of_domain = catalog.event_types().iter().filter(|of_type| of_type.domain == domain);
    let open = catalog.event_type(domain, "");
    of_domain.chain(open.as_deref()).flat_map(|of_type| names_of(schema::columns(of_type))).collect()
}

/// The names of columns, in lower case.
fn names_of(columns: Vec<schema::Column>) -> impl Iterator<Item = String> {
    columns.into_iter().map(|column| column.name.to_lowercase())
}

//! New event types → the directories of those that need one.
//!
//! Invariant: no type that a catalog has gets another directory.

use std::collections::HashMap;

use events_core::catalog::{Catalog, is_safe_directory};

use super::assign::Assigned;
use crate::commands::catalog::{
    draft::{DomainDraft, TypeDraft, names::give_directories},
    observe::TypeName,
};

/// The directories that new event types need, beside those of the catalog.
pub(super) fn directories_of(
    assigned: &Assigned<'_>,
    new_domains: &mut [DomainDraft],
    catalog: &Catalog,
) -> HashMap<TypeName, String> {
    let of_type = |name: &str| TypeDraft {
        name: name.to_owned(),
        directory: None,
        has_no_version: false,
        fields: Vec::new(),
        comments: Vec::new(),
    };
    let mut domains: Vec<_> = assigned
        .new_types
        .iter()
        .map(|((_, domain), types)| DomainDraft {
            name: (*domain).to_owned(),
            shared: Vec::new(),
            event_types: types.iter().map(|(name, _)| of_type(name)).collect(),
            others: Vec::new(),
        })
        .chain(new_domains.iter().map(|domain| DomainDraft {
            name: domain.name.clone(),
            shared: Vec::new(),
            event_types: domain.event_types.iter().map(|new| of_type(&new.name)).collect(),
            others: Vec::new(),
        }))
        .collect();
    give_directories(&mut domains, catalog);
    let given = domains.into_iter().flat_map(|domain| {
        let name = domain.name;
        domain
            .event_types
            .into_iter()
            .filter_map(move |of_type| Some(((name.clone(), of_type.name), of_type.directory?)))
    });
    let mut given: HashMap<_, _> = given.collect();
    // What came through "*" has its directory already.
    let all = assigned
        .new_types
        .iter()
        .flat_map(|((_, domain), types)| types.iter().map(move |(name, _)| (*domain, *name)));
    let new = new_domains.iter().flat_map(|domain| {
        domain.event_types.iter().map(|of_type| (domain.name.as_str(), of_type.name.as_str()))
    });
    for (domain, name) in all.chain(new) {
        if let Some(open) = catalog.event_type(domain, name).filter(|known| known.is_open) {
            let directory = open.directory.clone();
            if is_safe_directory(&directory) {
                given.insert((domain.to_owned(), name.to_owned()), directory);
            }
        }
    }
    for domain in new_domains {
        for of_type in &mut domain.event_types {
            of_type.directory = given.get(&(domain.name.clone(), of_type.name.clone())).cloned();
        }
    }
    given
}

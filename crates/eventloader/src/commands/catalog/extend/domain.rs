//! A domain of a catalog file, and what was seen of its event types → what its fields need.
//!
//! A shared field gets another type if all event types that share it need that; otherwise those that do get a
//! field of their own, which takes its place. So no type becomes wider by what another one holds.
//!
//! Invariant: afterwards each event type takes what was seen of it.

use std::collections::{BTreeMap, BTreeSet};

use events_core::catalog::{
    OTHERS,
    document::{DomainNode, FieldNode, KeyPath, KindNode, TableNode, TypeNode},
};

use super::{
    retype::Retype,
    walk::{At, Walk, field_of, member_name},
};
use crate::{
    commands::catalog::{
        decide,
        draft::fields::Within,
        evidence::{Member, Objects},
        observe::Payloads,
    },
    runtime::{grouped, plural},
};

/// An event type that gets a field of its own in the place of a shared one.
#[derive(Debug)]
pub(super) struct Override {
    /// The table of its own fields.
    pub(super) path: KeyPath,
    pub(super) field: FieldNode,
    pub(super) retypes: Vec<Retype>,
    /// Whether the shared field is required, and events of this type lack it.
    pub(super) is_optional: bool,
}

/// What a domain needs beside what the walk has found.
#[derive(Debug, Default)]
pub(super) struct Needs {
    pub(super) retypes: Vec<Retype>,
    pub(super) overrides: Vec<Override>,
}

/// An event type of the domain, and what was seen of it.
pub(super) struct User<'s> {
    pub(super) node: TypeNode,
    pub(super) seen: Option<&'s Payloads>,
    /// The fields of its version.
    pub(super) version: Vec<String>,
    pub(super) is_new: bool,
}

impl User<'_> {
    fn has_own(&self, name: &str) -> bool {
        self.node.own.iter().flat_map(|own| &own.fields).any(|field| field.name == name)
    }

    /// Whether its fields are those that the domain shares, too.
    fn shares(&self, domain: &DomainNode) -> bool {
        self.node.name != OTHERS || self.node.own.is_some() || domain.name == OTHERS
    }

    pub(super) fn own_path(&self) -> KeyPath {
        [&self.node.path[..], &["fields".to_owned()]].concat()
    }
}

/// Walks the fields of a domain with all that was seen of its event types.
pub(super) fn walk_domain(walk: &mut Walk, domain: &DomainNode, users: &[User<'_>]) -> Needs {
    let mut needs = Needs::default();
    let mut of_shared: BTreeMap<usize, BTreeMap<usize, Vec<Retype>>> = BTreeMap::new();
    let mut new: Vec<Vec<&Member>> = Vec::new();
    for (index, user) in users.iter().enumerate() {
        new.push(Vec::new());
        let Some(seen) = user.seen else { continue };
        let at = at_payload(domain, user);
        if seen.payload.has_too_many_keys() {
            walk.kept.push(format!(
                "{}/{} has too many keys to be told apart: it was not looked at",
                domain.name, user.node.name
            ));
            continue;
        }
        walk.kept.extend(lacking(domain, user, seen));
        for member in seen.payload.ordered() {
            if let Some(field) = user.node.own.as_ref().and_then(|own| field_of(own, &member.name)) {
                walk.field(field, member, &at, &mut needs.retypes);
                continue;
            }
            let shared = domain.shared.as_ref().filter(|_| user.shares(domain));
            match shared.and_then(|shared| position(shared, &member.name)) {
                Some(field) => {
                    let mut retypes = Vec::new();
                    walk.field(
                        &domain.shared.as_ref().map_or(&[][..], |shared| &shared.fields)[field],
                        member,
                        &at,
                        &mut retypes,
                    );
                    of_shared.entry(field).or_default().insert(index, retypes);
                }
                None => new[index].push(member),
            }
        }
    }
    if let Some(shared) = &domain.shared {
        for (index, field) in shared.fields.iter().enumerate() {
            let found = of_shared.remove(&index).unwrap_or_default();
            share(&mut needs, domain, users, field, found);
        }
        add_shared(walk, domain, shared, users, &mut new);
    }
    for (user, new) in users.iter().zip(&new) {
        let Some(seen) = user.seen else { continue };
        let fields = user.node.own.iter().chain(&domain.shared).flat_map(|table| &table.fields);
        let members = fields.map(|field| member_name(field).to_lowercase()).collect();
        let path = if domain.name == OTHERS && domain.event_types.is_empty() {
            domain.shared.as_ref().map_or_else(|| user.own_path(), |shared| shared.path.clone())
        } else {
            user.own_path()
        };
        walk.add(&path, new, seen.events, members, &at_payload(domain, user));
    }
    needs
}

fn at_payload(domain: &DomainNode, user: &User<'_>) -> At {
    At {
        field: "data".to_owned(),
        parent: Some("data".to_owned()),
        within: Within::Event,
        user: (domain.name.clone(), user.node.name.clone()),
        version: user.version.clone(),
    }
}

fn position(table: &TableNode, name: &[u8]) -> Option<usize> {
    let name = String::from_utf8_lossy(name);
    table.fields.iter().position(|field| field.name == name)
}

/// Decides where a shared field becomes another one. `found` is what each user needs of it.
fn share(
    needs: &mut Needs,
    domain: &DomainNode,
    users: &[User<'_>],
    field: &FieldNode,
    found: BTreeMap<usize, Vec<Retype>>,
) {
    let sharing: BTreeSet<usize> = users
        .iter()
        .enumerate()
        .filter(|(_, user)| user.shares(domain) && !user.has_own(&field.name))
        .map(|(index, _)| index)
        .collect();
    let to = |retypes: &[Retype]| -> Vec<_> {
        retypes.iter().map(|retype| (retype.path.clone(), retype.name())).collect()
    };
    let mut different: Vec<_> = found.values().map(|retypes| to(retypes)).collect();
    different.dedup();
    let is_for_all = different.len() == 1 && found.len() == sharing.len();
    for (index, mut retypes) in found {
        let user = &users[index];
        let lacks =
            user.is_new && user.seen.is_some_and(|seen| lacks_required(field, &seen.payload, seen.events));
        if is_for_all {
            if index == sharing.first().copied().unwrap_or_default() {
                for retype in &mut retypes {
                    let of_all = format!("{}/*", domain.name);
                    retype.field = retype
                        .field
                        .split_once(' ')
                        .map_or(of_all.clone(), |(_, field)| format!("{of_all} {field}"));
                }
                needs.retypes.extend(retypes);
            }
            if !lacks {
                continue;
            }
            retypes = Vec::new();
        }
        if lacks || !retypes.is_empty() {
            let (path, field) = (user.own_path(), field.clone());
            needs.overrides.push(Override { path, field, retypes, is_optional: lacks });
        }
    }
    for &index in &sharing {
        let user = &users[index];
        let is_missing = user.is_new
            && user.seen.is_some_and(|seen| {
                seen.payload.find(field.name.as_bytes()).is_none()
                    && lacks_required(field, &seen.payload, seen.events)
            });
        if is_missing {
            let (path, field) = (user.own_path(), field.clone());
            needs.overrides.push(Override { path, field, retypes: Vec::new(), is_optional: true });
        }
    }
}

/// The fields that a known event type requires, and that not all of its events have.
fn lacking(domain: &DomainNode, user: &User<'_>, seen: &Payloads) -> Vec<String> {
    let shared = domain.shared.iter().filter(|_| user.shares(domain)).flat_map(|table| &table.fields);
    let shared = shared.filter(|field| !user.has_own(&field.name));
    let own = user.node.own.iter().flat_map(|table| &table.fields);
    let required = own.chain(shared).filter(|field| field.required && !user.is_new);
    let counted = required.map(|field| (field, seen.events - present(field, &seen.payload)));
    let in_words = counted.filter(|(_, lacking)| *lacking > 0).map(|(field, lacking)| {
        let (lacking, events) = (grouped(lacking), plural(seen.events, "event"));
        let (domain, name) = (&domain.name, &user.node.name);
        format!("{domain}/{name} data.{} is required, and missing in {lacking} of {events}", field.name)
    });
    in_words.collect()
}

/// How many objects have a field with a value.
fn present(field: &FieldNode, objects: &Objects) -> u64 {
    objects.find(field.name.as_bytes()).map_or(0, |member| member.count - member.evidence.nulls)
}

/// Whether a field, or one in it, is required and not always there.
fn lacks_required(field: &FieldNode, objects: &Objects, of: u64) -> bool {
    if field.required && present(field, objects) < of {
        return true;
    }
    let KindNode::Object(_, table) = &field.kind else { return false };
    let none = Objects::default();
    let inner = objects
        .find(field.name.as_bytes())
        .and_then(|member| member.evidence.objects.as_deref())
        .unwrap_or(&none);
    table.fields.iter().any(|field| lacks_required(field, inner, of))
}

/// Adds what is new in all event types of a domain to the fields that they share.
fn add_shared<'s>(
    walk: &mut Walk,
    domain: &DomainNode,
    shared: &TableNode,
    users: &[User<'s>],
    new: &mut [Vec<&'s Member>],
) {
    let named: Vec<_> = (0..users.len()).filter(|&index| users[index].node.name != OTHERS).collect();
    let [first, others @ ..] = &named[..] else { return };
    if others.is_empty() {
        return;
    }
    let mut common: Vec<Member> = Vec::new();
    for &member in &new[*first] {
        let find = |index: &usize| new[*index].iter().find(|other| other.name == member.name).copied();
        let same: Option<Vec<&Member>> = named.iter().map(find).collect();
        let Some(same) = same else { continue };
        let mut merged = member.clone();
        same[1..].iter().for_each(|other| merged.merge(Member::clone(other)));
        if merged.evidence.values() > 0
            && same.iter().all(|member| decide::goes_with(&member.name, &member.evidence, &merged.evidence))
        {
            common.push(merged);
        }
    }
    if common.is_empty() {
        return;
    }
    for &index in &named {
        new[index].retain(|member| common.iter().all(|other| other.name != member.name));
    }
    let tables = users.iter().filter_map(|user| user.node.own.as_ref()).chain([shared]);
    let members: BTreeSet<_> =
        tables.flat_map(|table| &table.fields).map(|field| member_name(field).to_lowercase()).collect();
    let common: Vec<_> = common.iter().collect();
    for &index in &named {
        let events = users[index].seen.map_or(0, |seen| seen.events);
        let at = at_payload(domain, &users[index]);
        // What was seen is added once, and counted for all.
        let seen = if index == *first { &common[..] } else { &[] };
        walk.add(&shared.path, seen, events, members.clone(), &at);
        if let Some(added) = walk.added.get_mut(&shared.path) {
            added.users.insert(at.user);
            if index != *first {
                added.objects.count += events;
            }
        }
    }
}

impl Override {
    /// The comment behind its field.
    pub(super) fn comment(&self) -> String {
        if self.is_optional {
            return "not in every event of this type".to_owned();
        }
        "wider than the field that the domain's types share".to_owned()
    }
}

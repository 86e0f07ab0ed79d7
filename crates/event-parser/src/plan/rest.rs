//! An envelope and a payload that is the rest of the record → the keys of the record, and what each is for.
//!
//! Invariant: a key that both read stands once.

use super::{
    ByName,
    shape::{KeyTarget, Member, Shape},
};
use crate::envelope::{DataPlan, EnvelopePlan, RECORD};

/// The keys of a record that are read: by the envelope, as the payload, or both.
#[derive(Debug)]
pub(crate) struct RestPlan {
    pub(crate) members: Vec<RestMember>,
    by_name: ByName<usize>,
}

/// A key of such a record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RestMember {
    /// Its capture.
    pub(crate) key: Option<usize>,
    /// Its member in the payload's root.
    pub(crate) member: Option<usize>,
    /// The column that it is, if the envelope does not read it.
    pub(crate) column: Option<usize>,
}

impl RestPlan {
    pub(super) fn new(envelope: &EnvelopePlan, payload: &Shape) -> Option<Self> {
        if !matches!(envelope.data, DataPlan::Rest) {
            return None;
        }
        let keys = &envelope.nodes[RECORD].members;
        let root = &payload.objects[payload.root];
        let mut members: Vec<_> = keys
            .iter()
            .map(|&key| (&envelope.keys[key].name, RestMember { key: Some(key), member: None, column: None }))
            .collect();
        for (index, Member { name, target, .. }) in root.members.iter().enumerate() {
            let column = if let KeyTarget::Column(column) = target { Some(*column) } else { None };
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => known.member = Some(index),
                None => members.push((name, RestMember { key: None, member: Some(index), column })),
            }
        }
        let by_name =
            members.iter().enumerate().map(|(index, (name, _))| (name.as_bytes().into(), index)).collect();
        Some(Self { members: members.into_iter().map(|(_, member)| member).collect(), by_name })
    }

    /// The index of the member with this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }
}

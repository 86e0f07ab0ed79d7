//! Texts at all places that have the same key → whether one of them is only by chance a date or an amount.
//!
//! `"2024-06-20"` is a date by its form. If another event has `"2024-09-30.acacia"` behind the same key, both
//! are texts, and the next event of the first type may have such a one.
//!
//! Invariant: a decision is only ever changed to `string`, which takes every text.

use std::collections::BTreeSet;

use events_core::catalog::ValueType;

use super::super::{
    decide::{self, DecidedKind, Decision},
    evidence::{Evidence, Objects},
};

/// The keys behind which there are texts of any form.
#[derive(Debug, Default)]
pub(super) struct Neighbours(BTreeSet<Box<[u8]>>);

impl Neighbours {
    /// Of all payloads.
    pub(super) fn of<'p>(payloads: impl Iterator<Item = &'p Objects>) -> Self {
        let mut neighbours = Self::default();
        payloads.for_each(|payload| neighbours.add(payload));
        neighbours
    }

    fn add(&mut self, objects: &Objects) {
        for member in &objects.members {
            let mut evidence = &member.evidence;
            if is_text(evidence)
                && decide::decide(&member.name, evidence).kind == DecidedKind::Value(ValueType::String)
            {
                self.0.insert(member.name.clone());
            }
            while let Some(lists) = &evidence.lists {
                evidence = &lists.elements;
            }
            evidence.objects.iter().for_each(|objects| self.add(objects));
        }
    }

    /// The decision for a key, unless its neighbours contradict it.
    pub(super) fn agree(&self, name: &[u8], evidence: &Evidence, decision: Decision) -> Decision {
        let DecidedKind::Value(value_type @ (ValueType::Date | ValueType::Decimal { .. })) = decision.kind
        else {
            return decision;
        };
        if !is_text(evidence) || !self.0.contains(name) {
            return decision;
        }
        Decision {
            kind: DecidedKind::Value(ValueType::String),
            because: Some("elsewhere, this key has other texts".to_owned()),
            alternative: Some(format!("{value_type} holds all of them here")),
        }
    }
}

fn is_text(evidence: &Evidence) -> bool {
    evidence.texts.as_ref().is_some_and(|texts| texts.count == evidence.values())
}

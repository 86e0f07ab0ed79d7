//! The names of an event's type → the index of the type, by what was found lately.
//!
//! Invariant: the result is that of the plan, which must always be the same one.

use super::{OfType, Plan, found::ByFoundName};
use crate::{fault::Fault, json};

/// Types that were found lately, at indices computed from their names: faster than the maps of a [`Plan`].
#[derive(Debug)]
pub(crate) struct TypesFound {
    places: [Option<usize>; 64],
    /// Those that no catalog names, so that the plan is asked once for each.
    found: ByFoundName,
}

impl TypesFound {
    pub(crate) fn new() -> Self {
        Self { places: [None; 64], found: ByFoundName::default() }
    }

    /// The same as [`Plan::find`]; the plan must always be the same one.
    #[inline]
    pub(crate) fn find(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        let place = place_of(domain, event_type);
        if let Some(index) = self.places[place] {
            let known = plan.event_type(index);
            if json::same(known.name.as_bytes(), event_type) && json::same(known.domain.as_bytes(), domain) {
                return Some(index);
            }
        }
        let found = plan.find_named(domain, event_type).or_else(|| self.find_other(plan, domain, event_type));
        if found.is_some() {
            self.places[place] = found;
        }
        found
    }

    /// The type of an event; one that is not known may be one of an open type.
    pub(crate) fn of_type(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Result<OfType, Fault> {
        match self.find(plan, domain, event_type) {
            Some(index) => Ok(OfType::Known(index)),
            None => plan.open_type_of(domain, event_type).map(OfType::Open),
        }
    }

    #[cold]
    fn find_other(&mut self, plan: &Plan, domain: &[u8], event_type: &[u8]) -> Option<usize> {
        let known = self.found.get(domain).and_then(|of_domain| of_domain.get(event_type));
        if known.is_some() {
            return known.copied();
        }
        let index = plan.found.find(domain, event_type)?;
        self.found.entry(domain.into()).or_default().insert(event_type.into(), index);
        Some(index)
    }
}

/// A number below 64 that is rarely the same for names that differ at their ends or in their lengths.
#[inline]
fn place_of(domain: &[u8], event_type: &[u8]) -> usize {
    let end = |text: &[u8]| match text.last_chunk::<8>() {
        Some(&bytes) => u64::from_le_bytes(bytes),
        None => text.last_chunk::<4>().map_or(0, |&bytes| u32::from_le_bytes(bytes).into()),
    };
    let lengths = (event_type.len() << 3) ^ domain.len();
    let mixed =
        (end(event_type) ^ end(domain).rotate_left(17) ^ lengths as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 58) as usize
}

//! Event types that no catalog names, as they are found in lines → places behind the types of the catalog.
//!
//! All threads share them. A type's place never changes and is read without a lock; only a name that a thread
//! has not seen yet costs one.
//!
//! Invariant: which types are found depends on the lines, and the order of their places on nothing that can
//! be seen in the result of a load.

use std::{
    str,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use events_core::{
    catalog::{Catalog, EventType, OPEN_TYPES_MAX, OTHERS},
    event,
    partition::Layout,
};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

use super::{ByName, PayloadPlan, Plan, TypePlan};
use crate::fault::Fault;

/// Names from lines: a fixed hash could be made to collide.
pub(super) type ByFoundName = HashMap<Box<[u8]>, HashMap<Box<[u8]>, usize, RandomState>, RandomState>;

/// What a found type takes beside its names: its plan, its place, its entry by name.
const TYPE_BYTES: usize = size_of::<TypePlan>() + 160;
/// How often its names are kept: in its plan, as a directory, by name.
const NAME_COPIES: usize = 3;

/// The open types of a catalog, and the types that were found to be one of theirs.
#[derive(Debug)]
pub(super) struct FoundTypes {
    pub(super) open: Vec<OpenPlan>,
    /// By domain that the catalog knows: the open type of all others of its types.
    by_domain: ByName<Option<usize>>,
    /// The same for other domains.
    of_others: Option<usize>,
    layout: Layout,
    places: Box<[OnceLock<Box<TypePlan>>]>,
    count: AtomicUsize,
    bytes: AtomicUsize,
    by_name: Mutex<ByFoundName>,
    has_too_many: AtomicBool,
}

/// An open type of a catalog.
#[derive(Debug)]
pub(super) struct OpenPlan {
    pub(super) event_type: EventType,
    pub(super) payload: Arc<PayloadPlan>,
}

/// The event type of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OfType {
    /// Its index.
    Known(usize),
    /// The index of the open type that it is one of. It gets a place with its first good line.
    Open(usize),
}

impl FoundTypes {
    pub(super) fn new(catalog: &Catalog, layout: Layout, open: Vec<OpenPlan>) -> Self {
        let known = catalog.event_types().iter().chain(catalog.open_types());
        let by_domain =
            known.map(|known| (known.domain.as_bytes().into(), catalog.open_type_of(&known.domain)));
        let places = if open.is_empty() { 0 } else { OPEN_TYPES_MAX };
        Self {
            by_domain: by_domain.collect(),
            of_others: catalog.open_types().iter().position(|open| open.domain == OTHERS),
            layout,
            open,
            places: (0..places).map(|_| OnceLock::new()).collect(),
            count: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            by_name: Mutex::default(),
            has_too_many: AtomicBool::new(false),
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// The type at a place that was given out.
    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<&TypePlan> {
        self.places.get(place)?.get().map(|found| &**found)
    }

    /// The place of a type that was found.
    pub(super) fn find(&self, domain: &[u8], name: &[u8]) -> Option<usize> {
        if self.open.is_empty() {
            return None;
        }
        self.by_name().get(domain)?.get(name).copied()
    }

    fn by_name(&self) -> MutexGuard<'_, ByFoundName> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    /// The types that were found in lines and that no catalog names.
    pub fn found_types(&self) -> impl Iterator<Item = &EventType> {
        (0..self.found.count()).filter_map(|place| self.found.get(place)).map(|found| &found.event_type)
    }

    /// How many these are so far.
    #[must_use]
    pub fn found_type_count(&self) -> usize {
        self.found.count()
    }

    /// Whether there may be such types.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.found.open.is_empty()
    }

    /// Whether there were more of them than there may be. The lines of those beyond were not kept.
    #[must_use]
    pub fn has_too_many_types(&self) -> bool {
        self.found.has_too_many.load(Ordering::Relaxed)
    }

    /// The bytes that the types take that were found so far.
    #[must_use]
    pub fn found_bytes(&self) -> usize {
        self.found.bytes.load(Ordering::Relaxed)
    }

    /// The event type with this name, if the catalog names it or has an open type for it.
    #[must_use]
    pub fn resolve(&self, domain: &[u8], name: &[u8]) -> Option<EventType> {
        match self.find(domain, name) {
            Some(index) => Some(self.event_type(index).clone()),
            None => self.open_type_of(domain, name).ok().and_then(|open| self.one_of(open, domain, name)),
        }
    }

    /// The open type that a type which is not known yet is one of.
    #[cold]
    pub(crate) fn open_type_of(&self, domain: &[u8], name: &[u8]) -> Result<usize, Fault> {
        let FoundTypes { by_domain, of_others, layout, .. } = &self.found;
        let open = by_domain.get(domain).copied().unwrap_or(*of_others);
        let open = open.ok_or_else(|| Fault::unknown_event(domain, name))?;
        if *layout == Layout::Database {
            for (text, field) in [(domain, event::DOMAIN), (name, event::EVENT_TYPE)] {
                if text.contains(&0) {
                    return Err(Fault::nul(field));
                }
            }
        }
        let fits = |one: EventType| layout.name_bytes(&one) <= layout.name_bytes_max();
        if self.one_of(open, domain, name).is_some_and(fits) {
            Ok(open)
        } else {
            Err(Fault::event_type_too_long(domain, name, layout.name_bytes_max()))
        }
    }

    /// The place of a type that is one of an open type; a new one unless it has one already. `None` if there
    /// are too many.
    #[cold]
    pub(crate) fn place_of(&self, open: usize, domain: &[u8], name: &[u8]) -> Option<usize> {
        let found = &self.found;
        let mut by_name = found.by_name();
        let of_domain = by_name.entry(domain.into()).or_default();
        if let Some(index) = of_domain.get(name) {
            return Some(*index);
        }
        let (place, index) = (found.count(), self.named.len() + found.count());
        let Some(empty) = found.places.get(place) else {
            found.has_too_many.store(true, Ordering::Relaxed);
            return None;
        };
        let event_type = self.one_of(open, domain, name)?;
        let payload = Arc::clone(&found.open[open].payload);
        let type_plan = TypePlan { event_type, payload };
        empty.get_or_init(|| Box::new(type_plan));
        of_domain.insert(name.into(), index);
        let bytes = TYPE_BYTES + NAME_COPIES * (domain.len() + name.len());
        found.bytes.fetch_add(bytes, Ordering::Relaxed);
        found.count.store(place + 1, Ordering::Release);
        Some(index)
    }

    /// The index of the event type with this name, if the catalog names it or has an open type for it: a new
    /// one unless it has one already.
    #[must_use]
    pub fn index_of(&self, domain: &[u8], name: &[u8]) -> Option<usize> {
        let find = || self.find(domain, name);
        find().or_else(|| self.place_of(self.open_type_of(domain, name).ok()?, domain, name))
    }

    fn one_of(&self, open: usize, domain: &[u8], name: &[u8]) -> Option<EventType> {
        let (domain, name) = (str::from_utf8(domain).ok()?, str::from_utf8(name).ok()?);
        Some(self.found.open[open].event_type.one_of_others(domain, name))
    }
}

//! The values seen at one path of a payload, and below it → their common properties, in bounded memory.
//!
//! Objects are followed key by key, lists element by element, up to [`DEPTH_MAX`] levels. An object with more
//! than [`KEYS_MAX`] different keys is a map whose keys are data: its keys are forgotten, and its values are
//! seen as those of one path.
//!
//! Invariant: evidence depends only on the set of lines: not on their order, and not on how threads shared
//! and merged them.

use event_parser::json;
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{numbers::Numbers, texts::Texts};

/// Objects and lists are followed to this depth; anything deeper becomes `json`.
pub(crate) const DEPTH_MAX: u32 = 16;
/// The most different keys of one object, over all lines.
pub(crate) const KEYS_MAX: usize = 512;
/// The most different keys of `data` itself, which can't be `json`.
pub(crate) const PAYLOAD_KEYS_MAX: usize = 4_096;

/// What was seen at one path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) nulls: u64,
    pub(crate) trues: u64,
    pub(crate) falses: u64,
    pub(crate) numbers: Option<Box<Numbers>>,
    pub(crate) texts: Option<Box<Texts>>,
    pub(crate) objects: Option<Box<Objects>>,
    pub(crate) lists: Option<Box<Lists>>,
    /// Objects and lists that were too deep to be followed.
    pub(crate) too_deep: u64,
}

/// The objects seen at one path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Objects {
    pub(crate) count: u64,
    /// Objects that have a key twice.
    pub(crate) with_repeated_key: u64,
    /// In the order in which they were first seen, which has no meaning.
    pub(crate) members: Vec<Member>,
    /// Instead of the members, if there are too many: all of their values.
    pub(crate) of_any_key: Option<Box<Evidence>>,
    by_name: HashMap<Box<[u8]>, usize, FixedState>,
}

/// A key of an object, and what was seen there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: Box<[u8]>,
    /// Objects that have it.
    pub(crate) count: u64,
    /// The sum of its positions in these objects.
    pub(crate) places: u64,
    pub(crate) evidence: Evidence,
    /// The key as usually written, with the closing quote.
    pub(super) quoted: Box<[u8]>,
    /// The number of the last object that had it.
    pub(super) last_object: u64,
}

/// The lists seen at one path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lists {
    pub(crate) count: u64,
    /// The fewest and the most elements.
    pub(crate) lengths: Option<(u64, u64)>,
    pub(crate) elements: Evidence,
}

impl Evidence {
    /// Values that are not null.
    pub(crate) fn values(&self) -> u64 {
        let numbers = self.numbers.as_ref().map_or(0, |numbers| numbers.count);
        let texts = self.texts.as_ref().map_or(0, |texts| texts.count);
        self.booleans() + numbers + texts + self.containers()
    }

    pub(crate) fn booleans(&self) -> u64 {
        self.trues + self.falses
    }

    /// Values that are objects or lists.
    pub(crate) fn containers(&self) -> u64 {
        let objects = self.objects.as_ref().map_or(0, |objects| objects.count);
        let lists = self.lists.as_ref().map_or(0, |lists| lists.count);
        objects + lists + self.too_deep
    }

    /// Adds what another thread has seen at this path.
    pub(crate) fn merge(&mut self, other: Self) {
        self.nulls += other.nulls;
        self.trues += other.trues;
        self.falses += other.falses;
        self.too_deep += other.too_deep;
        if let Some(numbers) = other.numbers {
            self.numbers.get_or_insert_default().merge(*numbers);
        }
        if let Some(texts) = other.texts {
            self.texts.get_or_insert_default().merge(*texts);
        }
        if let Some(objects) = other.objects {
            self.objects.get_or_insert_default().merge(*objects, KEYS_MAX);
        }
        if let Some(lists) = other.lists {
            self.lists.get_or_insert_default().merge(*lists);
        }
    }
}

impl Objects {
    /// Whether there are too many different keys to be told apart.
    pub(crate) fn has_too_many_keys(&self) -> bool {
        self.of_any_key.is_some()
    }

    /// The values of all members.
    pub(crate) fn values(&self) -> Evidence {
        let mut values = self.of_any_key.as_deref().cloned().unwrap_or_default();
        self.members.iter().for_each(|member| values.merge(member.evidence.clone()));
        values
    }

    /// Forgets the keys; returns the values of all members.
    fn forget_keys(&mut self) -> &mut Evidence {
        let members = std::mem::take(&mut self.members);
        self.by_name = HashMap::default();
        let values = self.of_any_key.get_or_insert_default();
        for member in members {
            values.merge(member.evidence);
        }
        values
    }

    /// The member of this name, added if it is new; `None` if there are too many.
    pub(crate) fn find_or_add(&mut self, name: &[u8], keys_max: usize) -> Option<usize> {
        if let Some(&index) = self.by_name.get(name) {
            return Some(index);
        }
        if self.has_too_many_keys() || self.members.len() == keys_max {
            self.forget_keys();
            return None;
        }
        self.add(Member {
            name: name.into(),
            count: 0,
            places: 0,
            evidence: Evidence::default(),
            quoted: json::quoted_key(name),
            last_object: 0,
        });
        Some(self.members.len() - 1)
    }

    pub(crate) fn merge(&mut self, other: Self, keys_max: usize) {
        self.count += other.count;
        self.with_repeated_key += other.with_repeated_key;
        if let Some(theirs) = other.of_any_key {
            self.forget_keys().merge(*theirs);
        }
        for theirs in other.members {
            match self.find_or_add(&theirs.name, keys_max) {
                Some(index) => self.members[index].merge(theirs),
                None => self.forget_keys().merge(theirs.evidence),
            }
        }
    }

    /// The member of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<&Member> {
        self.by_name.get(name).map(|&index| &self.members[index])
    }

    /// Adds a member that does not exist yet.
    pub(crate) fn add(&mut self, member: Member) {
        self.by_name.insert(member.name.clone(), self.members.len());
        self.members.push(member);
    }

    /// The members in their usual order.
    pub(crate) fn ordered(&self) -> Vec<&Member> {
        let mut members: Vec<_> = self.members.iter().collect();
        // Mean positions, compared without dividing: a/b < c/d where a·d < c·b.
        members.sort_by(|a, b| {
            let (left, right) =
                (u128::from(a.places) * u128::from(b.count), u128::from(b.places) * u128::from(a.count));
            left.cmp(&right).then_with(|| a.name.cmp(&b.name))
        });
        members
    }
}

/// Compares what was seen, not the order or state in which it was collected.
impl PartialEq for Objects {
    fn eq(&self, other: &Self) -> bool {
        let key = |objects: &Self| (objects.count, objects.with_repeated_key, objects.of_any_key.clone());
        let same = |(a, b): (&&Member, &&Member)| {
            (&a.name, a.count, a.places) == (&b.name, b.count, b.places) && a.evidence == b.evidence
        };
        let (ours, theirs) = (self.ordered(), other.ordered());
        key(self) == key(other) && ours.len() == theirs.len() && ours.iter().zip(&theirs).all(same)
    }
}

impl Member {
    /// Adds what another thread has seen at this key.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.places += other.places;
        self.evidence.merge(other.evidence);
    }
}

impl Lists {
    pub(super) fn stretch(&mut self, other: (u64, u64)) {
        let (least, most) = self.lengths.unwrap_or(other);
        self.lengths = Some((least.min(other.0), most.max(other.1)));
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        if let Some(lengths) = other.lengths {
            self.stretch(lengths);
        }
        self.elements.merge(other.elements);
    }
}

//! The objects in all payloads → shapes: objects that are alike, wherever they are.
//!
//! Two objects are alike if they have most of their keys in common, and no key has values of different kinds.
//! What is below a key of one shape is one shape, too. Two objects behind the same key need half of the
//! smaller one's keys in common, others four in five of all.
//!
//! Invariant: a shape has seen every value of its objects, so fields that take its values take theirs. No
//! shape is within itself. The result depends on the evidence alone.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};

use super::super::{
    decide::{self, DecidedKind},
    evidence::{Evidence, Member, Objects},
};

/// The fewest keys that objects behind different keys have in common.
const COMMON_MIN: usize = 3;

/// An object is compared with so many shapes, the first ones.
const COMPARED_MAX: usize = 2_000;

/// The number of a shape.
pub(crate) type ShapeId = usize;
/// By key: the shape of the objects behind it.
pub(crate) type Inner = BTreeMap<Box<[u8]>, ShapeId>;

/// A key, and the keys of the object behind it.
type ExactObject = (Box<[u8]>, Vec<Box<[u8]>>);

/// All shapes.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    all: Vec<Shape>,
    /// By key and the keys of the object: where such an object was put.
    exact: HashMap<ExactObject, ShapeId>,
}

/// Objects that are alike.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// All of them.
    pub(crate) objects: Objects,
    pub(crate) inner: Inner,
    /// The keys that they are behind, and how often.
    pub(crate) keys: BTreeMap<Box<[u8]>, usize>,
    /// What this shape has become a part of.
    joined: Option<ShapeId>,
}

/// The object that a value is or consists of, in lists and maps, if it gets fields.
pub(crate) fn object_in<'e>(name: &[u8], evidence: &'e Evidence) -> Option<Cow<'e, Objects>> {
    object_of_kind(&decide::decide(name, evidence).kind, evidence)
}

fn object_of_kind<'e>(kind: &DecidedKind, evidence: &'e Evidence) -> Option<Cow<'e, Objects>> {
    match (kind, &evidence.objects, &evidence.lists) {
        (DecidedKind::Object, Some(objects), _) => Some(Cow::Borrowed(objects)),
        (DecidedKind::List(element), _, Some(lists)) => object_of_kind(element, &lists.elements),
        (DecidedKind::Map(value), Some(objects), _) => {
            let values = objects.values();
            object_of_kind(value, &values).map(|objects| Cow::Owned(objects.into_owned()))
        }
        _ => None,
    }
}

impl Shapes {
    /// Adds the objects in a payload.
    pub(crate) fn add_payload(&mut self, payload: &Objects) -> Inner {
        let mut inner = Inner::new();
        for member in payload.ordered() {
            if let Some(objects) = object_in(&member.name, &member.evidence) {
                inner.insert(member.name.clone(), self.add(&member.name, &objects));
            }
        }
        inner
    }

    fn add(&mut self, name: &[u8], objects: &Objects) -> ShapeId {
        let inner = self.add_payload(objects);
        let mut keys: Vec<_> = objects.members.iter().map(|member| member.name.clone()).collect();
        keys.sort();
        let exact = (Box::from(name), keys);
        let known = self.exact.get(&exact).map(|&known| self.current(known));
        let found = known.filter(|&known| self.join(known, objects, &inner)).or_else(|| {
            let alike = self.alike(name, objects);
            alike.into_iter().find(|&candidate| self.join(candidate, objects, &inner))
        });
        let found = found.map(|found| self.current(found));
        let id = found.unwrap_or_else(|| {
            self.all.push(Shape { objects: objects.clone(), inner, ..Shape::default() });
            self.all.len() - 1
        });
        *self.all[id].keys.entry(name.into()).or_default() += 1;
        self.exact.insert(exact, id);
        id
    }

    /// The shapes that such objects could be of, the most alike first.
    fn alike(&self, name: &[u8], objects: &Objects) -> Vec<ShapeId> {
        let alike =
            self.ids().take(COMPARED_MAX).filter_map(|id| Some((self.all[id].likeness(name, objects)?, id)));
        let mut alike: Vec<_> = alike.collect();
        alike.sort_by(|(likeness, id), (other, other_id)| other.total_cmp(likeness).then(id.cmp(other_id)));
        alike.into_iter().map(|(_, id)| id).collect()
    }

    /// The shape that this one is, or is a part of.
    pub(crate) fn current(&self, mut id: ShapeId) -> ShapeId {
        while let Some(whole) = self.all[id].joined {
            id = whole;
        }
        id
    }

    /// The shape of this number, which is no part of another.
    pub(crate) fn get(&self, id: ShapeId) -> &Shape {
        &self.all[self.current(id)]
    }

    /// All shapes.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ShapeId> {
        (0..self.all.len()).filter(|&id| self.all[id].joined.is_none())
    }

    /// Makes objects a part of a shape, if nothing contradicts it.
    fn join(&mut self, id: ShapeId, objects: &Objects, inner: &Inner) -> bool {
        if !go_together(&self.all[id].objects, objects) || !self.join_inner(id, inner) {
            return false;
        }
        let id = self.current(id);
        self.all[id].objects.merge(objects.clone(), usize::MAX);
        for (key, &theirs) in inner {
            let theirs = self.current(theirs);
            self.all[id].inner.entry(key.clone()).or_insert(theirs);
        }
        true
    }

    /// Makes one shape of those below the same keys, and sees to it that none of them has this one within.
    fn join_inner(&mut self, id: ShapeId, inner: &Inner) -> bool {
        for (key, &theirs) in inner {
            let (id, theirs) = (self.current(id), self.current(theirs));
            if self.is_within(id, theirs) {
                return false;
            }
            let ours = self.all[id].inner.get(key).map(|&ours| self.current(ours));
            if ours.is_some_and(|ours| !self.unite(ours, theirs)) {
                return false;
            }
        }
        // What was united last may have brought it in.
        let id = self.current(id);
        !inner.values().any(|&theirs| self.is_within(id, self.current(theirs)))
    }

    /// Makes one shape of two, if nothing contradicts it.
    fn unite(&mut self, ours: ShapeId, theirs: ShapeId) -> bool {
        let (ours, theirs) = (self.current(ours), self.current(theirs));
        if ours == theirs {
            return true;
        }
        if self.is_within(ours, theirs)
            || self.is_within(theirs, ours)
            || !go_together(&self.all[ours].objects, &self.all[theirs].objects)
        {
            return false;
        }
        let inner = self.all[theirs].inner.clone();
        if !self.join_inner(ours, &inner) {
            return false;
        }
        let (ours, theirs) = (self.current(ours), self.current(theirs));
        if ours == theirs || self.is_within(ours, theirs) || self.is_within(theirs, ours) {
            return ours == theirs;
        }
        let part = std::mem::take(&mut self.all[theirs]);
        self.all[theirs].joined = Some(ours);
        self.all[ours].objects.merge(part.objects, usize::MAX);
        for (key, shape) in part.inner {
            let shape = self.current(shape);
            self.all[ours].inner.entry(key).or_insert(shape);
        }
        for (key, count) in part.keys {
            *self.all[ours].keys.entry(key).or_default() += count;
        }
        true
    }

    /// Whether a shape is another one, or somewhere below its keys.
    fn is_within(&self, id: ShapeId, outer: ShapeId) -> bool {
        let mut waiting = vec![outer];
        let mut seen = vec![false; self.all.len()];
        while let Some(next) = waiting.pop() {
            let next = self.current(next);
            if next == id {
                return true;
            }
            if !std::mem::replace(&mut seen[next], true) {
                waiting.extend(self.all[next].inner.values());
            }
        }
        false
    }
}

impl Shape {
    /// Whether it has seen these objects.
    pub(crate) fn covers(&self, objects: &Objects) -> bool {
        let has = |member: &Member| self.objects.find(&member.name).is_some();
        objects.count <= self.objects.count && !objects.has_too_many_keys() && objects.members.iter().all(has)
    }

    /// How alike objects behind this key are, at most 1; `None` if they are not.
    fn likeness(&self, name: &[u8], objects: &Objects) -> Option<f64> {
        let (ours, theirs) = (self.objects.members.len(), objects.members.len());
        let common =
            objects.members.iter().filter(|member| self.objects.find(&member.name).is_some()).count();
        let all = ours + theirs - common;
        let is_alike = if self.keys.contains_key(name) {
            common > 0 && common * 2 >= ours.min(theirs)
        } else {
            common >= COMMON_MIN && common * 5 >= all * 4
        };
        #[expect(clippy::cast_precision_loss, reason = "objects have few keys")]
        let likeness = common as f64 / all.max(1) as f64;
        is_alike.then_some(likeness)
    }
}

/// Whether no key of both objects has values of different kinds.
fn go_together(ours: &Objects, theirs: &Objects) -> bool {
    !ours.has_too_many_keys()
        && !theirs.has_too_many_keys()
        && theirs.members.iter().all(|Member { name, evidence, .. }| {
            ours.find(name).is_none_or(|ours| are_of_one_kind(name, &ours.evidence, evidence))
        })
}

/// What values are, as far as it can't be changed by more of them.
#[derive(PartialEq)]
enum Family {
    Boolean,
    Number,
    Text,
    Object,
    Map,
    List,
    Mixed,
}

fn are_of_one_kind(name: &[u8], ours: &Evidence, theirs: &Evidence) -> bool {
    match (family(name, ours), family(name, theirs)) {
        (None, _) | (_, None) => true,
        (Some(Family::List), Some(Family::List)) => match (&ours.lists, &theirs.lists) {
            (Some(ours), Some(theirs)) => are_of_one_kind(name, &ours.elements, &theirs.elements),
            _ => false,
        },
        (ours, theirs) => ours == theirs,
    }
}

/// `None` if nothing is known.
fn family(name: &[u8], evidence: &Evidence) -> Option<Family> {
    let values = evidence.values();
    let objects = evidence.objects.as_deref();
    if values == 0 {
        return None;
    }
    Some(if evidence.booleans() == values {
        Family::Boolean
    } else if evidence.numbers.as_ref().is_some_and(|numbers| numbers.count == values) {
        Family::Number
    } else if evidence.texts.as_ref().is_some_and(|texts| texts.count == values) {
        Family::Text
    } else if let Some(objects) = objects.filter(|objects| objects.count == values) {
        if objects.members.is_empty() && !objects.has_too_many_keys() {
            return None;
        }
        if decide::decide(name, evidence).kind == DecidedKind::Object { Family::Object } else { Family::Map }
    } else if evidence.lists.as_ref().is_some_and(|lists| lists.count == values) {
        Family::List
    } else {
        Family::Mixed
    })
}

//! An object in a line → the values of its shape's columns. The payload is read with this, and so are objects
//! in lists and maps.
//!
//! A list is one value, and so is a map. What is in it becomes values when its column takes it. Here it is
//! only scanned for what must be known before the values are: repeated keys, and keys that are not in a
//! schema.
//!
//! Invariant: what is learned from earlier lines (the text between values) makes reading faster, never
//! different.

mod inner;

use self::inner::InnerPath;
use crate::{
    columns::Slot,
    fault::{Fault, Reason},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, Scanner, Value},
    plan::{KeyTarget, KindPlan, Shape},
};

/// The owner of a key: an object, by `ObjectPlan::id`, or the event itself.
pub(crate) type KeyOwner = Option<usize>;

/// A key that is not in a schema: its owner, and its position in the line.
pub(crate) type UnknownKey = (KeyOwner, Value);

/// The contents of an object.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// The values of its columns, in the line's order; none twice.
    pub(crate) given: Vec<Given>,
    /// The objects of its shape that have another value instead.
    not_objects: Vec<(usize, Value)>,
    /// Counts the objects that were read, so that nothing needs to be reset between them: a mark with an
    /// earlier number belongs to an earlier object.
    number: u32,
    /// By column: the number of the last object that had it.
    columns: Vec<u32>,
    /// For each object of the shape, the number of the last one that had it, and of the last one that had its
    /// key.
    objects: Vec<u32>,
    occurred: Vec<u32>,
    /// The path of the first repeated key.
    pub(crate) duplicate: Option<String>,
    /// Its text, where it is a column of its text and the line does not have it as a whole.
    own_text: Vec<u8>,
    /// An object in a list or map in it, while it is scanned.
    element: Option<Box<Self>>,
    /// The keys of the maps that are being scanned, one map within the other.
    map_keys: Vec<Value>,
}

/// A value, null included, and its column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) column: usize,
    pub(crate) value: Value,
}

/// The text of a payload that is missing or null, where its text is a column.
pub(crate) const NO_PAYLOAD: &[u8] = b"{}";

/// The texts between the values in the objects of a shape.
#[derive(Debug, Default)]
pub(crate) struct Learned {
    /// By object.
    key_predictors: Vec<KeyPredictor>,
    /// For the objects in each list and map.
    keyed: Vec<Self>,
}

/// Reads objects of a line.
#[derive(Debug)]
pub(crate) struct ObjectReader<'r, 'l> {
    pub(crate) scanner: &'r mut Scanner<'l>,
    /// Collects the keys that are not in a schema. If `None`, lists and maps are not scanned either, because
    /// they were before.
    pub(crate) unknown: Option<&'r mut Vec<UnknownKey>>,
}

impl Learned {
    pub(crate) fn new(shape: &Shape) -> Self {
        Self {
            key_predictors: shape.objects.iter().map(|_| KeyPredictor::default()).collect(),
            keyed: shape.keyed.iter().map(|(_, kind)| Self::of_kind(kind)).collect(),
        }
    }

    fn of_kind(kind: &KindPlan) -> Self {
        kind.shape().map_or_else(Self::default, Self::new)
    }
}

impl Payload {
    /// An empty payload of `shape`.
    #[inline]
    pub(crate) fn reset(&mut self, shape: &Shape) {
        self.given.clear();
        self.not_objects.clear();
        self.map_keys.clear();
        self.duplicate = None;
        self.own_text.clear();
        self.number = self.number.wrapping_add(1);
        let is_wide_enough =
            self.columns.len() >= shape.columns.len() && self.objects.len() >= shape.objects.len();
        if !is_wide_enough || self.number == 0 {
            self.widen(shape);
        }
    }

    #[inline(never)]
    fn widen(&mut self, shape: &Shape) {
        self.number = 1;
        for (marks, length) in [
            (&mut self.columns, shape.columns.len()),
            (&mut self.objects, shape.objects.len()),
            (&mut self.occurred, shape.objects.len()),
        ] {
            let length = length.max(marks.len());
            marks.clear();
            marks.resize(length, 0);
        }
    }

    /// Whether an object of the shape exists.
    #[inline]
    pub(crate) fn has_object(&self, index: usize) -> bool {
        self.objects.get(index) == Some(&self.number)
    }

    /// Whether a column has a value, null included.
    #[inline]
    pub(crate) fn has_column(&self, index: usize) -> bool {
        self.columns.get(index) == Some(&self.number)
    }

    /// Whether an object of the shape has another value instead.
    #[inline]
    pub(crate) fn has_not_objects(&self) -> bool {
        !self.not_objects.is_empty()
    }

    /// The slot of each column.
    #[cold]
    pub(crate) fn slots(&self, shape: &Shape) -> Vec<Slot> {
        let mut slots = vec![Slot::Missing; shape.columns.len()];
        for &(object, value) in &self.not_objects {
            slots[shape.objects[object].columns.clone()].fill(Slot::NotAnObject(value));
        }
        for given in &self.given {
            slots[given.column] = Slot::Value(given.value);
        }
        slots
    }

    /// The fault of the first required object that is missing.
    #[inline]
    pub(crate) fn missing_object(&self, shape: &Shape) -> Option<Fault> {
        // An object that has another value instead is reported by its columns.
        let is_missing = |index: usize| {
            !self.has_object(index)
                && !self.not_objects.iter().any(|&(object, _)| {
                    let columns = &shape.objects[object].columns;
                    columns.contains(&shape.objects[index].columns.start)
                        && !shape.objects[index].columns.is_empty()
                })
        };
        let missing = shape.required_objects.iter().find(|&&index| is_missing(index));
        missing.map(|&index| {
            let found = if self.occurred[index] == self.number { "null" } else { "nothing" };
            Fault::required(&shape.objects[index].path, found)
        })
    }

    /// Makes an object of the shape exist.
    pub(crate) fn begin_object(&mut self, index: usize) {
        self.objects[index] = self.number;
    }

    /// Takes the payload of a shape that has it as one column, its text.
    pub(crate) fn take_all(&mut self, shape: &Shape, value: Value) {
        self.reset(shape);
        self.take(shape.columns.len() - 1, value);
    }

    /// The same for a text that the line does not have as a whole; it must not stay empty.
    pub(crate) fn begin_text(&mut self, shape: &Shape) -> &mut Vec<u8> {
        self.reset(shape);
        &mut self.own_text
    }

    /// Such a text.
    #[inline]
    pub(crate) fn own_text(&self) -> Option<&[u8]> {
        if self.own_text.is_empty() { None } else { Some(&self.own_text) }
    }

    /// Takes a column's value, if it is the first; returns whether it was.
    #[inline]
    pub(crate) fn take(&mut self, column: usize, value: Value) -> bool {
        let last = std::mem::replace(&mut self.columns[column], self.number);
        if last == self.number {
            return false;
        }
        self.given.push(Given { column, value });
        true
    }
}

impl ObjectReader<'_, '_> {
    /// Reads the next object as `shape`.
    pub(crate) fn read(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
    ) -> Result<(), Malformed> {
        if shape.is_json {
            let value = self.scanner.value()?;
            payload.take_all(shape, value);
            return Ok(());
        }
        payload.reset(shape);
        self.read_object(shape, learned, payload, shape.root)
    }

    /// Recursion is as deep as the catalog's objects nest, not the line's.
    fn read_object(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
        index: usize,
    ) -> Result<(), Malformed> {
        let object = &shape.objects[index];
        payload.objects[index] = payload.number;
        self.scanner.open_object()?;
        let mut position = OBJECT_START;
        loop {
            let find = |name: &[u8]| object.find(name);
            let next =
                learned.key_predictors[index].next(self.scanner, position, object.members.len(), find)?;
            position = next.position();
            let member = match next {
                Next::End => return Ok(()),
                Next::Member(member) => &object.members[member],
                Next::Unknown | Next::Other(_) => {
                    if let (Some(unknown), Some(key)) =
                        (&mut self.unknown, learned.key_predictors[index].unknown())
                    {
                        unknown.push((Some(object.id), key));
                    }
                    self.scanner.value()?;
                    continue;
                }
            };
            let is_new = match member.target {
                KeyTarget::Column(column) => {
                    let value = self.scanner.value()?;
                    payload.take(column, value)
                }
                KeyTarget::Keyed(keyed) => {
                    let (column, kind) = &shape.keyed[keyed];
                    let path = InnerPath::Column(&shape.columns[*column].path);
                    let value = match self.unknown {
                        Some(_) => self.read_inner(kind, &mut learned.keyed[keyed], payload, path)?,
                        None => self.scanner.value()?,
                    };
                    payload.take(*column, value)
                }
                KeyTarget::Object(inner) => self.read_member_object(shape, learned, payload, inner)?,
            };
            if !is_new && payload.duplicate.is_none() {
                payload.duplicate = Some(format!("{}{}", object.prefix, member.name));
            }
        }
    }

    /// Reads the next value as a member of an object of the shape. If it is `known`, it was found before, an
    /// object or list by its brackets alone.
    pub(crate) fn read_member(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
        (object, member): (usize, usize),
        known: Option<Value>,
    ) -> Result<(), Malformed> {
        let object = &shape.objects[object];
        let is_new = match object.members[member].target {
            KeyTarget::Column(column) => {
                let value = self.scanner.pass(known)?;
                payload.take(column, value)
            }
            KeyTarget::Keyed(keyed) => {
                let (column, kind) = &shape.keyed[keyed];
                let path = InnerPath::Column(&shape.columns[*column].path);
                let value = self.read_inner(kind, &mut learned.keyed[keyed], payload, path)?;
                payload.take(*column, value)
            }
            KeyTarget::Object(inner) => self.read_member_object(shape, learned, payload, inner)?,
        };
        if !is_new && payload.duplicate.is_none() {
            payload.duplicate = Some(format!("{}{}", object.prefix, object.members[member].name));
        }
        match known {
            Some(known) if known.end() != self.scanner.position() => self.scanner.misplaced(),
            _ => Ok(()),
        }
    }

    /// Reads a value that should be an object of the shape; returns whether it occurs for the first time.
    fn read_member_object(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
        index: usize,
    ) -> Result<bool, Malformed> {
        let is_new = std::mem::replace(&mut payload.occurred[index], payload.number) != payload.number;
        if is_new && self.scanner.peek() == Some(b'{') {
            self.read_object(shape, learned, payload, index)?;
        } else {
            let value = self.scanner.value()?;
            if is_new && value.kind() != Kind::Null {
                payload.not_objects.push((index, value));
            }
        }
        Ok(is_new)
    }
}

/// The fault of a repeated key.
#[cold]
pub(crate) fn duplicate_key(path: &str) -> Fault {
    Fault::new(Reason::DuplicateKey, Some(path), "the key once", "it twice")
}

//! An object in a line → slots of its shape's columns. The payload is read with it, and so are elements of lists.
//!
//! A list is one slot. Its elements become values when its column takes it; on the way here they are only looked through
//! for what is told of a line before its values are: keys that occur twice, and keys that no schema knows.
//!
//! Invariant: what is learned from earlier lines (which key follows which) makes reading faster, never different.

use std::fmt;

use crate::{
    columns::Slot,
    fault::{Fault, Reason},
    json::{Kind, Malformed, Scanner, Value},
    plan::{KindPlan, ListPlan, ObjectPlan, Shape, Target},
};

/// Whose key something is: an object's, by [`ObjectPlan::id`], or the event's own.
pub(crate) type KeyOwner = Option<usize>;

/// A key that no schema knows: whose, and where it stands in the line.
pub(crate) type UnknownKey = (KeyOwner, Value);

/// What an object holds.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// By column.
    pub(crate) slots: Vec<Slot>,
    /// For each object of the shape: whether it is there.
    pub(crate) objects: Vec<bool>,
    /// For each object of the shape: whether its key is there.
    occurred: Vec<bool>,
    /// The path of the first key that occurred twice.
    pub(crate) duplicate: Option<String>,
    /// An element of a list in it, while it is looked through.
    element: Option<Box<Self>>,
}

/// Which key follows which in the objects of a shape.
#[derive(Debug)]
pub(crate) struct Learned {
    /// By object and member: which member came next the last time.
    successors: Vec<Vec<usize>>,
    /// Of the elements of each list of objects.
    elements: Vec<Self>,
}

/// Reads objects of a line.
#[derive(Debug)]
pub(crate) struct ObjectReader<'r, 'l> {
    pub(crate) scanner: &'r mut Scanner<'l>,
    pub(crate) line: &'l [u8],
    /// Takes the keys that no schema knows. Where they are not wanted, elements of lists aren't looked through either:
    /// that was done before.
    pub(crate) unknown: Option<&'r mut Vec<UnknownKey>>,
}

/// Where an element of a list stands.
struct ElementPath<'p> {
    list: ListPath<'p>,
    index: usize,
}

#[derive(Clone, Copy)]
enum ListPath<'p> {
    Column(&'p str),
    Element(&'p ElementPath<'p>),
}

impl Learned {
    pub(crate) fn new(shape: &Shape) -> Self {
        Self {
            successors: shape.objects.iter().map(|object| (0..=object.members.len()).collect()).collect(),
            elements: shape.object_lists.iter().filter_map(|(_, list)| list.shape()).map(Self::new).collect(),
        }
    }
}

impl Payload {
    /// Holds nothing, as wide as `shape`.
    pub(crate) fn reset(&mut self, shape: &Shape) {
        self.slots.clear();
        self.slots.resize(shape.columns.len(), Slot::Missing);
        self.objects.clear();
        self.objects.resize(shape.objects.len(), false);
        self.occurred.clear();
        self.occurred.resize(shape.objects.len(), false);
        self.duplicate = None;
    }

    /// The fault of the first object that must be there and is not.
    pub(crate) fn missing_object(&self, shape: &Shape) -> Option<Fault> {
        let missing = shape.required_objects.iter().find(|&&index| {
            // What is something else instead is told of by its columns.
            let columns = shape.objects[index].columns.clone();
            !self.objects[index] && !matches!(self.slots[columns].first(), Some(Slot::NotAnObject(_)))
        });
        missing.map(|&index| {
            let found = if self.occurred[index] { "null" } else { "nothing" };
            Fault::required(&shape.objects[index].path, found)
        })
    }
}

impl ObjectReader<'_, '_> {
    /// Reads the object that comes next, as `shape`.
    pub(crate) fn read(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
    ) -> Result<(), Malformed> {
        payload.reset(shape);
        self.read_object(shape, learned, payload, 0)
    }

    /// Recursion goes as deep as the catalog's objects nest, not the line's.
    fn read_object(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
        index: usize,
    ) -> Result<(), Malformed> {
        let object = &shape.objects[index];
        payload.objects[index] = true;
        // Which member is expected next; `previous` is one more than the member before, 0 at the front.
        let mut previous = 0;
        let mut more = self.scanner.enter_object()?;
        while more {
            let key_start = self.scanner.position();
            let Some(member) = self.member(object, &mut learned.successors[index][previous])? else {
                self.scanner.value()?;
                more = self.scanner.next_member()?;
                continue;
            };
            previous = member + 1;
            let is_new = match object.members[member].target {
                Target::Column(column) => {
                    let value = self.scanner.value()?;
                    payload.take(column, value)
                }
                Target::ObjectList(list) => {
                    let (column, list_plan) = &shape.object_lists[list];
                    let path = ListPath::Column(&shape.columns[*column].path);
                    let value = match self.unknown {
                        Some(_) => self.read_list(list_plan, &mut learned.elements[list], payload, path)?,
                        None => self.scanner.value()?,
                    };
                    payload.take(*column, value)
                }
                Target::Object(inner) => self.read_member_object(shape, learned, payload, inner)?,
            };
            if !is_new && payload.duplicate.is_none() {
                payload.duplicate = Some(self.path_of_key(object, key_start));
            }
            more = self.scanner.next_member()?;
        }
        Ok(())
    }

    /// Takes the next key: its member, or none if no schema knows it.
    #[inline]
    fn member(&mut self, object: &ObjectPlan, successor: &mut usize) -> Result<Option<usize>, Malformed> {
        if object.members.get(*successor).is_some_and(|member| self.scanner.take_key(&member.quoted)) {
            return Ok(Some(*successor));
        }
        let key = self.scanner.key()?;
        let found = object.find(&key.string(self.line).unwrap_or_default());
        match (found, &mut self.unknown) {
            (Some(member), _) => *successor = member,
            (None, Some(unknown)) => unknown.push((Some(object.id), key)),
            (None, None) => {}
        }
        Ok(found)
    }

    /// Reads what should be an object of the shape; whether it is there for the first time.
    fn read_member_object(
        &mut self,
        shape: &Shape,
        learned: &mut Learned,
        payload: &mut Payload,
        index: usize,
    ) -> Result<bool, Malformed> {
        let is_new = !std::mem::replace(&mut payload.occurred[index], true);
        if is_new && self.scanner.peek() == Some(b'{') {
            self.read_object(shape, learned, payload, index)?;
        } else {
            let value = self.scanner.value()?;
            if is_new && value.kind != Kind::Null {
                payload.slots[shape.objects[index].columns.clone()].fill(Slot::NotAnObject(value));
            }
        }
        Ok(is_new)
    }

    /// Looks through what should be a list with objects in it.
    fn read_list(
        &mut self,
        list: &ListPlan,
        learned: &mut Learned,
        payload: &mut Payload,
        path: ListPath<'_>,
    ) -> Result<Value, Malformed> {
        if self.scanner.peek() != Some(b'[') {
            return self.scanner.value();
        }
        let start = self.scanner.position();
        let mut path = ElementPath { list: path, index: 0 };
        let mut more = self.scanner.enter_array()?;
        while more {
            match &list.element {
                KindPlan::Object(shape) if self.scanner.peek() == Some(b'{') => {
                    let mut element = payload.element.take().unwrap_or_default();
                    self.read(shape, learned, &mut element)?;
                    if let (Some(key), None) = (element.duplicate.take(), &payload.duplicate) {
                        payload.duplicate = Some(format!("{path}{key}"));
                    }
                    payload.element = Some(element);
                }
                KindPlan::List(inner) => {
                    self.read_list(inner, learned, payload, ListPath::Element(&path))?;
                }
                KindPlan::Object(_) | KindPlan::Value(_) => drop(self.scanner.value()?),
            }
            path.index += 1;
            more = self.scanner.next_element()?;
        }
        Ok(Value { kind: Kind::Array, start, end: self.scanner.position() })
    }

    /// The path of the key that begins at or behind `start`, which was scanned before.
    #[cold]
    fn path_of_key(&self, object: &ObjectPlan, start: usize) -> String {
        let from = Value { kind: Kind::Null, start, end: start };
        let key = Scanner::at(self.line, from).key().unwrap_or(from);
        let name = key.string(self.line).unwrap_or_default();
        format!("{}.{}", object.path, String::from_utf8_lossy(&name))
    }
}

impl Payload {
    /// Takes a column's value, the first alone; whether it was that.
    #[inline]
    fn take(&mut self, column: usize, value: Value) -> bool {
        let slot = &mut self.slots[column];
        let is_new = *slot == Slot::Missing;
        if is_new {
            *slot = Slot::Value(value);
        }
        is_new
    }
}

impl fmt::Display for ElementPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list {
            ListPath::Column(path) => write!(f, "{path}[{}]", self.index),
            ListPath::Element(outer) => write!(f, "{outer}[{}]", self.index),
        }
    }
}

/// The fault of a key that occurs twice.
#[cold]
pub(crate) fn duplicate_key(path: &str) -> Fault {
    Fault::new(Reason::DuplicateKey, Some(path), "the key once", "it twice")
}

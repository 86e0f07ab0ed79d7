//! An object in a line → what its shape's columns are given. The payload is read with it, and so are elements of lists.
//!
//! A list is one value. Its elements become values when its column takes it; on the way here they are only looked through
//! for what is told of a line before its values are: keys that occur twice, and keys that no schema knows.
//!
//! Invariant: what is learned from earlier lines (what stands between values) makes reading faster, never different.

use std::fmt;

use crate::{
    columns::Slot,
    fault::{Fault, Reason},
    json::{KeyPredictor, Kind, Malformed, Next, OBJECT_START, Scanner, Value},
    plan::{KindPlan, ListPlan, Shape, Target},
};

/// Whose key something is: an object's, by [`crate::plan::ObjectPlan::id`], or the event's own.
pub(crate) type KeyOwner = Option<usize>;

/// A key that no schema knows: whose, and where it stands in the line.
pub(crate) type UnknownKey = (KeyOwner, Value);

/// What an object holds.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    /// What its columns are given, in the line's order; none twice.
    pub(crate) given: Vec<Given>,
    /// The objects of its shape that are something else instead.
    not_objects: Vec<(usize, Value)>,
    /// Counts the objects that were read, so that nothing needs to be reset between them: what is marked with an earlier
    /// number was there in an earlier one.
    number: u32,
    /// By column: the number of the object that last had it.
    columns: Vec<u32>,
    /// For each object of the shape the number of the one that last had it, and that last had its key.
    objects: Vec<u32>,
    occurred: Vec<u32>,
    /// The path of the first key that occurred twice.
    pub(crate) duplicate: Option<String>,
    /// An element of a list in it, while it is looked through.
    element: Option<Box<Self>>,
}

/// A value, null included, and the column that it is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) column: usize,
    pub(crate) value: Value,
}

/// What stood between the values in the objects of a shape.
#[derive(Debug)]
pub(crate) struct Learned {
    /// By object.
    links: Vec<KeyPredictor>,
    /// Of the elements of each list of objects.
    elements: Vec<Self>,
}

/// Reads objects of a line.
#[derive(Debug)]
pub(crate) struct ObjectReader<'r, 'l> {
    pub(crate) scanner: &'r mut Scanner<'l>,
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
            links: shape.objects.iter().map(|_| KeyPredictor::default()).collect(),
            elements: shape.object_lists.iter().filter_map(|(_, list)| list.shape()).map(Self::new).collect(),
        }
    }
}

impl Payload {
    /// Holds nothing, of `shape`.
    #[inline]
    pub(crate) fn reset(&mut self, shape: &Shape) {
        self.given.clear();
        self.not_objects.clear();
        self.duplicate = None;
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

    /// Whether an object of the shape is there.
    #[inline]
    pub(crate) fn has_object(&self, index: usize) -> bool {
        self.objects.get(index) == Some(&self.number)
    }

    /// Whether a column is given anything, null included.
    #[inline]
    pub(crate) fn has_column(&self, index: usize) -> bool {
        self.columns.get(index) == Some(&self.number)
    }

    /// Whether an object of the shape is something else instead.
    #[inline]
    pub(crate) fn has_not_objects(&self) -> bool {
        !self.not_objects.is_empty()
    }

    /// What there is for each column.
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

    /// The fault of the first object that must be there and is not.
    #[inline]
    pub(crate) fn missing_object(&self, shape: &Shape) -> Option<Fault> {
        // What is something else instead is told of by its columns.
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

    /// Takes a column's value, the first alone; whether it was that.
    #[inline]
    fn take(&mut self, column: usize, value: Value) -> bool {
        let last = std::mem::replace(&mut self.columns[column], self.number);
        if last == self.number {
            return false;
        }
        self.given.push(Given { column, value });
        true
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
        payload.objects[index] = payload.number;
        self.scanner.open_object()?;
        let mut place = OBJECT_START;
        loop {
            let find = |name: &[u8]| object.find(name);
            let next = learned.links[index].next(self.scanner, place, object.members.len(), find)?;
            place = next.place();
            let member = match next {
                Next::End => return Ok(()),
                Next::Member(member) => &object.members[member],
                Next::Unknown => {
                    if let (Some(unknown), Some(key)) = (&mut self.unknown, learned.links[index].unknown()) {
                        unknown.push((Some(object.id), key));
                    }
                    self.scanner.value()?;
                    continue;
                }
            };
            let is_new = match member.target {
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
                payload.duplicate = Some(format!("{}.{}", object.path, member.name));
            }
        }
    }

    /// Reads what should be an object of the shape; whether it is there for the first time.
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
        Ok(Value::new(Kind::Array, start, self.scanner.position()))
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

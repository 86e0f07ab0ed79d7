//! A list or a map in a line, before its column takes it → its extent, and what must be known of it by then:
//! keys that are repeated, and keys that are not in a schema.
//!
//! Invariant: keys are compared by what they mean, however they are written.

use std::{fmt, hash::BuildHasher};

use foldhash::quality::RandomState;

use super::{Learned, ObjectReader, Payload};
use crate::{
    fault::key_place,
    json::{Kind, Malformed, Value},
    plan::KindPlan,
};

/// The path of something in a list or a map.
#[derive(Clone, Copy)]
pub(super) enum InnerPath<'p> {
    Column(&'p str),
    Element(&'p Self, usize),
    /// With the characters of the key between its quotes, as written.
    Entry(&'p Self, &'p [u8]),
}

impl ObjectReader<'_, '_> {
    /// Scans a value that should be of a kind with keys in it. Recursion is as deep as the kind, not the
    /// line.
    pub(super) fn read_inner(
        &mut self,
        kind: &KindPlan,
        learned: &mut Learned,
        payload: &mut Payload,
        path: InnerPath<'_>,
    ) -> Result<Value, Malformed> {
        let first = self.scanner.peek();
        let start = self.scanner.position();
        let kind = match (kind, first) {
            (KindPlan::List(list), Some(b'[')) => {
                self.read_list(&list.element, learned, payload, path)?;
                Kind::Array
            }
            (KindPlan::Map(map), Some(b'{')) => {
                self.read_map(&map.value, learned, payload, path)?;
                Kind::Object
            }
            (KindPlan::Object(shape), Some(b'{')) => {
                let mut element = payload.element.take().unwrap_or_default();
                self.read(shape, learned, &mut element)?;
                if let (Some(key), None) = (element.duplicate.take(), &payload.duplicate) {
                    payload.duplicate = Some(format!("{path}{key}"));
                }
                payload.element = Some(element);
                Kind::Object
            }
            _ => return self.scanner.value(),
        };
        Ok(Value::new(kind, start, self.scanner.position()))
    }

    fn read_list(
        &mut self,
        element: &KindPlan,
        learned: &mut Learned,
        payload: &mut Payload,
        path: InnerPath<'_>,
    ) -> Result<(), Malformed> {
        let mut more = self.scanner.enter_array()?;
        let mut index = 0;
        while more {
            self.read_inner(element, learned, payload, InnerPath::Element(&path, index))?;
            index += 1;
            more = self.scanner.next_element()?;
        }
        Ok(())
    }

    fn read_map(
        &mut self,
        value: &KindPlan,
        learned: &mut Learned,
        payload: &mut Payload,
        path: InnerPath<'_>,
    ) -> Result<(), Malformed> {
        let line = self.scanner.line();
        let first = payload.map_keys.len();
        let mut more = self.scanner.enter_object()?;
        while more {
            let key = self.scanner.key()?;
            payload.map_keys.push(key);
            self.read_inner(value, learned, payload, InnerPath::Entry(&path, key.inner(line)))?;
            more = self.scanner.next_member()?;
        }
        if payload.duplicate.is_none()
            && let Some(key) = repeated_key(&payload.map_keys[first..], line)
        {
            payload.duplicate = Some(InnerPath::Entry(&path, key.inner(line)).to_string());
        }
        payload.map_keys.truncate(first);
        Ok(())
    }
}

/// The first key that occurred before, however both are written.
fn repeated_key(keys: &[Value], line: &[u8]) -> Option<Value> {
    /// So few are compared with each other faster than they are hashed.
    const FEW: usize = 8;
    let name = |key: &Value| key.string(line).unwrap_or_default();
    let is_among = |key: &Value, earlier: &[Value]| earlier.iter().any(|earlier| name(earlier) == name(key));
    if keys.len() <= FEW {
        let repeated = keys.iter().enumerate().find(|(index, key)| is_among(key, &keys[..*index]));
        return repeated.map(|(_, key)| *key);
    }
    // A key takes 16 bytes here, which a set of texts would exceed several times; and no key is copied.
    let state = RandomState::default();
    let mut hashed: Vec<_> = keys.iter().map(|key| (state.hash_one(&*name(key)), *key)).collect();
    hashed.sort_unstable_by_key(|(hash, key)| (*hash, key.start()));
    let repeated_in = |run: &[(u64, Value)]| {
        let keys: Vec<_> = run.iter().map(|(_, key)| *key).collect();
        (1..keys.len()).find(|&index| is_among(&keys[index], &keys[..index])).map(|index| keys[index])
    };
    let same_hash = hashed.chunk_by(|(one, _), (other, _)| one == other).filter(|run| run.len() > 1);
    same_hash.filter_map(repeated_in).min_by_key(|key| key.start())
}

impl fmt::Display for InnerPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(path) => f.write_str(path),
            Self::Element(list, index) => write!(f, "{list}[{index}]"),
            Self::Entry(map, key) => write!(f, "{map}{}", key_place(key)),
        }
    }
}

//! A value of a line → the evidence of its path and of all paths below it.
//!
//! Invariant: the line was scanned before and is valid. Of a repeated key the first value counts, as in a
//! load, and the object is counted as having a repeated key.

use std::collections::HashSet;

use event_parser::json::{Kind, Malformed, Scanner};
use xxhash_rust::xxh3::xxh3_64;

use super::evidence::{DEPTH_MAX, Evidence, KEYS_MAX, Lists, Objects};

/// What a key of an object is.
enum Key {
    /// That of the member with this index.
    Member(usize),
    /// One of too many to be told apart.
    Any,
    /// Another one of the object is the same.
    Repeated,
    /// It does not count.
    LeftOut,
}

/// Whether a key does not count.
type IsLeftOut<'a> = &'a dyn Fn(&[u8]) -> bool;

/// A walk over one line.
#[derive(Debug)]
pub(crate) struct Walk<'l> {
    pub(crate) line: &'l [u8],
    pub(crate) scanner: Scanner<'l>,
    /// Members that were added.
    pub(crate) members_added: usize,
}

impl Walk<'_> {
    /// Observes the next value, inside of `depth` objects and lists.
    pub(crate) fn value(&mut self, evidence: &mut Evidence, depth: u32) -> Result<(), Malformed> {
        match self.scanner.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => {
                self.scanner.value()?;
                evidence.too_deep += 1;
            }
            Some(b'{') => {
                let objects = evidence.objects.get_or_insert_default();
                return self.object(objects, depth + 1, KEYS_MAX, &|_| false);
            }
            Some(b'[') => return self.list(evidence.lists.get_or_insert_default(), depth + 1),
            _ => self.scalar(evidence)?,
        }
        Ok(())
    }

    fn scalar(&mut self, evidence: &mut Evidence) -> Result<(), Malformed> {
        let value = self.scanner.value()?;
        match value.kind() {
            Kind::True => evidence.trues += 1,
            Kind::False => evidence.falses += 1,
            Kind::Number => evidence.numbers.get_or_insert_default().add(value.text(self.line)),
            Kind::String { .. } => {
                let text = value.string(self.line).unwrap_or_default();
                evidence.texts.get_or_insert_default().add(&text);
            }
            Kind::Null | Kind::Object | Kind::Array => evidence.nulls += 1,
        }
        Ok(())
    }

    /// Observes the next value, an object, without the keys that are left out; its values are at `depth`.
    pub(crate) fn object(
        &mut self,
        objects: &mut Objects,
        depth: u32,
        keys_max: usize,
        is_left_out: IsLeftOut<'_>,
    ) -> Result<(), Malformed> {
        objects.count += 1;
        let (mut place, mut guess, mut has_repeated_key) = (0, 0, false);
        // Of an object whose keys are not told apart.
        let mut keys = HashSet::new();
        let mut more = self.scanner.enter_object()?;
        while more {
            match self.key(objects, guess, keys_max, (&mut keys, is_left_out))? {
                Key::Member(index) => {
                    guess = index + 1;
                    let member = &mut objects.members[index];
                    member.count += 1;
                    member.places += place;
                    self.value(&mut member.evidence, depth)?;
                }
                Key::Any => self.value(objects.of_any_key.get_or_insert_default(), depth)?,
                Key::Repeated => {
                    has_repeated_key = true;
                    self.scanner.value()?;
                }
                Key::LeftOut => drop(self.scanner.value()?),
            }
            place += 1;
            more = self.scanner.next_member()?;
        }
        objects.with_repeated_key += u64::from(has_repeated_key);
        Ok(())
    }

    /// Reads the next key. `keys` are the hashes of those of this object, where they are not told apart.
    fn key(
        &mut self,
        objects: &mut Objects,
        guess: usize,
        keys_max: usize,
        (keys, is_left_out): (&mut HashSet<u64>, IsLeftOut<'_>),
    ) -> Result<Key, Malformed> {
        let object = objects.count;
        let guessed = objects.members.get(guess).is_some_and(|member| self.scanner.take_key(&member.quoted));
        let index = if guessed {
            if is_left_out(&objects.members[guess].name) {
                return Ok(Key::LeftOut);
            }
            guess
        } else {
            let key = self.scanner.key()?;
            let name = key.string(self.line).unwrap_or_default();
            if is_left_out(&name) {
                return Ok(Key::LeftOut);
            }
            let known = objects.members.len();
            if known == keys_max && objects.find(&name).is_none() {
                let here = objects.members.iter().filter(|member| member.last_object == object);
                keys.extend(here.map(|member| xxh3_64(&member.name)));
            }
            let Some(index) = objects.find_or_add(&name, keys_max) else {
                return Ok(if keys.insert(xxh3_64(&name)) { Key::Any } else { Key::Repeated });
            };
            self.members_added += objects.members.len().saturating_sub(known);
            index
        };
        let last = std::mem::replace(&mut objects.members[index].last_object, object);
        Ok(if last == object { Key::Repeated } else { Key::Member(index) })
    }

    fn list(&mut self, lists: &mut Lists, depth: u32) -> Result<(), Malformed> {
        let mut length = 0;
        let mut more = self.scanner.enter_array()?;
        while more {
            self.value(&mut lists.elements, depth)?;
            length += 1;
            more = self.scanner.next_element()?;
        }
        lists.count += 1;
        lists.stretch((length, length));
        Ok(())
    }
}

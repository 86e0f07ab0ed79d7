//! A value of a line → the evidence of its path and of all paths below it.
//!
//! Invariant: the line was scanned before and is valid. Of a repeated key the first value counts, as in a
//! load, and the object is counted as having a repeated key.

use event_parser::json::{Kind, Malformed, Scanner};

use super::evidence::{DEPTH_MAX, Evidence, KEYS_MAX, Lists, Objects};

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
            Some(b'{') => return self.object(evidence.objects.get_or_insert_default(), depth + 1, KEYS_MAX),
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

    /// Observes the next value, an object; its values are at `depth`.
    pub(crate) fn object(
        &mut self,
        objects: &mut Objects,
        depth: u32,
        keys_max: usize,
    ) -> Result<(), Malformed> {
        objects.count += 1;
        let (mut place, mut guess, mut has_repeated_key) = (0, 0, false);
        let mut more = self.scanner.enter_object()?;
        while more {
            match self.member(objects, guess, keys_max)? {
                Some(index) => {
                    guess = index + 1;
                    let object = objects.count;
                    let member = &mut objects.members[index];
                    if std::mem::replace(&mut member.last_object, object) == object {
                        has_repeated_key = true;
                        self.scanner.value()?;
                    } else {
                        member.count += 1;
                        member.places += place;
                        self.value(&mut member.evidence, depth)?;
                    }
                }
                None => drop(self.scanner.value()?),
            }
            place += 1;
            more = self.scanner.next_member()?;
        }
        objects.with_repeated_key += u64::from(has_repeated_key);
        Ok(())
    }

    /// Reads the next key: the index of its member, unless there are too many.
    fn member(
        &mut self,
        objects: &mut Objects,
        guess: usize,
        keys_max: usize,
    ) -> Result<Option<usize>, Malformed> {
        if objects.members.get(guess).is_some_and(|member| self.scanner.take_key(&member.quoted)) {
            return Ok(Some(guess));
        }
        let key = self.scanner.key()?;
        if objects.has_too_many_keys {
            return Ok(None);
        }
        let known = objects.members.len();
        let index = objects.find_or_add(&key.string(self.line).unwrap_or_default(), keys_max);
        self.members_added += objects.members.len().saturating_sub(known);
        Ok(index)
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

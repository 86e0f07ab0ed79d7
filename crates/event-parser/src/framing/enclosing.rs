//! The members of the objects around a record that it is read with → one JSON object's text.
//!
//! Invariant: of a key that stands in several of these objects, the innermost value is kept.

use std::sync::Arc;

use super::records::Records;

/// The wanted members that were seen so far, from the outermost object to the innermost.
#[derive(Debug, Default)]
pub(super) struct Enclosing {
    /// The index of the wanted key, and where the member's text ends in `text`.
    members: Vec<(usize, usize)>,
    /// `"key":value` one behind the other.
    text: Vec<u8>,
    /// The object's text, once a record needed it.
    shared: Option<Arc<[u8]>>,
}

impl Enclosing {
    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds a member, if its key is wanted. Key and value are as written.
    pub(super) fn add(&mut self, records: &Records, name: &[u8], key: &[u8], value: &[u8]) {
        let Some(index) = records.enclosing_key(name) else { return };
        self.text.extend_from_slice(key);
        self.text.push(b':');
        self.text.extend_from_slice(value);
        self.members.push((index, self.text.len()));
        self.shared = None;
    }

    /// Leaves an object: only the first `length` members are around what follows.
    pub(super) fn truncate(&mut self, length: usize) {
        if length < self.members.len() {
            self.members.truncate(length);
            self.text.truncate(self.members.last().map_or(0, |(_, end)| *end));
            self.shared = None;
        }
    }

    /// The members as an object's text; records in a row share it.
    pub(super) fn text(&mut self, records: &Records) -> Option<Arc<[u8]>> {
        if !records.has_enclosing_keys() {
            return None;
        }
        Some(Arc::clone(self.shared.get_or_insert_with(|| {
            let mut object = vec![b'{'];
            for (at, (key, end)) in self.members.iter().enumerate() {
                if self.members[at + 1..].iter().any(|(later, _)| later == key) {
                    continue;
                }
                if object.len() > 1 {
                    object.push(b',');
                }
                let start = at.checked_sub(1).map_or(0, |before| self.members[before].1);
                object.extend_from_slice(&self.text[start..*end]);
            }
            object.push(b'}');
            object.into()
        })))
    }
}

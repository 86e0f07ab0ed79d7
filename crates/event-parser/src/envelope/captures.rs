//! The values that a record has for the keys of an envelope.
//!
//! Invariant: a capture is the first value of its key.

use crate::json::Value;

/// The values of the keys, by the number of their capture.
#[derive(Debug, Default)]
pub(crate) struct Captures {
    values: Vec<Option<Value>>,
    /// The keys that occur more than once; each may be in it more than once.
    pub(crate) repeated: Vec<usize>,
}

impl Captures {
    pub(crate) fn reset(&mut self, keys: usize) {
        self.values.clear();
        self.values.resize(keys, None);
        self.repeated.clear();
    }

    #[inline]
    pub(crate) fn get(&self, key: usize) -> Option<Value> {
        self.values[key]
    }

    /// Takes the value of a key that had none.
    #[inline]
    pub(crate) fn set(&mut self, key: usize, value: Value) {
        self.values[key] = Some(value);
    }
}

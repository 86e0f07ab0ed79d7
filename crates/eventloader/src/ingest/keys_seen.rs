//! Bad lines → the keys that they have, and the base fields that they lack, for a message.
//!
//! Invariant: the result depends on the set of lines, not on their order. The number of names is bounded.

use std::collections::BTreeSet;

use event_parser::json::Scanner;
use events_core::event;
use serde::{Deserialize, Serialize};

use crate::runtime::names::cut_name;

/// Without these, a line is no event.
const NEEDED: [&str; 4] = [event::EVENT_ID, event::TIMESTAMP, event::DOMAIN, event::EVENT_TYPE];

/// The most keys that a message names.
const KEYS_MAX: usize = 20;

/// The outermost keys of lines that are objects.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeysSeen {
    objects: u64,
    /// The first ones by name, one more than a message names.
    keys: BTreeSet<String>,
    /// By base field: how many of the lines have it.
    having: [u64; NEEDED.len()],
}

impl KeysSeen {
    /// Adds a line. One that is no JSON object has no keys.
    pub(crate) fn add(&mut self, line: &[u8]) {
        let Some(keys) = keys_of(line) else { return };
        self.objects += 1;
        for (name, count) in NEEDED.iter().zip(&mut self.having) {
            *count += u64::from(keys.iter().any(|key| key == name));
        }
        self.keys.extend(keys.iter().map(|key| cut_name(key)));
        self.cut();
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.objects += other.objects;
        self.keys.extend(other.keys);
        self.having.iter_mut().zip(other.having).for_each(|(ours, theirs)| *ours += theirs);
        self.cut();
    }

    fn cut(&mut self) {
        while self.keys.len() > KEYS_MAX + 1 {
            self.keys.pop_last();
        }
    }

    /// The base fields that no line has; none if no line is an object.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        let never = NEEDED.iter().zip(self.having).filter(|(_, count)| *count == 0 && self.objects > 0);
        never.map(|(name, _)| *name).collect()
    }

    /// The keys, for a message; empty if no line has one.
    pub(crate) fn names(&self) -> String {
        let mut keys: Vec<_> = self.keys.iter().take(KEYS_MAX).map(String::as_str).collect();
        if self.keys.len() > KEYS_MAX {
            keys.push("…");
        }
        keys.join(", ")
    }
}

/// The base fields that a line lacks; none if it is no object.
pub(crate) fn lacking(line: &[u8]) -> Vec<&'static str> {
    let mut seen = KeysSeen::default();
    seen.add(line);
    seen.missing()
}

/// The outermost keys of an object.
fn keys_of(line: &[u8]) -> Option<Vec<String>> {
    let mut scanner = Scanner::new(line);
    let mut keys = Vec::new();
    if scanner.peek() != Some(b'{') {
        return None;
    }
    let mut more = scanner.enter_object().ok()?;
    while more {
        let key = scanner.key().ok()?.string(line)?;
        keys.push(String::from_utf8_lossy(&key).into_owned());
        scanner.value().ok()?;
        more = scanner.next_member().ok()?;
    }
    Some(keys)
}

//! Sources → the beginnings of their texts, for whoever must know what they are before they are read.
//!
//! Invariant: looking at a source takes nothing from it. What can be read only once (standard input, a pipe)
//! is read from its beginning by the source that is left in its place.

use std::{
    fmt,
    io::{Cursor, Read},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    defect::unreadable,
    objects::{ReadAhead, Window},
    open::{Text, open},
    sources::{Origin, Source},
};
use crate::{error::Error, runtime::Progress};

/// A source that can be read once, of which the beginning was read.
#[derive(Clone)]
pub(crate) struct Begun(Arc<Mutex<Option<BegunText>>>);

/// What was read of a text, and the rest of it.
struct BegunText {
    head: Vec<u8>,
    rest: Text,
}

impl Begun {
    /// Its text from the beginning; `None` the second time.
    pub(super) fn take(&self) -> Option<Text> {
        let BegunText { head, rest } = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let compression = rest.compression;
        Some(Text::of(Box::new(Cursor::new(head).chain(rest)), compression))
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun")
    }
}

/// The first `bytes` of a source's text, or all of it; the source can be read afterwards.
///
/// # Errors
/// It can't be read.
pub(crate) fn look_at(source: &mut Source, bytes: u64, progress: &Progress) -> Result<Vec<u8>, Error> {
    let can_be_read_again = source.stored_bytes().is_some();
    let progress = if can_be_read_again { &Progress::hidden() } else { progress };
    let failed =
        |compression, head: &[u8], error| unreadable(&source.name, head.len() as u64, compression, error);
    let ahead = ReadAhead::of([&*source], Window::least());
    let mut text = open(source, &ahead, progress, false).map_err(|error| failed(None, &[], error))?;
    let mut head = Vec::new();
    if let Err(error) = text.by_ref().take(bytes).read_to_end(&mut head) {
        return Err(failed(text.compression, &head, error));
    }
    if !can_be_read_again {
        source.origin =
            Origin::Begun(Begun(Arc::new(Mutex::new(Some(BegunText { head: head.clone(), rest: text })))));
    }
    Ok(head)
}

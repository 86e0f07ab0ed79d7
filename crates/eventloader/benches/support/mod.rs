//! What the benches read: events in a temporary file, which is gone when its bench is over.
#![expect(clippy::disallowed_methods, reason = "a bench makes its own files")]

use std::{num::NonZero, path::PathBuf};

use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use tempfile::NamedTempFile;

/// So many events of datagen, as it writes them: 246 bytes each, a minute apart.
pub(crate) fn generated(events: u64) -> Vec<u8> {
    let config = datagen::Config {
        seed: 123,
        num_events: events,
        start_date: datagen::DEFAULT_START_DATE,
        threads: NonZero::<usize>::MIN,
        ..datagen::Config::default()
    };
    let mut lines = Vec::new();
    datagen::generate(&config, &mut lines).unwrap();
    lines
}

/// A source with events.
pub(crate) struct Input {
    file: NamedTempFile,
    text_bytes: usize,
    pub(crate) events: usize,
}

impl Input {
    /// `text` holds so many events, and `stored` is what stands in the file for it.
    pub(crate) fn new(stored: &[u8], text: &[u8], events: usize) -> Self {
        let file = NamedTempFile::new().unwrap();
        fs_err::write(file.path(), stored).unwrap();
        Self { file, text_bytes: text.len(), events }
    }

    /// Lines, uncompressed.
    pub(crate) fn lines(text: &[u8]) -> Self {
        Self::new(text, text, memchr::memchr_iter(b'\n', text).count())
    }

    pub(crate) fn sources(&self) -> Vec<PathBuf> {
        vec![self.file.path().to_owned()]
    }

    /// Measures what is done with the input; figures are of its text, whatever it is compressed to.
    pub(crate) fn measure<T>(&self, bencher: Bencher, run: impl Fn() -> T + Sync) {
        let bytes = BytesCount::new(self.text_bytes);
        bencher.counter(bytes).counter(ItemsCount::new(self.events)).bench(run);
    }
}

//! How the sources are divided: their framing, and where records are in a document → cutters of their texts.
//!
//! Invariant: whoever reads a source, to load it or only to look at it, divides it in the same way.

use std::{io::Read, sync::Arc};

use event_parser::{Cutter, Framing, Records};

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct Framed {
    pub(crate) framing: Framing,
    pub(crate) records: Arc<Records>,
}

impl Framed {
    /// Cuts a text into blocks of about `block_bytes`.
    pub(super) fn cutter<R: Read>(&self, reader: R, block_bytes: usize) -> Cutter<R> {
        Cutter::new(reader, block_bytes).framed(self.framing).with_records(&self.records)
    }
}

//! Rows in memory, between the parser and the encoder: batches of columns, references to rows, and their
//! order.
//!
//! ```text
//! Batch (ids, timestamps, positions, columns) → RowRef, Rows → grouped by partition, sorted, gathered
//! ```
//!
//! There is no I/O here, and there are no threads.
//!
//! Invariant: grouping and sorting move only references, never rows.

mod batch;
mod content_hash;
mod grouping;
mod ids;
mod jsonb;
mod position;
mod references;
mod short_copy;
mod texts;
mod version_keys;
mod widening;

pub use self::{
    batch::{ARRAY_BYTES, ARRAY_BYTES_MIN, Batch},
    content_hash::{hash_batch, hash_rows},
    grouping::{Grouped, PartitionKey, count_by_partition, group, sort},
    ids::{Id, Ids, IdsBuilder, ReadId, UUID_TEXT_BYTES, parse_uuid_text, uuid_text},
    jsonb::as_jsonb,
    position::{Place, Position},
    references::{
        CHUNK_ROWS, CHUNK_TEXT_BYTES, Gathering, RowRef, Rows, chunk_rows, chunk_rows_of, column_text_bytes,
        gather,
    },
    short_copy::extend_with_part,
    texts::{push_json, stored_texts},
    version_keys::{VersionColumns, VersionKeys, VersionOrder, version_texts},
    widening::widened,
};

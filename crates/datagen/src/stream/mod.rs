//! A seed → random numbers and event ids: the foundation of every stream.
//!
//! Invariant: the same seed gives the same numbers on every machine and in every release with the same
//! [`STREAM_VERSION`].

pub(crate) mod event_id;
pub(crate) mod random;

/// The version of the stream: it identifies the bytes that a seed stands for.
///
/// It covers every byte of the output: ids, times, choices, words and the form of the lines. A release that
/// writes other bytes for a seed has another version. Messages and file names are not covered. The start date
/// only shifts the timestamps.
pub const STREAM_VERSION: u32 = 1;

/// Events per chunk, the unit of work of a thread. The engines are keyed by chunk, so this belongs to the
/// stream version.
///
/// A chunk has about 500 kB of lines: they are still in the second-level cache when they are written, and
/// handing a chunk over costs little compared with the 130 µs that rendering it takes. 1,024, 2,048 and 4,096
/// performed alike in `datagen -n 20000000 --threads 2 | cat >/dev/null`.
pub(crate) const CHUNK_EVENTS: u32 = 2048;

/// No stream has an event at this position or later: the calendar has fewer microseconds.
pub(crate) const EVENT_INDEX_MAX: u64 = 1 << 59;

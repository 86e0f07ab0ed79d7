//! Values → bytes of JSON lines: numbers, times, sentences, and the buffer that collects a chunk's lines.
//!
//! Invariant: nothing here knows what an event is.

pub(crate) mod buffer;
pub(crate) mod clock;
pub(crate) mod digits;
pub(crate) mod line;
pub(crate) mod pieces;
pub(crate) mod sentence;
pub(crate) mod words;

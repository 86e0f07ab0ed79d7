//! A list of faults → which events have one, and the lines that stand in the stream for them.
//!
//! Faults are a layer on top of either world: the worlds know nothing of them, and every fault is made from a
//! clean line.
//!
//! - `selection` decides which events are hosts of a fault, each of exactly one;
//! - `clean_line` finds the parts of a clean line;
//! - `malformed` makes bad lines from clean ones, each with the reason that a loader must give;
//! - `altered` rewrites good lines so that they mean the same row;
//! - `arrivals` puts these lines between the clean lines of a chunk;
//! - `log` records which line has which fault.
//!
//! Invariant: everything is a pure function of (stream version, seed, number of events, list) and of the
//! clean lines.

pub mod altered;
mod arrivals;
mod clean_line;
mod log;
pub mod malformed;
mod selection;

pub(crate) use self::{
    arrivals::{ChunkOutput, Faults},
    log::LoggedFault,
};

/// The index of the choice for the `ordinal`-th host, if the choices take turns.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is below `choices`")]
fn in_turn(ordinal: u64, choices: usize) -> usize {
    (ordinal % choices as u64) as usize
}

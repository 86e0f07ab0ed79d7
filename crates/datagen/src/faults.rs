//! A list of faults in; which events are hit, and what stands in the stream for them, out.
//!
//! Faults are a layer of their own over either world: the worlds know nothing of them, and the clean line is what every
//! fault begins with.
//!
//! - `list` reads what was asked for, and makes numbers of it;
//! - `selection` decides which events are hosts of a fault, each of exactly one;
//! - `clean_line` knows where the parts of a clean line stand;
//! - `malformed` makes bad lines of clean ones, each with the reason that a loader must give;
//! - `altered` writes good lines in another way that means the same row;
//! - `arrivals` puts all of it between the clean lines of a chunk;
//! - `log` says which line is which fault.
//!
//! Invariant: all is a pure function of (stream version, seed, number of events, list) and of the clean lines.

pub mod altered;
mod arrivals;
mod clean_line;
pub mod list;
mod log;
pub mod malformed;
pub mod selection;

pub use self::list::{Fault, FaultCounts, FaultList, FaultListError};
pub use self::selection::Selection;
pub(crate) use self::{
    arrivals::{Faults, Written},
    log::Logged,
};

/// Which of so many choices the `ordinal`-th host takes, if they take turns.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is below `choices`")]
fn in_turn(ordinal: u64, choices: usize) -> usize {
    (ordinal % choices as u64) as usize
}

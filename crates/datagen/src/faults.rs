//! A list of faults in; which events are hit, and what stands in the stream for them, out.
//!
//! Faults are a layer of their own over either world: the worlds know nothing of them, and the clean line is what every
//! fault begins with.
//!
//! - `list` reads what was asked for, and makes numbers of it;
//! - `selection` decides which events are hosts of a fault, each of exactly one.
//!
//! Invariant: all is a pure function of (stream version, seed, number of events, list) and of the clean lines.

pub mod list;
pub mod selection;

pub use self::list::{Fault, FaultCounts, FaultList, FaultListError};
pub use self::selection::Selection;

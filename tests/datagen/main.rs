//! What a user of `datagen` can rely on, through the real binary.
//!
//! - `stream`: the same flags give the same bytes, whatever the threads and the machine; the golden hashes.
//! - `world`: what the events say; ranges, shares, unique ids.
//! - `faults`: as many as were asked for, and how they are undone.
//! - `file`: `--write-data`: a complete file or none.
//! - `files`: several files, compressed ones, and which of those that are there are replaced.
//! - `continued`: runs that continue what is there are one run.
//! - `sizes`: days, durations and bytes instead of a number of events.
//! - `rate`: live feeds, and what a terminal shows of a run.
//! - `ledger`: what the events of the ledger look like.
//! - `explain`: one event and the history of its account are what the whole stream says of them.
//! - `check`: the output is found to be in order, and a line that was changed is named with its rule.
//! - `usage`: help, version, wrong flags, pipes.
//! - `support`: how the binary is run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod check;
mod continued;
mod explain;
mod faults;
mod file;
mod files;
mod ledger;
mod rate;
mod sizes;
mod stream;
mod support;
mod usage;
mod world;

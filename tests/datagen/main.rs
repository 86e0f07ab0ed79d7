//! What a user of `datagen` can rely on, through the real binary.
//!
//! - `stream`: the same flags give the same bytes, whatever the threads and the machine; the golden hashes.
//! - `world`: what the events say; ranges, shares, unique ids.
//! - `faults`: as many as were asked for, and how they are undone.
//! - `file`: `--write-data` and what it does with files that are there.
//! - `ledger`: what the events of the ledger look like.
//! - `explain`: one event and the history of its account are what the whole stream says of them.
//! - `usage`: help, version, wrong flags, pipes.
//! - `support`: how the binary is run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod explain;
mod faults;
mod file;
mod ledger;
mod stream;
mod support;
mod usage;
mod world;

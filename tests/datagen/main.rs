//! What a user of `datagen` can rely on, through the real binary.
//!
//! - `stream`: the same flags give the same bytes, whatever the threads and the machine; the golden hashes.
//! - `world`: the events of the simple world; ranges, shares, unique ids.
//! - `faults`: as many as were asked for, and how they are undone.
//! - `changes`: as many as were asked for, each from its event on.
//! - `file`: `--write-data`, a complete file or none.
//! - `files`: several files, compressed files, and which existing files are replaced.
//! - `continued`: runs that continue existing events equal one run.
//! - `torn`: so do those that continue a file whose last line was cut off.
//! - `turns`: so do those that are started at the same time.
//! - `sizes`: days, durations and bytes instead of a number of events.
//! - `rate`: live feeds, and what a terminal shows.
//! - `ledger`: the events of the ledger.
//! - `explain`: agrees with the whole stream about each event and the history of its account.
//! - `check`: accepts the output, and reports a changed line with its rule.
//! - `envelopes`: the records of other producers, and what the presets make of them.
//! - `usage`: help, version, wrong flags, pipes.
//! - `support`: how the binary is run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod changes;
mod check;
mod continued;
mod envelopes;
mod explain;
mod faults;
mod file;
mod files;
mod ledger;
mod rate;
mod sizes;
mod stream;
mod support;
mod torn;
mod turns;
mod usage;
mod world;

//! A load in pieces, whose reading and writing an engine distributes: Spark, Sail, Ray, or plain Python.
//!
//! ```text
//! Job::open → splits → parse → contenders, by bucket → resolve → superseded, by partition → write → commit
//!                        └──── runs, on the shared file system ──────────────────────────────┘
//! ```
//!
//! The rows themselves never pass through the engine. A task that parses a split leaves them in the target's
//! staging directory, sorted by partition, as a load on one machine spills them. What the engine moves are
//! the ids and versions of rows, the places of their runs, counts, and what was found out, in batches of one
//! form (`wire.rs`). So what it groups is small, and a partition of any size is merged from its runs.
//!
//! Nothing is visible before [`Job::commit`], which proves the counts of all tasks against each other, as a
//! load does. A task may run several times: each attempt has a directory of its own, and only those count
//! whose answers reach the driver.
//!
//! Invariant: report, partitions, quarantine and record are those of a load on one machine, byte for byte,
//! but for the times.

mod answers;
mod attempt;
mod commit;
mod held;
mod job;
mod job_place;
mod parse;
mod partitions_read;
mod resolve;
mod split;
mod task;
mod wire;
mod write;

pub use self::{
    job::{Division, Job},
    parse::SplitBatches,
    task::Task,
    wire::schema,
};

//! Loads JSON events into Parquet, partitioned by day and event type: the stages of the program, for its
//! binary, the Python package and tests.
//!
//! [`program::run`] is the program, and [`commands::load::load`] a load. Folders, in the order in which data
//! passes through them:
//!
//! ```text
//! input → ingest → rows → latest → existing → output → quarantine → report
//! ```
//!
//! Parsing is the crate `event-parser`, Parquet is `event-parquet`, and the commit is `event-target`.
//!
//! Invariant: a folder uses those before it and never a later one (`tests/layers.rs` checks it). Only
//! `commands` knows all stages, only `cli` declares flags, and only `program` prints.

pub mod error;
pub mod settings;
pub mod runtime;
mod input;
mod quarantine;
mod latest;
mod rows;
mod ingest;
mod existing;
mod output;
pub mod report;
pub mod commands;
pub mod cli;
pub mod program;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

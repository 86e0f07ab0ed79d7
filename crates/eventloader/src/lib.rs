//! Loads JSON events into Parquet, partitioned by day and event type: the stages of the program, for its
//! binary and tests.
//!
//! [`commands::load::load`] is the entry point. Folders, in the order in which data passes through them:
//!
//! ```text
//! input → ingest → rows → latest → existing → output → quarantine → report
//! ```
//!
//! Parsing is the crate `event-parser`, Parquet is `event-parquet`, and the commit is `event-target`.
//!
//! Invariant: a folder uses those before it and never a later one (`tests/layers.rs` checks it). Only
//! `commands` knows all stages, and only `cli` knows clap.

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

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

//! Loads JSON events into Parquet, partitioned by day and event type: the program's stages, for its binary and tests.
//!
//! [`pipeline::load`] is the way in. A stage imports earlier stages, never later ones; only `pipeline` knows all of them,
//! only `cli` knows clap, and only `commit` renames or deletes anything in a target.
//!
//! In the order of the data's way:

pub mod cli;
pub mod settings;
pub mod progress;
pub mod interruption;
pub mod catalogs;
pub mod pipeline;
mod ingest;

mod sources;
mod survey;
mod raw_content;
mod disk;
mod bytes;
mod arrays;
mod blocks;
mod lines;
mod json;
pub mod selection;
mod plan;
mod payload;
mod events;
mod columns;
mod fault;
mod ids;
mod batch;

mod rows;
mod content;
mod accounts;
mod spill;
mod latest;
mod partitions;
mod held;
mod merge;
pub mod parquet;
mod writing;

mod quarantine;
mod commit;
mod fates;
pub mod report;
pub mod recovery;
pub mod runs;
pub mod verify;

pub mod catalog_command;
pub mod error;
mod stages;
pub mod memory;
pub mod inert_text;
mod short_copy;
mod workers;

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

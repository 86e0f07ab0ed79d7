//! The commands of the program: one file or folder for each.
//!
//! `replay` has none: it is a load that reads bad lines from the target's quarantine.
//!
//! Invariant: a command knows the stages of a run; no stage knows a command.

pub mod accept;
mod bad_lines;
pub mod catalog;
pub mod catalog_files;
mod conclude;
pub mod discard;
pub mod distributed;
mod facts;
mod fitting;
mod layout_fit;
mod named_version;
pub mod list;
pub mod load;
mod new_file;
pub mod quarantine;
pub mod recover;
pub(crate) mod replayed_catalog;
pub(crate) mod report_place;
pub mod rewrite;
pub mod target_form;
mod sink;
mod ties;
pub mod verify;

//! What the program does: one file or folder for each command.
//!
//! `replay` is a load whose input are bad lines of the target's quarantine.

pub mod catalog;
pub mod catalog_files;
pub mod list;
pub mod load;
pub mod recover;
pub mod verify;

//! A target of plain partitions: a directory whose files are renamed into their places.
//!
//! Invariant: see `target.rs`, which has the protocol.

pub(crate) mod durability;
pub(crate) mod find;
pub(crate) mod listing;
mod lock;
pub(crate) mod place;
mod placing;
mod publish;
mod rehearsal;
mod target;

pub(crate) use self::target::{Target, has_record, is_target, lock_to_read};
pub use self::{
    find::{PartitionFile, Partitions},
    listing::ListedFiles,
    publish::Recovered,
};

//! Buckets of S3, Azure and Google Cloud Storage as stores.
//!
//! In: an address, and the environment. Out: a [`storage::Store`] whose verbs are requests, made by one
//! thread of a runtime inside, and awaited by the threads of the caller.
//!
//! Invariant: no message has a secret in it; an answer that is no success is an error, and never taken for
//! one.

mod address;
mod blocks;
mod bucket;
mod credentials;
mod failure;
mod object;
mod open;
mod probe;
mod secrets;
mod upload;
mod uploads;

pub use self::{
    address::Address,
    open::{Options, open, open_with},
};

//! A schema of a PostgreSQL database as a target: its transactions, its records and bad lines, and what is
//! said where it can't be used.
//!
//! Needs the server of `scripts/servers.sh postgres`, which has EVENTLOADER_POSTGRES; without it, nothing is
//! tested here. `.ci/run` starts one.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

mod commits;
mod errors;
mod support;
mod transactions;

//! A schema of a PostgreSQL database as a target: its transactions, its records and bad lines, and what is
//! said where it can't be used.
//!
//! Most of it needs the server of `scripts/servers.sh postgres`, which has `EVENTLOADER_POSTGRES`, and is
//! not tested without. `.ci/run` starts one.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

mod commits;
mod encryption;
mod errors;
mod support;
mod transactions;

//! Stores as the loader sees them: their verbs, over a directory and over each server that
//! `scripts/servers.sh` has started; and what is said of a store that can't be used.
//!
//! Without servers the tests run over a directory and over stubs. `.ci/run` starts servers for them.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

mod errors;
mod laws;
mod overlap;
mod support;

//! What `event-postgres` writes and reads, against a real server: the one of `EVENTLOADER_POSTGRES`, as
//! `scripts/servers.sh postgres -- cargo test -p event-postgres --test database` starts one. Without that
//! variable nothing is tested.
//!
//! Everything happens in transactions that are rolled back.
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

mod limits;
mod round_trip;
mod server;
mod values;
mod widening;

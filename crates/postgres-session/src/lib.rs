//! A schema of a PostgreSQL database as a target.
//!
//! In: an address, and the environment. Out: an [`event_target::Database`] whose transactions are those of
//! the server. One thread of a runtime inside drives the connections; the threads of the caller wait.
//!
//! ```text
//! open → Address (address, password, tls) → Server (connection) → Transaction (begin, session)
//! ```
//!
//! Invariant: no message has a password in it. Nothing of a transaction outlives a lost connection.

mod address;
mod begin;
mod connection;
mod failure;
mod open;
mod password;
mod server;
mod session;
mod tls;

pub use self::{
    address::Address,
    open::{open, open_with},
};

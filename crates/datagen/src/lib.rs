//! A seed and a few settings → fake account and transaction events, as JSON lines.
//!
//! The output is a pure function of ([`STREAM_VERSION`], world, seed, start date, number of events): the same
//! bytes on any machine, with any number of threads, in any later release with the same stream version. The
//! first *k* lines of a longer run are the run of *k* events.
//!
//! These are the modules, in the order in which an event passes through them, each with those that it may
//! use:
//!
//! - `stream`: seeded random numbers and event ids; uses nothing;
//! - `config`: what to generate (world, seed, range, faults); uses nothing;
//! - `error`: what can go wrong; uses `config`;
//! - `lines`: values as JSON text, the lines of a chunk; uses `stream`;
//! - `worlds`: which events happen, in `simple` and in `ledger`; uses `stream`, `error`, `lines`;
//! - `changes`: what changes in the course of a run; uses `config`, `error`, `stream`, `worlds`;
//! - `dress`: events in the records of another producer; uses `config`, `lines`, `worlds`, `changes`;
//! - `truth`: what a correct load makes of events; uses `worlds`;
//! - `faults`: which events get a fault, and the faulty lines; uses `stream`, `config`, `lines`, `worlds`,
//!   `dress`, `truth`;
//! - `render`: events as lines, compressed, in order, on all threads; uses all above;
//! - `deliver`: lines to standard output or files, with their records; uses all above;
//! - `explain`: one event and the history of its accounts; uses `stream`, `config`, `error`, `lines`,
//!   `worlds`;
//! - `check`: proof that lines are a stream, by independent code; uses `config`, `error`;
//! - `cli`: command line to settings, with the feature `cli`; uses `stream`, `config`, `error`, `dress`,
//!   `render`, `deliver`, `explain`, `check`;
//! - `program`: arguments to an exit code, with the feature `cli`, which is what clap is for; uses `error`,
//!   `deliver`, `explain`, `check`, `cli`.
//!
//! ```
//! let config = datagen::Config { seed: 42, num_events: 1000, ..datagen::Config::default() };
//! let mut lines = Vec::new();
//! let summary = datagen::generate(&config, &mut lines)?;
//! assert_eq!(summary.bytes, lines.len() as u64);
//! # Ok::<(), datagen::Error>(())
//! ```

mod changes;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
pub mod deliver;
mod dress;
mod error;
pub mod explain;
pub mod faults;
mod lines;
#[cfg(feature = "cli")]
pub mod program;
mod render;
mod stream;
mod truth;
mod worlds;

pub use crate::{
    config::{
        Config, DEFAULT_EVENTS_PER_DAY, DEFAULT_START_DATE, EnvelopeName, WorldName,
        change_list::{Change, ChangeCounts, ChangeListError},
        fault_list::{Fault, FaultCounts, FaultList, FaultListError},
    },
    error::{Error, OutputName},
    render::{Summary, catalog, compression::Compression, generate},
    stream::STREAM_VERSION,
    worlds::payload,
};

//! `eventloader catalog …`: a catalog drafted from data, extended by it, checked against it, shown as tables,
//! or compared with another.
//!
//! Nothing here writes to a target. Sources are read by the loader's own stages, so everything that a load
//! reads (gzip, arrays, globs, standard input) is read the same way, and lines are judged the same way.
//!
//! ```text
//! infer: sources → detect
//!        blocks → observe → beside, walk → evidence, numbers, texts → decide → draft → TOML
//!                                                           catalog files → extend → the same files
//! check: blocks → counts                 show: catalog → schemas → text, Arrow, SQL
//! diff:  catalog or target → tables → changes
//! ```
//!
//! Invariant: these commands judge a line as a load does.

mod beside;
mod check;
mod decide;
mod detect;
mod diff;
mod draft;
mod epochs;
mod evidence;
mod extend;
mod infer;
mod infer_files;
mod numbers;
mod observe;
mod show;
mod texts;
mod toml_text;
mod walk;
mod words;

use std::path::PathBuf;

use event_parser::{Framing, Selection};
use events_core::catalog::Catalog;

pub use self::{
    check::{Checked, check},
    diff::{Diff, DiffSettings, Side, diff},
    infer::{Draft, InferSettings, infer},
    show::{Engine, Format, ShowSettings, StatementSettings, show},
};
use crate::{runtime::Progress, settings::StoreOptions};

/// The input of `infer` and `check`.
#[derive(Debug, Clone)]
pub struct ReadSettings {
    /// Files, directories, globs, or `-`.
    pub sources: Vec<PathBuf>,
    /// How the stores of addresses are reached.
    pub stores: StoreOptions,
    /// How the sources are divided.
    pub framing: Framing,
    /// The known events.
    pub catalog: Catalog,
    /// The events to look at.
    pub selection: Selection,
    /// The memory limit of the process, in bytes.
    pub memory_bytes: usize,
    /// The number of threads.
    pub threads: usize,
    /// Shows how much has been read.
    pub progress: Progress,
}

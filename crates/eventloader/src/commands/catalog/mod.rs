//! `eventloader catalog …`: a catalog drafted from data, proved against data, or shown as tables.
//!
//! Nothing here writes to a target. Sources are read by the loader's own stages, so that whatever a load reads (gzip,
//! arrays, globs, standard input) is read alike, and a line is judged alike.
//!
//! ```text
//! infer: blocks → observe → walk → evidence, numbers, texts → decide → draft → TOML
//! check: blocks → counts                 show: catalog → schemas → text, Arrow, CREATE TABLE
//! ```

mod check;
mod decide;
mod draft;
mod evidence;
mod infer;
mod numbers;
mod observe;
mod show;
mod texts;
mod toml_text;
mod walk;

use event_parser::Selection;
use events_core::catalog::Catalog;

pub use self::{
    check::{Checked, check},
    infer::{Draft, InferSettings, infer},
    show::{Format, ShowSettings, show},
};
use crate::runtime::Progress;

/// What `infer` and `check` read, and how.
#[derive(Debug, Clone)]
pub struct ReadSettings {
    /// Files, directories, globs, or `-`.
    pub sources: Vec<String>,
    /// Which events there are, as far as is known.
    pub catalog: Catalog,
    /// Which of them to look at.
    pub selection: Selection,
    /// What the process may hold, in bytes.
    pub memory_bytes: usize,
    /// Threads that work.
    pub threads: usize,
    /// Where it is shown how far reading has come.
    pub progress: Progress,
}

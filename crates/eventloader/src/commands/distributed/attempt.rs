//! An attempt of a task → files of its own in the exchange of the job.
//!
//! Invariant: no two attempts write to one file, whatever an engine runs again or twice at once.

use std::path::{Path, PathBuf};

use event_target::Exchange;
use tempfile::TempDir;
use uuid::Uuid;

use crate::error::Error;

/// An attempt that leaves files.
#[derive(Debug)]
pub(super) struct Attempt {
    /// What the names of its files in the exchange begin with.
    name: String,
    /// Where it writes them.
    pub(super) directory: PathBuf,
    /// That directory, where the exchange is none.
    _temporary: Option<TempDir>,
}

impl Attempt {
    /// A name that no other attempt has.
    pub(super) fn new_name() -> String {
        Uuid::new_v4().simple().to_string()
    }

    /// Makes its directory, but not those that it is in: a job that is over has no exchange, and gets none
    /// again.
    pub(super) fn begin(exchange: &Exchange) -> Result<Self, Error> {
        let name = Self::new_name();
        if let Some(shared) = exchange.directory() {
            let directory = shared.join(&name);
            let creating = Error::io("beginning a task; the job may be over");
            storage::create_directory(&directory).map_err(creating)?;
            return Ok(Self { name, directory, _temporary: None });
        }
        let temporary = TempDir::with_prefix("eventloader-").map_err(Error::io("beginning a task"))?;
        Ok(Self { name, directory: temporary.path().to_owned(), _temporary: Some(temporary) })
    }

    /// Leaves one of its files to others. Returns its name in the exchange.
    pub(super) fn hand_over(&self, exchange: &Exchange, file: &Path) -> Result<String, Error> {
        let file_name = file.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{}/{file_name}", self.name);
        exchange.hand_over(&name, file).map_err(Error::io("leaving a file to other tasks"))?;
        Ok(name)
    }

    /// The same of a text.
    pub(super) fn put(&self, exchange: &Exchange, file_name: &str, text: &[u8]) -> Result<String, Error> {
        let name = format!("{}/{file_name}", self.name);
        exchange.put(&name, text).map_err(Error::io("leaving a file to other tasks"))?;
        Ok(name)
    }
}

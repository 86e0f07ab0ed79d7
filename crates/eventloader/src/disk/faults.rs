//! Two environment variables → an operation on a file that fails, or that the process does not survive. Debug builds only.
//!
//! ```text
//! EVENTLOADER_FILE_LOG=FILE   each operation is a line of FILE, before it is done: `changes|looks NAME PATH`
//! EVENTLOADER_FAULT=N:KIND    at the N-th operation, from 1:
//!   error   it fails, the later ones do not
//!   errors  it fails, and so does each later one that changes something: a full or broken disk
//!   stop    the process ends before it
//!   torn    the process ends; of a write, half was done
//!   power   the process ends; of files that were not synced, nothing is left but their names
//! ```
//!
//! A power cut on a file system that keeps the order of changes to names (ext4, XFS, APFS and most others do) leaves such a
//! state: the names of some moment since the last sync, without contents that were not synced. `stop` and `power` at each
//! operation are all of these moments.
#![expect(clippy::disallowed_types, reason = "beside the seam, not behind it")]

use std::{
    env,
    fs::File,
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    process,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use super::Operation;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Error,
    Errors,
    Stop,
    Torn,
    Power,
}

#[derive(Debug, Default)]
struct Faults {
    log: Option<File>,
    fault: Option<(u64, Kind)>,
    /// How many operations there were.
    operations: u64,
    /// Written and not synced.
    unsynced: Vec<File>,
}

impl Faults {
    fn of_environment() -> io::Result<Self> {
        let fault = match env::var("EVENTLOADER_FAULT") {
            Ok(text) => Some(parse(&text).ok_or_else(|| {
                io::Error::other(format!("EVENTLOADER_FAULT: expected N:KIND, found {text:?}"))
            })?),
            Err(_) => None,
        };
        let log = env::var_os("EVENTLOADER_FILE_LOG")
            .map(|path| File::options().create(true).append(true).open(path));
        Ok(Self { log: log.transpose()?, fault, ..Self::default() })
    }
}

fn parse(text: &str) -> Option<(u64, Kind)> {
    let (number, kind) = text.split_once(':')?;
    let kind = match kind {
        "error" => Kind::Error,
        "errors" => Kind::Errors,
        "stop" => Kind::Stop,
        "torn" => Kind::Torn,
        "power" => Kind::Power,
        _ => return None,
    };
    Some((number.parse().ok()?, kind))
}

/// The state of this process; `None` where no variable asks for anything.
fn faults() -> io::Result<Option<MutexGuard<'static, Faults>>> {
    static FAULTS: OnceLock<Result<Option<Mutex<Faults>>, String>> = OnceLock::new();
    let faults = FAULTS.get_or_init(|| match Faults::of_environment() {
        Ok(Faults { log: None, fault: None, .. }) => Ok(None),
        Ok(faults) => Ok(Some(Mutex::new(faults))),
        Err(error) => Err(error.to_string()),
    });
    match faults {
        Ok(faults) => Ok(faults.as_ref().map(|faults| faults.lock().unwrap_or_else(PoisonError::into_inner))),
        Err(error) => Err(io::Error::other(error.clone())),
    }
}

/// Before an operation.
pub(super) fn at(operation: Operation<'_>) -> io::Result<()> {
    reach(operation, || Ok(()))
}

/// Before bytes are written to the end of a file.
pub(super) fn at_write(file: &File, operation: Operation<'_>, bytes: &[u8]) -> io::Result<()> {
    reach(operation, || file.write_all_at(&bytes[..bytes.len() / 2], file.metadata()?.len()))
}

fn reach(operation: Operation<'_>, tear: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    let Operation { name, path, changes } = operation;
    faults.operations += 1;
    if let Some(log) = &mut faults.log {
        let what = if changes { "changes" } else { "looks" };
        writeln!(log, "{what} {name} {}", path.display())?;
    }
    let Some((number, kind)) = faults.fault else { return Ok(()) };
    let fails = match kind {
        Kind::Errors => faults.operations == number || (faults.operations > number && changes),
        _ => faults.operations == number,
    };
    if !fails {
        return Ok(());
    }
    match kind {
        Kind::Error | Kind::Errors => {
            return Err(io::Error::other(format!(
                "{name} {}: the disk failed, as a test wants it",
                path.display()
            )));
        }
        Kind::Stop => {}
        Kind::Torn => tear()?,
        Kind::Power => faults.unsynced.iter().try_for_each(|file| file.set_len(0))?,
    }
    process::abort()
}

/// A file is new, and what will be written to it is not on disk.
pub(super) fn created(file: &File) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    faults.unsynced.push(file.try_clone()?);
    Ok(())
}

/// A file is on disk. No file is written to after it was synced.
pub(super) fn synced(file: &File) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    let synced = identity(file)?;
    faults.unsynced.retain(|other| identity(other).is_ok_and(|other| other != synced));
    Ok(())
}

pub(super) fn all_synced() {
    if let Ok(Some(mut faults)) = faults() {
        faults.unsynced.clear();
    }
}

fn identity(file: &File) -> io::Result<(u64, u64)> {
    let found = file.metadata()?;
    Ok((found.dev(), found.ino()))
}

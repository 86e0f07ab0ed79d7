//! Three environment variables → an operation on a file that fails, or at which the process ends. Debug
//! builds only.
//!
//! ```text
//! EVENTLOADER_FILE_LOG=FILE   each operation is a line of FILE, before it is done: `changes|looks NAME PATH`
//! EVENTLOADER_FAULT=N:KIND    at the N-th operation, from 1:
//!   error   it fails, the later ones do not
//!   errors  it fails, and so does each later one that changes something: a full or broken disk
//!   lost    it is done, and answered with an error, as over a network
//!   stop    the process ends before it
//!   torn    the process ends; of a write, half was done
//!   power   the process ends; of files that were not synced, nothing is left but their names
//!   names   the process ends; of the renames that were not synced, none is left but the last
//!   hold    it waits until standard input ends; meanwhile the test changes files
//! EVENTLOADER_FAULT=NAME@PART:KIND   the same at the first operation of that name on a path with that part
//! EVENTLOADER_FORBID=ERRNO:NAME:END;…   each operation of that name on a path with that end fails, always
//! ```
//!
//! A power cut leaves the names of some moment since the last sync, and contents as far as they were synced.
//! `power` at each operation simulates this for a file system that keeps the order of changes to names, as
//! ext4, XFS and APFS do. POSIX does not require that order: `names` is the worst that others may do.
//!
//! Invariant: without the variables, nothing here has an effect.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "faults must not trigger faults")]

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use rustix::io::Errno;

use super::{Operation, is_one};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FaultKind {
    Error,
    Errors,
    Lost,
    Stop,
    Torn,
    Power,
    Names,
    Hold,
}

/// The operation at which a fault happens.
#[derive(Debug)]
enum At {
    /// By its number, from 1.
    Number(u64),
    /// The first of that name on a path with that part.
    First(String, String),
}

#[derive(Debug, Default)]
struct Faults {
    log: Option<File>,
    fault: Option<(At, FaultKind)>,
    forbidden: Vec<Forbidden>,
    /// The number of operations so far.
    operations: u64,
    /// Written and not synced.
    unsynced: Vec<File>,
    /// Renamed and not synced, the latest last.
    renamed: Vec<Renamed>,
}

/// What a file system or a system does not allow.
#[derive(Debug)]
struct Forbidden {
    errno: Errno,
    name: String,
    path_end: String,
}

impl Forbidden {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let errno = match parts.next()? {
            "EXDEV" => Errno::XDEV,
            "EPERM" => Errno::PERM,
            "EACCES" => Errno::ACCESS,
            "EROFS" => Errno::ROFS,
            "ENOSPC" => Errno::NOSPC,
            "EINVAL" => Errno::INVAL,
            "ENOSYS" => Errno::NOSYS,
            "EMFILE" => Errno::MFILE,
            _ => return None,
        };
        Some(Self { errno, name: parts.next()?.to_owned(), path_end: parts.next()?.to_owned() })
    }

    fn forbids(&self, operation: &Operation<'_>) -> bool {
        self.name == operation.name && operation.path.to_string_lossy().ends_with(&self.path_end)
    }
}

/// The information to undo a rename.
#[derive(Debug)]
enum Renamed {
    Moved { from: PathBuf, to: PathBuf, replaced: Option<PathBuf> },
    Exchanged { one: PathBuf, other: PathBuf },
}

impl Renamed {
    /// Undoes as much as possible: a file that was deleted since stays deleted.
    fn take_back(&self) {
        match self {
            Self::Moved { from, to, replaced } => {
                drop(fs::rename(to, from));
                if let Some(replaced) = replaced {
                    drop(fs::rename(replaced, to));
                }
            }
            Self::Exchanged { one, other } => {
                drop(super::exchange_names(one, other));
            }
        }
    }

    /// Forgets what it could be undone with.
    fn stays(&self) {
        if let Self::Moved { replaced: Some(replaced), .. } = self {
            drop(fs::remove_file(replaced));
        }
    }

    fn is_in(&self, directory: &Path) -> bool {
        let (Self::Moved { to, .. } | Self::Exchanged { other: to, .. }) = self;
        to.parent() == Some(directory)
    }
}

impl Faults {
    fn of_environment() -> io::Result<Self> {
        let fault = match env::var("EVENTLOADER_FAULT") {
            Ok(text) => Some(parse(&text).ok_or_else(|| {
                io::Error::other(format!("EVENTLOADER_FAULT: expected N:KIND, found {text:?}"))
            })?),
            Err(_) => None,
        };
        let forbidden = env::var("EVENTLOADER_FORBID").unwrap_or_default();
        let rules = forbidden.split(';').filter(|rule| !rule.is_empty());
        let forbidden = rules.map(|rule| {
            Forbidden::parse(rule).ok_or_else(|| {
                io::Error::other(format!("EVENTLOADER_FORBID: expected ERRNO:NAME:END, found {rule:?}"))
            })
        });
        let log = env::var_os("EVENTLOADER_FILE_LOG")
            .map(|path| File::options().create(true).append(true).open(path));
        let forbidden = forbidden.collect::<io::Result<_>>()?;
        Ok(Self { log: log.transpose()?, fault, forbidden, ..Self::default() })
    }
}

fn parse(text: &str) -> Option<(At, FaultKind)> {
    let (at, kind) = text.rsplit_once(':')?;
    let kind = match kind {
        "error" => FaultKind::Error,
        "errors" => FaultKind::Errors,
        "lost" => FaultKind::Lost,
        "stop" => FaultKind::Stop,
        "torn" => FaultKind::Torn,
        "power" => FaultKind::Power,
        "names" => FaultKind::Names,
        "hold" => FaultKind::Hold,
        _ => return None,
    };
    let at = match at.split_once('@') {
        Some((name, part)) => At::First(name.to_owned(), part.to_owned()),
        None => At::Number(at.parse().ok()?),
    };
    Some((at, kind))
}

/// The state of this process; `None` if no variable is set.
fn faults() -> io::Result<Option<MutexGuard<'static, Faults>>> {
    static FAULTS: OnceLock<Result<Option<Mutex<Faults>>, String>> = OnceLock::new();
    let faults = FAULTS.get_or_init(|| match Faults::of_environment() {
        Ok(Faults { log: None, fault: None, forbidden, .. }) if forbidden.is_empty() => Ok(None),
        Ok(faults) => Ok(Some(Mutex::new(faults))),
        Err(error) => Err(error.to_string()),
    });
    match faults {
        Ok(faults) => Ok(faults.as_ref().map(|faults| faults.lock().unwrap_or_else(PoisonError::into_inner))),
        Err(error) => Err(io::Error::other(error.clone())),
    }
}

/// The answer to an operation that will be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Answer {
    Arrives,
    Lost,
}

impl Answer {
    /// Called after the operation.
    pub(super) fn arrive(self, operation: Operation<'_>) -> io::Result<()> {
        if self == Self::Arrives { Ok(()) } else { Err(failed(operation)) }
    }
}

fn failed(Operation { name, path, .. }: Operation<'_>) -> io::Error {
    io::Error::other(format!("{name} {}: the disk failed, as a test wants it", path.display()))
}

/// Called before an operation.
pub(super) fn at(operation: Operation<'_>) -> io::Result<Answer> {
    reach(operation, || Ok(()))
}

/// Called before bytes are written to the end of a file.
pub(super) fn at_write(file: &File, operation: Operation<'_>, bytes: &[u8]) -> io::Result<Answer> {
    reach(operation, || file.write_all_at(&bytes[..bytes.len() / 2], file.metadata()?.len()))
}

fn reach(operation: Operation<'_>, tear: impl FnOnce() -> io::Result<()>) -> io::Result<Answer> {
    let Some(mut faults) = faults()? else { return Ok(Answer::Arrives) };
    let Operation { name, path, changes } = operation;
    faults.operations += 1;
    if let Some(log) = &mut faults.log {
        let what = if changes { "changes" } else { "looks" };
        writeln!(log, "{what} {name} {}", path.display())?;
    }
    if let Some(forbidden) = faults.forbidden.iter().find(|forbidden| forbidden.forbids(&operation)) {
        let error = io::Error::from(forbidden.errno);
        return Err(io::Error::new(error.kind(), format!("{name} {}: {error}", path.display())));
    }
    let operations = faults.operations;
    if let Some((at, _)) = &mut faults.fault
        && let At::First(wanted, part) = at
        && name == *wanted
        && path.to_string_lossy().contains(part.as_str())
    {
        *at = At::Number(operations);
    }
    let Some((At::Number(number), kind)) = &faults.fault else { return Ok(Answer::Arrives) };
    let (number, kind) = (*number, *kind);
    let fails = match kind {
        FaultKind::Errors => faults.operations == number || (faults.operations > number && changes),
        _ => faults.operations == number,
    };
    if !fails {
        return Ok(Answer::Arrives);
    }
    match kind {
        FaultKind::Error | FaultKind::Errors => return Err(failed(operation)),
        FaultKind::Lost => return Ok(Answer::Lost),
        FaultKind::Hold => return io::copy(&mut io::stdin(), &mut io::sink()).map(|_| Answer::Arrives),
        FaultKind::Stop => {}
        FaultKind::Torn => tear()?,
        FaultKind::Power => faults.unsynced.iter().try_for_each(|file| file.set_len(0))?,
        FaultKind::Names => {
            let mut latest_first = faults.renamed.iter().rev();
            latest_first.by_ref().take(1).for_each(Renamed::stays);
            latest_first.for_each(Renamed::take_back);
        }
    }
    process::abort()
}

/// Called for a new file, none of which is on disk yet.
pub(super) fn created(file: &File) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    faults.unsynced.push(file.try_clone()?);
    Ok(())
}

/// Called before a rename: if names can be lost, the file that it replaces is kept under another name.
pub(super) fn renaming(from: &Path, to: &Path) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    let kept = from.with_extension(format!("replaced-{}", faults.operations));
    let is_kept = matches!(faults.fault, Some((_, FaultKind::Names))) && fs::hard_link(to, &kept).is_ok();
    faults.renamed.push(Renamed::Moved {
        from: from.to_owned(),
        to: to.to_owned(),
        replaced: is_kept.then_some(kept),
    });
    Ok(())
}

/// Called after two directories have swapped their names.
pub(super) fn exchanged(one: &Path, other: &Path) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    faults.renamed.push(Renamed::Exchanged { one: one.to_owned(), other: other.to_owned() });
    Ok(())
}

/// Called when a file, or the names in a directory, are on disk. No file is written to after it was synced.
pub(super) fn synced(file: &File, path: &Path) -> io::Result<()> {
    let Some(mut faults) = faults()? else { return Ok(()) };
    let synced = file.metadata()?;
    for renamed in faults.renamed.extract_if(.., |renamed| renamed.is_in(path)) {
        renamed.stays();
    }
    faults.unsynced.retain(|other| other.metadata().is_ok_and(|other| !is_one(&other, &synced)));
    Ok(())
}

pub(super) fn all_synced() {
    if let Ok(Some(mut faults)) = faults() {
        faults.unsynced.clear();
        faults.renamed.drain(..).for_each(|renamed| renamed.stays());
    }
}

//! Every operation of a load on a file of a source or a target; behind it is the file system.
//!
//! Each function is one operation, or says which ones it is. Errors name the path. In a debug build, a test
//! can make each operation fail or end the process: see `faults.rs`. A release build has none of that.
//!
//! Invariant: no other code of the loader touches a file of a source or a target (`clippy.toml` forbids it).
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the one place")]
#![allow(clippy::missing_errors_doc, reason = "each error is the system's, and names the path")]

mod access;
mod attempts;
#[cfg(debug_assertions)]
mod faults;
mod file;
mod store;

use std::{
    ffi::OsString,
    fs::{DirBuilder, Metadata},
    io::{self, ErrorKind, Read},
    os::{
        fd::AsFd,
        unix::fs::{DirBuilderExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use fs_err as fs;

pub use self::{
    access::{take_access, take_group},
    attempts::{try_to_enter, try_to_take},
    file::File,
    store::{
        Found, LocalObject, LocalStore, NewFile, Object, ObjectReader, OpenError, Put, Replaced, Store,
        Unusable, Upload, Uploaded, create, holds_conditions, refuse_secrets, scheme_of,
    },
};

/// One operation on a file.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(debug_assertions), expect(dead_code, reason = "only debug builds read it"))]
struct Operation<'p> {
    name: &'static str,
    path: &'p Path,
    /// Whether it changes something, for a reader or in a power cut.
    changes: bool,
}

impl Operation<'_> {
    fn change<'p>(name: &'static str, path: &'p Path) -> Operation<'p> {
        Operation { name, path, changes: true }
    }

    fn look<'p>(name: &'static str, path: &'p Path) -> Operation<'p> {
        Operation { name, path, changes: false }
    }

    /// Fails, or does not return, if a test requests that.
    #[inline]
    fn begin(self) -> io::Result<()> {
        self.run(|| Ok(()))
    }

    /// Does it. If a test requests that, it fails before or after that, or does not return.
    #[inline]
    #[cfg_attr(not(debug_assertions), expect(clippy::unused_self, reason = "a release build only does it"))]
    fn run<T>(self, operation: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        #[cfg(debug_assertions)]
        let answer = faults::at(self)?;
        let done = operation()?;
        #[cfg(debug_assertions)]
        answer.arrive(self)?;
        Ok(done)
    }
}

/// The whole file.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The metadata of a path, or of a link itself; `None` if nothing exists there.
pub fn look_at(path: &Path) -> io::Result<Option<Metadata>> {
    Operation::look("look at", path).begin()?;
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata of a path, links followed; `None` if nothing exists there.
pub fn find(path: &Path) -> io::Result<Option<Metadata>> {
    Operation::look("look at", path).begin()?;
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The metadata of what is open: a file, a pipe, a terminal.
pub fn metadata_of(open: impl AsFd) -> io::Result<Metadata> {
    std::fs::File::from(open.as_fd().try_clone_to_owned()?).metadata()
}

/// Whether both are one file, by whatever path, link or handle it was found.
#[must_use]
pub fn is_one(file: &Metadata, other: &Metadata) -> bool {
    (file.dev(), file.ino()) == (other.dev(), other.ino())
}

/// Whether a path leads to a directory, links followed.
#[must_use]
pub fn is_directory(path: &Path) -> bool {
    find(path).is_ok_and(|found| found.is_some_and(|found| found.is_dir()))
}

/// Whether a path leads to a regular file, links followed.
#[must_use]
pub fn is_file(path: &Path) -> bool {
    find(path).is_ok_and(|found| found.is_some_and(|found| found.is_file()))
}

/// The absolute path without links. Everything on the way must exist.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    Operation::look("resolve", path).begin()?;
    path.canonicalize()
}

/// Whether anything exists at a path.
pub fn is_there(path: &Path) -> io::Result<bool> {
    Ok(look_at(path)?.is_some())
}

/// Makes the files directly in these directories of one file system durable: those of one directory one by
/// one, those of several at once where the system can do that, which takes less time.
///
/// # Errors
/// Those of the system.
pub fn sync_files_in(directories: &[PathBuf]) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let [first, _, ..] = directories {
        return File::open(first)?.sync_file_system();
    }
    for directory in directories {
        for name in names_in(directory)?.unwrap_or_default() {
            File::open(&directory.join(name))?.sync()?;
        }
    }
    Ok(())
}

/// The names in a directory, sorted; `None` if it does not exist.
pub fn names_in(directory: &Path) -> io::Result<Option<Vec<OsString>>> {
    Operation::look("list", directory).begin()?;
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut names =
        entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()?;
    names.sort_unstable();
    Ok(Some(names))
}

/// Creates one directory, whose parent exists.
pub fn create_directory(path: &Path) -> io::Result<()> {
    Operation::change("create the directory", path).run(|| fs::create_dir(path))
}

/// Creates one directory that nobody else may enter, whose parent exists.
pub fn create_private_directory(path: &Path) -> io::Result<()> {
    let create = || DirBuilder::new().mode(0o700).create(path);
    let create = || create().map_err(|error| named("create directory", path, &error));
    Operation::change("create the directory", path).run(create)
}

/// Creates a directory with all parents; returns whether it was missing, and adds the missing ones to
/// `created`.
pub fn create_directories(path: &Path, created: &mut Vec<PathBuf>) -> io::Result<bool> {
    let mut result = create_directory(path);
    if let (Err(error), Some(parent)) = (&result, path.parent())
        && error.kind() == ErrorKind::NotFound
    {
        create_directories(parent, created)?;
        result = create_directory(path);
    }
    match result {
        Ok(()) => {
            created.push(path.to_owned());
            Ok(true)
        }
        Err(_) if path.is_dir() => Ok(false),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(io::Error::new(ErrorKind::NotADirectory, "there is a file of that name"))
        }
        Err(error) => Err(error),
    }
}

/// Renames a file or directory, replacing what has the new name.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    Operation::change("rename to", to).run(|| {
        #[cfg(debug_assertions)]
        faults::renaming(from, to)?;
        fs::rename(from, to)
    })
}

/// Renames a file to a name that must not exist, in one step.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<Put> {
    Operation::change("rename to", to).run(|| {
        #[cfg(debug_assertions)]
        {
            if fs::symlink_metadata(to).is_ok() {
                return Ok(Put::Exists);
            }
            faults::renaming(from, to)?;
        }
        match rename_or_refuse(from, to) {
            Ok(()) => Ok(Put::Created),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::Exists),
            Err(error) => Err(named("rename to", to, &error)),
        }
    })
}

fn rename_or_refuse(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::{
            fs::{CWD, RenameFlags, renameat_with},
            io::Errno,
        };
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // The file system does not have it.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            renamed => return renamed.map_err(io::Error::from),
        }
    }
    std::fs::hard_link(from, to)?;
    // A second name of the object changes nothing.
    let _ = std::fs::remove_file(from);
    Ok(())
}

/// Swaps two directories in one step.
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    Operation::change("exchange", other).run(|| {
        exchange_names(one, other)?;
        #[cfg(debug_assertions)]
        faults::exchanged(one, other)?;
        Ok(())
    })
}

#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange_names(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
        .map_err(|error| named("exchange", other, &error.into()))
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange_names(_one: &Path, other: &Path) -> io::Result<()> {
    Err(named("exchange", other, &ErrorKind::Unsupported.into()))
}

/// Deletes a file, if it exists.
pub fn delete_file(path: &Path) -> io::Result<()> {
    Operation::change("delete", path).run(|| match fs::remove_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    })
}

/// Deletes an empty directory.
pub fn delete_directory(path: &Path) -> io::Result<()> {
    Operation::change("delete the directory", path).run(|| fs::remove_dir(path))
}

/// Deletes a path and everything in it, one after the other; links are deleted, not followed.
pub fn delete_all(path: &Path) -> io::Result<()> {
    match look_at(path)? {
        None => Ok(()),
        Some(found) if found.is_dir() => {
            for name in names_in(path)?.unwrap_or_default() {
                delete_all(&path.join(name))?;
            }
            delete_directory(path)
        }
        Some(_) => delete_file(path),
    }
}

/// An error with the operation and the file, worded as by `fs_err`.
fn named(doing: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("failed to {doing} file `{}`: {error}", path.display()))
}

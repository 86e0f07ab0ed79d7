//! A target → the right to change it, for one process at a time.
//!
//! The lock is the system's, on `<target>/_eventloader/lock`: it goes with the process that holds it, however that ends. The
//! file's content, the holder's number, is for messages alone.
//!
//! Invariant: who holds the lock holds that of the file that is in the target now. A file that another process deleted
//! before it was locked does not count.

use std::{
    fs::{File, TryLockError},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::Path,
};

use fs_err as fs;

/// Why a lock was not taken.
pub(super) enum NotLocked {
    /// Another process holds it: what it says of itself.
    Held(String),
    Failed(io::Error),
}

/// Takes the lock at `path` if nobody holds it; creates it where it is missing. `None` if it was deleted meanwhile.
pub(super) fn take(path: &Path) -> Result<Option<File>, NotLocked> {
    let options = || {
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        options
    };
    let mut lock: File = options().open(path).map_err(NotLocked::Failed)?.into();
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = fs::read_to_string(path).unwrap_or_default();
            return Err(NotLocked::Held(holder.trim().to_owned()));
        }
        Err(TryLockError::Error(error)) => return Err(NotLocked::Failed(error)),
    }
    if !is_at(&lock, path).map_err(NotLocked::Failed)? {
        return Ok(None);
    }
    let say_who = |lock: &mut File| {
        lock.set_len(0)?;
        lock.write_all(format!("{}\n", std::process::id()).as_bytes())
    };
    say_who(&mut lock).map_err(NotLocked::Failed)?;
    Ok(Some(lock))
}

/// The lock itself goes with the process; a name that a killed run leaves behind does no harm.
pub(super) fn forget_holder(lock: &File) {
    let _ = lock.set_len(0);
}

/// Whether an open file is the one at `path`.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let (open, there) = match (file.metadata()?, fs::symlink_metadata(path)) {
        (open, Ok(there)) => (open, there),
        (_, Err(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        (_, Err(error)) => return Err(error),
    };
    Ok((open.dev(), open.ino()) == (there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_counts_only_on_the_file_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let Ok(Some(first)) = take(&path) else { panic!("nobody holds it") };
        assert_eq!(fs::read_to_string(&path).unwrap().trim(), std::process::id().to_string());
        assert!(
            matches!(take(&path), Err(NotLocked::Held(holder)) if holder == std::process::id().to_string())
        );
        // Who opened it before it was deleted holds the lock of a file that nobody else will ever find.
        let opened: File = fs::File::open(&path).unwrap().into();
        fs::remove_file(&path).unwrap();
        drop(first);
        opened.try_lock().unwrap();
        assert!(!is_at(&opened, &path).unwrap());
        assert!(matches!(take(&path), Ok(Some(_))));
        assert!(!is_at(&opened, &path).unwrap());
    }
}

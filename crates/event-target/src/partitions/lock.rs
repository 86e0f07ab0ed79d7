//! A target → the right to change it, for one process at a time.
//!
//! The lock is the system's, on `<target>/_eventloader/lock`: it ends with the process that holds it, however
//! that ends. The file's content, the process id of the holder, is only for messages.
//!
//! Invariant: the holder of the lock has locked the file that is in the target now. A file that another
//! process deleted before it was locked does not count.

use std::{
    fs::TryLockError,
    io::{self, Write},
    path::Path,
};

use storage::File;

/// Why a lock was not taken.
pub(crate) enum NotLocked {
    /// Another process holds it; the content of the file.
    Held(String),
    Failed(io::Error),
}

/// Takes the lock at `path` if nobody holds it; creates the file if missing. `None` if it was deleted
/// meanwhile.
pub(crate) fn take(path: &Path) -> Result<Option<File>, NotLocked> {
    let mut lock = File::open_or_create(path).map_err(NotLocked::Failed)?;
    lock.try_lock().map_err(|error| not_locked(error, path))?;
    if !lock.is_at(path).map_err(NotLocked::Failed)? {
        return Ok(None);
    }
    let say_who = |lock: &mut File| {
        lock.set_len(0)?;
        lock.write_all(format!("{}\n", std::process::id()).as_bytes())
    };
    say_who(&mut lock).map_err(NotLocked::Failed)?;
    Ok(Some(lock))
}

/// Keeps loads, but not other readers, out of a target that is only read, until the returned file is dropped.
/// `None` if nothing was ever loaded.
pub(crate) fn share(path: &Path) -> Result<Option<File>, NotLocked> {
    let lock = match File::open(path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(NotLocked::Failed(error)),
    };
    lock.try_lock_shared().map_err(|error| not_locked(error, path))?;
    Ok(Some(lock))
}

fn not_locked(error: TryLockError, path: &Path) -> NotLocked {
    match error {
        TryLockError::WouldBlock => {
            let holder = storage::read(path).unwrap_or_default();
            NotLocked::Held(String::from_utf8_lossy(&holder).trim().to_owned())
        }
        TryLockError::Error(error) => NotLocked::Failed(error),
    }
}

/// The lock itself ends with the process; the id that a killed run leaves behind does no harm.
pub(crate) fn forget_holder(lock: &File) {
    let _ = lock.set_len(0);
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test accesses files directly")]
mod tests {
    use fs_err as fs;

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
        // A process that opened it before it was deleted has locked a file that nobody else will ever find.
        let opened = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        drop(first);
        opened.try_lock().unwrap();
        assert!(!opened.is_at(&path).unwrap());
        assert!(matches!(take(&path), Ok(Some(_))));
        assert!(!opened.is_at(&path).unwrap());
    }
}

//! One change → its files in their place, in the best way that the system allows.
//!
//! A directory whose set of files changes is exchanged with a new one in one step; where that is refused, in
//! two renames; and where a directory can't be renamed at all (it is in a lower layer of overlayfs or a mount
//! point, or the directory above it may not be changed), its files are renamed one by one.
//!
//! Invariant: [`Placing::place`] can be repeated from the start wherever it was interrupted, in whatever way,
//! with the same result. No reader sees old and new files beside each other.

use std::{
    io::{self, ErrorKind},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{Change, change::parquet_names};

/// The changes of one commit on their way to their places.
#[derive(Debug)]
pub(crate) struct Placing<'a> {
    root: &'a Path,
    staging: &'a Path,
    has_begun: AtomicBool,
}

/// The places of a directory that is replaced.
#[derive(Debug, Clone, Copy)]
struct Places<'p> {
    live: &'p Path,
    /// In the staging directory: the new one, and after an exchange the old one.
    swap: &'p Path,
    /// The old one, if that takes two renames.
    old: &'p Path,
}

impl<'a> Placing<'a> {
    pub(crate) fn new(root: &'a Path, staging: &'a Path) -> Self {
        Self { root, staging, has_begun: AtomicBool::new(false) }
    }

    /// Whether anything has changed that a reader can see.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    fn begin(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Moves the staged files of a change to where no others are.
    pub(crate) fn place_new(&self, change: &Change) -> io::Result<()> {
        self.rename_files(change, &self.root.join(&change.directory))
    }

    /// Moves the files that the directory of a change has first into their place. Once one of the others has
    /// left the staging directory, this was done before.
    pub(crate) fn place_first(&self, change: &Change, number: usize) -> io::Result<()> {
        let Some(first) = change.first().filter(|_| !change.files.is_empty()) else { return Ok(()) };
        for (staged, _) in change.staged() {
            if !storage::is_there(&self.staging.join(staged))? {
                return Ok(());
            }
        }
        self.place_by(&first, &format!("swap-{number}-first"))
    }

    /// Moves the staged files of a change into their place; `number` names its own directory in the staging
    /// directory.
    pub(crate) fn place(&self, change: &Change, number: usize) -> io::Result<()> {
        self.place_by(change, &format!("swap-{number}"))?;
        if change.files.is_empty() && change.replaces_all {
            delete_empty(self.root, &self.root.join(&change.directory));
        }
        Ok(())
    }

    fn place_by(&self, change: &Change, swap: &str) -> io::Result<()> {
        let live = self.root.join(&change.directory);
        let swap = self.staging.join(swap);
        if change.is_by_rename(&live)? && !storage::is_there(&swap)? {
            self.rename_files(change, &live)?;
            for name in &change.removes {
                self.delete(&live.join(name))?;
            }
            if !change.removes.is_empty() {
                delete_empty(self.root, &live);
            }
            return Ok(());
        }
        self.replace(change, Places { live: &live, swap: &swap, old: &swap.with_extension("old") })
    }

    fn rename_files(&self, change: &Change, live: &Path) -> io::Result<()> {
        change
            .staged()
            .try_for_each(|(staged, name)| self.rename(&self.staging.join(staged), &live.join(name)))
    }

    /// Builds the new directory in full, then puts it in the place of the old one, or its files.
    fn replace(&self, change: &Change, places: Places<'_>) -> io::Result<()> {
        let Places { live, swap, old } = places;
        if !change.is_in(live)? {
            let is_complete = self.gather(change, swap)?;
            if !(is_complete && self.put_directory(change, places)?) {
                self.put_files(change, places)?;
            }
        }
        for directory in [swap, old] {
            if storage::is_there(directory)? {
                keep_other_files(directory, live)?;
                // What is left is deleted with the staging directory.
                let _ = storage::delete_all(directory);
            }
        }
        Ok(())
    }

    /// Collects the new files in `swap`. Whether all are there: otherwise an interrupted run has put some of
    /// them into their place.
    fn gather(&self, change: &Change, swap: &Path) -> io::Result<bool> {
        storage::create_directories(swap, &mut Vec::new())?;
        let mut is_complete = true;
        for (staged, name) in change.staged() {
            match storage::rename(&self.staging.join(staged), &swap.join(name)) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_complete &= storage::is_there(&swap.join(name))?;
                }
                result => result?,
            }
        }
        Ok(is_complete)
    }

    /// Puts the new directory in the place of the old one; `false` if the system does not allow that.
    fn put_directory(&self, change: &Change, Places { live, swap, old }: Places<'_>) -> io::Result<bool> {
        if !storage::is_there(live)? {
            return Ok(self.rename(swap, live).is_ok());
        }
        if !self.others_can_leave(live)? || !storage::take_access(swap, live).is_ok_and(|is_kept| is_kept) {
            return Ok(false);
        }
        // Beyond a network, what is reported as failed may have been done.
        if storage::exchange(swap, live).is_ok() || change.is_in(live)? {
            self.begin();
            return Ok(true);
        }
        if self.rename(live, old).is_err() {
            return Ok(false);
        }
        let is_done = self.rename(swap, live).is_ok();
        if !is_done {
            // If this fails, too, a new directory takes the files.
            let _ = self.rename(old, live);
        }
        Ok(is_done)
    }

    /// Whether everything in a directory that is not Parquet can be moved to another one.
    fn others_can_leave(&self, live: &Path) -> io::Result<bool> {
        for name in storage::names_in(live)?.unwrap_or_default() {
            let path = live.join(&name);
            if !name.to_string_lossy().ends_with(".parquet")
                && (storage::is_directory(&path) || storage::try_to_take(&path, self.staging).is_err())
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Replaces the files of a directory one by one, the old ones first: an event may be missing for a
    /// moment, but is never there twice.
    fn put_files(&self, change: &Change, Places { live, swap, old }: Places<'_>) -> io::Result<()> {
        if storage::create_directories(live, &mut Vec::new())? && storage::is_there(old)? {
            storage::take_access(live, old)?;
        }
        let (waiting, new) = (parquet_names(swap)?, change.names());
        for name in new.difference(&waiting) {
            if !storage::is_there(&live.join(name))? {
                let problem = format!("{} is neither staged nor in its place", live.join(name).display());
                return Err(io::Error::new(ErrorKind::NotFound, problem));
            }
        }
        for name in parquet_names(live)? {
            if waiting.contains(&name) || !new.contains(&name) {
                self.delete(&live.join(name))?;
            }
        }
        waiting.intersection(&new).try_for_each(|name| self.rename(&swap.join(name), &live.join(name)))
    }

    /// Moves a file or directory, unless that was done before; creates the directory around it if someone has
    /// deleted that.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let renamed = match storage::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::NotFound && storage::is_there(to)? => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound && storage::is_there(from)? => {
                storage::create_directories(to.parent().unwrap_or(to), &mut Vec::new())?;
                storage::rename(from, to)
            }
            result => result,
        };
        if renamed.is_ok() || !storage::is_there(from).is_ok_and(|is_there| is_there) {
            self.begin();
        }
        renamed
    }

    fn delete(&self, file: &Path) -> io::Result<()> {
        let deleted = storage::delete_file(file);
        if deleted.is_ok() || !storage::is_there(file).is_ok_and(|is_there| is_there) {
            self.begin();
        }
        deleted
    }
}

/// Deletes a directory of a target and those around it, as long as they are empty. Readers see nothing of
/// those that stay because the system wants it.
fn delete_empty(root: &Path, directory: &Path) {
    for directory in directory.ancestors().take_while(|directory| *directory != root) {
        match storage::delete_directory(directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => break,
            _ => {}
        }
    }
}

/// Moves files that are not Parquet out of a directory that is about to be deleted.
fn keep_other_files(from: &Path, to: &Path) -> io::Result<()> {
    for name in storage::names_in(from)?.unwrap_or_default() {
        if !name.to_string_lossy().ends_with(".parquet") && !storage::is_there(&to.join(&name))? {
            storage::create_directories(to, &mut Vec::new())?;
            storage::rename(&from.join(&name), &to.join(&name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Bytes → an events file that has all of them, behind those that it had or instead of them; or is as it was.
//!
//! Events that are put behind others go into a new file as well, with a copy of the old events in front. So a
//! run that is stopped by anything, even a full disk or a power cut, leaves the old file as it was. Only
//! where the file itself has to stay, since it has other names or another owner, the new events are copied
//! behind it at the end of the run.
//!
//! Invariant: nothing that another program writes into the file meanwhile is lost: the run fails.

use std::{
    io::{self, BufRead, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::{
    file_names::EventsFileName,
    replacement::{EVENTS_PREFIX, Replacement},
};
use crate::render::compression::Compression;

/// An events file that is being written.
#[derive(Debug)]
pub(super) struct EventsFile {
    file: Replacement,
    place: Place,
}

/// Where the bytes go.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Into a new file, which takes the place of the old one, if any.
    Anew,
    /// Into a new file, behind a copy of the old one; or into the first one of that name.
    Behind,
    /// Into the old file, behind so many of its bytes.
    Into { kept: u64 },
}

impl EventsFile {
    /// Begins a file that replaces any file at `path`.
    pub(super) fn begin(path: &Path) -> io::Result<Self> {
        Ok(Self { file: Replacement::begin(path, EVENTS_PREFIX)?, place: Place::Anew })
    }

    /// Continues the file at `path`, if there is one: behind its first `kept` bytes if given, which end with
    /// a line, else behind all of them, with a newline if the last line has none.
    pub(super) fn append(path: &Path, compression: Compression, kept: Option<u64>) -> io::Result<Self> {
        let mut file = Replacement::begin(path, EVENTS_PREFIX)?;
        let Some(old) = file.old() else {
            let place = if file.is_temporary() { Place::Behind } else { Place::Anew };
            return Ok(Self { file, place });
        };
        let (length, must_stay) = (old.bytes(), old.must_stay());
        let kept_bytes = kept.unwrap_or(length);
        let mut old = fs::File::open(file.path())?;
        if let Some(temporary) = file.temporary().filter(|_| !must_stay) {
            // File to file, so that the system can copy in the kernel or share the blocks.
            io::copy(&mut old.file_mut().take(kept_bytes), temporary.as_file_mut())?;
        }
        let place = if must_stay { Place::Into { kept: kept_bytes } } else { Place::Behind };
        let mut file = Self { file, place };
        if kept.is_none() && length > 0 && last_byte(old, compression)?.is_some_and(|last| last != b'\n') {
            let mut end = Vec::new();
            compression.compressor().append(b"\n", &mut end);
            file.write(&end)?;
        }
        Ok(file)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Puts the finished file in its place.
    pub(super) fn publish(self) -> io::Result<()> {
        match (self.place, self.file.old()) {
            (Place::Into { kept }, _) => append_in_place(self.file, kept),
            (Place::Behind, None) => {
                let path = self.file.path().to_owned();
                self.file.publish_new([path]).map(drop)
            }
            (Place::Behind, Some(old)) => {
                old.check_unchanged(&fs::metadata(self.file.path())?)?;
                self.file.publish()
            }
            (Place::Anew, _) => self.file.publish(),
        }
    }

    /// Gives the finished file the first free name, beginning with `name`, and returns it.
    pub(super) fn publish_under_free_name(
        self,
        directory: &Path,
        mut name: EventsFileName,
    ) -> io::Result<EventsFileName> {
        let path_of = |name: &EventsFileName| -> PathBuf { directory.join(name.to_string()) };
        let names = std::iter::successors(Some(name), |name| Some(name.next_copy()));
        let taken = self.file.publish_new(names.map(|name| path_of(&name)))?;
        while taken.as_ref().is_some_and(|taken| *taken != path_of(&name)) {
            name = name.next_copy();
        }
        Ok(name)
    }
}

/// Appends the bytes of the temporary file to the file itself. If that fails, it is cut back.
fn append_in_place(mut file: Replacement, kept: u64) -> io::Result<()> {
    let mut there = fs::OpenOptions::new().append(true).open(file.path())?;
    if let Some(old) = file.old() {
        old.check_unchanged(&there.metadata()?)?;
    }
    let Some(temporary) = file.temporary() else { return Ok(()) };
    temporary.rewind()?;
    there.set_len(kept)?;
    let copied = io::copy(temporary.as_file_mut(), there.file_mut()).and_then(|_| there.sync_all());
    if copied.is_err() {
        drop(there.set_len(kept));
    }
    copied
}

/// The last byte of the text of a file.
fn last_byte(mut file: fs::File, compression: Compression) -> io::Result<Option<u8>> {
    if compression == Compression::None {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        return Ok(Some(last[0]));
    }
    file.rewind()?;
    let (mut text, mut last) = (compression.reader(file)?, None);
    loop {
        let length = match text.fill_buf()? {
            [] => return Ok(last),
            bytes => {
                last = bytes.last().copied();
                bytes.len()
            }
        };
        text.consume(length);
    }
}

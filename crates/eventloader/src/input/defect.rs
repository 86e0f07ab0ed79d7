//! What can be wrong with the content of a source; its reader's error carries it.
//!
//! Invariant: what breaks off may be finished later and is told apart from what no writer will ever finish.

use std::io::{self, ErrorKind};

use crate::error::Error;

/// What is wrong with the content of a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Defect {
    /// It ends before its data do. The name is the compression's.
    #[error("its {0} data breaks off")]
    BreaksOff(&'static str),
    /// Its bytes are not what was written.
    #[error("its {format} data is damaged: {problem}")]
    Damaged {
        /// The name of the compression.
        format: &'static str,
        /// What the decoder says.
        problem: String,
    },
    /// It is in a container or an encoding that is not read.
    #[error("{0}")]
    Foreign(String),
    /// It lost bytes while it was read.
    #[error("it was cut while it was read: it is shorter than when it was opened")]
    Cut,
    /// It has other bytes than when reading began.
    #[error("it was changed while it was read")]
    Changed,
}

impl Defect {
    /// The defect that a reader's error carries.
    pub(super) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

/// The error of a source that can't be read, at a place in its text. `compression` is the name of the format
/// that the text was compressed with.
pub(super) fn unreadable(
    path: &str,
    offset: u64,
    compression: Option<&'static str>,
    source: io::Error,
) -> Error {
    let path = path.to_owned();
    if let Some(Defect::Foreign(problem)) = Defect::of(&source) {
        return Error::Foreign { path, problem: problem.clone() };
    }
    let text = compression.map_or("the file", |_| "its decompressed text");
    Error::Read { path, offset, text, source }
}

impl From<Defect> for io::Error {
    fn from(defect: Defect) -> Self {
        Self::new(ErrorKind::InvalidData, defect)
    }
}

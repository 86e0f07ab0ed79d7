//! The reports of the runs of a load → the place that `--report` names.
//!
//! Invariant: a load that fails leaves a file that existed as it was, and takes away one that it made.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the report is neither source nor target"
)]

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::printing::print_to_stdout;
use crate::{error::Error, report::Report, runtime::is_standard_output_closed};

/// The destination of the JSON report.
pub(super) enum ReportOutput {
    Nowhere,
    StandardOutput,
    File {
        file: fs_err::File,
        /// Deleted again if the load fails; `None` if the file already existed.
        created: Option<PathBuf>,
    },
}

impl ReportOutput {
    /// Opens the output before the load, so that a wrong path fails early.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Error> {
        match path {
            None => Ok(Self::Nowhere),
            Some(path) if path == Path::new("-") => Ok(Self::StandardOutput),
            Some(path) => {
                let created = (!path.exists()).then(|| path.to_owned());
                let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path);
                let file = file.map_err(|error| Error::Usage(format!("--report: {error}")))?;
                Ok(Self::File { file, created })
            }
        }
    }

    /// The load failed, so there is nothing to report.
    pub(super) fn abandon(self) {
        if let Self::File { created: Some(path), .. } = self {
            drop(fs_err::remove_file(path));
        }
    }

    /// Writes the reports, one behind the other.
    pub(super) fn write(self, reports: &[Report]) -> io::Result<()> {
        let text = reports.iter().map(Report::to_json).collect::<Result<String, _>>()?;
        match self {
            Self::Nowhere => Ok(()),
            Self::StandardOutput if is_standard_output_closed() => {
                Err(io::Error::other("standard output is closed"))
            }
            Self::StandardOutput => print_to_stdout(text.as_bytes()),
            Self::File { mut file, .. } => {
                file.write_all(text.as_bytes())?;
                // A pipe or a device has no length.
                if file.metadata()?.is_file() { file.set_len(text.len() as u64) } else { Ok(()) }
            }
        }
    }
}

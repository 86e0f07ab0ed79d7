//! The file of the report, and what the run reads and writes → an error if the report would replace any of
//! it.
//!
//! Files are compared by device and inode, so a link, another spelling of the path, and a file that standard
//! input comes from are found, too.
//!
//! Invariant: it is called before a byte of the report is written.

use std::{
    fs::Metadata,
    path::{Path, PathBuf},
};

use event_target::Location;

use crate::{
    error::Error,
    input::{Origin, Source},
};

/// Refuses a report that is one of these files.
///
/// # Errors
/// [`Error::ReportPlace`]
pub(crate) fn refuse_files<'p>(
    report: &Path,
    files: impl IntoIterator<Item = &'p Path>,
    what: &'static str,
) -> Result<(), Error> {
    let found = |path: &Path| storage::find(path).ok().flatten();
    // Devices and pipes can't be replaced.
    let Some(of_report) = found(report).filter(Metadata::is_file) else { return Ok(()) };
    let is_report = |file: &&Path| found(file).is_some_and(|of_file| storage::is_one(&of_file, &of_report));
    match files.into_iter().find(is_report) {
        Some(file) => Err(refused(report, what, file)),
        None => Ok(()),
    }
}

/// Refuses a report that is one of the sources, which a new report in a directory of sources is, too; or that
/// is a file of the target. The report's file exists.
pub(crate) fn refuse(report: &Path, sources: &[Source], target: &Location) -> Result<(), Error> {
    let paths = sources.iter().filter_map(|source| match &source.origin {
        Origin::File(path) => Some(path.as_path()),
        Origin::StandardInput => Some(Path::new("/dev/stdin")),
        Origin::Object(_) | Origin::Records(_) | Origin::Begun(_) => None,
    });
    refuse_files(report, paths, "is one of the sources")?;
    let canonical = |path: &Path| storage::canonical(path).ok();
    let (Some(real), Some(target)) = (canonical(report), target.directory().and_then(canonical)) else {
        return Ok(());
    };
    // A report beside the partitions is in nobody's way.
    let is_in_target = real.parent().is_some_and(|parent| parent.starts_with(&target) && parent != target);
    if is_in_target { Err(refused(report, "is inside the target", &target)) } else { Ok(()) }
}

fn refused(report: &Path, problem: &'static str, place: &Path) -> Error {
    let (report, place): (PathBuf, PathBuf) = (report.to_owned(), place.to_owned());
    Error::ReportPlace { report, problem, place }
}

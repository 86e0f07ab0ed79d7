//! The file of a report or a page, and what the run reads and writes → an error if it would replace any of
//! it, or be taken for it.
//!
//! Files are compared by device and inode, so a link, another spelling of the path, and a file that standard
//! input comes from are found, too.
//!
//! Invariant: it is called before a byte of the file is written.

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
        Origin::Lines(lines) => lines.path(),
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

/// Refuses a file for people in a target, where readers of the data would come upon it: those of a directory
/// pass over names that begin with `_` or a dot, and only these. The file need not exist.
pub(crate) fn refuse_among_data(file: &Path, target: &Location) -> Result<(), Error> {
    let canonical = |path: &Path| storage::canonical(path).ok();
    let directory = file.parent().map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
    let in_directory = || Some(canonical(directory?)?.join(file.file_name()?));
    let (Some(real), Some(target)) =
        (canonical(file).or_else(in_directory), target.directory().and_then(canonical))
    else {
        return Ok(());
    };
    let Ok(inside) = real.strip_prefix(&target) else { return Ok(()) };
    let is_passed_over = |name: &str| name.starts_with(['_', '.']);
    let is_beside = inside.components().count() == 1
        && inside.to_str().is_some_and(is_passed_over)
        && !storage::is_directory(&real);
    if is_beside { Ok(()) } else { Err(refused(file, "is inside the target", &target)) }
}

fn refused(report: &Path, problem: &'static str, place: &Path) -> Error {
    let (report, place): (PathBuf, PathBuf) = (report.to_owned(), place.to_owned());
    Error::ReportPlace { report, problem, place }
}

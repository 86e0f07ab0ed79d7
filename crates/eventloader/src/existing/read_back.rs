//! Staged files → the digest of their rows, every page of them decoded.
//!
//! Invariant: rows that belong to another partition, or are of another type, are refused.

use std::ops::Range;

use event_target::{StagedFile, Staging};

use super::{columns::ExistingColumns, digest::RowsDigest, reader::ExistingFile};
use crate::error::Error;

/// Adds the rows of some files, which belong to a partition, to a digest.
pub(crate) fn digest_of(
    (staging, files): (&Staging, &[StagedFile]),
    columns: &ExistingColumns<'_>,
    instants: &Range<i64>,
    digest: &mut RowsDigest,
) -> Result<(), Error> {
    for file in files {
        let file = ExistingFile::Staged(staging, file);
        let builder = file.open()?;
        columns.check(builder.schema()).map_err(|problem| file.refused(problem))?;
        for batch in builder.build().map_err(|error| file.refused(error))? {
            let batch = batch.map_err(|error| file.refused(error))?;
            let base = columns.base(&batch, false).map_err(|problem| file.refused(problem))?;
            if base.micros.iter().any(|micros| !instants.contains(micros)) {
                return Err(file.refused("it has rows of another day or hour than its directory"));
            }
            let payload = columns.payload(&batch).map_err(|problem| file.refused(problem))?;
            digest.add(base.ids, base.micros, &payload);
        }
    }
    Ok(())
}

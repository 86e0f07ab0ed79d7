//! A file of the quarantine → the same without the selected lines.
//!
//! Invariant: what stays is as it was, byte for byte. A line in fragments goes or stays as a whole.

use std::io::{BufRead, Write};

use events_core::truth::Counts;

use super::record::{RecordReader, STAGING};
use crate::{error::Error, settings::BadLineSelection};

/// Writes those of the `records` that are not selected; counts the others by the reasons of their lines, and
/// returns how many records are left.
pub(super) fn rewrite(
    mut records: RecordReader<impl BufRead>,
    selection: &BadLineSelection,
    discarded: &mut Counts,
    output: &mut impl Write,
) -> Result<u64, Error> {
    let mut left = 0;
    while let Some((record, text)) = records.next()? {
        if !selection.wants(&record) {
            left += 1;
            writeln!(output, "{text}").map_err(Error::io(STAGING))?;
        } else if record.counts() {
            *discarded.entry(record.reason.into_owned()).or_default() += 1;
        }
    }
    Ok(left)
}

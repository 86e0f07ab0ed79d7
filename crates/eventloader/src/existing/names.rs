//! A file whose statistics say that all of its rows have one domain and one type → its reader without these
//! columns: they would be a good part of the decoding.
//!
//! Invariant: only the statistics of a file of this program are believed, and only those that are exact.

use parquet::{
    arrow::{ProjectionMask, arrow_reader::ArrowReaderBuilder},
    file::metadata::ParquetMetaData,
};

/// The reader, and whether it leaves out these columns: each has the text in all rows.
pub(super) fn left_out<T>(
    builder: ArrowReaderBuilder<T>,
    names: &[(&str, &str)],
) -> (ArrowReaderBuilder<T>, bool) {
    let schema = builder.parquet_schema();
    let leaf =
        |name: &str| (0..schema.num_columns()).find(|leaf| schema.column(*leaf).path().string() == name);
    let leaves: Option<Vec<_>> = names.iter().map(|(name, _)| leaf(name)).collect();
    let Some(leaves) = leaves.filter(|_| event_parquet::is_own(builder.metadata())) else {
        return (builder, false);
    };
    let mut texts = leaves.iter().zip(names);
    if !texts.all(|(leaf, (_, text))| is_only(builder.metadata(), *leaf, text)) {
        return (builder, false);
    }
    let others = (0..schema.num_columns()).filter(|leaf| !leaves.contains(leaf));
    let mask = ProjectionMask::leaves(schema, others);
    (builder.with_projection(mask), true)
}

fn is_only(metadata: &ParquetMetaData, leaf: usize, text: &str) -> bool {
    metadata.row_groups().iter().all(|group| {
        group.column(leaf).statistics().is_some_and(|statistics| {
            statistics.null_count_opt() == Some(0)
                && statistics.min_is_exact()
                && statistics.max_is_exact()
                && statistics.min_bytes_opt() == Some(text.as_bytes())
                && statistics.max_bytes_opt() == Some(text.as_bytes())
        })
    })
}

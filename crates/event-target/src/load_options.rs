//! The options of a load that its target records.
//!
//! Invariant: their names are part of the format of a target's commits.

use serde::{Deserialize, Serialize};

/// What happens to the rows that a target already has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The partitions for which the load has rows are replaced.
    #[default]
    Overwrite,
    /// The rows of the target take part. A partition is rewritten if its rows change.
    Merge,
    /// No load: the files that are there were recorded as what is meant.
    Accept,
    /// No load: the same rows were written again, in other files.
    Rewrite,
    /// No load: bad lines were taken out of the quarantine.
    Discard,
}

/// Where "latest" is decided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DedupeScope {
    /// Over the whole input.
    #[default]
    Input,
    /// Within each day.
    Day,
    /// Over the input and everything in the target.
    Target,
}

/// How a load wrote its Parquet files. A replay writes alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileForm {
    /// One column per value of the payload; otherwise one struct column.
    pub flatten: bool,
    /// The name of the codec.
    pub compression: String,
    /// The name of the encodings; there was one choice at first.
    #[serde(default = "FileForm::first_encodings")]
    pub encodings: String,
}

impl FileForm {
    fn first_encodings() -> String {
        "compact".to_owned()
    }
}

//! The named values of flags → the loader's own types.
//!
//! Invariant: this is the only place that maps names to these types.

use std::time::Duration;

use clap::{Args, ValueEnum};
use event_parquet::{Codec, Encodings, Format};
use event_parser::Framing;
use event_target::DedupeScope;
use events_core::partition::{Layout, PartitionUnit};

use super::TARGET;
use crate::error::Error;

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FramingArg {
    /// As the text itself tells
    Auto,
    /// One document per line
    Lines,
    /// One array: each element is a document
    Array,
    /// Documents one behind the other, over lines or several in one
    Documents,
}

impl From<FramingArg> for Framing {
    fn from(arg: FramingArg) -> Self {
        match arg {
            FramingArg::Auto => Self::Auto,
            FramingArg::Lines => Self::Lines,
            FramingArg::Array => Self::Array,
            FramingArg::Documents => Self::Documents,
        }
    }
}

/// An age like `7d`, `12h`, `30m` or `90s`.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    let unit_seconds = |unit: &str| match unit {
        "d" => Some(24 * 60 * 60),
        "h" => Some(60 * 60),
        "m" => Some(60),
        "s" => Some(1),
        _ => None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let seconds = unit_seconds(unit).zip(number.parse::<u64>().ok());
    let seconds = seconds.and_then(|(unit_seconds, number)| number.checked_mul(unit_seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "expected an age like 7d, 12h, 30m or 90s".to_owned())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scope {
    /// In the whole input: if an event is corrected on a later day, the earlier day does not have it
    Input,
    /// In each day by itself: every day keeps its latest version of an event
    Day,
    /// In the input and the target: a corrected event moves out of its old partition
    Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LayoutArg {
    /// 2024/10/10/account-open/
    Plain,
    /// year=2024/month=10/day=10/event_type=account-open/, and the files have no columns of these names
    Hive,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum TableArg {
    /// A Delta table for each event type, below account-open/, with the partition columns day and, by hour,
    /// hour
    Delta,
}

/// How a target is divided
#[derive(Debug, Args)]
pub(super) struct LayoutArgs {
    /// The names of the partition directories [default: plain; of a target of tables, those of tables]
    ///
    /// Engines read columns from the names of hive.
    #[arg(long, value_enum, conflicts_with = "table", help_heading = TARGET)]
    layout: Option<LayoutArg>,

    /// Keep tables of this format instead of directories: a commit is one moment for their readers
    ///
    /// A target stays what it was at its first load. docs/tables.md says what is where.
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = TARGET)]
    table: Option<TableArg>,

    /// The time span of a partition [default: day; of a target of tables, as it is]
    #[arg(long, value_name = "UNIT", value_enum, help_heading = TARGET)]
    partition_by: Option<Unit>,
}

impl LayoutArgs {
    /// The layout that is asked for, if one is.
    pub(super) fn layout(&self) -> Option<Layout> {
        match self.table {
            Some(TableArg::Delta) => Some(Layout::Delta),
            None => self.layout.map(Into::into),
        }
    }

    /// The unit of time that is asked for, if one is.
    pub(super) fn unit(&self) -> Option<PartitionUnit> {
        self.partition_by.map(Into::into)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Unit {
    /// A day, in UTC
    Day,
    /// An hour (UTC): one more level of directories, below the day
    Hour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// Replace the partitions that the load has rows for; all others stay
    Overwrite,
    /// Keep the latest version of each event, whether it is in the input or in the target, and rewrite only
    /// the partitions whose rows change
    Merge,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CodecArg {
    /// The smallest files, as fast to load as the others
    Zstd,
    /// For readers without zstd
    Snappy,
    /// No compression
    None,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum EncodingsArg {
    /// The encoding that suits a column, of those since version 2.4 of Parquet
    Compact,
    /// Plain values and dictionaries alone, for readers that know no others
    Basic,
}

/// How values become bytes
#[derive(Debug, Args)]
pub(super) struct FormatArgs {
    /// The compression of the Parquet pages [default: zstd]
    #[arg(long, value_name = "CODEC", value_enum, help_heading = TARGET)]
    compression: Option<CodecArg>,

    /// The encodings in the Parquet pages [default: compact]
    ///
    /// docs/readers.md says which reader needs which.
    #[arg(long, value_name = "ENCODINGS", value_enum, help_heading = TARGET)]
    encodings: Option<EncodingsArg>,
}

impl FormatArgs {
    pub(super) fn format(&self) -> Format {
        let (codec, encodings) = (self.compression, self.encodings);
        format_of(codec.unwrap_or(CodecArg::Zstd), encodings.unwrap_or(EncodingsArg::Compact))
    }

    /// # Errors
    /// A flag is given that has no meaning in a database.
    pub(super) fn refuse_in_database(&self) -> Result<(), Error> {
        refuse_in_database(self.compression.is_some(), self.encodings.is_some())
    }
}

/// Refuses the flags of Parquet files, where they are given.
pub(super) fn refuse_in_database(has_compression: bool, has_encodings: bool) -> Result<(), Error> {
    let flag = match (has_compression, has_encodings) {
        (true, _) => "--compression",
        (false, true) => "--encodings",
        (false, false) => return Ok(()),
    };
    Err(Error::Usage(format!("{flag}: a database writes no Parquet; leave it out")))
}

/// How values become bytes.
pub(super) fn format_of(codec: CodecArg, encodings: EncodingsArg) -> Format {
    Format { codec: codec.into(), encodings: encodings.into() }
}

impl From<EncodingsArg> for Encodings {
    fn from(encodings: EncodingsArg) -> Self {
        match encodings {
            EncodingsArg::Compact => Self::Compact,
            EncodingsArg::Basic => Self::Basic,
        }
    }
}

impl From<LayoutArg> for Layout {
    fn from(layout: LayoutArg) -> Self {
        match layout {
            LayoutArg::Plain => Self::Plain,
            LayoutArg::Hive => Self::Hive,
        }
    }
}

impl From<Unit> for PartitionUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Day => Self::Day,
            Unit::Hour => Self::Hour,
        }
    }
}

impl From<Mode> for event_target::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Overwrite => Self::Overwrite,
            Mode::Merge => Self::Merge,
        }
    }
}

impl From<Scope> for DedupeScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Input => Self::Input,
            Scope::Day => Self::Day,
            Scope::Target => Self::Target,
        }
    }
}

impl From<CodecArg> for Codec {
    fn from(codec: CodecArg) -> Self {
        match codec {
            CodecArg::Zstd => Self::Zstd,
            CodecArg::Snappy => Self::Snappy,
            CodecArg::None => Self::None,
        }
    }
}

//! The values that flags take by name, and what they mean to the loader.

use clap::ValueEnum;
use event_parquet::Codec;
use event_target::DedupeScope;
use events_core::partition::{Layout, PartitionUnit};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Scope {
    /// Over the whole input: an event that was corrected on a later day is not in the earlier day
    Input,
    /// Within each day: a day is what its own events say
    Day,
    /// Over the input and all that the target holds: an event that was corrected leaves the day where it was
    Target,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LayoutArg {
    /// 2024/10/10/account-open/
    Plain,
    /// year=2024/month=10/day=10/event_type=account-open/
    Hive,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Unit {
    /// A day, in UTC
    Day,
    /// An hour of it: one level of directories more, below the day
    Hour,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Mode {
    /// The partitions that the load has rows for are replaced, all others stay as they are
    Overwrite,
    /// The rows that the target holds take part: the latest version of each event stays, wherever it is, and partitions whose rows
    /// change are written again
    Merge,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum CodecArg {
    /// The smallest files, and as fast to load as the others
    Zstd,
    /// For readers that know no zstd
    Snappy,
    /// No compression
    None,
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

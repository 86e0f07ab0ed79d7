//! One environment variable → a loader that does one thing wrong, so that it can be shown that a wrong load is found out. Debug
//! builds only.
//!
//! `EVENTLOADER_MISTAKE=NAME` chooses the [`Mistake`], and each place in the code where a real loader would make it asks [`made`].
//! docs/manifest.md has what comes of each; `tests/loader/proved/mistakes.rs` holds it.
//!
//! Invariant: where the variable is not set nothing is made. In a release build it is not known, and [`made`] is a constant.

#[cfg(debug_assertions)]
use std::{env, sync::LazyLock};

#[cfg(debug_assertions)]
use crate::error::Error;

/// Something that a loader may do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// Of two versions with one timestamp, the first line wins.
    TiesToFirst,
    /// The version with the lowest timestamp wins.
    OldestWins,
    /// The version that comes last wins, whatever its timestamp.
    LastLineWins,
    /// A line that was delivered twice is two rows.
    DuplicatesKept,
    /// A load of some days does not ask whether later days have corrections.
    LaterDaysIgnored,
    /// The offset of a timestamp is taken as not there.
    OffsetsIgnored,
    /// Days are those of a clock that is two hours ahead of UTC.
    LocalDays,
    /// A last line without a newline is not read.
    UnendedLineLost,
    /// What stands behind the last newline of a block is not carried over to the next.
    BlockEdgeLost,
    /// A bad line is passed over.
    BadLinesDropped,
    /// A bad line is counted, but not kept.
    BadLinesNotKept,
    /// Decimals are floats on their way, cut to their digits at the end.
    DecimalsAsFloats,
    /// Null is an empty text, or zero.
    NullsAsEmpty,
    /// The last partition is not published.
    PartitionLost,
    /// The last row of a chunk is the first of the next, too.
    RowTwice,
    /// A merge does not look for the events that the target holds.
    HeldIgnored,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::TiesToFirst,
        Self::OldestWins,
        Self::LastLineWins,
        Self::DuplicatesKept,
        Self::LaterDaysIgnored,
        Self::OffsetsIgnored,
        Self::LocalDays,
        Self::UnendedLineLost,
        Self::BlockEdgeLost,
        Self::BadLinesDropped,
        Self::BadLinesNotKept,
        Self::DecimalsAsFloats,
        Self::NullsAsEmpty,
        Self::PartitionLost,
        Self::RowTwice,
        Self::HeldIgnored,
    ];

    /// What it is called in the variable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TiesToFirst => "ties-to-first",
            Self::OldestWins => "oldest-wins",
            Self::LastLineWins => "last-line-wins",
            Self::DuplicatesKept => "duplicates-kept",
            Self::LaterDaysIgnored => "later-days-ignored",
            Self::OffsetsIgnored => "offsets-ignored",
            Self::LocalDays => "local-days",
            Self::UnendedLineLost => "unended-line-lost",
            Self::BlockEdgeLost => "block-edge-lost",
            Self::BadLinesDropped => "bad-lines-dropped",
            Self::BadLinesNotKept => "bad-lines-not-kept",
            Self::DecimalsAsFloats => "decimals-as-floats",
            Self::NullsAsEmpty => "nulls-as-empty",
            Self::PartitionLost => "partition-lost",
            Self::RowTwice => "row-twice",
            Self::HeldIgnored => "held-ignored",
        }
    }
}

/// The variable.
#[cfg(debug_assertions)]
const VARIABLE: &str = "EVENTLOADER_MISTAKE";

#[cfg(debug_assertions)]
fn named(name: &str) -> Option<Mistake> {
    Mistake::ALL.into_iter().find(|mistake| mistake.name() == name)
}

/// Whether this mistake is to be made.
#[cfg(debug_assertions)]
#[must_use]
pub fn made(mistake: Mistake) -> bool {
    static CHOSEN: LazyLock<Option<Mistake>> = LazyLock::new(|| named(&env::var(VARIABLE).ok()?));
    *CHOSEN == Some(mistake)
}

/// Whether this mistake is to be made: never.
#[cfg(not(debug_assertions))]
#[must_use]
#[inline(always)]
pub const fn made(_mistake: Mistake) -> bool {
    false
}

/// Refuses a name that no mistake has: the load would be right, and be taken for one that was not found out.
#[cfg(debug_assertions)]
pub(crate) fn check() -> Result<(), Error> {
    match env::var_os(VARIABLE) {
        Some(name) if name.to_str().and_then(named).is_none() => {
            let known = Mistake::ALL.map(Mistake::name).join(", ");
            Err(Error::Usage(format!(
                "{VARIABLE}: there is no mistake {}; give one of {known}",
                name.display()
            )))
        }
        _ => Ok(()),
    }
}

/// A decimal that was a float on its way, and was cut instead of rounded.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "that is the mistake")]
pub(crate) fn through_float(unscaled: i128, scale: u8) -> i128 {
    let ten_power = 10_f64.powi(scale.into());
    (unscaled as f64 / ten_power * ten_power) as i128
}

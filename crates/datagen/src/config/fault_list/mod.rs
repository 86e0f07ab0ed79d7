//! A list like `duplicates=500, corrections=1%` → the number of events of a run that have each fault.
//!
//! A list is parsed without knowing how many events there are ([`FaultList`]) and becomes numbers when that
//! is known ([`FaultCounts`]). Percentages are computed exactly, in integers, and rounded half up. 100% is
//! every event but the last.
//!
//! Invariant: there are fewer faults than events, for an event has at most one and the last has none.
//! [`FaultList`] parses what [`FaultCounts`] writes as the same numbers.

use std::{fmt, str::FromStr};

/// A fault, or an oddity, of a stream. The event that has it is its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A byte-identical copy arrives later.
    Duplicates,
    /// A version with the same id, a later timestamp and another payload arrives later.
    Corrections,
    /// A correction arrives, and after it the original again.
    Stale,
    /// A version with the same id, the same timestamp and another payload arrives later: the later line wins.
    Ties,
    /// The line itself arrives later.
    Late,
    /// The timestamp is written with an offset, but is the same instant.
    Offsets,
    /// The line has a key that is in no schema.
    UnknownFields,
    /// A malformed line follows.
    Malformed,
    /// A line of a type that is in no catalog follows.
    UnknownEvents,
    /// A blank line follows.
    Blank,
    /// A line longer than a loader accepts follows.
    TooLong,
}

impl Fault {
    /// All faults, in the order in which they are written.
    pub const ALL: [Self; 11] = [
        Self::Duplicates,
        Self::Corrections,
        Self::Stale,
        Self::Ties,
        Self::Late,
        Self::Offsets,
        Self::UnknownFields,
        Self::Malformed,
        Self::UnknownEvents,
        Self::Blank,
        Self::TooLong,
    ];

    /// Its name in a list.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Duplicates => "duplicates",
            Self::Corrections => "corrections",
            Self::Stale => "stale",
            Self::Ties => "ties",
            Self::Late => "late",
            Self::Offsets => "offsets",
            Self::UnknownFields => "unknown-fields",
            Self::Malformed => "malformed",
            Self::UnknownEvents => "unknown-events",
            Self::Blank => "blank",
            Self::TooLong => "too-long",
        }
    }
}

/// Why a list of faults is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultListError {
    /// An entry is not of the form `name=COUNT` or `name=PERCENT%`.
    #[error("{0:?} is not a fault: write name=COUNT or name=PERCENT%, as in duplicates=500,late=0.25%")]
    Form(String),

    /// No fault has this name.
    #[error("unknown fault {0:?}; the faults are {names}", names = names())]
    Name(String),

    /// A name occurs twice.
    #[error("{0} occurs twice; give each fault once")]
    Twice(&'static str),

    /// The text after the `=` is not an amount.
    #[error(
        "{name}={amount}: expected a whole number, or a percentage from 0% to 100% with at most four decimals"
    )]
    Amount {
        /// The fault.
        name: &'static str,
        /// The amount as it was written.
        amount: String,
    },

    /// More faults than events.
    #[error("{faults} faults for {events} events: an event has at most one, and the last has none")]
    TooMany {
        /// The number of faults.
        faults: u128,
        /// The number of events.
        events: u64,
    },
}

fn names() -> String {
    Fault::ALL.map(Fault::name).join(", ")
}

/// The number of hosts of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Amount {
    Count(u64),
    /// A share of all events, in millionths.
    Millionths(u32),
}

/// All events, in millionths.
const ALL_MILLIONTHS: u32 = 1_000_000;

/// The maximum number of decimals of a percentage: it is a whole number of millionths.
const PERCENT_DECIMALS: usize = 4;

impl Amount {
    fn parse(text: &str) -> Option<Self> {
        let Some(percent) = text.strip_suffix('%') else { return Some(Self::Count(whole(text)?)) };
        let (units, decimals) = percent.split_once('.').unwrap_or((percent, "0"));
        if decimals.len() > PERCENT_DECIMALS {
            return None;
        }
        let units = whole(units)?.checked_mul(10_000)?;
        let millionths = units.checked_add(whole(&format!("{decimals:0<PERCENT_DECIMALS$}"))?)?;
        let millionths = u32::try_from(millionths).ok().filter(|parts| *parts <= ALL_MILLIONTHS)?;
        // `1.%` was padded to a number, too.
        (!decimals.is_empty()).then_some(Self::Millionths(millionths))
    }

    fn of(self, num_events: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Millionths(millionths) => {
                let all = u128::from(ALL_MILLIONTHS);
                let hosts = (u128::from(num_events) * u128::from(millionths) + all / 2) / all;
                u64::try_from(hosts).expect("at most all events")
            }
        }
    }
}

/// Parses a number that consists of digits only: `parse` would also accept `+5`.
fn whole(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// Faults as they were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultList([Option<Amount>; Fault::ALL.len()]);

impl FromStr for FaultList {
    type Err = FaultListError;

    fn from_str(text: &str) -> Result<Self, FaultListError> {
        let mut list = Self::default();
        if text.trim().is_empty() {
            return Ok(list);
        }
        for entry in text.split(',').map(str::trim) {
            let (name, amount) =
                entry.split_once('=').ok_or_else(|| FaultListError::Form(entry.to_owned()))?;
            let (name, amount) = (name.trim(), amount.trim());
            let fault = Fault::ALL.into_iter().find(|fault| fault.name() == name);
            let fault = fault.ok_or_else(|| FaultListError::Name(name.to_owned()))?;
            let name = fault.name();
            let amount = Amount::parse(amount)
                .ok_or_else(|| FaultListError::Amount { name, amount: amount.to_owned() })?;
            if list.0[fault as usize].replace(amount).is_some() {
                return Err(FaultListError::Twice(name));
            }
        }
        Ok(list)
    }
}

impl FaultList {
    /// The counts for a run of `num_events` events.
    ///
    /// # Errors
    ///
    /// [`FaultListError::TooMany`] unless there are fewer faults than events: nothing can arrive after the
    /// last event. Percentages alone, of 100% in all or less, are never too many.
    pub fn counts(&self, num_events: u64) -> Result<FaultCounts, FaultListError> {
        let mut counts = self.0.map(|amount| amount.map_or(0, |amount| amount.of(num_events)));
        let faults: u128 = counts.iter().map(|&count| u128::from(count)).sum();
        let mut excess = (faults + 1).saturating_sub(u128::from(num_events));
        if faults > 0 && excess > 0 {
            if !self.are_shares_of_the_whole() {
                return Err(FaultListError::TooMany { faults, events: num_events });
            }
            // The last event, and what was rounded up: at most one more than there are faults.
            while excess > 0
                && let Some(most) = counts.iter_mut().max_by_key(|count| **count)
            {
                *most -= 1;
                excess -= 1;
            }
        }
        Ok(FaultCounts(counts))
    }

    /// Whether all amounts are percentages, and no more than 100% together.
    fn are_shares_of_the_whole(&self) -> bool {
        let share = |amount: &Amount| match amount {
            Amount::Count(0) => Some(0),
            Amount::Count(_) => None,
            Amount::Millionths(millionths) => Some(u64::from(*millionths)),
        };
        let shares: Option<u64> = self.0.iter().flatten().map(share).sum();
        shares.is_some_and(|sum| sum <= ALL_MILLIONTHS.into())
    }
}

/// The number of events of a run that have each fault.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FaultCounts([u64; Fault::ALL.len()]);

impl FaultCounts {
    /// The number of hosts of one fault.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// The number of hosts of all faults.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The faults that have hosts, with their numbers, in the order of [`Fault::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// A list of whole numbers, `duplicates=500,late=200`; empty if there are no faults.
impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (fault, count)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{}={count}", fault.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;

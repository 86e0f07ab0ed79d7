//! `duplicates=500, corrections=1%` in; how many events of a run are hosts of each fault, out.
//!
//! A list is read without knowing how many events there are ([`FaultList`]) and becomes numbers when that is known
//! ([`FaultCounts`]). Percents are taken exactly, in integers, and rounded half up.
//!
//! Invariant: the hosts of all faults together are fewer than the events, for no event hosts two and the last none. What [`FaultCounts`]
//! writes, [`FaultList`] reads as the same numbers.

use std::fmt;
use std::str::FromStr;

/// What can be wrong with a stream, or odd in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A byte-identical copy arrives later.
    Duplicates,
    /// The same id, a later timestamp, another payload, arrives later.
    Corrections,
    /// A correction, and after it the original once more.
    Stale,
    /// The same id, the same timestamp, another payload, arrives later: the later line wins.
    Ties,
    /// The line itself arrives later.
    Late,
    /// The timestamp is written with an offset: the same instant.
    Offsets,
    /// The line has a key that no schema knows.
    UnknownFields,
    /// A bad line stands behind it.
    Malformed,
    /// A line of a type that no catalog has stands behind it.
    UnknownEvents,
    /// A blank line stands behind it.
    Blank,
    /// A line longer than a loader takes stands behind it.
    TooLong,
}

impl Fault {
    /// All of them, in the order in which they are written.
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

/// A list that can't be used.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultListError {
    /// An entry is no `name=COUNT` or `name=P%`.
    #[error("{0:?} is no fault: write name=COUNT or name=PERCENT%, as in duplicates=500,late=0.25%")]
    Form(String),

    /// No fault has this name.
    #[error("there is no fault {0:?}: give some of {names}", names = names())]
    Name(String),

    /// A name came twice.
    #[error("{0} stands twice: give each fault once")]
    Twice(&'static str),

    /// What stands behind the `=` is no amount.
    #[error("{name}={amount}: give a whole number, or a percent from 0% to 100% with at most four decimals")]
    Amount {
        /// Whose amount.
        name: &'static str,
        /// As it was written.
        amount: String,
    },

    /// More faults than events.
    #[error(
        "{faults} faults for {events} events: an event has at most one and the last has none, so ask for fewer faults or a larger --num-events"
    )]
    TooMany {
        /// How many were asked for.
        faults: u128,
        /// For so many events.
        events: u64,
    },
}

fn names() -> String {
    Fault::ALL.map(Fault::name).join(", ")
}

/// How many hosts a fault has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Amount {
    Count(u64),
    /// Of all events; 1,000,000 are all of them.
    Millionths(u32),
}

/// The millionths that are all.
const ALL_MILLIONTHS: u32 = 1_000_000;

/// The digits behind the point that a percent may have: with them it is a whole number of millionths.
const PERCENT_DECIMALS: usize = 4;

impl Amount {
    fn read(text: &str) -> Option<Self> {
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

/// A number of digits alone: `parse` would also take `+5`.
fn whole(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// What was asked for, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
            let read = Amount::read(amount)
                .ok_or_else(|| FaultListError::Amount { name, amount: amount.to_owned() })?;
            if list.0[fault as usize].replace(read).is_some() {
                return Err(FaultListError::Twice(name));
            }
        }
        Ok(list)
    }
}

impl FaultList {
    /// The numbers for a run of so many events.
    ///
    /// # Errors
    ///
    /// [`FaultListError::TooMany`] where there are not fewer faults than events: behind the last nothing can arrive.
    pub fn counts(&self, num_events: u64) -> Result<FaultCounts, FaultListError> {
        let counts = self.0.map(|amount| amount.map_or(0, |amount| amount.of(num_events)));
        let faults = counts.iter().map(|&count| u128::from(count)).sum();
        if faults > 0 && faults >= u128::from(num_events) {
            return Err(FaultListError::TooMany { faults, events: num_events });
        }
        Ok(FaultCounts(counts))
    }
}

/// How many events of one run are hosts of each fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounts([u64; Fault::ALL.len()]);

impl FaultCounts {
    /// The hosts of one fault.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }

    /// The hosts of all faults.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The faults that have hosts, in the order of [`Fault::ALL`], with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

/// As a list of whole numbers: `duplicates=500,late=200`; nothing where there are no faults.
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

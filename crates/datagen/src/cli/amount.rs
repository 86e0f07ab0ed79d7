//! The flags for how much of the stream a run writes → an [`Amount`], and the position where the run begins.
//!
//! Invariant: at most one kind of amount is given.

use std::time::Duration;

use chrono::NaiveDate;
use clap::Args;
use command_line::parse_bytes;

use super::stream::{EVENTS, parse_date};
use crate::deliver::Amount;

/// The group of flags that exclude each other.
const AMOUNT: &str = "amount";

/// How much of the stream to write, and where to begin.
#[derive(Debug, Clone, Args)]
#[command(group = clap::ArgGroup::new(AMOUNT).multiple(false))]
pub(super) struct AmountArgs {
    /// The number of events
    ///
    /// The first K lines of a longer run are the run with --num-events K. Instead of a number of events, one
    /// of --end-date, --duration and --bytes can be given.
    #[arg(short, long, value_name = "N", default_value_t = 10, group = AMOUNT, help_heading = EVENTS)]
    num_events: u64,

    /// Write all events up to the end of this day
    ///
    /// With --files, --faults, --changes and --manifest, they are counted before the first one is written.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date, group = AMOUNT, help_heading = EVENTS)]
    end_date: Option<NaiveDate>,

    /// Write the events of this period: 7d, 12h, 30m, 90s
    ///
    /// The period begins with the first event of the run, even if that is not the first of the stream.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, group = AMOUNT, help_heading = EVENTS)]
    duration: Option<Duration>,

    /// The position in the stream at which the run begins; the first event is 0
    ///
    /// The events before it are skipped: --first-event 500 -n 500 gives the last 500 lines of -n 1000. With
    /// --if-exists append and new-file, the position follows from the existing files.
    #[arg(long, value_name = "K", help_heading = EVENTS)]
    pub(super) first_event: Option<u64>,
}

/// The size to write, which only a run that writes can have.
#[derive(Debug, Clone, Args)]
pub(super) struct SizeArgs {
    /// Write as many events as fit into this many bytes: 5GB, 512MiB, 1000000
    ///
    /// The size is that of the uncompressed lines. Cannot be used with --files, --faults, --changes,
    /// --manifest and the logs, which need to know the number of events before the first one is written.
    #[arg(
        long, value_name = "SIZE", value_parser = parse_bytes, group = AMOUNT, help_heading = EVENTS,
        conflicts_with_all = ["files", "faults", "changes", "manifest", "faults_log", "changes_log"]
    )]
    bytes: Option<u64>,
}

impl AmountArgs {
    pub(super) fn amount(&self) -> Amount {
        let until = self.end_date.map(Amount::Until);
        let lasting = || self.duration.map(Amount::Lasting);
        until.or_else(lasting).unwrap_or(Amount::Events(self.num_events))
    }
}

impl SizeArgs {
    /// The amount, unless a size was given.
    pub(super) fn or(&self, amount: Amount) -> Amount {
        self.bytes.map_or(amount, Amount::Bytes)
    }
}

/// Parses a whole number of days, hours, minutes or seconds.
fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "write a whole number with its unit: 7d, 12h, 30m, 90s";
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or(EXPECTED)?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(EXPECTED),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(EXPECTED);
    }
    let number: u64 = number.parse().map_err(|_| EXPECTED)?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or("that is longer than the calendar")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, seconds) in [("7d", 604_800), ("12h", 43_200), ("30m", 1_800), ("90s", 90), ("0s", 0)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "d", "7", "7 d", "1.5h", "-1h", "+1h", "1w", "7D", "1h30m", "7ä"] {
            assert!(parse_duration(text).is_err_and(|said| said.contains("7d, 12h")), "{text}");
        }
        assert!(parse_duration("18446744073709551615d").is_err());
    }
}

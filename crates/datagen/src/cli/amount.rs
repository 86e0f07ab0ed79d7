//! The flags that say how much of the stream a run is, and where in it the run begins.

use std::time::Duration;

use chrono::NaiveDate;
use clap::Args;
use command_line::parse_bytes;

use super::stream::{EVENTS, parse_date};
use crate::amount::Amount;

/// One of these at a time.
const AMOUNT: &str = "amount";

/// How much, and from where on.
#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new(AMOUNT).multiple(false))]
pub(super) struct AmountArgs {
    /// How many events
    ///
    /// The first K lines of a longer run are the run with --num-events K. Instead of a number of events, one of --end-date,
    /// --duration and --bytes can be given.
    #[arg(short, long, value_name = "N", default_value_t = 10, group = AMOUNT, help_heading = EVENTS)]
    num_events: u64,

    /// All events up to the end of this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date, group = AMOUNT, help_heading = EVENTS)]
    end_date: Option<NaiveDate>,

    /// The first event, and all that come less than so much later: 7d, 12h, 30m, 90s
    ///
    /// Counted from the first event of the run, also where that is not the first of the stream.
    #[arg(long, value_name = "TIME", value_parser = parse_duration, group = AMOUNT, help_heading = EVENTS)]
    duration: Option<Duration>,

    /// As many events as fit into so many bytes: 5GB, 512MiB, 1000000
    ///
    /// The lines count, before they are compressed. The last one is the last that still fits. Not with --files, --faults and the records
    /// of a run: they have to know how many events there are before the first is written.
    #[arg(
        long, value_name = "SIZE", value_parser = parse_bytes, group = AMOUNT, help_heading = EVENTS,
        conflicts_with_all = ["files", "faults", "manifest", "faults_log"]
    )]
    bytes: Option<u64>,

    /// The place in the stream at which the run begins; the first event is 0
    ///
    /// Those before it are passed over, not written: --first-event 500 -n 500 are the last 500 lines of -n 1000. With --if-exists append
    /// and new-file it is found from the files that are there.
    #[arg(long, value_name = "K", help_heading = EVENTS)]
    pub(super) first_event: Option<u64>,
}

impl AmountArgs {
    pub(super) fn amount(&self) -> Amount {
        let until = self.end_date.map(Amount::Until);
        let lasting = || self.duration.map(Amount::Lasting);
        let bytes = || self.bytes.map(Amount::Bytes);
        until.or_else(lasting).or_else(bytes).unwrap_or(Amount::Events(self.num_events))
    }
}

/// A whole number of days, hours, minutes or seconds.
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
    number.checked_mul(seconds).map(Duration::from_secs).ok_or("that is longer than the calendar; give less")
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

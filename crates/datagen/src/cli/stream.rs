//! The flags that identify a stream → its [`Config`]; runs and subcommands share them.
//!
//! Invariant: the same flags identify the same events, whatever is done with them.

use chrono::NaiveDate;
use clap::{Args, builder::RangedU64ValueParser};

use super::values::{WORLDS, one_of};
use crate::config::{Config, DEFAULT_EVENTS_PER_DAY, WorldName};

/// Steps are whole microseconds; with more events per day than this, all steps would be equal.
const EVENTS_PER_DAY_MAX: u64 = 10_000_000_000;

pub(super) const EVENTS: &str = "Events";

/// The stream.
#[derive(Debug, Clone, Args)]
pub(super) struct StreamArgs {
    /// The kinds of events, and how they relate to each other
    #[arg(
        long, value_name = "WORLD", value_parser = one_of(WORLDS), default_value = WorldName::Simple.name(),
        help_heading = EVENTS
    )]
    world: WorldName,

    /// The seed, which selects one of the possible streams of events
    ///
    /// The same seed with the same --world, --start-date and --events-per-day gives the same bytes: on any
    /// machine, with any number of threads, in any later release with the same stream version (see
    /// --version). Another seed gives other events.
    #[arg(short, long, value_name = "N", default_value_t = 0, help_heading = EVENTS)]
    seed: u64,

    /// The day on which the events begin
    ///
    /// The first event is at midnight of this day. In the simple world, each following one is 1 to 120
    /// seconds later: about 1,430 events a day. Timestamps have no offset, and end with the year 9999.
    /// Another date only shifts the timestamps; the ids stay the same, so give each of several data sets that
    /// are to be loaded together its own --seed.
    #[arg(
        short = 'd', long, value_name = "YYYY-MM-DD", default_value = "2024-10-10", value_parser = parse_date,
        help_heading = EVENTS
    )]
    start_date: NaiveDate,

    /// The number of events on an average day of the ledger
    ///
    /// There are more in the evening than at night, and more on Fridays than on Sundays. The simple world
    /// ignores this.
    #[arg(
        long, value_name = "N", default_value_t = DEFAULT_EVENTS_PER_DAY, help_heading = EVENTS,
        value_parser = RangedU64ValueParser::<u64>::new().range(1..=EVENTS_PER_DAY_MAX)
    )]
    events_per_day: u64,
}

impl StreamArgs {
    /// The stream; its range of events and the number of threads are defaults.
    pub(super) fn config(&self) -> Config {
        let &Self { world, seed, start_date, events_per_day } = self;
        Config { world, seed, start_date, events_per_day, ..Config::default() }
    }
}

/// `YYYY-MM-DD` and nothing else: chrono alone would also take `2024-1-1` and years of five digits.
pub(super) fn parse_date(text: &str) -> Result<NaiveDate, &'static str> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return Err("write the day as YYYY-MM-DD, for example 2024-10-10");
    };
    let digits_alone = year.len() == 4 && year.iter().chain([m1, m2, d1, d2]).all(u8::is_ascii_digit);
    if !digits_alone {
        return Err("write the day as YYYY-MM-DD, for example 2024-10-10");
    }
    let date = text.parse::<NaiveDate>().map_err(|_| "there is no such day")?;
    if year == b"0000" { Err("there is no year 0; give a year from 0001 to 9999") } else { Ok(date) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_one_form() {
        assert_eq!(parse_date("2024-02-29"), NaiveDate::from_ymd_opt(2024, 2, 29).ok_or(""));
        assert_eq!(parse_date("9999-12-31"), NaiveDate::from_ymd_opt(9999, 12, 31).ok_or(""));
        for wrong in
            ["", "2024", "2024-1-1", "2024/10/10", "10-10-2024", "+2024-10-10", "2024-10-1 ", "2024-10-10T"]
        {
            assert!(parse_date(wrong).is_err_and(|text| text.contains("YYYY-MM-DD")), "{wrong}");
        }
        for none in ["2023-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "0000-01-01"] {
            assert!(parse_date(none).is_err_and(|text| text.starts_with("there is no")), "{none}");
        }
    }
}

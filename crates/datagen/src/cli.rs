//! Arguments in, a [`Config`] and a [`Destination`] out.
//!
//! Text and types only; a bad value fails here, before any file is opened.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use chrono::NaiveDate;
use clap::Parser;
use clap::builder::RangedU64ValueParser;
use command_line::Document;

use crate::destination::Destination;
use crate::events_file::IfExists;
use crate::faults::{FaultCounts, FaultList, FaultListError};
use crate::records::RecordPaths;
use crate::{Config, DEFAULT_EVENTS_PER_DAY, WorldName};

/// More threads than this are a slip of the keyboard.
const THREADS_MAX: u64 = 1024;

/// Steps are whole microseconds; above this many events to a day they would all be one.
const EVENTS_PER_DAY_MAX: u64 = 10_000_000_000;

/// Emits seeded, fake account and transaction events as JSON lines.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "datagen",
    version = VERSION,
    about,
    long_about = LONG_ABOUT,
    after_long_help = EXAMPLES,
    help_expected = true,
    max_term_width = 100
)]
pub struct Cli {
    /// Which events there are, and how they hang together
    #[arg(long, value_name = "WORLD", value_enum, default_value_t, help_heading = EVENTS)]
    world: WorldName,

    /// Which of the possible streams of events
    ///
    /// The same seed with the same --num-events and --start-date gives the same bytes: on any machine, with any
    /// --threads, in any later release with the same stream version (see --version). Another seed gives other events.
    /// The first K lines of a longer run are the run with --num-events K.
    #[arg(short, long, value_name = "N", default_value_t = 0, help_heading = EVENTS)]
    seed: u64,

    /// How many events
    #[arg(short, long, value_name = "N", default_value_t = 10, help_heading = EVENTS)]
    num_events: u64,

    /// The day on which the events begin
    ///
    /// The first event is at its midnight, each next one 1 to 120 seconds after the one before: about 1,430 events to
    /// a day. Timestamps carry no offset. They end with the year 9999. Another date moves the timestamps alone; the
    /// ids stay, so give each of several data sets that are to be loaded together its own --seed.
    #[arg(
        short = 'd', long, value_name = "YYYY-MM-DD", default_value = "2024-10-10", value_parser = parse_date,
        help_heading = EVENTS
    )]
    start_date: NaiveDate,

    /// How many events come on an average day of the ledger
    ///
    /// There are more in the evening than at night, and on Fridays than on Sundays. The simple world has its own steps.
    #[arg(
        long, value_name = "N", default_value_t = DEFAULT_EVENTS_PER_DAY, help_heading = EVENTS,
        value_parser = RangedU64ValueParser::<u64>::new().range(1..=EVENTS_PER_DAY_MAX)
    )]
    events_per_day: u64,

    /// Faults to put into the stream: name=COUNT or name=PERCENT%, comma-separated
    ///
    /// Each event has at most one of them, and exactly so many events have each; a percent is of --num-events. Which, is
    /// decided by --seed; nothing in a line tells. What arrives late does so at most 1,000 events behind its place.
    ///
    /// duplicates: the same line arrives once more. corrections: a later version of the event, with another payload; some are of
    /// another day. stale: a correction, and then the old line once more. ties: another version with the same timestamp; the last
    /// line counts. late: the line itself arrives late. offsets: the timestamp is written with an offset. unknown-fields: the
    /// event has a field that no schema knows. malformed: a bad line is put in, of each kind in turn. unknown-events: an event of a
    /// type that no catalog knows is put in. blank: a blank line is put in. too-long: a line above 16 MiB is put in.
    ///
    /// Without them, the lines are those of a run without --faults; --faults-log says which they are.
    #[arg(long, value_name = "LIST", help_heading = EVENTS)]
    faults: Option<FaultList>,

    /// Write what a right load of these events must leave, for `eventloader verify --against`
    ///
    /// By day and event type: the number of rows, a checksum of their contents and the sums of amounts; and what the loader's report
    /// must say. The format is described in docs/manifest.md.
    #[arg(long, value_name = "FILE", help_heading = RECORDS)]
    manifest: Option<PathBuf>,

    /// Write which line is which fault, one JSON object for each
    #[arg(long, value_name = "FILE", help_heading = RECORDS)]
    faults_log: Option<PathBuf>,

    /// Write events.json in --base-path instead of standard output
    ///
    /// The file appears under its name only when it is complete and on the disk. Until then it is a hidden temporary file next to it,
    /// so that a run that is stopped, killed or out of disk space leaves the old events.json as it was; the next run
    /// removes what such a run left. What was written, and where, is said on standard error.
    #[arg(short, long, help_heading = OUTPUT)]
    write_data: bool,

    /// The directory for --write-data; created when missing
    #[arg(short, long, value_name = "DIR", default_value = "data/raw_events/", help_heading = OUTPUT)]
    base_path: PathBuf,

    /// What --write-data does with an events.json that is there
    #[arg(
        long, value_name = "WHAT", value_enum, default_value_t = IfExists::Overwrite, help_heading = OUTPUT
    )]
    if_exists: IfExists,

    /// How many threads render events [default: all cores]
    ///
    /// The output is the same bytes for every number. Each takes about 2 MB of memory, whatever the number of events.
    #[arg(
        long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=THREADS_MAX),
        help_heading = OUTPUT
    )]
    threads: Option<usize>,

    /// Print the man page or a shell's completions instead of events
    #[arg(long, value_name = "WHAT", value_enum, exclusive = true, help_heading = OUTPUT)]
    pub generate: Option<Document>,
}

impl Cli {
    /// What to generate.
    ///
    /// # Errors
    ///
    /// [`FaultListError`] where there are more faults than events.
    pub fn config(&self) -> Result<Config, FaultListError> {
        let faults =
            self.faults.as_ref().map_or(Ok(FaultCounts::default()), |list| list.counts(self.num_events))?;
        let threads = self.threads.and_then(NonZero::new);
        Ok(Config {
            faults,
            world: self.world,
            events_per_day: self.events_per_day,
            seed: self.seed,
            first_event: 0,
            num_events: self.num_events,
            start_date: self.start_date,
            threads: threads
                .or_else(|| thread::available_parallelism().ok())
                .unwrap_or(NonZero::<usize>::MIN),
        })
    }

    /// What to write beside it.
    #[must_use]
    pub fn records(&self) -> RecordPaths {
        RecordPaths { manifest: self.manifest.clone(), faults_log: self.faults_log.clone() }
    }

    /// Where to put it.
    #[must_use]
    pub fn destination(&self) -> Destination {
        if self.write_data {
            Destination::EventsFile { base_path: self.base_path.clone(), if_exists: self.if_exists }
        } else {
            Destination::StandardOutput
        }
    }
}

const EVENTS: &str = "Events";
const OUTPUT: &str = "Output";
const RECORDS: &str = "Truth";

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (stream version 1)");

const LONG_ABOUT: &str = "\
Emits seeded, fake account and transaction events as JSON lines, in the order of time, to standard output or a file.

Half of the events are of the domain account (account-open, account-close, status-change, evenly), half of the domain \
transaction (payment-to, payment-from, evenly). Every event has an id of its own, a version 4 UUID.";

const EXAMPLES: &str = "\
Examples:
  datagen                                          ten events to look at
  datagen -s 7 -n 1000000 | eventloader -s - -b    straight into the loader
  datagen -s 7 -n 1000000 -w                       data/raw_events/events.json
  datagen -s 8 -n 500 -d 2024-10-11 -w --if-exists append
                                                   another day's events behind them

Exit codes: 0 done (also when the reader of standard output stops early, as head does), 1 failed, 2 wrong usage.";

/// `YYYY-MM-DD` and nothing else: chrono alone would also take `2024-1-1` and years of five digits.
fn parse_date(text: &str) -> Result<NaiveDate, &'static str> {
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return Err("write the day as YYYY-MM-DD, for example 2024-10-10");
    };
    let digits_alone = year.len() == 4 && year.iter().chain([m1, m2, d1, d2]).all(u8::is_ascii_digit);
    if !digits_alone {
        return Err("write the day as YYYY-MM-DD, for example 2024-10-10");
    }
    let date = text.parse::<NaiveDate>().map_err(|_| "there is no such day; give one of the calendar")?;
    if year == b"0000" { Err("there is no year 0; give a year from 0001 to 9999") } else { Ok(date) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::STREAM_VERSION;

    #[test]
    fn the_command_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn version_names_the_stream_version() {
        assert!(VERSION.ends_with(&format!("(stream version {STREAM_VERSION})")));
    }

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

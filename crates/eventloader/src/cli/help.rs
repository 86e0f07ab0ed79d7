//! The texts around the flags in `eventloader --help`: usage, description, examples, exit codes; and what
//! the program says to somebody who gives it no argument.
//!
//! Invariant: every example is a command line that the loader accepts.

pub(super) const USAGE: &str = "\
eventloader [OPTIONS] --source-file <PATH> <--backfill|--date <DAY>|--since <DAY>|--until <DAY>>
       eventloader catalog <infer|check|diff|show> [OPTIONS]
       eventloader <accept|discard|list|quarantine|recover|replay|rewrite|verify> [TARGET]";

/// What `eventloader` alone says on a terminal.
pub const BEGINNING: &str = "\
eventloader loads JSON events into Parquet: one row per event, every line accounted for, all or nothing.

To begin with, where your events are in the directory in/:
  eventloader catalog infer in/ -o mine.toml                   draft a catalog of their types
  eventloader -s in/ -t lake --backfill --catalog mine.toml    load them into the directory lake
  eventloader list lake --html lake.html                       make a page that shows what it holds

Without events of your own:
  datagen -n 10000 -w -b in && eventloader -s in -t lake --backfill

eventloader --help describes all flags and commands.";

pub(super) const LONG_ABOUT: &str = "\
Loads JSON events into Parquet, partitioned by day and event type, each event exactly once.

Reads events of all types in one pass, flattens their payloads by the schemas of the catalog, keeps the \
latest version of each event, and replaces the partitions that have rows in the input (with --mode merge, \
merges the rows into them): all of these partitions or, if anything fails, none. Bad lines go to \
<target>/_quarantine/ with their position and reason. Before it commits, every run proves that no line was \
lost: lines = blank + quarantined + filtered + superseded + written.";

pub(super) const EXAMPLES: &str = "\
Examples:
  eventloader -s data/raw_events/events.json -b            all days of a file, into data/target/
  eventloader -s data/raw_events/ -d 2024-10-10            one day of all files in a directory
  eventloader -s 'in/*.json.gz' -t lake -D account --since 2024-10-01 --until 2024-10-31
  datagen -n 1000000 | eventloader -s - -b --report -      from a pipe, with the report as JSON
  eventloader -s in/ -b --dry-run -v                       show what would be written
  eventloader catalog infer in/ -o mine.toml               draft a catalog for your own events
  eventloader -s in/ -b --catalog catalogs/                load your own event types
  eventloader -s in/ -b --catalog mine.toml --envelope stripe   load Stripe's events
  eventloader -s in/today.json -t lake -b --mode merge     add a delivery to an existing target
  eventloader -s landing/ -t lake -b --mode merge --skip-loaded   load the new files of a directory
  eventloader quarantine lake                              show the bad lines, and why they are bad
  eventloader replay lake --catalog mine.toml              load bad lines that the new catalog accepts
  eventloader discard lake --reason malformed_json         take bad lines out of the quarantine for good
  eventloader rewrite lake --catalog mine.toml             bring a target into today's catalog
  eventloader list lake                                    list the loads of a target
  eventloader list lake --html lake.html                   make a page of what it holds, for a browser
  eventloader verify data/target/                          check all files and rows of a target
  eventloader verify lake --against truth.json             compare with the file of datagen --manifest

Exit codes: 0 success, 1 failure, nothing changed, 2 wrong usage, 3 too many bad lines, nothing changed, \
4 another load is using the target, nothing changed, 5 committed, but the report could not be written, \
6 committed, but damaged or foreign sources were left out (--skip-loaded).";

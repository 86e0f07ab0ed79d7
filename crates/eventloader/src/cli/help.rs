//! What `eventloader --help` says around its flags.

pub(super) const USAGE: &str = "\
eventloader [OPTIONS] --source-file <PATH> <--backfill|--date <DAY>|--since <DAY>|--until <DAY>>
       eventloader catalog <infer|check|show> [OPTIONS]
       eventloader <list|recover|replay|verify> [TARGET]";

pub(super) const LONG_ABOUT: &str = "\
Loads JSON events into Parquet, partitioned by day and event type, without losing or doubling one.

Reads events of all types in one pass, flattens their payloads by the schemas of the catalog, keeps the latest version of \
each event and replaces the partitions that it has rows for (with --mode merge, brings them into what these hold): all of them or, if anything fails, none. Bad lines go to \
<target>/_quarantine/ with their place and reason. Every run proves that no line was lost before it commits: \
lines = blank + quarantined + filtered + superseded + written.";

pub(super) const EXAMPLES: &str = "\
Examples:
  eventloader -s data/raw_events/events.json -b            every day of a file, into data/target/
  eventloader -s data/raw_events/ -d 2024-10-10            one day of all files in a directory
  eventloader -s 'in/*.json.gz' -t lake -D account --since 2024-10-01 --until 2024-10-31
  datagen -n 1000000 | eventloader -s - -b --report -      from a pipe, with the report as JSON
  eventloader -s in/ -b --dry-run -v                       what would be written?
  eventloader catalog infer in/ > mine.toml                a draft of the catalog for events of your own
  eventloader -s in/ -b --catalog catalogs/                events of your own types
  eventloader -s in/today.json -t lake -b --mode merge     what arrives in pieces, into what is there
  eventloader -s landing/ -t lake -b --mode merge --skip-loaded   what is new in a directory that fills up
  eventloader replay lake --catalog mine.toml             bad lines that the new catalog knows
  eventloader list lake                                    which loads were there?
  eventloader verify data/target/                          is all there, once, as it was written?
  eventloader verify lake --against truth.json             is all there that datagen --manifest says?

Exit codes: 0 done, 1 failed and nothing changed, 2 wrong usage, 3 too many bad lines and nothing changed, \
4 another load holds the target.";

//! The loader through its command line: the real binary, real files, and what it leaves on disk.
//!
//! Each folder asks one question, each file a part of it. A new test goes into the file whose question it
//! answers. `support/` is what tests are written with. A failure prints the command line that ran, what was
//! expected, and what was found.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make and look at files themselves"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

/// What tests are written with.
mod support {
    /// A directory to work in, the loader's command line, and its outcome
    pub(crate) mod workdir;
    /// A target's files as one value, how two of them differ, and assertions that show it
    pub(crate) mod files;
    /// What a reader sees of a target of tables, by their logs
    pub(crate) mod tables;
    /// What a target holds, as text that can be compared: rows, schema, sorting columns, bad lines
    pub(crate) mod readback;
    /// A pseudo-terminal: what a command prints to the person in front of it
    pub(crate) mod terminal;
    /// A server of a bucket that can be read, and that tells what it was asked for
    #[cfg(feature = "objects")]
    pub(crate) mod bucket;
    /// The most memory that a load ever held
    #[cfg(target_os = "linux")]
    pub(crate) mod peak_memory;
    /// Lines as a source: plain, compressed, as an array; the one table of all forms
    pub(crate) mod forms;
    /// Lines as an application would write them, and a seeded die
    pub(crate) mod events;
    /// A schema on the server of `scripts/servers.sh postgres`
    #[cfg(feature = "postgres")]
    pub(crate) mod schema;
    /// Random files that try to trip the loader up: all that JSON allows, and much that it doesn't
    pub(crate) mod hostile;
}

/// Is all of the input read, once and in order, whatever its form and size?
mod reading {
    /// Files, directories, globs, standard input, framing: is each byte read once, in order?
    mod sources;
    /// Are objects of a bucket read as files are: the same bytes, once, in order, or not at all?
    #[cfg(feature = "objects")]
    mod buckets;
    /// Is a JSON array read as its elements, whatever is wrong with it, and does a truncated or damaged file
    /// fail the load?
    mod arrays;
    /// Are documents one behind the other read as such, and does a broken one cost itself alone?
    mod documents;
    /// Are the records of a document found where the envelope says, also in one that is larger than memory?
    mod records;
    /// Does a file that changes while it is read fail the load, unless it only grows?
    mod changing;
    /// Are containers and encodings that are not read refused by their names?
    mod foreign;
    /// Are the records of known producers events, with their producer's id, time, type and values?
    mod envelopes;
    /// Does input without a good line fail, and say what is missing?
    mod nothing_good;
    /// Are events of the replaced pipeline, and generated ones, loaded as they are, in the contract's schema?
    mod samples;
    /// Does a catalog drafted from a public source's events load them: deep, wide, lists of objects?
    mod public_source;
    /// Gigabytes without a newline, bombs, a million keys, 100,000 levels: is memory bounded?
    #[cfg(target_os = "linux")]
    mod huge_lines;
}

/// Is a line a row with these values, or a bad line for this reason?
mod values {
    /// Is this one strange line a row, with these values, or a bad line, for this reason?
    mod odd_lines;
    /// Are the generator's faulty lines bad for the reason that it names, or the same row in other words?
    mod faulty_lines;
    /// Are a user's own events loaded as a catalog says, and does a wrong catalog name its line?
    mod catalogs;
    /// Event types that only `"*"` stands for: what are their rows, where are they, which are refused?
    mod open_types;
    /// With a preset and `"*"` alone: is `data` what a known producer wrote?
    mod open_records;
    /// With `--encodings basic`: the same rows, in encodings that old readers know?
    mod encodings;
    /// Lists, objects in lists, required fields: are they what the catalog says, in both layouts?
    mod nested_values;
    /// Maps: any keys, each once, in both layouts, also of objects with a name, merged or spilled?
    mod maps;
    /// Is a number the instant of its unit, exactly or reported, and is nothing else one?
    mod epochs;
    /// Whatever the catalog and the payloads: does the loader do what the naive model says?
    mod any_types;
    /// Does the report count what a column changes of a value, and nothing else?
    mod rounded;
    /// Is docs/catalog.md true?
    mod catalog_reference;
}

/// Which version of an event is kept, and does the report account for the others?
mod latest {
    /// Does the report say what became of each line, by source and partition, and which values changed?
    mod accounting;
    /// Does the report name the first superseded rows by their place, each beside the row kept?
    mod superseded_samples;
    /// Do fields of the event decide before its timestamp, where the catalog names them?
    mod versions;
}

/// Loaded piece by piece, is the target what one backfill would leave?
mod merging {
    /// However the input is cut into files and runs: do merges leave the target of one backfill?
    mod merge;
    /// Can one command line keep loading a directory that fills up: each content once, nothing half written?
    mod landing;
    /// Is an object that was merged skipped without being read, and is one in doubt recognised by its
    /// content?
    #[cfg(feature = "objects")]
    mod landing_on_a_bucket;
    /// The same of Delta tables, and of what other programs say in their logs
    mod tables;
    /// Files that are lost between two merges: are they named, and never recorded as all that there is?
    mod laundering;
    /// Partitions of a target that was merged are overwritten: is each event still in one?
    mod overwritten;
    /// Are event types that no catalog names known by what the target holds?
    mod open_types;
    /// Does a target remember what its loads had in common: directories, scope, columns, codec?
    mod remembered;
    /// Do bad lines that are good by today's catalog become rows and leave the quarantine, and no others?
    mod replay;
    /// Catalogs that grow wider between loads: is a target one table, with each value as it was stored?
    mod widened;
    /// Does a replay leave the lines of types that do not fit what the target has, and take all others?
    mod replayed_types;
    /// Do bad lines that are discarded go for good, in a commit that says so, and no others?
    mod discarded;
    /// The same where a version decides: events may move to earlier days, and the target remembers it?
    mod versions;
}

/// Has a target that is rewritten the same rows, in the form and with the columns that were asked for?
mod rewriting {
    /// Another layout, unit, codec, encodings: is it what a load in that form leaves, byte for byte?
    mod forms;
    /// Another catalog: wider and new columns, payloads of JSON text: is nothing lost, the rest as loaded?
    mod catalogs;
    /// Other bytes from the disk, lost files, parts of other programs: are the rows kept, or is it refused?
    mod proved;

    use crate::support::{
        files::assert_no_debris,
        workdir::{Loader, Workdir},
    };

    fn rewrite(dir: &Workdir, target: &str) -> Loader {
        dir.bare_loader().arg("rewrite").arg(dir.path(target))
    }

    #[track_caller]
    fn is_well(dir: &Workdir, target: &str) {
        let verified = dir.bare_loader().arg("verify").arg(dir.path(target)).succeeds();
        assert_eq!(verified.stdout, "", "verify of {target}");
        assert_no_debris(&dir.path(target));
    }
}

/// Does a load change what it should and nothing else, whatever goes wrong?
mod commit {
    /// Which files does a load replace, with what, and which does it leave alone?
    mod partitions;
    /// Links, pipes, directories where files should be: is nothing outside followed or changed?
    mod odd_places;
    /// Names like `../../etc` in data, catalogs and sources: does nothing leave the target?
    mod hostile_names;
    /// Do memory, disk, read errors and many bad lines end as promised?
    mod limits;
    /// A system that starts no more threads: does each command do the same with the one that it has?
    mod few_threads;
    /// Many types, columns, threads: does the process hold no more than its memory, and say how?
    #[cfg(target_os = "linux")]
    mod memory;
    /// SIGINT, SIGTERM: does a load end as the signal says, with nothing changed and nothing left behind?
    mod interrupted;
    /// Wherever a run is killed: is every partition old or new, and is the next run enough to repair the
    /// target?
    mod crash;
    /// The same wherever a file operation fails or is the last, or the power goes?
    mod every_operation;
    /// What such a walk does at each operation, and expects after it
    mod walk;
    /// Is what another program has written to a table's log respected, or refused before anything is
    /// recorded?
    mod logs_of_tables;
    /// Do the statistics of a table's files say all that readers rely on, whatever columns the files have?
    mod table_statistics;
    /// Several loads of one target of tables at once: does each commit as a whole, behind the others, or not?
    mod writers;
    /// Whatever operation of a commit the system forbids: is it refused beforehand, done in another way or
    /// taken back?
    mod forbidden;
    /// A read-only layer, a mount point, a sticky directory, an immutable file: is a target never stuck?
    #[cfg(target_os = "linux")]
    mod odd_file_systems;
    /// Do partitions that are replaced keep their mode, group and access control lists?
    mod access;
}

/// Does the command line say what is so, in one line, on every command?
mod commands {
    /// Flags, messages, exit codes, report: is a mistake reported in one line, with nothing changed?
    mod usage;
    /// Is a target of tables one for good, does a load without flags go on with it, is any other kind
    /// refused?
    mod kinds;
    /// Does the summary say of each day what is so, in a few lines, with nouns that fit their numbers?
    mod summary;
    /// Does a drafted catalog load its events, does check predict a load, does show show its tables?
    mod catalog_commands;
    /// Are bad lines shown by reason, source and field, and given back byte for byte?
    mod quarantine;
    /// Is a report that can't be written told, with an exit code of its own?
    mod report_output;
    /// Is progress shown on a terminal, and only there?
    mod progress;
    /// Is somebody who gives no argument told how to begin?
    mod beginning;
    /// Has a target's page its numbers, is nothing in it taken for HTML, is it only where it was asked for?
    mod page;
    /// Addresses of object stores: is it said what is missing, and is a secret nowhere?
    mod stores;
}

/// A schema of a database as the target: is it what plain files would be, whatever the server, its other
/// sessions and the catalog say?
#[cfg(feature = "postgres")]
mod database {
    /// Loads, merges, replays, discards: are the tables what plain files would be, and what SQL expects of
    /// them?
    mod loads;
    /// Catalogs that grow: is each column widened, each value as it was stored?
    mod widened;
    /// What a database can't take, or the session may not do: is it refused before anything is changed?
    mod refused;
    /// Does `verify` find whatever is not as the loads left it, and nothing else?
    mod verified;
    /// Other sessions, lost connections, secrets: is it waited for, ended, told to nobody?
    mod sessions;
}

/// Do independent accounts of the events agree with the target, and is everything else found out?
mod proof {
    /// Whatever the input and the flags: does the loader do what the naive model says?
    mod model;
    /// Do the same events give the same bytes: with any number of threads, in any order, zone and language?
    mod same_bytes;
    /// Can the bad lines, and with the good ones the source, be rebuilt from the quarantine alone?
    mod rebuilt;
    /// Does `verify` find whatever is not as the loads left it, and nothing else?
    mod verify;
    /// Does `verify --against` report what differs from a manifest, and nothing else?
    mod against;
    /// Whatever is generated, and however it is loaded: is the manifest met, and is each wrong loader found
    /// out?
    mod proved;
    /// Events that change on the way: does a catalog that is extended with them keep up, to the last value?
    mod extended;
}

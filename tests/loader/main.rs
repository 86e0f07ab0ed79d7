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
    pub(crate) mod workdir; // a directory to work in, the loader's command line, and its outcome
    pub(crate) mod files; // a target's files as one value, how two of them differ, and assertions that show it
    pub(crate) mod readback; // what a target holds, as text that can be compared: rows, schema, sorting columns, bad lines
    #[cfg(target_os = "linux")]
    pub(crate) mod peak_memory; // the most memory that a load ever held
    pub(crate) mod forms; // lines as a source: plain, compressed, as an array; the one table of all forms
    pub(crate) mod events; // lines as an application would write them, and a seeded die
    pub(crate) mod hostile; // random files that try to trip the loader up: all that JSON allows, and much that it doesn't
}

/// Is all of the input read, once and in order, whatever its form and size?
mod reading {
    mod sources; // Files, directories, globs, standard input, framing: is each byte read once, in order?
    mod arrays; // Is a JSON array its elements, whatever is wrong with it, and a cut off or damaged file no load at all?
    mod samples; // Are events of the replaced pipeline, and generated ones, loaded as they are, in the contract's schema?
    mod public_source; // Does a catalog drafted from a public source's events load them: deep, wide, lists of objects?
    #[cfg(target_os = "linux")]
    mod huge_lines; // Gigabytes without a newline, bombs, a million keys, 100,000 levels: is memory bounded?
}

/// Is a line a row with these values, or a bad line for this reason?
mod values {
    mod odd_lines; // Is this one strange line a row, with these values, or a bad line, for this reason?
    mod faulty_lines; // Are the generator's faulty lines bad for the reason that it names, or the same row in other words?
    mod catalogs; // Are a user's own events loaded as a catalog says, and does a wrong catalog name its line?
    mod nested_values; // Lists, objects in lists, required fields: are they what the catalog says, in both layouts?
    mod catalog_reference; // Is docs/catalog.md true?
}

/// Which version of an event is kept, and does the report account for the others?
mod latest {
    mod accounting; // Does the report say what became of each line, by source and partition, and which values changed?
    mod superseded_samples; // Does the report name the first superseded rows by their place, each beside the row kept?
}

/// Loaded piece by piece, is the target what one backfill would leave?
mod merging {
    mod merge; // However the input is cut into files and runs: do merges leave the target of one backfill?
    mod landing; // Can one command line keep loading a directory that fills up: each content once, nothing half written?
    mod replay; // Do bad lines that are good by today's catalog become rows and leave the quarantine, and no others?
}

/// Does a load change what it should and nothing else, whatever goes wrong?
mod commit {
    mod partitions; // Which files does a load replace, with what, and which does it leave alone?
    mod odd_places; // Links, pipes, directories where files should be: is nothing outside followed or changed?
    mod hostile_names; // Names like `../../etc` in data, catalogs and sources: does nothing leave the target?
    mod limits; // Do memory, disk, read errors and many bad lines end as promised?
    mod interrupted; // SIGINT, SIGTERM: does a load end as the signal says, with nothing changed and nothing left behind?
    mod crash; // Wherever a run is killed: is every partition old or new, and is the next run enough to repair the target?
    mod every_operation; // The same wherever a file operation fails or is the last, or the power goes?
}

/// Does the command line say what is so, in one line, on every command?
mod commands {
    mod usage; // Flags, messages, exit codes, report: is a mistake reported in one line, with nothing changed?
    mod catalog_commands; // Does a drafted catalog load its events, does check predict a load, does show show its tables?
    mod progress; // Is progress shown on a terminal, and only there?
}

/// Do independent accounts of the events agree with the target, and is everything else found out?
mod proof {
    mod model; // Whatever the input and the flags: does the loader do what the naive model says?
    mod same_bytes; // Do the same events give the same bytes: with any number of threads, in any order, zone and language?
    mod rebuilt; // Can the bad lines, and with the good ones the source, be rebuilt from the quarantine alone?
    mod verify; // Does `verify` find whatever is not as the loads left it, and nothing else?
    mod against; // Does `verify --against` report what differs from a manifest, and nothing else?
    mod proved; // Whatever is generated, and however it is loaded: is the manifest met, and is each wrong loader found out?
}

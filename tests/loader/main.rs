//! The loader through its command line: the real binary, real files, and what it leaves on disk.
//!
//! A new test goes into the module whose question it answers; what a test needs to say it in few lines stands at the top.
//! A failure prints the command line that ran, what was expected and what was found.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make and look at files themselves"
)]
#![allow(clippy::unwrap_used, reason = "a test that can't go on should stop at that line")]

// The means.
mod support; // a directory to work in, the loader's command line, and its outcome
mod files; // the files of a target as one value, how two of them differ, and assertions that show it
mod readback; // what is in a target: rows, schema, sorting columns and bad lines, as text that can be compared
#[cfg(target_os = "linux")]
mod peak_memory; // the most memory that a load ever held
mod forms; // lines as a source: plain, compressed, as an array; the one table of all forms
mod events; // lines as an application would write them, and a seeded die
mod oracle; // what a load must come to, told by a naive model that shares no code with the loader
mod hostile; // random files that try to trip the loader up: all that JSON allows, and much that it doesn't

// The questions.
mod samples; // Are real events of the replaced pipeline, and generated ones, loaded as they are, in the contract's schema?
mod faulty_lines; // Are the generator's faulty lines what it says of them: bad for this reason, or the same row in other words?
mod public_source; // Are the events of a public source loaded by the catalog drafted from them: deep, wide, lists of objects?
mod odd_lines; // Is this one strange line a row, with these values, or a bad line, for this reason?
mod model; // Whatever the input and the flags: does the loader do what the model says?
mod sources; // Is all of the input read, once, in order: files, directories, globs, standard input, framing?
mod arrays; // Is a JSON array its elements, whatever is wrong with it, and a cut off or damaged file no load at all?
mod same_bytes; // Do the same events give the same bytes: with any number of threads, in any order, zone and language?
mod partitions; // Which files does a load replace, with what, and which does it leave as they are?
mod merge; // However the input is cut into files and runs: do merges leave the target of one backfill?
mod landing; // Can one command line load a directory that fills up, for ever: each content once, nothing half written?
mod replay; // Do bad lines that hold by today's catalog become rows and leave the quarantine, and no others?
mod odd_places; // Links, pipes, directories where files should be: is nothing followed out, nothing begun that can't be finished?
mod progress; // Is it shown how far a load is, on a terminal alone?
mod catalogs; // Are events of the user's own loaded as a catalog says, and is a wrong catalog told its line?
mod nested_values; // Are lists, objects in lists and required fields what their catalog says, in both layouts, spilled or not?
mod catalog_reference; // Does docs/catalog.md say what is so?
mod catalog_commands; // Does a drafted catalog load what it was drafted from, does check foretell a load, does show show its tables?
mod commands; // Flags, messages, exit codes, report: is a mistake told in one line, with nothing changed?
mod accounting; // Does the report say what became of each line, by source and partition, and how values were changed?
mod superseded_samples; // Does the report name superseded rows as they stand in their sources, the first ones, beside those kept?
#[cfg(target_os = "linux")]
mod huge_lines; // Gigabytes without a newline, bombs, a million keys, 100,000 levels: bounded memory, and all that is good loaded?
mod hostile_names; // Names like `../../etc` in data, catalogs and sources: does nothing leave the target, and no terminal obey?
mod rebuilt; // Can the bad lines, and with the good ones the source, be put together again from the quarantine alone?
mod limits; // Do memory, disk, read errors and many bad lines end as promised?
mod interrupted; // SIGINT, SIGTERM: does a load end as the signal says, with nothing changed and nothing left behind?
mod crash; // Is every partition old or new, and the next run enough, wherever a run was killed?
mod verify; // Does `verify` find whatever is not as the loads left it, and nothing else?
mod against; // Does `verify --against` tell what differs from what a manifest says, and nothing else?
mod proved; // Whatever is generated, and however it is loaded: is the manifest met, and each wrong loader found out?
mod every_operation; // And wherever an operation on a file fails, or is the last that was done, or the power goes?

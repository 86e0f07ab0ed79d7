//! An error of a command → its message, with the flags that the user can change.
//!
//! Errors themselves state facts and know no flags. An error has several pieces of advice where commands have
//! different flags for the same thing; the first that the command can follow is given.
//!
//! Invariant: a message never names a flag that its command does not have. The definition that parses the
//! arguments decides.

use std::path::Path;

use clap::CommandFactory;
use event_parser::SelectionError;
use event_target::TargetError;
use events_core::{catalog::is_safe_directory, partition::Layout};
use storage::{OpenError, Unusable};

use super::{CatalogCommand, Cli, Command};
use crate::{
    error::{Error, Instead},
    runtime::database_of,
};

/// The message for an error of this command; `None` stands for a load.
#[must_use]
pub fn explain(error: &Error, command: Option<&Command>) -> String {
    let (flags, error) = (flags_of(command), error.cause());
    let can_be_followed = |text: &String| flags_in(text).all(|flag| flags.contains(&flag.to_owned()));
    let first = |texts: Vec<String>| texts.into_iter().find(can_be_followed).unwrap_or_default();
    format!("{}{error}{}", first(wrong_flag(error)), first(advice(error)))
}

/// The long flags of a command, with their dashes.
fn flags_of(command: Option<&Command>) -> Vec<String> {
    let path: &[&str] = match command {
        None => &[],
        Some(Command::Catalog(CatalogCommand::Infer(_))) => &["catalog", "infer"],
        Some(Command::Catalog(CatalogCommand::Check(_))) => &["catalog", "check"],
        Some(Command::Catalog(CatalogCommand::Diff(_))) => &["catalog", "diff"],
        Some(Command::Catalog(CatalogCommand::Show(_))) => &["catalog", "show"],
        Some(Command::Recover(_)) => &["recover"],
        Some(Command::Accept(_)) => &["accept"],
        Some(Command::Discard(_)) => &["discard"],
        Some(Command::Quarantine(_)) => &["quarantine"],
        Some(Command::List(_)) => &["list"],
        Some(Command::Replay(_)) => &["replay"],
        Some(Command::Rewrite(_)) => &["rewrite"],
        Some(Command::Verify(_)) => &["verify"],
    };
    let cli = Cli::command();
    let command = path.iter().try_fold(&cli, |command, name| command.find_subcommand(name));
    let long = command.into_iter().flat_map(clap::Command::get_arguments).filter_map(clap::Arg::get_long);
    long.map(|name| format!("--{name}")).collect()
}

/// The flags that a text names, but for whole command lines, which are between backticks.
fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_lowercase() || c == '-';
    let words = text.split('`').step_by(2).flat_map(move |text| text.split(move |c| !is_part(c)));
    words.filter(|word| word.len() > 2 && word.starts_with("--"))
}

/// What the message begins with: the flag whose value is wrong.
fn wrong_flag(error: &Error) -> Vec<String> {
    let flag = match error {
        Error::CatalogFile(_) => "--catalog (or EVENTLOADER_CATALOG): ",
        Error::ManifestFile(_) => "--against: ",
        Error::ReportPlace { .. } => return ["--report: ", "--html: "].map(str::to_owned).to_vec(),
        Error::Selection(SelectionError::Domain(_)) => "--domain: ",
        Error::Selection(SelectionError::EventType { .. }) => "--event-type: ",
        Error::Memory { .. } => "--memory: ",
        Error::TooManyBadLines { .. } => "--max-bad-lines: ",
        _ => return Vec::new(),
    };
    vec![flag.to_owned()]
}

/// What the message ends with.
fn advice(error: &Error) -> Vec<String> {
    let advice: &[&str] = match error {
        Error::Source { .. } => &["; check --source-file", "; check --source"],
        Error::Selection(SelectionError::Days { .. }) => &["; swap --since and --until"],
        Error::Target(TargetError::NotAsRecorded { root, .. }) => {
            let root = root.display();
            return vec![format!(
                ". `eventloader verify {root}` lists everything; put the files back, or record the target as \
                 it is with `eventloader accept {root}`; `eventloader accept {root} --reload` also forgets \
                 which sources were loaded"
            )];
        }
        Error::Target(TargetError::OtherDirectory { remembered, .. }) => {
            // Only a type's own name makes a directory that no catalog can give.
            return vec![if is_safe_directory(remembered) {
                format!("; give the type `directory = {remembered:?}` in the catalog")
            } else {
                "; leave `directory` out of the catalog, so that the type's own name decides".to_owned()
            }];
        }
        Error::Target(TargetError::OtherVersion { remembered, .. }) => {
            return vec![format!(
                "; give the type `version = {remembered}` in the catalog, or load into a new target"
            )];
        }
        Error::Target(TargetError::Narrower(column)) => {
            return vec![format!("; give the field the type {}, or a wider one", column.held)];
        }
        Error::Target(TargetError::OtherScope { .. }) => {
            &["; add --dedupe-scope day, or load everything again with --mode overwrite"]
        }
        Error::Target(TargetError::OtherLayout { remembered, .. }) => match remembered.parts() {
            Some((layout, unit)) => {
                let layout = match layout {
                    Layout::Delta => "--table delta ".to_owned(),
                    // The address says it.
                    Layout::Database => String::new(),
                    layout => format!("--layout {} ", layout.name()),
                };
                let flags = format!("{layout}--partition-by {}", unit.name());
                let kept = "; a target of tables stays one, and no other becomes one: load the sources into a new \
                            target";
                return vec![format!("; load with {flags}, or into another --target-path"), kept.to_owned()];
            }
            None => &["; choose another --target-path"],
        },
        Error::AllLinesBad { of_several_values: true, .. }
        | Error::TooManyBadLines { of_several_values: true, .. } => {
            &["; --framing documents reads several documents in a line"]
        }
        Error::AllLinesBad { of_unknown_types: true, .. } => {
            &["; draft a catalog with `eventloader catalog infer`, or quarantine them all with \
               --max-bad-lines 100%"]
        }
        Error::AllLinesBad { .. } => &["; --max-bad-lines 100% quarantines them all the same"],
        Error::Envelope(_) => {
            &["; name one with --envelope or --catalog, or select lines with --source or --reason"]
        }
        Error::NothingSelected { .. } => &["; `eventloader quarantine` shows what there is"],
        Error::Overlap { .. } => &["; choose another --target-path", "; choose another --output"],
        Error::ReportPlace { .. } => &["; choose another file"],
        Error::Target(TargetError::Unwritable { path, .. }) if database_of(path).is_none() => {
            &["; choose another --target-path"]
        }
        Error::Target(TargetError::Locked { path, .. }) => of_locked(path),
        Error::Target(TargetError::Overtaken { .. }) => &["; run it again"],
        Error::Target(TargetError::Unknown { .. }) => &["; `eventloader list` shows them"],
        Error::UnknownHeld { .. } => &["; add the catalog that has it with --catalog"],
        Error::PartlyMoved { .. } => &["; leave out --since and --until"],
        Error::Engine { instead, .. } => match instead {
            Instead::Address => &["; give it with --target-path"],
            Instead::NoAddress => &["; leave out --target-path"],
            Instead::Schema => &["; name it with --schema"],
            Instead::NoDay => &["; leave out --date, or make tables of its own with --load"],
            Instead::NoLoad => &["; leave out --load, and fill a table from the one over the files"],
            Instead::LoadOrOtherLayout => {
                &["; load its own tables with --load, or have a target with --layout hive or --table delta"]
            }
            Instead::OtherColumn => &["; give it another name in the catalog, with `column = \"…\"`"],
        },
        Error::OpenTypes(_) => {
            &["; name those that you want in the catalog, or select some with --domain or --event-type"]
        }
        Error::DraftFields(_) => {
            &["; draft fewer event types at once with --domain or --event-type, or read \
                                    fewer lines with --sample-lines"]
        }
        Error::DraftExists(_) => &["; --force replaces it"],
        Error::Store(OpenError { kind, address, .. }) => match database_of(Path::new(address)) {
            Some(_) => of_database(*kind),
            None => of_store(*kind),
        },
        Error::ManyCatalogs(_) => &[": --output with a directory writes each of them, --check none"],
        Error::DraftEnvelope { .. } => &[": fill this in, and draft again with it as a --catalog"],
        _ => &[],
    };
    advice.iter().map(|&text| text.to_owned()).collect()
}

/// What to do about a store that can't be used.
fn of_store(kind: Unusable) -> &'static [&'static str] {
    match kind {
        Unusable::Feature => &[
            "; build it with `cargo install --path crates/eventloader --features objects`, or take the archive \
               of a release",
        ],
        Unusable::Unreachable => &["; check --endpoint"],
        Unusable::Bucket => &["; check the name, and --endpoint"],
        Unusable::NoCredentials => &["; for a public bucket, add --anonymous"],
        Unusable::Region => &["; name its region with --region"],
        Unusable::Address | Unusable::Setting | Unusable::Refused | Unusable::Failing => &[],
    }
}

/// What to do about a database that can't be used.
fn of_database(kind: Unusable) -> &'static [&'static str] {
    match kind {
        Unusable::Feature => &[
            "; build it with `cargo install --path crates/eventloader --features postgres`, or take the archive \
               of a release",
        ],
        Unusable::Unreachable => &["; check the host and the port, and whether the server runs"],
        Unusable::Bucket => &["; check the name, or create it with `createdb`"],
        Unusable::Refused => &["; check the user and the password"],
        Unusable::NoCredentials
        | Unusable::Region
        | Unusable::Address
        | Unusable::Setting
        | Unusable::Failing => &[],
    }
}

/// What to do about a target that is in use.
fn of_locked(target: &Path) -> &'static [&'static str] {
    match database_of(target) {
        None => &["; wait for it to end, or choose another --target-path", "; wait for it to end"],
        Some(_) => &["; wait for it to end. If its load was killed, the server ends the process by itself; \
               `SELECT pg_terminate_backend(PROCESS)` ends it at once"],
    }
}

#[cfg(test)]
mod tests {
    use std::{io, path::PathBuf};

    use clap::Parser;
    use event_parser::{DayRange, Selection};
    use event_target::{Differences, NarrowerColumn, TargetLayout};
    use events_core::{
        catalog::{BUILT_IN, Catalog},
        partition::{Day, PartitionUnit},
    };

    use super::*;

    /// A command line of each command.
    const COMMAND_LINES: [&[&str]; 13] = [
        &["-s", "x", "-b"],
        &["catalog", "infer", "x"],
        &["catalog", "check", "x"],
        &["catalog", "diff", "x", "y"],
        &["catalog", "show"],
        &["recover"],
        &["accept"],
        &["discard"],
        &["quarantine"],
        &["list"],
        &["replay"],
        &["rewrite"],
        &["verify"],
    ];

    fn selection(selection: &Selection) -> Error {
        selection.check(&BUILT_IN).unwrap_err().into()
    }

    fn targets() -> Vec<TargetError> {
        let (path, problem) = (PathBuf::from("t"), "p".to_owned());
        let io = || io::Error::other("reason");
        let layout = |layout| Box::new(TargetLayout::new(layout, PartitionUnit::Day));
        let all = vec![
            TargetError::Unusable { path: path.clone(), problem: problem.clone() },
            TargetError::Unwritable { path: path.clone(), problem: problem.clone() },
            TargetError::OtherLayout {
                root: path.clone(),
                remembered: layout(Layout::Hive),
                asked: layout(Layout::Plain),
            },
            TargetError::OtherLayout {
                root: path.clone(),
                remembered: layout(Layout::Delta),
                asked: layout(Layout::Plain),
            },
            TargetError::OtherLayout {
                root: path.clone(),
                remembered: layout(Layout::Database),
                asked: layout(Layout::Database),
            },
            TargetError::NotAsRecorded { root: path.clone(), differences: Box::new(Differences(Vec::new())) },
            TargetError::OtherDirectory {
                root: path.clone(),
                event_type: problem.clone(),
                remembered: problem.clone(),
                asked: problem.clone(),
            },
            TargetError::OtherScope { root: path.clone(), partition: problem.clone() },
            TargetError::OtherVersion {
                root: path.clone(),
                event_type: problem.clone(),
                remembered: problem.clone(),
                asked: problem.clone(),
            },
            TargetError::Narrower(Box::new(NarrowerColumn {
                root: path.clone(),
                event_type: problem.clone(),
                column: problem.clone(),
                held: problem.clone(),
                asked: problem.clone(),
                why: "",
            })),
            TargetError::OtherEventType {
                directory: problem.clone(),
                remembered: problem.clone(),
                asked: problem.clone(),
            },
            TargetError::Io { doing: "d", source: io() },
            TargetError::Unfinished { doing: "d", source: io() },
            TargetError::Unknown { number: 1, source: io() },
            TargetError::Overtaken { path: path.clone(), what: problem.clone() },
            TargetError::Log(io().into()),
            TargetError::Damaged { path: path.clone(), line: 1, problem },
            TargetError::Locked { path, holder: String::new() },
            TargetError::Locked { path: "postgresql://host/database".into(), holder: String::new() },
        ];
        // An error that is added here has to be added above.
        let is_above = |error: &TargetError| match error {
            TargetError::Unusable { .. }
            | TargetError::Unwritable { .. }
            | TargetError::OtherLayout { .. }
            | TargetError::NotAsRecorded { .. }
            | TargetError::OtherDirectory { .. }
            | TargetError::OtherScope { .. }
            | TargetError::OtherVersion { .. }
            | TargetError::Narrower(_)
            | TargetError::OtherEventType { .. }
            | TargetError::Io { .. }
            | TargetError::Unfinished { .. }
            | TargetError::Unknown { .. }
            | TargetError::Overtaken { .. }
            | TargetError::Log(_)
            | TargetError::Damaged { .. }
            | TargetError::Locked { .. } => true,
        };
        assert!(all.iter().all(is_above));
        all
    }

    fn stores() -> impl Iterator<Item = OpenError> {
        let kinds = [
            Unusable::Address,
            Unusable::Feature,
            Unusable::Setting,
            Unusable::NoCredentials,
            Unusable::Refused,
            Unusable::Region,
            Unusable::Bucket,
            Unusable::Unreachable,
            Unusable::Failing,
        ];
        let places = ["s3://bucket", "postgresql://host/database"];
        let errors = kinds.into_iter().flat_map(move |kind| places.map(|place| (kind, place)));
        errors.map(|(kind, place)| OpenError { address: place.to_owned(), kind, problem: "p".to_owned() })
    }

    fn errors() -> Vec<Error> {
        let (path, problem) = (PathBuf::from("p"), "problem".to_owned());
        let text = || "text".to_owned();
        let io = || io::Error::other("reason");
        let day = |text| Day::parse(text);
        let days = Some(DayRange { first: day("2024-10-11"), last: day("2024-10-10") });
        let mut all = vec![
            Error::Usage(text()),
            selection(&Selection { domains: vec![text()], ..Selection::default() }),
            selection(&Selection { event_types: vec![text()], ..Selection::default() }),
            selection(&Selection { days, ..Selection::default() }),
            Error::Overlap { target: path.clone(), problem: "is inside", source_path: path.clone() },
            Error::ReportPlace { report: path.clone(), problem: "is", place: path.clone() },
            Catalog::from_toml(&[("c.toml", "=")]).unwrap_err().into(),
            Error::CatalogFile(text()),
            Error::Envelope(text()),
            Error::Manifest(text()),
            Error::ManifestFile(io()),
            Error::Source { path: text(), problem: problem.clone() },
            Error::Read { path: text(), offset: 1, text: "file", source: io() },
            Error::NothingSelected { is_all: false },
            Error::Draft(text()),
            Error::DraftEnvelope { problem: text(), skeleton: text() },
            Error::DraftFields(1),
            Error::ManyCatalogs(2),
            Error::DraftExists(path),
            Error::Io { doing: "d", source: io() },
            Error::Encode { what: text(), problem },
            Error::Unbalanced(text()),
            Error::TooManyBadLines {
                bad: 1,
                lines: 1,
                limit: text(),
                first: text(),
                of_several_values: true,
            },
            Error::Foreign { path: text(), problem: text() },
            Error::AllLinesBad {
                all: text(),
                first: text(),
                lacks: text(),
                keys: text(),
                of_unknown_types: true,
                of_several_values: false,
            },
            Error::AllLinesBad {
                all: text(),
                first: text(),
                lacks: text(),
                keys: text(),
                of_unknown_types: false,
                of_several_values: true,
            },
            Error::Memory { columns: 1, needed: 2, allowed: 1 },
            Error::UnknownHeld { root: "t".into(), event_type: text() },
            Error::PartlyMoved { root: "t".into() },
            Error::OpenTypes(1),
            Error::Distributed(text()),
            Error::Engine { engine: "e", problem: text(), instead: Instead::Address },
            Error::Engine { engine: "e", problem: text(), instead: Instead::NoAddress },
            Error::Engine { engine: "e", problem: text(), instead: Instead::Schema },
            Error::Engine { engine: "e", problem: text(), instead: Instead::NoDay },
            Error::Engine { engine: "e", problem: text(), instead: Instead::NoLoad },
            Error::Engine { engine: "e", problem: text(), instead: Instead::LoadOrOtherLayout },
            Error::Engine { engine: "e", problem: text(), instead: Instead::OtherColumn },
            Error::Interrupted { signal: 2, name: "SIGINT" },
            Error::Output(io()),
            Error::Report { committed: true, source: io() },
        ];
        assert!(all.iter().all(is_listed));
        all.extend(stores().map(Error::from));
        all.extend(targets().into_iter().map(Error::from));
        all
    }

    /// An error that is added here has to be added above.
    fn is_listed(error: &Error) -> bool {
        match error {
            Error::Usage(_)
            | Error::Selection(
                SelectionError::Domain(_) | SelectionError::EventType { .. } | SelectionError::Days { .. },
            )
            | Error::Overlap { .. }
            | Error::ReportPlace { .. }
            | Error::Catalog(_)
            | Error::CatalogFile(_)
            | Error::Envelope(_)
            | Error::Manifest(_)
            | Error::ManifestFile(_)
            | Error::Store(_)
            | Error::Source { .. }
            | Error::Read { .. }
            | Error::NothingSelected { .. }
            | Error::OfType { .. }
            | Error::Draft(_)
            | Error::DraftEnvelope { .. }
            | Error::DraftFields(_)
            | Error::ManyCatalogs(_)
            | Error::DraftExists(_)
            | Error::Io { .. }
            | Error::Encode { .. }
            | Error::Unbalanced(_)
            | Error::Distributed(_)
            | Error::TooManyBadLines { .. }
            | Error::Memory { .. }
            | Error::UnknownHeld { .. }
            | Error::PartlyMoved { .. }
            | Error::OpenTypes(_)
            | Error::Engine {
                instead:
                    Instead::Address
                    | Instead::NoAddress
                    | Instead::Schema
                    | Instead::NoDay
                    | Instead::NoLoad
                    | Instead::LoadOrOtherLayout
                    | Instead::OtherColumn,
                ..
            }
            | Error::Interrupted { .. }
            | Error::Output(_)
            | Error::Report { .. }
            | Error::Foreign { .. }
            | Error::AllLinesBad { .. }
            | Error::Target(_) => true,
        }
    }

    #[test]
    fn a_message_names_only_flags_that_its_command_has() {
        let mut named = 0;
        for command_line in COMMAND_LINES {
            let cli = Cli::parse_from([&["eventloader"][..], command_line].concat());
            let flags = flags_of(cli.command.as_ref());
            assert!(!flags.is_empty(), "{command_line:?}");
            for error in errors() {
                let message = explain(&error, cli.command.as_ref());
                for flag in flags_in(&message) {
                    assert!(flags.contains(&flag.to_owned()), "{command_line:?} has no {flag}: {message}");
                    named += 1;
                }
            }
        }
        assert!(named > 30, "{named} flags in all messages: is advice still given?");
    }

    #[test]
    fn every_command_is_tested() {
        let cli = Cli::command();
        let mut leaves = vec![&cli];
        let mut commands = 0;
        while let Some(command) = leaves.pop() {
            leaves.extend(command.get_subcommands());
            // `eventloader` itself is a load, `catalog` needs one of its commands.
            commands += usize::from(!command.has_subcommands() || command.get_name() == "eventloader");
        }
        assert_eq!(commands, COMMAND_LINES.len());
    }
}

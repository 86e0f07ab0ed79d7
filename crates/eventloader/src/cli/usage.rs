//! A command line that clap refuses → a message that says what was probably meant.
//!
//! Invariant: it names only flags and commands that there are, where they can be given.

use clap::{
    CommandFactory,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Cli, help::USAGE};

/// A better message than clap's, if there is one. `line` is clap's.
#[must_use]
pub fn reword(error: &clap::Error, line: &str) -> Option<String> {
    // Of a load, or of a word where a command could be.
    let is_main = error.to_string().contains(USAGE);
    match error.kind() {
        // The days to load are the one thing that must always be given.
        ErrorKind::MissingRequiredArgument
            if line.contains("--backfill") && !line.contains("--source-file") =>
        {
            let days = "say which days to load: --backfill for all, --date YYYY-MM-DD for one, --since/--until \
                        for a range";
            Some(days.to_owned())
        }
        ErrorKind::InvalidSubcommand | ErrorKind::ArgumentConflict => {
            let word = word(error, ContextKind::InvalidSubcommand)?;
            if is_main { not_a_command(error, word) } else { not_below(error, word) }
        }
        ErrorKind::UnknownArgument if word(error, ContextKind::InvalidArg) == Some("--table") => Some(
            "--table is a flag of a load: a target of tables stays one, and no other becomes one; load the sources \
             into a new target"
                .to_owned(),
        ),
        ErrorKind::UnknownArgument if is_main => {
            let word = word(error, ContextKind::InvalidArg)?;
            (!word.starts_with('-')).then(|| no_flag_before(word))
        }
        _ => None,
    }
}

fn word(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(word) => Some(word),
        _ => None,
    }
}

/// For a word in the place of a command: a command of `catalog`, or a source without its flag. `None` if it
/// is a command or like one, which clap says.
fn not_a_command(error: &clap::Error, word: &str) -> Option<String> {
    let cli = Cli::command();
    if cli.find_subcommand(word).is_some() {
        return None;
    }
    let nested = cli
        .get_subcommands()
        .flat_map(|command| command.get_subcommands().map(|nested| (command.get_name(), nested.get_name())));
    for (command, name) in nested {
        if name == word {
            return Some(format!("{word} is a command of {command}: eventloader {command} {word}"));
        }
    }
    error.get(ContextKind::SuggestedSubcommand).is_none().then(|| no_flag_before(word))
}

fn no_flag_before(word: &str) -> String {
    format!("{word:?} is neither a flag nor a command; if it is a source, write --source-file (-s) before it")
}

/// For a word in the place of a command of a command: what there is.
fn not_below(error: &clap::Error, word: &str) -> Option<String> {
    let text = error.to_string();
    let cli = Cli::command();
    let is_meant = |name: &str| text.contains(&format!("eventloader {name} "));
    let command = cli.get_subcommands().find(|command| is_meant(command.get_name()))?;
    let names: Vec<_> = command.get_subcommands().map(clap::Command::get_name).collect();
    let name = command.get_name();
    Some(format!("{word:?} is no command of {name}; there are {}", names.join(", ")))
}

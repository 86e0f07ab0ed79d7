//! The definition of a command line → its man page, or a shell's completions, as bytes to print.
//!
//! Invariant: both are made from the definition that parses the arguments, so they cannot contradict it.

use std::io;

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

/// What `--generate` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The man page
    Man,
    /// Completions for bash
    CompleteBash,
    /// Completions for zsh
    CompleteZsh,
    /// Completions for fish
    CompleteFish,
    /// Completions for `PowerShell`
    CompletePowershell,
}

impl Document {
    /// Makes the document for a command line.
    ///
    /// # Errors
    ///
    /// None in practice: it is written to memory.
    pub fn of(self, command: Command) -> io::Result<Vec<u8>> {
        let shell = match self {
            Self::Man => return man_page(command),
            Self::CompleteBash => Shell::Bash,
            Self::CompleteZsh => Shell::Zsh,
            Self::CompleteFish => Shell::Fish,
            Self::CompletePowershell => Shell::PowerShell,
        };
        let (mut command, mut bytes) = (command, Vec::new());
        let name = command.get_name().to_owned();
        clap_complete::generate(shell, &mut command, name, &mut bytes);
        Ok(bytes)
    }
}

/// One page for the program and all its subcommands, so that one file is all there is to install.
///
/// `clap_mangen` alone makes a page for each subcommand, which refer to each other, and puts examples and
/// exit codes into one paragraph under the heading EXTRA. Its parts are used here, except for that.
fn man_page(mut command: Command) -> io::Result<Vec<u8>> {
    command.build();
    let mut page = Vec::new();
    let man = Man::new(command.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    for subcommand in leaves(&command) {
        page.extend(subcommand_section(subcommand)?);
    }
    page.extend(closing_sections(&command));
    Ok(page)
}

/// The subcommands that have no subcommands themselves; the others only group them.
fn leaves(command: &Command) -> Vec<&Command> {
    let mut found = Vec::new();
    for subcommand in command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help") {
        let below = leaves(subcommand);
        if below.is_empty() { found.push(subcommand) } else { found.extend(below) }
    }
    found
}

/// The contents of a subcommand's own page, with headings one level deeper.
fn subcommand_section(command: &Command) -> io::Result<Vec<u8>> {
    let man = Man::new(command.clone());
    let mut parts = Vec::new();
    man.render_synopsis_section(&mut parts)?;
    man.render_description_section(&mut parts)?;
    man.render_options_section(&mut parts)?;
    parts.extend(closing_sections(command));
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut section = Roff::new();
    let section = section.control("SH", [name.to_uppercase().as_str()]).render();
    let parts = String::from_utf8_lossy(&parts).replace("\n.SH ", "\n.SS ");
    Ok((section + &parts).into_bytes())
}

/// The help after the options as sections. Each paragraph begins with its heading, followed by lines to keep
/// as they are (examples) or by text.
fn closing_sections(command: &Command) -> Vec<u8> {
    let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
    let mut sections = Roff::new();
    for (heading, body) in help.split("\n\n").filter_map(|paragraph| paragraph.split_once(':')) {
        sections.control("SH", [heading.to_uppercase().as_str()]);
        match body.strip_prefix('\n') {
            Some(lines) => sections.control("nf", []).text([roman(lines)]).control("fi", []),
            None => sections.text([roman(body.trim_start())]),
        };
    }
    sections.render().into_bytes()
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn command() -> Command {
        let inner = Command::new("infer").about("Draft one").arg(Arg::new("all").long("all").help("All"));
        Command::new("prog")
            .about("Does it")
            .version("1.2.3")
            .arg(Arg::new("fast").long("fast").help("Be quick"))
            .subcommand(Command::new("catalog").subcommand(inner))
            .after_long_help("Examples:\n  prog --fast   quickly\n\nExit codes: 0 done, 1 failed.")
    }

    #[test]
    fn the_man_page_holds_options_subcommands_examples_and_exit_codes() {
        let page = String::from_utf8(Document::Man.of(command()).unwrap()).unwrap();
        for part in [
            ".TH prog 1",
            "\\-\\-fast",
            ".SH \"PROG CATALOG INFER\"",
            ".SS SYNOPSIS",
            "\\-\\-all",
            ".SH EXAMPLES\n.nf\n  prog \\-\\-fast   quickly\n.fi",
            ".SH \"EXIT CODES\"\n0 done, 1 failed.",
        ] {
            assert!(page.contains(part), "no {part} in\n{page}");
        }
    }

    #[test]
    fn every_shell_completes_every_option() {
        for document in Document::value_variants().iter().filter(|document| **document != Document::Man) {
            let script = String::from_utf8(document.of(command()).unwrap()).unwrap();
            for word in ["fast", "infer", "all"] {
                assert!(script.contains(word), "{document:?}: no {word}");
            }
        }
    }
}

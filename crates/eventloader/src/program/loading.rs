//! A load, a replay or a rewrite → what it does, its summary and its report.
//!
//! Invariant: a run of a replay that fails keeps no other from being made, unless a signal ended it.

use std::path::Path;

use super::{
    LEFT_OUT, SUCCESS,
    printing::{print_error, print_message},
    report_output::ReportOutput,
};
use crate::{
    cli::{Cli, ReplayArgs, RewriteArgs},
    commands::{load, rewrite},
    error::Error,
    report::{Report, Summary},
    runtime::{Controls, Interruption, Progress},
    settings::Settings,
};

/// What a load prints, and where.
pub(super) struct LoadOutput<'a> {
    report: Option<&'a Path>,
    target: String,
    catalog: Option<String>,
    quiet: bool,
    verbose: bool,
    is_replay: bool,
}

pub(super) fn output_of(cli: &Cli) -> LoadOutput<'_> {
    LoadOutput {
        report: cli.report.as_deref(),
        target: cli.target(),
        catalog: cli.catalog(),
        quiet: cli.quiet,
        verbose: cli.verbose,
        is_replay: false,
    }
}

pub(super) fn replay(args: &ReplayArgs) -> Result<u8, Error> {
    let report = args.report.as_deref();
    let (quiet, verbose) = (args.quiet, args.verbose);
    let output = LoadOutput { report, target: args.target(), catalog: None, quiet, verbose, is_replay: true };
    let (runs, leaves_lines) = args.settings()?;
    let exit_code = load(&runs, &output);
    if leaves_lines {
        print_error(
            "left the bad lines where they are that were read with the [envelope] of a catalog, which no commit \
             has recorded: name it with --catalog or --envelope",
        );
    }
    exit_code
}

pub(super) fn rewrite(args: &RewriteArgs) -> Result<(), Error> {
    let settings = args.settings()?;
    let controls = controls(args.quiet);
    let rewritten = controls.progress.during(|| rewrite::rewrite(&settings, &controls))?;
    if !args.quiet {
        print_message(&rewritten);
    }
    if args.verbose {
        print_message(&rewritten.stages());
    }
    Ok(())
}

fn controls(quiet: bool) -> Controls {
    let print_last_words = |error: &Error| print_error(&error.to_string());
    Controls {
        progress: Progress::on_terminal(quiet),
        // Without a listener, a signal ends the process as usual.
        interruption: Interruption::listen(print_last_words).unwrap_or_default(),
    }
}

/// Loads, or makes all runs of a replay: one that fails does not keep the others from being made.
pub(super) fn load(runs: &[Settings], output: &LoadOutput<'_>) -> Result<u8, Error> {
    let controls = controls(output.quiet);
    let report_output = ReportOutput::open(output.report)?;
    let (mut reports, mut failed) = (Vec::new(), None);
    for settings in runs {
        match controls.progress.during(|| load::load(settings, &controls)) {
            Ok(report) => {
                summarize(&report, settings, output);
                reports.push(report);
            }
            Err(error) if failed.is_some() && error.signal().is_none() => print_error(&error.to_string()),
            Err(error) => failed = Some(error),
        }
        if failed.as_ref().is_some_and(|error| error.signal().is_some()) {
            break;
        }
    }
    let committed = reports.iter().any(Report::is_committed);
    if reports.is_empty() {
        report_output.abandon();
    } else {
        report_output.write(&reports).map_err(|source| Error::Report { committed, source })?;
    }
    let leaves_out = reports.iter().any(|report| report.left_out().next().is_some());
    match failed {
        Some(error) => Err(error),
        None => Ok(if leaves_out { LEFT_OUT } else { SUCCESS }),
    }
}

pub(super) fn summarize(report: &Report, settings: &Settings, output: &LoadOutput<'_>) {
    if !output.quiet {
        let &Settings { memory_bytes, threads, .. } = settings;
        let &LoadOutput { ref target, ref catalog, verbose, is_replay, .. } = output;
        let catalog = catalog.as_deref();
        // As it was given, it may have a password.
        let database = settings.target.database_of().map(|database| database.address());
        let is_database = database.is_some();
        let target = database.as_ref().unwrap_or(target);
        let summary =
            Summary { report, target, is_database, catalog, memory_bytes, threads, verbose, is_replay };
        print_message(&summary.to_string().trim_end());
    }
    report.left_out_types().chain(report.left_out()).for_each(|left_out| print_error(&left_out));
}

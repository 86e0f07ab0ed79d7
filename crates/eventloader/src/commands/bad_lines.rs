//! The counts of what was read → an error if too many of its lines are bad.
//!
//! Invariant: the error names the first bad line, and what it lacks.

use crate::{
    error::Error,
    ingest::InputCounts,
    runtime::plural,
    settings::{Input, Settings},
};

/// A limit that was asked for decides alone. Without one, input that has no good line is most likely not what
/// it was meant to be; a directory that keeps filling up may have such a delivery between others.
pub(super) fn check(settings: &Settings, input: &InputCounts, has_commit: bool) -> Result<(), Error> {
    let (bad, lines) = (input.run.quarantined, input.run.lines);
    let first = || input.first_bad_text();
    let has_several_values = input.first_bad.as_ref().is_some_and(|first| first.has_several_values);
    if let Some(limit) = settings.bad_lines_max {
        return if limit.is_exceeded(bad, lines) {
            Err(Error::TooManyBadLines {
                bad,
                lines,
                limit: limit.to_string(),
                first: first(),
                of_several_values: has_several_values,
            })
        } else {
            Ok(())
        };
    }
    let may_fail = match settings.input {
        Input::Replay(_) => false,
        Input::Sources { skip_loaded, .. } => !(skip_loaded && has_commit),
    };
    if !may_fail || bad == 0 || bad + input.run.blank < lines {
        return Ok(());
    }
    let all =
        if bad == 1 { "the only line is".to_owned() } else { format!("all {} are", plural(bad, "line")) };
    let follow =
        |what: &str, names: String| if names.is_empty() { names } else { format!("; {what}{names}") };
    Err(Error::AllLinesBad {
        of_several_values: has_several_values,
        all,
        first: first(),
        lacks: if settings.catalog.envelope().is_base() {
            follow(
                "it lacks ",
                input.first_bad.as_ref().map_or_else(String::new, |first| first.lacks.clone()),
            )
        } else {
            String::new()
        },
        keys: follow("keys seen: ", input.keys_of_bad.names()),
        of_unknown_types: !input.unknown_events.is_empty(),
    })
}

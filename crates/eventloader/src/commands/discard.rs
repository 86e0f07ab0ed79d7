//! `eventloader discard`: bad lines → gone from the quarantine, in a commit that says which and how many.
//!
//! Invariant: no line goes that was not selected, and no row changes. A quarantine that is not as the loads
//! left it is refused, because the commit would record what is left as all that there was.

use std::fmt;

use event_target::{
    Differences, Discarded, LoadFacts, Location, Mode, NewCommit, Staging, Target, TargetError, TargetLayout,
};

use super::list::reasons_text;
use crate::{error::Error, quarantine, settings::BadLineSelection};

/// What was discarded, as a message.
#[derive(Debug)]
pub struct Discard(Discarded);

/// Takes the selected lines out of a target's quarantine.
///
/// # Errors
/// [`TargetError::Locked`] while a load is running, [`TargetError::Unusable`] if nothing was ever loaded,
/// [`TargetError::NotAsRecorded`], [`Error::NothingSelected`], and read and write errors.
pub fn discard(location: &Location, selection: &BadLineSelection, threads: usize) -> Result<Discard, Error> {
    let mut target = Target::open_existing(location)?;
    let staged = prepare(&mut target, location, selection, threads);
    let (changes, layout, facts, discarded) = match staged {
        Ok(staged) => staged,
        Err(error) => {
            target.abandon();
            return Err(error);
        }
    };
    target.commit(NewCommit::of(changes, layout, facts), threads)?;
    Ok(Discard(discarded))
}

type Prepared = (Vec<event_target::Change>, TargetLayout, LoadFacts, Discarded);

fn prepare(
    target: &mut Target,
    location: &Location,
    selection: &BadLineSelection,
    threads: usize,
) -> Result<Prepared, Error> {
    let Some(layout) = location.layout()? else {
        let problem = "no load has ever committed anything there; check the path".to_owned();
        return Err(TargetError::Unusable { path: location.root(), problem }.into());
    };
    let history = location.history(|_, _| {})?;
    let compared = location.compare(&history, threads, |_, file| file.event_type.is_none())?;
    let mut differences = history.lost_records();
    differences.extend(compared.differences);
    if !differences.is_empty() {
        let differences = Box::new(Differences(differences));
        return Err(TargetError::NotAsRecorded { root: location.root(), differences }.into());
    }
    let staging: Staging = target.begin(&layout)?;
    let (changes, lines) = quarantine::discard((location, &history), selection, &staging)?;
    if lines.is_empty() {
        return Err(Error::NothingSelected { is_all: selection.is_all() });
    }
    let discarded =
        Discarded { lines, reasons: selection.reasons.clone(), sources: selection.sources.clone() };
    let facts = LoadFacts {
        mode: Mode::Discard,
        stamps: compared.stamps,
        discarded: Some(discarded.clone()),
        ..LoadFacts::default()
    };
    Ok((changes, layout, facts, discarded))
}

impl fmt::Display for Discard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "discarded {}", reasons_text(&self.0.lines))
    }
}

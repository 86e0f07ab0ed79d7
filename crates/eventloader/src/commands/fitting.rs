//! A replay → the same without the event types that do not fit what the target has of them.
//!
//! A catalog that has lost a column of one type, or narrows it, or gives it another directory, can't be
//! merged with the target's rows of that type. In a load nothing is changed then, because its sources would
//! be half loaded. The lines of a replay are each by themselves: those of such types stay where they are, as
//! they are, and all others are replayed.
//!
//! A type is found out by what refuses it, in the course of the replay, which then begins anew without it. So
//! one decision serves loads and replays.
//!
//! Invariant: a replay in which no other line holds fails as a load would.

use std::borrow::Cow;

use event_target::{Staging, TargetLayout};

use super::sink::Sink;
use crate::{
    error::Error,
    settings::{Input, Settings},
};

/// An event type that was left out, and why.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) event_type: (String, String),
    pub(super) refused: Error,
}

/// Stages a load with `stage`, once; a replay as often as it meets an event type that does not fit.
/// `has_rows` says whether any line of what was staged is good.
pub(super) fn stage_fitting<S>(
    sink: &mut Sink<'_>,
    settings: &Settings,
    layout: &TargetLayout,
    mut stage: impl FnMut(&Settings, &Staging) -> Result<S, Error>,
    has_rows: impl Fn(&S) -> bool,
) -> Result<(S, Vec<LeftOut>), Error> {
    let mut fitting = Cow::Borrowed(settings);
    let mut left_out = Vec::new();
    loop {
        let staging = sink.begin(layout)?;
        match stage(&fitting, &staging) {
            Err(Error::OfType { event_type, source })
                if matches!(settings.input, Input::Replay(_))
                    && !fitting.selection.left_out.contains(&event_type) =>
            {
                fitting.to_mut().selection.left_out.push(event_type.clone());
                left_out.push(LeftOut { event_type, refused: *source });
                sink.begin_anew()?;
            }
            Err(error) => return Err(error),
            Ok(staged) if left_out.is_empty() || has_rows(&staged) => {
                left_out.sort_by(|a, b| a.event_type.cmp(&b.event_type));
                return Ok((staged, left_out));
            }
            Ok(_) => return Err(left_out.swap_remove(0).refused),
        }
    }
}

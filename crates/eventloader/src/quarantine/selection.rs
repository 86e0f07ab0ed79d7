//! Records of the quarantine → those that a command is about, by reason and source.
//!
//! Invariant: a source that is named and has no line in the quarantine is refused, never taken for nothing.

use std::fmt::Write as _;

use super::record::Record;
use crate::{
    error::Error,
    settings::{BadLineSelection, ReadWith},
};

/// How many sources of the quarantine are named to a user who named none of them.
const NAMED_MAX: usize = 5;

impl BadLineSelection {
    /// Whether a bad line, or a fragment of one, is selected.
    pub(crate) fn wants(&self, record: &Record<'_>) -> bool {
        (self.reasons.is_empty() || self.reasons.iter().any(|reason| *reason == record.reason))
            && self.wants_source(&record.source)
    }

    /// The same for a replay, which leaves lines in fragments alone.
    pub(super) fn replays(&self, record: &Record<'_>) -> bool {
        let is_of_envelope = |envelope: &ReadWith| envelope.as_deref() == record.envelope.as_deref();
        record.fragment.is_none() && self.wants(record) && self.envelope.as_ref().is_none_or(is_of_envelope)
    }

    /// Whether bad lines of a source may be selected.
    pub(crate) fn wants_source(&self, source: &str) -> bool {
        self.sources.is_empty() || self.sources.iter().any(|wanted| is_named(source, wanted))
    }

    /// Refuses a source that has no line in the quarantine, which is likely to be a typing error.
    pub(crate) fn check_sources(&self, there: &[String]) -> Result<(), Error> {
        let is_there = |wanted: &&String| there.iter().any(|source| is_named(source, wanted));
        let Some(wanted) = self.sources.iter().find(|wanted| !is_there(wanted)) else { return Ok(()) };
        let mut named = there.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
        if there.len() > NAMED_MAX {
            let _ = write!(named, " and {} more", there.len() - NAMED_MAX);
        }
        let problem = if there.is_empty() {
            "the quarantine is empty".to_owned()
        } else {
            format!("no line of it is in the quarantine, which has lines of {named}")
        };
        Err(Error::Source { path: wanted.clone(), problem })
    }
}

/// Whether a source is the one that is wanted: the end of its path is.
fn is_named(source: &str, wanted: &str) -> bool {
    let front = source.strip_suffix(wanted);
    front.is_some_and(|front| front.is_empty() || front.ends_with('/') || wanted.starts_with('/'))
}

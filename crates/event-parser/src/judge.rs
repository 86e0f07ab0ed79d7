//! One line → what it is, without any columns: for programs that look at events before they have a catalog.
//!
//! Invariant: a line is judged as [`crate::Parser`] judges it.

use std::borrow::Cow;

use crate::{
    events::{EventReader, Judged},
    fault::Fault,
    plan::Plan,
    selection::Selection,
};

/// Judges lines one by one.
#[derive(Debug)]
pub struct LineJudge<'a> {
    events: EventReader<'a>,
}

/// What a good line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement<'l> {
    /// A record that is null, of an envelope.
    Blank,
    /// An event that is not selected.
    Filtered,
    /// An event.
    Event {
        /// The index of its type in the plan.
        type_index: usize,
        /// The bytes of its payload with the braces, if that is an object; of the whole record, if the
        /// payload is what the envelope leaves of it ([`LineJudge::is_taken`]).
        payload: Option<&'l [u8]>,
        /// Whether its timestamp has digits beyond microseconds other than zero.
        is_time_cut: bool,
    },
}

impl<'a> LineJudge<'a> {
    /// A judge by the event types of a plan.
    #[must_use]
    pub fn new(plan: &'a Plan, selection: &'a Selection) -> Self {
        Self { events: EventReader::new(plan, selection, false) }
    }

    /// Judges a line that is UTF-8 and not blank.
    ///
    /// # Errors
    /// Why the line is bad.
    pub fn judge<'l>(&mut self, line: &'l [u8]) -> Result<Judgement<'l>, Fault> {
        let (judged, payload) = self.events.read_alone(line)?;
        Ok(match judged {
            Judged::Filtered => Judgement::Filtered,
            Judged::Blank => Judgement::Blank,
            Judged::Event(event) => Judgement::Event {
                type_index: event.type_index,
                payload: payload.map(|payload| payload.text(line)),
                is_time_cut: event.is_time_cut,
            },
        })
    }

    /// The event type that a line claims to have; see [`Plan::type_of`].
    #[must_use]
    pub fn type_of(&self, line: &[u8]) -> Option<(String, String)> {
        self.events.plan().type_of(line)
    }

    /// Whether the payload of the record that was judged last leaves this key out: it is the record itself,
    /// and the envelope took the key.
    #[must_use]
    pub fn is_taken(&self, key: &[u8]) -> bool {
        self.events.is_taken(key)
    }

    /// The keys of the line that was judged last, beside those of the base contract, or beside those that the
    /// envelope reads. Where the payload is what the envelope leaves of the record, they are its keys.
    pub fn other_keys<'l>(&self, line: &'l [u8]) -> impl Iterator<Item = Cow<'l, [u8]>> {
        let paths = &self.events.plan().object_paths;
        let is_outermost = |owner: Option<usize>| owner.is_none_or(|owner| paths[owner].is_empty());
        let of_event = self.events.unknown().iter().filter(move |(owner, _)| is_outermost(*owner));
        of_event.filter_map(|(_, key)| key.string(line))
    }
}

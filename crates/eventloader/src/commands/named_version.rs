//! A bad line → the event, version and time that it names, if the run selects such events.
//!
//! Invariant: a line that names none can't become a row of one.

use std::borrow::Cow;

use event_parser::{DayRange, NamedEvent, Plan};
use events_core::{catalog::EventType, timestamp::parse_timestamp};
use serde::Deserialize;

use crate::{quarantine::BadText, settings::Settings};

/// The parts of a line that name an event and a time. With a repeated key it can't become a row.
#[derive(Deserialize)]
struct Frame<'l> {
    #[serde(borrow)]
    event_id: Cow<'l, str>,
    #[serde(borrow)]
    timestamp: Cow<'l, str>,
    #[serde(borrow)]
    domain: Cow<'l, str>,
    #[serde(borrow)]
    event_type: Cow<'l, str>,
}

/// The event type of a line that did not become a row.
#[derive(Debug)]
pub(super) enum OfType {
    /// It has an index in the plan.
    Known(usize),
    /// No catalog names it, and the run has no row of it.
    WithoutRows(Box<EventType>),
}

/// The event type, timestamp and id of a line, if it has them and the run selects such events.
pub(super) fn version_of(
    settings: &Settings,
    plan: &Plan,
    line: BadText<'_>,
) -> Option<(OfType, i64, Box<str>)> {
    let (frame, micros) = frame_of(settings, plan, line)?;
    let (domain, name) = (frame.domain.as_bytes(), frame.event_type.as_bytes());
    let of_type = match plan.find(domain, name) {
        Some(type_index) => OfType::Known(type_index),
        None => OfType::WithoutRows(Box::new(plan.resolve(domain, name)?)),
    };
    let selection = &settings.selection;
    let is_within = selection.days.is_none_or(|DayRange { first, last }| {
        first.is_none_or(|first| first.start_micros() <= micros)
            && last.is_none_or(|last| micros < last.end_micros())
    });
    let event_type = match &of_type {
        OfType::Known(type_index) => plan.event_type(*type_index),
        OfType::WithoutRows(event_type) => event_type,
    };
    let is_selected = is_within && selection.wants_type(event_type);
    is_selected.then(|| (of_type, micros, frame.event_id.into()))
}

/// The parts of a line that name an event, and its time.
fn frame_of<'l>(
    settings: &Settings,
    plan: &Plan,
    BadText { line, enclosing }: BadText<'l>,
) -> Option<(Frame<'l>, i64)> {
    if settings.catalog.envelope().is_base() {
        let frame: Frame<'l> = serde_json::from_slice(line).ok()?;
        let micros = parse_timestamp(frame.timestamp.as_bytes())?;
        return Some((frame, micros));
    }
    let NamedEvent { domain, event_type, id, micros } = plan.event_named_by(line, enclosing)?;
    let frame = Frame {
        event_id: id.into(),
        timestamp: Cow::default(),
        domain: domain.into(),
        event_type: event_type.into(),
    };
    Some((frame, micros))
}

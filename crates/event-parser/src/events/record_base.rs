//! The captures of a record → its event's id and time, or why it has none.
//!
//! Invariant: a fault names the path in the record.

use std::borrow::Cow;

use event_rows::ReadId;
use events_core::{
    envelope::hash_id,
    event,
    timestamp::{self, EpochUnit},
};

use super::records::Records;
use crate::{
    envelope::{Absence, IdPlan, PiecePlan, Record, TemplatePlan},
    fault::{Fault, Reason, excerpt},
    json::{Kind, quoted_into},
};

/// What a template must be made of, for messages.
pub(super) const EXPECTED_TEXT: &str = "a text or an integer";

/// The time of a record.
pub(super) struct TimeRead<'l> {
    pub(super) text: Cow<'l, [u8]>,
    pub(super) micros: Option<i64>,
    pub(super) is_cut: bool,
}

impl<'a> Records<'a> {
    #[cold]
    pub(super) fn not_an_event(&self, absence: &Absence<'_, '_>, expected: &str) -> Fault {
        match *absence {
            Absence::Missing { path, found } => Fault::new(Reason::NotAnEvent, Some(path), expected, found),
            Absence::Other { key, found } => {
                let path = &self.envelope.keys[key].path;
                Fault::new(Reason::NotAnEvent, Some(path), expected, excerpt(found))
            }
        }
    }

    pub(super) fn time<'l>(&mut self, line: &'l [u8], enclosing: &'l [u8]) -> Result<TimeRead<'l>, Fault> {
        let record = Record { line, enclosing, captures: &self.captures };
        let Some(unit) = self.envelope.unit else {
            let text = self.envelope.time.text(record);
            let text = text.map_err(|absence| self.not_an_event(&absence, EXPECTED_TEXT))?;
            let micros = self.to_seconds.timestamp(&text);
            let is_cut = micros.is_some() && timestamp::is_cut(&text);
            return Ok(TimeRead { text, micros, is_cut });
        };
        let text = self.number_text(record);
        let text = text.map_err(|absence| self.not_an_event(&absence, unit.expected()))?;
        let epoch = timestamp::parse_epoch(&text, unit).ok();
        let (micros, is_cut) = (epoch.map(|epoch| epoch.micros), epoch.is_some_and(|epoch| epoch.is_cut));
        Ok(TimeRead { text, micros, is_cut })
    }

    /// The text of an epoch, which may be a number with a fraction.
    pub(super) fn number_text<'l>(&self, record: Record<'_, 'l>) -> Result<Cow<'l, [u8]>, Absence<'a, 'l>> {
        if let [PiecePlan::Paths { alternatives, .. }] = self.envelope.time.pieces.as_slice()
            && let Some((path, value)) = record.used(alternatives)
            && value.kind() == Kind::Number
        {
            return Ok(Cow::Borrowed(value.text(record.text_with(path))));
        }
        self.envelope.time.text(record)
    }

    #[cold]
    pub(super) fn bad_timestamp(&self, found: &[u8]) -> Fault {
        let expected = self.envelope.unit.map_or(timestamp::EXPECTED_TIMESTAMP, EpochUnit::expected);
        Fault::new(Reason::BadTimestamp, Some(&self.envelope.time.path), expected, excerpt(found))
    }

    pub(super) fn id<'l>(&self, line: &'l [u8], enclosing: &'l [u8]) -> Result<ReadId<'l>, Fault> {
        let record = Record { line, enclosing, captures: &self.captures };
        match &self.envelope.id {
            IdPlan::Text(template) => {
                let id = template.text(record).map_err(|absence| self.no_id(&absence))?;
                if id.is_empty() {
                    return Err(self.no_id(&Absence::Missing { path: &template.path, found: "\"\"" }));
                }
                Ok(ReadId::Text(id))
            }
            IdPlan::Key(parts) => {
                let mut id = vec![b'['];
                for part in parts {
                    if id.len() > 1 {
                        id.push(b',');
                    }
                    quoted_into(&part.text(record).map_err(|absence| self.no_id(&absence))?, &mut id);
                }
                id.push(b']');
                Ok(ReadId::Text(Cow::Owned(id)))
            }
            IdPlan::Hash => {
                Ok(ReadId::Uuid(hash_id(line, self.envelope.enclosing.map_or(b"", |_| enclosing))))
            }
        }
    }

    /// Where the id comes from.
    pub(super) fn id_path(&self) -> &str {
        match &self.envelope.id {
            IdPlan::Text(template) => &template.path,
            IdPlan::Key(_) | IdPlan::Hash => event::EVENT_ID,
        }
    }

    #[cold]
    pub(super) fn no_id(&self, absence: &Absence<'_, '_>) -> Fault {
        match *absence {
            Absence::Missing { path, found } => {
                Fault::new(Reason::MissingEventId, Some(path), "the event's id", found)
            }
            Absence::Other { .. } => self.not_an_event(absence, EXPECTED_TEXT),
        }
    }
}

/// A name of an event's type.
pub(super) fn name<'p, 'l: 'x, 'x>(
    template: &'p TemplatePlan,
    record: Record<'_, 'l>,
) -> Result<Cow<'x, [u8]>, Absence<'p, 'l>>
where
    'p: 'x,
{
    template.literal().map_or_else(|| template.text(record), |text| Ok(Cow::Borrowed(text)))
}

//! A record → what it says of its event, whether or not it is a good one, and what it leaves for its payload.
//!
//! Invariant: nothing here depends on the catalog's event types.

use std::borrow::Cow;

use event_rows::{ReadId, uuid_text};

use super::{EventReader, NamedEvent, record_base::name, records::Records};
use crate::{
    envelope::{DataPlan, EnvelopePlan, RECORD, Record, Taken},
    json::{Kind, Scanner, Value},
};

/// Domain and type.
type Names<'l> = (Cow<'l, [u8]>, Cow<'l, [u8]>);

impl<'a> Records<'a> {
    /// Domain and type of a record, if it has them.
    pub(super) fn type_of<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        enclosing: &'l [u8],
    ) -> Option<Names<'l>>
    where
        'a: 'l,
    {
        self.skipped.clear();
        self.is_data_read = false;
        self.captures.reset(self.envelope.keys.len());
        let around = self.envelope.enclosing.map(|node| (enclosing, node));
        for (text, node) in [(line, RECORD)].into_iter().chain(around) {
            let mut scanner = Scanner::new(text);
            if scanner.peek() == Some(b'{') {
                // What was captured before a mistake counts.
                let _ = self.walk(reader, &mut scanner, text, node);
            }
        }
        let record = Record { line, enclosing, captures: &self.captures };
        let EnvelopePlan { domain, event_type, .. } = self.envelope;
        Some((name(domain, record).ok()?, name(event_type, record).ok()?))
    }

    /// What a record says of its event; see [`crate::Plan::event_named_by`]. One that is not JSON, or repeats
    /// a key of these, can't become a row.
    pub(super) fn event_named_by(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &[u8],
        enclosing: &[u8],
    ) -> Option<NamedEvent> {
        let mut scanner = Scanner::new(line);
        scanner.value().and_then(|_| scanner.end()).ok()?;
        let (domain, event_type) = self.type_of(reader, line, enclosing)?;
        if !self.captures.repeated.is_empty() {
            return None;
        }
        let text = |text: Cow<'_, [u8]>| String::from_utf8_lossy(&text).into_owned();
        let (domain, event_type) = (text(domain), text(event_type));
        let micros = self.time(line, enclosing).ok()?.micros?;
        let id = match self.id(line, enclosing).ok()? {
            ReadId::Uuid(uuid) => String::from_utf8_lossy(&uuid_text(uuid)).into_owned(),
            ReadId::Text(id) => text(id),
        };
        Some(NamedEvent { domain, event_type, id, micros })
    }

    /// Whether the payload, the rest of the record, leaves out this key of it.
    pub(super) fn is_taken(&self, key: &[u8]) -> bool {
        let root = &self.envelope.nodes[RECORD];
        root.find(key).map(|member| root.members[member]).is_some_and(|key| {
            match self.envelope.keys[key].taken {
                Taken::Never => false,
                Taken::Always => true,
                Taken::IfUsed => self.is_used(key),
            }
        })
    }

    /// The payload of the record that was read last, if it is an object; the record itself, if the payload is
    /// the rest of it.
    pub(super) fn payload(&self, line: &[u8]) -> Option<Value> {
        let DataPlan::At(keys) = &self.envelope.data else {
            let mut scanner = Scanner::new(line);
            return scanner.value().ok();
        };
        let values = keys.iter().filter_map(|&key| self.captures.get(key));
        values.into_iter().find(|value| value.kind() != Kind::Null).filter(|data| data.kind() == Kind::Object)
    }
}

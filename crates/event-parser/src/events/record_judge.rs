//! A scanned record → an event with its payload as slots of its columns, an event that is not selected, or a
//! fault.
//!
//! Invariant: a record is judged in the order of `events/mod.rs`, whatever the order of its keys.

use super::{
    Event, EventReader, Judged,
    record_base::{EXPECTED_TEXT, TimeRead, name},
    records::{Problem, Records, reached},
};
use crate::{
    envelope::{DataPlan, Record, Stage},
    fault::{EXPECTED_PAYLOAD, Fault, Reason, excerpt},
    json::{Kind, Malformed},
    payload::duplicate_key,
    plan::{KeyTarget, OfType},
    selection::Timing,
};

impl Records<'_> {
    pub(super) fn judge<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &'l [u8],
        text: &'l [u8],
        enclosing: &'l [u8],
    ) -> Result<Judged<'l>, Problem> {
        self.refuse_repeated(Stage::Type)?;
        let of_type = if let Some(type_index) = reader.read_as {
            Ok(OfType::Known(type_index))
        } else {
            let record = Record { line, enclosing, captures: &self.captures };
            let not_an_event = |absence| self.not_an_event(&absence, EXPECTED_TEXT);
            let domain = name(&self.envelope.domain, record).map_err(not_an_event)?;
            let event_type = name(&self.envelope.event_type, record).map_err(not_an_event)?;
            if !reader.selection.wants(&domain, &event_type) {
                return Ok(Judged::Filtered);
            }
            reader.types_found.of_type(self.plan, &domain, &event_type)
        };
        self.refuse_repeated(Stage::Time)?;
        let time = self.time(line, enclosing)?;
        let timing = time.micros.map_or(Timing::Within, |micros| reader.selection.timing(micros));
        if reader.is_filtered(timing, of_type.as_ref().ok().copied()) {
            return Ok(Judged::Filtered);
        }
        let is_later_candidate = timing != Timing::Within;
        let event = of_type
            .map_err(Problem::Fault)
            .and_then(|of_type| self.judge_event(reader, (line, text, enclosing), of_type, &time));
        match event {
            Ok(event) => Ok(Judged::Event(Event { is_later_candidate, ..event })),
            // Its day is not selected, and a bad line takes no part in "latest".
            Err(Problem::Fault(_)) if is_later_candidate => Ok(Judged::Filtered),
            Err(problem) => Err(problem),
        }
    }

    fn refuse_repeated(&self, stage: Stage) -> Result<(), Fault> {
        let keys = self.captures.repeated.iter().map(|&key| &self.envelope.keys[key]);
        let repeated = keys.filter(|key| key.stage == stage).min_by_key(|key| &key.path);
        repeated.map_or(Ok(()), |key| Err(duplicate_key(&key.path)))
    }

    /// Judges everything that the filters don't need.
    fn judge_event<'l>(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text, enclosing): (&'l [u8], &'l [u8], &'l [u8]),
        of_type: OfType,
        time: &TimeRead<'_>,
    ) -> Result<Event<'l>, Problem> {
        self.refuse_repeated(Stage::Event)?;
        let id = self.plan.check_id(self.id(line, enclosing)?, self.id_path())?;
        let Some(micros) = time.micros else { return Err(self.bad_timestamp(&time.text).into()) };
        self.read_payload(reader, (line, text), of_type)?;
        self.read_fields(reader, line, of_type)?;
        reader.judge_members(of_type)?;
        let type_index = match of_type {
            OfType::Known(type_index) => type_index,
            OfType::Open(open) => self.place_of(reader, open, (line, enclosing))?,
        };
        Ok(Event { type_index, micros, is_time_cut: time.is_cut, id, is_later_candidate: false })
    }

    /// The place of a type that had none. A line that is not JSON is no event: it makes no type.
    #[cold]
    fn place_of(
        &mut self,
        reader: &mut EventReader<'_>,
        open: usize,
        (line, enclosing): (&[u8], &[u8]),
    ) -> Result<usize, Problem> {
        self.read_skipped(line)?;
        let record = Record { line, enclosing, captures: &self.captures };
        let not_an_event = |absence| self.not_an_event(&absence, EXPECTED_TEXT);
        let domain = name(&self.envelope.domain, record).map_err(not_an_event)?;
        let event_type = name(&self.envelope.event_type, record).map_err(not_an_event)?;
        Ok(reader.place_of(open, &domain, &event_type)?)
    }

    /// Reads the payload, unless it was read on the way.
    fn read_payload(
        &mut self,
        reader: &mut EventReader<'_>,
        (line, text): (&[u8], &[u8]),
        of_type: OfType,
    ) -> Result<(), Problem> {
        let DataPlan::At(keys) = &self.envelope.data else {
            return Ok(self.finish_rest(reader, (line, text), of_type)?);
        };
        let shape = &self.plan.payload_of(of_type).shape;
        if self.is_data_read {
            return Ok(());
        }
        let values = keys.iter().filter_map(|&key| Some((key, self.captures.get(key)?)));
        let used = values.into_iter().find(|(_, value)| value.kind() != Kind::Null);
        let Some((key, data)) = used else {
            reader.take_no_payload(shape);
            return Ok(());
        };
        if data.kind() != Kind::Object {
            if shape.is_json {
                reader.payload.take_all(shape, data);
                return Ok(());
            }
            let path = &self.envelope.keys[key].path;
            let found = excerpt(data.text(line));
            return Err(Fault::new(Reason::NotAnEvent, Some(path), EXPECTED_PAYLOAD, found).into());
        }
        let mut scanner = self.scanner_at(line, data);
        reader.read_payload(&mut scanner, of_type)?;
        Ok(reached(&scanner, data)?)
    }

    /// Reads the columns of the envelope; the payload was read before.
    fn read_fields(
        &mut self,
        reader: &mut EventReader<'_>,
        line: &[u8],
        of_type: OfType,
    ) -> Result<(), Malformed> {
        for &key in &self.envelope.fields {
            let field = self.envelope.keys[key].field.zip(self.captures.get(key));
            match field {
                Some(((_, KeyTarget::Column(column)), value)) => drop(reader.payload.take(column, value)),
                Some(((member, _), value)) => {
                    let mut scanner = self.scanner_at(line, value);
                    reader.read_member(&mut scanner, of_type, (0, member), Some(value))?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

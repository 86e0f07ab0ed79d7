//! A line of the base contract → an event with its payload as slots of its columns, an event that is not
//! selected, or a fault.
//!
//! Most lines have a known frame (`events/frames.rs`); all others are read token by token.
//!
//! Invariant: a line that is read by its frame is judged as it would be token by token.

use events_core::{event, timestamp};

use super::{
    Event, EventReader, Judged,
    base::{BASE_NAMES, Base, DATA, DOMAIN, EVENT_ID, EVENT_TYPE, TIMESTAMP, wrong_base_type},
    frames::Begun,
};
use crate::{
    fault::{EXPECTED_PAYLOAD, Fault, Reason, excerpt},
    json::{Kind, Malformed, Next, OBJECT_START, Scanner, Value},
    plan::OfType,
    selection::Timing,
};

impl EventReader<'_> {
    /// Reads a line by its frame; see [`EventReader::read_framed`].
    #[inline]
    pub(super) fn read_framed_line<'l>(
        &mut self,
        text: &'l [u8],
        length: Option<usize>,
    ) -> Option<(Judged<'l>, usize)> {
        let limit = length.unwrap_or(text.len());
        let begun = self.frames.begin(text, limit)?;
        let mut scanner = Scanner::in_object(text, length, begun.payload_start, 1);
        self.unknown.clear();
        if let Some(type_index) = begun.type_index {
            if scanner.peek() != Some(b'{') {
                return None;
            }
            self.read_payload(&mut scanner, OfType::Known(type_index)).ok()?;
            self.judge_members(OfType::Known(type_index)).ok()?;
        } else {
            scanner.value().ok()?;
        }
        let end = self.frames.end(&begun, text, limit, scanner.position())?;
        let is_whole = length.map_or(text.get(end) == Some(&b'\n'), |length| end == length);
        if !is_whole {
            return None;
        }
        let timing = self.selection.timing(begun.micros);
        let judged = match begun.type_index {
            Some(type_index) if !self.is_filtered(timing, Some(OfType::Known(type_index))) => {
                let is_later_candidate = timing != Timing::Within;
                let Begun { micros, is_time_cut, id, .. } = begun;
                let id = self.plan.check_id(id, event::EVENT_ID).ok()?;
                Judged::Event(Event { type_index, micros, is_time_cut, id, is_later_candidate })
            }
            _ => Judged::Filtered,
        };
        Some((judged, end))
    }

    pub(super) fn read_tokens<'l>(
        &mut self,
        line: &'l [u8],
        text: &'l [u8],
        base: &mut Base,
    ) -> Result<Judged<'l>, Fault> {
        self.unknown.clear();
        self.read_as = None;
        match self.scan(line, text, base) {
            Ok(true) => self.judge(line, base),
            Ok(false) => Err(Fault::new(Reason::NotAnEvent, None, "an object", excerpt(line))),
            Err(malformed) => Err(Fault::malformed(line, malformed)),
        }
    }

    pub(super) fn learn_frame(&mut self, line: &[u8], base: &Base) {
        if self.unknown.iter().any(|(owner, _)| owner.is_none()) {
            return;
        }
        // The filter by days says nothing about other lines, but the one by types does.
        let is_wanted = || {
            let names = base.string(line, DOMAIN).ok().zip(base.string(line, EVENT_TYPE).ok());
            names.is_none_or(|(domain, event_type)| self.selection.wants(&domain, &event_type))
        };
        if self.read_as.is_some() || !is_wanted() {
            self.frames.learn(line, base, self.read_as);
        }
    }

    /// Scans the line's base fields, and its payload if its type is known in time; `false` if the line is not
    /// an object.
    pub(super) fn scan(&mut self, line: &[u8], text: &[u8], base: &mut Base) -> Result<bool, Malformed> {
        let mut scanner = Scanner::in_text(text, line.len());
        if scanner.peek() != Some(b'{') {
            scanner.value()?;
            scanner.end()?;
            return Ok(false);
        }
        scanner.open_object()?;
        let find = |name: &[u8]| BASE_NAMES.iter().position(|base_name| base_name.as_bytes() == name);
        let mut position = OBJECT_START;
        loop {
            let next = self.key_predictor.next(&mut scanner, position, BASE_NAMES.len(), find)?;
            position = next.position();
            match next {
                Next::Member(field) => self.scan_value(&mut scanner, line, field, base)?,
                Next::Unknown | Next::Other(_) => {
                    self.unknown.extend(self.key_predictor.unknown().map(|key| (None, key)));
                    scanner.value()?;
                }
                Next::End => break,
            }
        }
        scanner.end()?;
        Ok(true)
    }

    #[inline]
    fn scan_value(
        &mut self,
        scanner: &mut Scanner<'_>,
        line: &[u8],
        field: usize,
        base: &mut Base,
    ) -> Result<(), Malformed> {
        if field == DATA
            && base.values[DATA].is_none()
            && scanner.peek() == Some(b'{')
            && let Some(type_index) = self.type_to_read(line, base)
        {
            let start = scanner.position();
            self.read_payload(scanner, OfType::Known(type_index))?;
            self.read_as = Some(type_index);
            base.values[DATA] = Some(Value::new(Kind::Object, start, scanner.position()));
            return Ok(());
        }
        if base.values[field].is_some() {
            base.repeated[field] = true;
            scanner.value()?;
            return Ok(());
        }
        base.values[field] = Some(match field {
            EVENT_ID => base.scan_id(scanner)?,
            TIMESTAMP => base.scan_timestamp(scanner)?,
            _ => scanner.value()?,
        });
        Ok(())
    }

    /// The type to read a payload as, if the keys before it determine a type that is selected. Its day does
    /// not matter: a payload is read faster than it is skipped, because its keys are known.
    #[inline(never)]
    fn type_to_read(&mut self, line: &[u8], base: &Base) -> Option<usize> {
        let domain = base.values[DOMAIN]?.string(line)?;
        let event_type = base.values[EVENT_TYPE]?.string(line)?;
        if !self.selection.wants(&domain, &event_type) {
            return None;
        }
        self.types_found.find(self.plan, &domain, &event_type)
    }

    fn judge<'l>(&mut self, line: &'l [u8], base: &Base) -> Result<Judged<'l>, Fault> {
        for field in [DOMAIN, EVENT_TYPE] {
            base.refuse_repeated(field)?;
        }
        // If the payload was read on the way, domain and type were filtered before.
        let of_type = if let Some(type_index) = self.read_as {
            Ok(OfType::Known(type_index))
        } else {
            let domain = base.string(line, DOMAIN)?;
            let event_type = base.string(line, EVENT_TYPE)?;
            if !self.selection.wants(&domain, &event_type) {
                return Ok(Judged::Filtered);
            }
            self.types_found.of_type(self.plan, &domain, &event_type)
        };
        base.refuse_repeated(TIMESTAMP)?;
        let time = base.string(line, TIMESTAMP)?;
        let micros = base.micros(&time);
        let timing = micros.map_or(Timing::Within, |micros| self.selection.timing(micros));
        if self.is_filtered(timing, of_type.as_ref().ok().copied()) {
            return Ok(Judged::Filtered);
        }
        let is_later_candidate = timing != Timing::Within;
        match of_type.and_then(|of_type| self.judge_event(line, base, of_type, micros, &time)) {
            Ok(event) => Ok(Judged::Event(Event { is_later_candidate, ..event })),
            // Its day is not selected, and a bad line takes no part in "latest".
            Err(_) if is_later_candidate => Ok(Judged::Filtered),
            Err(fault) => Err(fault),
        }
    }

    /// Judges everything that the filters don't need.
    fn judge_event<'l>(
        &mut self,
        line: &'l [u8],
        base: &Base,
        of_type: OfType,
        micros: Option<i64>,
        time: &[u8],
    ) -> Result<Event<'l>, Fault> {
        for field in [EVENT_ID, DATA] {
            base.refuse_repeated(field)?;
        }
        let id = self.plan.check_id(base.event_id(line)?, event::EVENT_ID)?;
        let Some(micros) = micros else {
            let expected = timestamp::EXPECTED_TIMESTAMP;
            return Err(Fault::new(Reason::BadTimestamp, Some(event::TIMESTAMP), expected, excerpt(time)));
        };
        self.judge_payload(line, base, of_type)?;
        let type_index = match of_type {
            OfType::Known(type_index) => type_index,
            OfType::Open(open) => {
                self.place_of(open, &base.string(line, DOMAIN)?, &base.string(line, EVENT_TYPE)?)?
            }
        };
        Ok(Event { type_index, micros, is_time_cut: timestamp::is_cut(time), id, is_later_candidate: false })
    }

    fn judge_payload(&mut self, line: &[u8], base: &Base, of_type: OfType) -> Result<(), Fault> {
        let shape = &self.plan.payload_of(of_type).shape;
        match base.values[DATA] {
            Some(data) if data.kind() == Kind::Object => {
                if self.read_as.is_none() {
                    self.read_payload(&mut Scanner::at(line, data), of_type)
                        .map_err(|malformed| Fault::malformed(line, malformed))?;
                }
            }
            Some(data) if data.kind() != Kind::Null => {
                if !shape.is_json {
                    return Err(wrong_base_type(DATA, EXPECTED_PAYLOAD, data.text(line)));
                }
                self.payload.take_all(shape, data);
            }
            _ => self.take_no_payload(shape),
        }
        self.judge_members(of_type)
    }
}

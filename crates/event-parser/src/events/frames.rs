//! The text around the values of earlier lines → an event's id, time and type, the start of its payload, and
//! the end of the line, found with a few comparisons.
//!
//! The lines of one program differ only in their values. Domain and type are values too, but there are few of
//! them, so the text between the last value before them and the payload (`", "domain": "account",
//! "event_type": "account-open", "data": `) is always the same for one type. A [`Frame`] remembers these
//! texts. A line with other texts is read token by token, and may then be remembered.
//!
//! Invariant: a frame is what remains of a good line, read token by token, when its id, its time and its
//! payload are taken out. So a line that consists of a frame with an id, a time and a payload in it is an
//! event of that frame's type.

use std::borrow::Cow;

use event_rows::{ReadId, UUID_TEXT_BYTES, parse_uuid_text};
use events_core::timestamp::{self, ToSeconds};

use super::base::{Base, DOMAIN, EVENT_ID, EVENT_TYPE, TIMESTAMP, instant};
use crate::json::{Kind, KnownText, end_of_plain};

/// The most frames, and the most types of each: trying more would take as long as reading a line.
const FRAMES_MAX: usize = 4;
const HEADS_MAX: usize = 64;
/// Longer texts are not remembered.
const TEXT_BYTES_MAX: usize = 512;

/// The frames of the lines so far.
#[derive(Debug, Default)]
pub(super) struct Frames {
    frames: Vec<Frame>,
    to_seconds: ToSeconds,
}

/// The text around an id, a time and a payload. The quotes around values belong to the frame.
#[derive(Debug)]
struct Frame {
    /// Before both.
    opening: KnownText,
    /// Between them.
    middle: KnownText,
    /// Whether the id comes before the time.
    id_first: bool,
    heads: Vec<Head>,
    /// After the payload.
    closing: KnownText,
}

/// The text between id and time and the payload, which contains the type.
#[derive(Debug)]
struct Head {
    text: Box<[u8]>,
    /// The bytes at the end of the type's name, which differ between types.
    probe: [u8; PROBE_BYTES],
    probe_at: usize,
    type_index: Option<usize>,
}

const PROBE_BYTES: usize = 8;

/// A line up to its payload.
#[derive(Debug)]
pub(super) struct Begun<'l> {
    frame: usize,
    pub(super) id: ReadId<'l>,
    pub(super) micros: i64,
    pub(super) is_time_cut: bool,
    /// `None` if the type is not selected.
    pub(super) type_index: Option<usize>,
    pub(super) payload_start: usize,
}

impl Frames {
    /// Reads the line at the start of `text` up to its payload, if it has a known frame. The line is at most
    /// `limit` bytes long.
    #[inline]
    pub(super) fn begin<'l>(&mut self, text: &'l [u8], limit: usize) -> Option<Begun<'l>> {
        let frame = self.frames.iter().position(|frame| frame.opening.is_at(text, limit))?;
        let Frame { opening, middle, id_first, heads, .. } = &self.frames[frame];
        let mut at = opening.length();
        let (id, time);
        if *id_first {
            id = take_id(text, limit, &mut at)?;
            take(middle, text, limit, &mut at)?;
            time = take_instant(&mut self.to_seconds, text, limit, &mut at)?;
        } else {
            time = take_instant(&mut self.to_seconds, text, limit, &mut at)?;
            take(middle, text, limit, &mut at)?;
            id = take_id(text, limit, &mut at)?;
        }
        let ahead = text.get(at..limit)?;
        let head = heads.iter().find(|head| head.is_at(ahead))?;
        let payload_start = at + head.text.len();
        let (micros, is_time_cut) = time;
        Some(Begun { frame, id, micros, is_time_cut, type_index: head.type_index, payload_start })
    }

    /// The end of the line whose payload ended at `at`, if the rest is as in its frame.
    #[inline]
    pub(super) fn end(&self, begun: &Begun<'_>, text: &[u8], limit: usize, mut at: usize) -> Option<usize> {
        take(&self.frames[begun.frame].closing, text, limit, &mut at)?;
        Some(at)
    }

    /// Remembers the frame of a line of this type that was read token by token and has no other keys.
    #[inline(never)]
    pub(super) fn learn(&mut self, line: &[u8], base: &Base, type_index: Option<usize>) {
        let Some((frame, head)) = Frame::of(line, base, type_index) else { return };
        let known = match self.frames.iter().position(|known| known.is_like(&frame)) {
            Some(known) => known,
            None if self.frames.len() == FRAMES_MAX => return,
            None => {
                self.frames.push(frame);
                self.frames.len() - 1
            }
        };
        let heads = &mut self.frames[known].heads;
        if heads.len() < HEADS_MAX && heads.iter().all(|known| known.text != head.text) {
            heads.push(head);
        }
    }
}

impl Frame {
    /// The frame of a line, and the head of its type.
    fn of(line: &[u8], base: &Base, type_index: Option<usize>) -> Option<(Self, Head)> {
        let [Some(id), Some(time), Some(domain), Some(event_type), Some(data)] = base.values else {
            return None;
        };
        let is_plain = [EVENT_ID, TIMESTAMP, DOMAIN, EVENT_TYPE].iter().all(|&field| {
            base.values[field].is_some_and(|value| value.kind() == Kind::String { escaped: false })
        });
        if !is_plain || data.kind() != Kind::Object || base.repeated.contains(&true) {
            return None;
        }
        let id_first = id.start() < time.start();
        let (first, second) = if id_first { (id, time) } else { (time, id) };
        let names_start = domain.start().min(event_type.start());
        if second.end() > names_start || domain.end().max(event_type.end()) > data.start() {
            return None;
        }
        // From the quote after a value to the quote before the next one.
        let opening = &line[..=first.start()];
        let middle = &line[first.end() - 1..=second.start()];
        let text = &line[second.end() - 1..data.start()];
        let closing = &line[data.end()..];
        let probe_at = event_type.end().checked_sub(second.end() - 1 + PROBE_BYTES)?;
        let probe = *text.get(probe_at..)?.first_chunk()?;
        if [opening, middle, text, closing].iter().any(|text| text.len() > TEXT_BYTES_MAX) {
            return None;
        }
        let [opening, middle, closing] = [opening, middle, closing].map(KnownText::new);
        let head = Head { text: text.into(), probe, probe_at, type_index };
        Some((Self { opening, middle, id_first, heads: Vec::new(), closing }, head))
    }

    /// Whether the frames are equal, ignoring their heads.
    fn is_like(&self, other: &Self) -> bool {
        self.id_first == other.id_first
            && self.opening == other.opening
            && self.middle == other.middle
            && self.closing == other.closing
    }
}

impl Head {
    #[inline]
    fn is_at(&self, ahead: &[u8]) -> bool {
        let there = ahead.get(self.probe_at..).and_then(<[u8]>::first_chunk);
        there == Some(&self.probe) && ahead.starts_with(&self.text)
    }
}

/// Skips a known text.
#[inline]
fn take(known: &KnownText, text: &[u8], limit: usize, at: &mut usize) -> Option<()> {
    let ahead = text.get(*at..)?;
    known.is_at(ahead, limit.checked_sub(*at)?).then(|| *at += known.length())
}

/// Skips an id, up to its quote. An id that is empty or has an escape is left to be read token by token.
#[inline]
fn take_id<'l>(text: &'l [u8], limit: usize, at: &mut usize) -> Option<ReadId<'l>> {
    let start = *at;
    let uuid = text.get(start..)?.first_chunk().and_then(parse_uuid_text);
    if let (Some(uuid), Some(b'"')) = (uuid, text.get(start + UUID_TEXT_BYTES)) {
        *at = start + UUID_TEXT_BYTES;
        return Some(ReadId::Uuid(uuid));
    }
    *at = end_of_plain(text, limit, start);
    (*at > start).then(|| ReadId::Text(Cow::Borrowed(&text[start..*at])))
}

/// Skips a time, up to its quote. Returns the time, and whether digits of it are cut. A time without seconds
/// is left, too.
#[inline]
fn take_instant(
    to_seconds: &mut ToSeconds,
    text: &[u8],
    limit: usize,
    at: &mut usize,
) -> Option<(i64, bool)> {
    let start = *at;
    let micros = to_seconds.parse(text.get(start..)?.first_chunk()?)?;
    let seconds_end = start + timestamp::SECONDS_BYTES;
    *at = seconds_end;
    let mut is_cut = false;
    if text.get(seconds_end) != Some(&b'"') {
        *at = end_of_plain(text, limit, seconds_end);
        is_cut = timestamp::is_cut(text.get(start..*at)?);
    }
    Some((instant(micros, text.get(seconds_end..*at)?)?, is_cut))
}

//! Texts → instants and days, against `chrono`.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate};
use events_core::timestamp::{
    SECONDS_BYTES, ToSeconds, parse_behind_seconds, parse_date, parse_timestamp, parse_to_seconds,
};
use naive_model::{value_text, values};

static EPOCH: LazyLock<NaiveDate> = LazyLock::new(|| DateTime::UNIX_EPOCH.date_naive());

/// The bytes are texts, each in a line.
///
/// - An instant is what the model makes of the text with `chrono`; what that refuses is refused.
/// - A day is one where the text is a day alone and an instant.
/// - Read in two steps, as on the way through a line, with what was remembered of the day before, it is the
///   same.
/// - The instant written out is read as itself.
pub fn timestamp(bytes: &[u8]) {
    let mut to_seconds = ToSeconds::default();
    for text in bytes.split(|byte| *byte == b'\n') {
        let shown = text.escape_ascii();
        let ours = parse_timestamp(text);
        let theirs = std::str::from_utf8(text).ok().and_then(values::timestamp);
        assert_eq!(ours, theirs.map(|instant| instant.timestamp_micros()), "{shown}");
        let day = theirs.filter(|_| text.len() == "2024-10-10".len());
        let days = day.map(|day| day.date_naive().signed_duration_since(*EPOCH).num_days());
        assert_eq!(parse_date(text).map(i64::from), days, "{shown}");
        if let Some((front, rest)) = text.split_first_chunk::<SECONDS_BYTES>() {
            let micros = parse_to_seconds(front);
            assert_eq!(to_seconds.parse(front), micros, "{shown}");
            assert_eq!(micros.and_then(|micros| parse_behind_seconds(micros, rest)), ours, "{shown}");
            // Readers of lines rely on it: what is accepted ends no string.
            let is_plain = |byte: &u8| (b' '..0x7F).contains(byte) && !matches!(byte, b'"' | b'\\');
            assert!(micros.is_none() || front.iter().all(is_plain), "{shown}");
        }
        if let Some(micros) = ours {
            assert_eq!(parse_timestamp(value_text::instant(micros).as_bytes()), ours, "{shown}");
        }
    }
}

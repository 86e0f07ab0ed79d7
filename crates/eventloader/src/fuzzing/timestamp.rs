//! Texts → instants and days, against `chrono`.
//!
//! Invariant: see [`timestamp`].

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate};
use events_core::timestamp::{
    SECONDS_BYTES, ToSeconds, parse_behind_seconds, parse_date, parse_timestamp, parse_to_seconds,
};
use naive_model::{value_text, values};

static EPOCH: LazyLock<NaiveDate> = LazyLock::new(|| DateTime::UNIX_EPOCH.date_naive());

/// The bytes are texts, one per line.
///
/// - The instant of a text is the one that the model finds with `chrono`; both refuse the same texts.
/// - A text is a day if it is a date alone and an instant.
/// - Parsing in two steps, as the event reader does, with the day before remembered, gives the same instant.
/// - The instant as text parses to itself.
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
            if let Some(micros) = micros {
                assert_eq!(parse_behind_seconds(micros, rest), ours, "{shown}");
            }
            // Readers of lines rely on it: no accepted text contains the end of a string.
            let is_plain = |byte: &u8| (b' '..0x7F).contains(byte) && !matches!(byte, b'"' | b'\\');
            assert!(micros.is_none() || front.iter().all(is_plain), "{shown}");
        }
        if let Some(micros) = ours {
            assert_eq!(parse_timestamp(value_text::instant(micros).as_bytes()), ours, "{shown}");
        }
    }
}

//! Timestamps and dates as texts, checked by hand and against the calendar.

use super::*;

#[test]
fn an_instant_as_text_reads_back() {
    for text in [
        "0001-01-01T00:00:00.000000Z",
        "1969-12-31T23:59:59.999999Z",
        "2024-10-10T07:08:09.000010Z",
        "9999-12-31T23:59:59.999999Z",
    ] {
        let micros = parse_timestamp(text.as_bytes()).unwrap();
        assert_eq!(timestamp_text(micros), text);
    }
}

#[test]
fn a_day_that_is_remembered_changes_nothing() {
    let mut to_seconds = ToSeconds::default();
    for text in [
        b"2024-10-10T00:00:07",
        b"2024-10-10T23:59:59",
        b"2024-10-11 00:00:00",
        b"2024-02-30T00:00:00",
        b"2024-02-30T00:00:00",
        b"2024-10-11t24:00:00",
        b"2024-10-11t12:00:00",
        b"\0\0\0\0\0\0\0\0\0\0T00:00:00",
    ] {
        assert_eq!(to_seconds.parse(text), parse_to_seconds(text), "{text:?}");
    }
    assert_eq!(ToSeconds::default().parse(b"\0\0\0\0\0\0\0\0\0\0T00:00:00"), None);
}

#[test]
fn only_digits_that_are_not_zero_are_cut() {
    for text in [
        "2024-10-11",
        "2024-10-11T02:30:00",
        "2024-10-11T02:30:00.123456Z",
        "2024-10-11T02:30:00.1234560",
        "2024-10-11T02:30:00.123456000000+05:30",
        "2024-10-11T02:30:00.5+05:30",
        "2024-10-11T02:30:00.50+0530",
        "2024-10-11T02:30:00+05:30",
        "2024-10-11T02:30:00,123456000Z",
        "2024-10-11T02:30:00.5 +05:30",
        "2024-10-11T02:30:00.1234 +0530",
        "2024-10-11T02:30 +05:30",
    ] {
        assert!(micros(text).is_some() && !is_cut(text.as_bytes()), "{text}");
    }
    for text in [
        "2024-10-11T02:30:00.1234561",
        "2024-10-11T02:30:00.12345600000001Z",
        "2024-10-11T02:30:00.0000009+05:30",
        "2024-10-11T02:30:00,1234567",
        "2024-10-11 02:30:00.123456789 UTC",
    ] {
        assert!(micros(text).is_some() && is_cut(text.as_bytes()), "{text}");
    }
}

fn micros(text: &str) -> Option<i64> {
    parse_timestamp(text.as_bytes())
}

#[test]
fn every_accepted_form_of_one_instant_is_the_same_instant() {
    let expected = micros("2024-10-11T02:30:00");
    assert_eq!(expected, Some(1_728_613_800_000_000));
    for text in [
        "2024-10-11T02:30:00Z",
        "2024-10-11t02:30:00z",
        "2024-10-11 02:30:00",
        "2024-10-10T23:30:00-03:00",
        "2024-10-10T23:30:00-0300",
        "2024-10-11T08:00:00+05:30",
        "2024-10-11T02:30:00.000",
        "2024-10-11T02:30:00.0000009",
        "2024-10-11T02:30:00-00:00",
        "2024-10-11T04:30:00+02",
        "2024-10-10 21:30:00-05",
        "2024-10-11T02:30:00,000",
        "2024-10-11T02:30:00,0000009Z",
        "2024-10-11T02:30",
        "2024-10-11t02:30z",
        "2024-10-11T08:00+05:30",
        "2024-10-10 20:30 -06",
        "2024-10-11 02:30 UTC",
        "2024-10-11 02:30:00 UTC",
        "2024-10-11T02:30:00.000000 UTC",
        "2024-10-11 08:00:00 +0530",
        "2024-10-11 08:00:00.0 +05:30",
        "2024-10-11T02:30:00 Z",
    ] {
        assert_eq!(micros(text), expected, "{text}");
    }
}

#[test]
fn each_day_is_that_of_the_calendar_and_no_other_is_one() {
    for year in 0..10_000 {
        for (month, day) in (0..14).flat_map(|month| (0..33).map(move |day| (month, day))) {
            let expected = chrono::NaiveDate::from_ymd_opt(year, month, day)
                .filter(|_| year > 0)
                .map(|date| date.to_epoch_days());
            let text = format!("{year:04}-{month:02}-{day:02}");
            assert_eq!(parse_date(text.as_bytes()), expected, "{text}");
        }
    }
}

#[test]
fn each_byte_at_each_place_is_taken_where_it_may_stand() {
    let usual = *b"2021-11-11T11:11:11";
    for place in 0..usual.len() {
        for byte in 0..=u8::MAX {
            let mut text = usual;
            text[place] = byte;
            let expected = match place {
                4 | 7 => byte == b'-',
                10 => matches!(byte, b'T' | b't' | b' '),
                13 => byte == b':',
                // Behind minutes, `+11` and `-11` are offsets.
                16 => matches!(byte, b':' | b'+' | b'-'),
                5 => matches!(byte, b'0' | b'1'),
                6 | 8 | 11 => matches!(byte, b'0'..=b'2'),
                14 | 17 => matches!(byte, b'0'..=b'5'),
                _ => byte.is_ascii_digit(),
            };
            assert_eq!(parse_timestamp(&text).is_some(), expected, "{byte} at {place}");
        }
    }
}

#[test]
fn a_fraction_is_cut_after_microseconds_also_before_1970() {
    assert_eq!(micros("1970-01-01T00:00:00.1"), Some(100_000));
    assert_eq!(micros("1970-01-01T00:00:00.123456999"), Some(123_456));
    assert_eq!(micros("1969-12-31T23:59:59.9999999"), Some(-1));
    assert_eq!(micros("0000-12-31T23:59:00-00:01"), micros("0001-01-01"));
    assert_eq!(micros("2024-02-29"), Some(19_782 * DAY_MICROS));
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "",
        " ",
        "2024",
        "2024-10",
        "2024-1-5",
        "2024-1-05T00:00:00",
        "20241010",
        "2024-02-30",
        "2023-02-29",
        "2024-13-01",
        "2024-00-01",
        "2024-10-00",
        "2024-10-10T",
        "2024-10-10T00",
        "2024-10-10T00Z",
        "2024-10-10T00:0",
        "2024-10-10T00:00:",
        "2024-10-10T00:00:7",
        "2024-10-10T00:00.5",
        "2024-10-10T00:60",
        "2024-10-10T24:00",
        "2024-10-10T24:00Z",
        "2024-10-10T24:00:00",
        "2024-10-10T23:59:60",
        "2024-10-10T23:60:00",
        "2024-10-10T00:00:00.",
        "2024-10-10T00:00:00,",
        "2024-10-10T00:00:00.,5",
        "2024-10-10T00:00:00.5x",
        "2024-10-10T00:00:00+0",
        "2024-10-10T00:00:00+2",
        "2024-10-10T00:00:00+24",
        "2024-10-10T00:00:00+020",
        "2024-10-10T00:00:00+24:00",
        "2024-10-10T00:00:00+02:60",
        "2024-10-10T00:00:00  Z",
        "2024-10-10T00:00:00 ",
        "2024-10-10T00:00:00 02:00",
        "2024-10-10T00:00:00UTC",
        "2024-10-10T00:00:00  UTC",
        "2024-10-10T00:00:00 UTC+2",
        "2024-10-10T00:00:00 GMT",
        "2024-10-10T00:00:00Z[UTC]",
        "2024-10-10 UTC",
        "2024-10-10+02:00",
        "2024-10-10 +02:00",
        "24-10-10T00:00:00",
        "2024-10-10T00:00:00Z ",
        " 2024-10-10T00:00:00",
        "2024-10-10Z",
        "2024-10-10_00:00:00",
        "2024-10-10T00:00:00ZZ",
        "1728518400",
        "٢٠٢٤-10-10",
        "0000-01-01",
        "0001-01-01T00:00:00+00:01",
        "0001-01-01T00:00+01",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59-01",
        "-2024-10-10T00:00:00",
    ] {
        assert_eq!(micros(text), None, "{text:?}");
    }
    assert!(micros("0001-01-01T00:00:00").is_some() && micros("9999-12-31T23:59:59.999999").is_some());
}

//! Lines that are read one after the other, with what was learned from those before, are judged as each is
//! alone.

use events_core::catalog::Catalog;
use proptest::prelude::*;

use super::*;

const CATALOG: &str = "
[domain.card.events.sale.fields]
id = 'string'
amount = 'decimal(10,2)'
merchant = { fields = { name = 'string', city = { type = 'string', required = true } } }
items = { list = { fields = { sku = 'string' } } }
[domain.card.events.refund.fields]
id = 'string'
";

fn plan() -> Plan {
    Plan::new(&Catalog::from_toml(&[("x.toml", CATALOG)]).unwrap())
}

/// Everything that is reported about a line.
fn description(plan: &Plan, reader: &EventReader<'_>, judged: Result<Judged<'_>, Fault>) -> String {
    match judged {
        Ok(Judged::Event(event)) => {
            let slots = reader.payload().slots(&plan.payload(event.type_index).shape);
            // A UUID may be reported as its text.
            let id = match &event.id {
                ReadId::Uuid(uuid) => event_rows::uuid_text(*uuid).to_vec(),
                ReadId::Text(text) => text.to_vec(),
            };
            let Event { type_index, micros, is_later_candidate, .. } = event;
            let mut unknown = reader.unknown().to_vec();
            unknown.sort_by_key(|(_, key)| key.start());
            format!("{type_index} {micros} {id:?} {is_later_candidate} {slots:?} {unknown:?}")
        }
        other => format!("{other:?}"),
    }
}

/// Reads the lines of a block as the loader does, and each line alone; returns how many were read by their
/// frame.
#[track_caller]
pub(super) fn reads_as_if_each_were_alone(
    plan: &Plan,
    selection: &Selection,
    lines: &[Vec<u8>],
    separator: &[u8],
) -> usize {
    let of_array = separator != b"\n";
    let mut reader = EventReader::new(plan, selection, true);
    reader.set_framing(of_array);
    let block = lines.join(separator);
    let (mut start, mut framed) = (0, 0);
    for line in lines {
        let text = &block[start..];
        start += line.len() + separator.len();
        let mut alone = EventReader::new(plan, selection, true);
        let judged = alone.read_alone(line).map(|(judged, _)| judged);
        let expected = description(plan, &alone, judged);
        let length = of_array.then_some(line.len());
        let shown = String::from_utf8_lossy(line);
        if let Some((judged, length)) = reader.read_framed(text, length) {
            framed += 1;
            assert_eq!(length, line.len(), "the length of {shown}");
            assert_eq!(description(plan, &reader, Ok(judged)), expected, "by its frame: {shown}");
        } else {
            let judged = reader.read(line, text);
            assert_eq!(description(plan, &reader, judged), expected, "by its tokens: {shown}");
        }
    }
    framed
}

pub(super) fn selection(event_type: &[&str], day: Option<&str>) -> Selection {
    let day = day.map(|day| events_core::partition::Day::parse(day).unwrap());
    Selection {
        domains: Vec::new(),
        event_types: event_type.iter().map(|&name| name.to_owned()).collect(),
        days: day.map(|day| crate::selection::DayRange { first: Some(day), last: Some(day) }),
        ..Selection::default()
    }
}

fn line(id: &str, time: &str, event_type: &str, payload: &str) -> Vec<u8> {
    format!(
        r#"{{"event_id": "{id}", "timestamp": "{time}", "domain": "card", "event_type": "{event_type}", "data": {payload}}}"#
    )
    .into_bytes()
}

const UUID: &str = "00112233-4455-6677-8899-aabbccddeeff";
const SALE: &str =
    r#"{"id": "a", "amount": 1.25, "merchant": {"name": "b", "city": "c"}, "items": [{"sku": "d"}]}"#;

#[test]
fn most_lines_are_read_by_their_frame() {
    let lines: Vec<_> = (0..100)
        .map(|index| {
            let (event_type, payload) =
                if index % 3 == 0 { ("refund", r#"{"id": "e"}"#) } else { ("sale", SALE) };
            line(UUID, &format!("2024-10-10T00:00:{:02}", index % 60), event_type, payload)
        })
        .collect();
    for separator in [&b"\n"[..], b",\n"] {
        for wanted in [&[][..], &["sale"], &["refund"]] {
            let framed = reads_as_if_each_were_alone(&plan(), &selection(wanted, None), &lines, separator);
            // Near the block's end nothing can be loaded at once.
            assert!(framed >= 90, "{framed} of 100");
        }
    }
}

#[test]
fn a_frame_holds_nothing_that_its_line_alone_does_not_say() {
    let good = line(UUID, "2024-10-10T00:00:07", "sale", SALE);
    let with =
        |from: &str, to: &str| String::from_utf8(good.clone()).unwrap().replacen(from, to, 1).into_bytes();
    let odd = [
        with("00:00:07", "00:00:60"),
        with("00:00:07\"", "00:00:07.5+02:00\""),
        with("00:00:07\"", "00:00:07\\u005A\""),
        with("00:00:07\"", "00:00:07\n\""),
        with("2024-10-10T", "\0\0\0\0\0\0\0\0\0\0T"),
        with(UUID, ""),
        with(UUID, "x"),
        with(UUID, "A0112233-4455-6677-8899-aabbccddeeff"),
        with(UUID, "00112233-4455-6677-8899-aabbccddeeff0"),
        with(UUID, "\\u0041"),
        with("\"domain\": \"card\"", "\"domain\": \"card\", \"domain\": \"card\""),
        with("\"card\"", "\"card\\u0020\""),
        with("\"sale\"", "\"sal\\u0065\""),
        with("\"sale\"", "\"sales\""),
        with("\"sale\"", "\"refund\""),
        with("\"data\"", "\"other\": 1, \"data\""),
        with(", \"city\": \"c\"", ""),
        with("\"id\": \"a\"", "\"id\": \"a\", \"id\": \"b\""),
        with("\"id\": \"a\"", "\"id\": \"a\", \"unknown\": [1, {}]"),
        with("1.25", "1.2.5"),
        with(SALE, "null"),
        with(SALE, "[]"),
        with(SALE, "{}"),
        [good.as_slice(), b"}"].concat(),
        [good.as_slice(), b" "].concat(),
        [good.as_slice(), b"\r"].concat(),
        good[..good.len() - 1].to_vec(),
        [good.as_slice(), b",\"event_id\": \"x\"}"].concat(),
        [b" ".as_slice(), &good].concat(),
    ];
    for separator in [&b"\n"[..], b",\n"] {
        let newline_is_space = separator != b"\n";
        for day in [None, Some("2024-10-10"), Some("2024-10-09"), Some("2024-10-11")] {
            let mut lines = vec![good.clone(), good.clone()];
            for odd in &odd {
                if newline_is_space || !odd.contains(&b'\n') {
                    lines.extend([odd.clone(), odd.clone(), good.clone()]);
                }
            }
            assert!(reads_as_if_each_were_alone(&plan(), &selection(&[], day), &lines, separator) > 20);
        }
    }
}

/// Two lines that together would be one object with a newline in it are two bad lines.
#[test]
fn no_line_goes_beyond_its_newline() {
    let good = line(UUID, "2024-10-10T00:00:07", "sale", SALE);
    for place in 1..good.len() {
        let (front, rest) = good.split_at(place);
        let lines = [good.clone(), good.clone(), front.to_vec(), rest.to_vec(), good.clone(), vec![b' '; 64]];
        reads_as_if_each_were_alone(&plan(), &selection(&[], None), &lines, b"\n");
    }
}

proptest! {
    #[test]
    fn damaged_lines_are_judged_as_they_are_alone(
        damages in prop::collection::vec((0_usize..300, any::<u8>(), 0_u8..4, any::<bool>()), 1..30),
    ) {
        let mut lines = Vec::new();
        for (at, byte, kind, swapped) in damages {
            let mut damaged = match kind {
                0 => line(UUID, "2024-10-10T00:00:07", "refund", r#"{"id": "e"}"#),
                _ => line(UUID, "2024-10-10T00:00:07", "sale", SALE),
            };
            if swapped {
                let text = String::from_utf8(damaged).unwrap();
                let (id, rest) = text.split_once(", ").unwrap();
                let (time, rest) = rest.split_once(", ").unwrap();
                damaged = format!("{{{time}, {}, {rest}", &id[1..]).into_bytes();
            }
            lines.push(damaged.clone());
            if let Some(place) = damaged.get_mut(at) {
                *place = byte;
            }
            if byte != b'\n' && std::str::from_utf8(&damaged).is_ok() {
                lines.push(damaged);
            }
        }
        for separator in [&b"\n"[..], b",\n"] {
            reads_as_if_each_were_alone(&plan(), &selection(&[], None), &lines, separator);
        }
    }
}

use events_core::catalog::Catalog;
use proptest::prelude::*;

use super::super::tests::{reads_as_if_each_were_alone, selection};
use crate::plan::Plan;

const CATALOG: &str = r#"
[envelope]
event_id = "{id}"
timestamp = { from = "{created}", unit = "s" }
domain = "card"
event_type = "{type|data.type}"
data = "{data.object}"
fields = { live = "boolean", amount = "decimal(10,2)", note = "string", tags = { list = "string" } }
[domain.card.events.sale.fields]
id = "string"
merchant = { fields = { name = "string", city = { type = "string", required = true } } }
[domain.card.events.refund.fields]
id = "string"
"#;

fn plan() -> Plan {
    Plan::new(&Catalog::from_toml(&[("x.toml", CATALOG)]).unwrap())
}

const SALE: &str = r#"{"id": "a", "merchant": {"name": "b", "city": "c"}}"#;
const REFUND: &str = r#"{"id": "e", "more": 1}"#;

/// A record with its type behind the payload, or before it.
fn record(index: usize, type_first: bool, (event_type, payload): (&str, &str)) -> String {
    let (id, created) = (format!("evt_{index}"), 1_728_518_400 + index);
    let amount = if index < 3 { format!("-{index}") } else { index.to_string() };
    let data =
        format!(r#""data": {{"previous": {{"n": -{index}.5e1, "t": "t{index}"}}, "object": {payload}}}"#);
    let type_of = format!(r#""type": "{event_type}""#);
    let (first, last) = if type_first { (type_of, data) } else { (data, type_of) };
    format!(
        r#"{{"id": "{id}", "created": {created}, "other": "x{index}", {first}, "live": true, "amount": {amount}.25, "tags": ["t{index}"], "note": "n{index}", {last}}}"#
    )
}

#[test]
fn most_records_are_read_by_their_frame_wherever_their_type_is() {
    for type_first in [false, true] {
        let kind = |index: usize| if index.is_multiple_of(3) { ("refund", REFUND) } else { ("sale", SALE) };
        let lines: Vec<_> =
            (0..100).map(|index| record(index, type_first, kind(index)).into_bytes()).collect();
        for separator in [&b"\n"[..], b",\n"] {
            for wanted in [&[][..], &["sale"], &["refund"]] {
                let framed =
                    reads_as_if_each_were_alone(&plan(), &selection(wanted, None), &lines, separator);
                assert!(framed >= 90, "{framed} of 100, type first: {type_first}, wanted: {wanted:?}");
            }
        }
    }
}

/// The record, and others that differ from it in one place.
fn odd_records(type_first: bool) -> Vec<String> {
    let good = record(7, type_first, ("sale", SALE));
    let with = |from: &str, to: &str| good.replacen(from, to, 1);
    vec![
        with("\"evt_7\"", "\"\""),
        with("\"evt_7\"", "null"),
        with("\"evt_7\"", "7"),
        with("\"evt_7\"", "\"\\u0041\""),
        with("1728518407", "0"),
        with("1728518407", "01"),
        with("1728518407", "1.5"),
        with("1728518407", "-1"),
        with("1728518407", "-"),
        with("1728518407", "99999999999999999999"),
        with("1728518407", "\"1728518407\""),
        with("\"sale\"", "\"sal\\u0065\""),
        with("\"sale\"", "\"sales\""),
        with("\"sale\"", "\"refund\""),
        with("\"sale\"", "\"\""),
        with("\"sale\"", "null"),
        with("\"type\": \"sale\"", "\"typ\": \"sale\""),
        with("\"previous\"", "\"type\": \"refund\", \"previous\""),
        with(SALE, "null"),
        with(SALE, "[]"),
        with(SALE, "{}"),
        with(SALE, "{\"id\": \"e\"}"),
        with("\"object\": ", "\"object\": null, \"object\": "),
        with("\"live\": true", "\"live\": false"),
        with("\"live\": true", "\"live\": 1"),
        with("\"note\": \"n7\"", "\"note\": null"),
        with("\"note\": \"n7\"", "\"note\": \"n7\", \"note\": \"n8\""),
        with("[\"t7\"]", "[\"t7\", \"t8\"]"),
        with("[\"t7\"]", "[]"),
        with("7.25", "7.125"),
        with("7.25", "7.2.5"),
        with("\"x7\"", "\"\\n\""),
        format!("{good}}}"),
        format!("{good} "),
        format!("{good}\r"),
        format!(" {good}"),
        good[..good.len() - 1].to_owned(),
    ]
}

#[test]
fn a_frame_holds_nothing_that_its_record_alone_does_not_say() {
    for type_first in [false, true] {
        let good = record(7, type_first, ("sale", SALE)).into_bytes();
        for separator in [&b"\n"[..], b",\n"] {
            for day in [None, Some("2024-10-10"), Some("2024-10-09"), Some("2024-10-11")] {
                let mut lines = vec![good.clone(), good.clone()];
                for odd in odd_records(type_first) {
                    lines.extend([odd.clone().into_bytes(), odd.into_bytes(), good.clone()]);
                }
                assert!(reads_as_if_each_were_alone(&plan(), &selection(&[], day), &lines, separator) > 20);
            }
        }
    }
}

/// Where no record is like another, frames are given up.
#[test]
fn records_that_are_all_different_are_read_without_frames() {
    let line = |index: usize| record(index, false, ("sale", SALE)).replacen("other", &format!("o{index}"), 1);
    let mut lines: Vec<_> = (0..2_000).map(|index| line(index).into_bytes()).collect();
    lines.extend((0..100).map(|index| record(index, false, ("sale", SALE)).into_bytes()));
    assert_eq!(reads_as_if_each_were_alone(&plan(), &selection(&[], None), &lines, b"\n"), 0);
}

proptest! {
    #[test]
    fn damaged_records_are_judged_as_they_are_alone(
        damages in prop::collection::vec((0_usize..400, any::<u8>(), any::<bool>(), any::<bool>(), 0_usize..9), 1..30),
    ) {
        let mut lines = Vec::new();
        for (at, byte, type_first, is_sale, index) in damages {
            let kind = if is_sale { ("sale", SALE) } else { ("refund", REFUND) };
            let mut damaged = record(index, type_first, kind).into_bytes();
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

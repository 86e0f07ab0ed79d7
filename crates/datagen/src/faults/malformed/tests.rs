//! What can be tested about bad lines without a loader; `tests/loader` asks the loader.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

const ID: &[u8; ID_BYTES] = b"ffffffff-ffff-4fff-bfff-ffffffffffff";

/// Lines of both worlds, in which every optional field is present.
const CLEAN: [&str; 4] = [
    r#"{"event_id": "c07bbad8-2549-4b56-9328-d7180e2f906e", "timestamp": "2024-10-10T00:00:07", "domain": "account", "event_type": "account-close", "data": {"id": 257073, "old_status": null, "new_status": "CLOSED", "reason": "Ability job."}}"#,
    r#"{"event_id": "c07bbad8-2549-4b56-9328-d7180e2f906e", "timestamp": "2024-10-10T00:00:07", "domain": "transaction", "event_type": "payment-to", "data": {"id": 792519, "to": 7, "from": 8, "amount": 12.5}}"#,
    r#"{"event_id": "c07bbad8-2549-4b56-9328-d7180e2f906e", "timestamp": "2024-10-10T00:00:07.000001", "domain": "account", "event_type": "account-open", "data": {"id": 1234567890, "old_status": null, "new_status": "PENDING", "reason": "Ability job.", "channel": "branch", "currency": "EUR", "holder": {"name": "Zoë Baker", "country": "DE"}}}"#,
    r#"{"event_id": "c07bbad8-2549-4b56-9328-d7180e2f906e", "timestamp": "2024-10-10T00:00:07.000001", "domain": "transaction", "event_type": "payment-from", "data": {"id": "9f86d081884c7d65", "to": 1234567890, "from": 1987654321, "amount": 12.30, "currency": "EUR", "balance": -4.05, "channel": "card", "merchant": {"name": "Velvet Bakery", "category": 5411, "city": "Zürich", "country": "CH"}}}"#,
];

fn all_of(clean: &str) -> impl Iterator<Item = BadLine> {
    (0..MALFORMED_KINDS).map(|ordinal| malformed_line(clean.as_bytes(), ID, ordinal))
}

#[test]
fn all_kinds_take_turns() {
    let mut lines = BTreeMap::<_, BTreeSet<_>>::new();
    for line in CLEAN.into_iter().flat_map(all_of) {
        lines.entry(line.reason).or_default().insert(line.bytes);
    }
    for (reason, variants) in REASONS {
        assert!(lines[reason].len() >= variants.len(), "{reason}: {} lines", lines[reason].len());
    }
    let first: Vec<_> = all_of(CLEAN[0]).take(REASONS.len()).map(|line| line.reason).collect();
    assert_eq!(first, REASONS.map(|(reason, _)| reason));
}

#[test]
fn a_bad_line_stays_one_line_in_a_file_of_lines() {
    for clean in CLEAN {
        let unknown = (0..8).map(|ordinal| unknown_event_line(clean.as_bytes(), ID, ordinal).bytes);
        for line in all_of(clean).map(|line| line.bytes).chain(unknown) {
            let shown = String::from_utf8_lossy(&line);
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{shown}");
            let first = line.iter().find(|byte| !byte.is_ascii_whitespace());
            assert!(first.is_some_and(|byte| *byte != b'[' && byte.is_ascii()), "{shown}");
            let id = clean.as_bytes()[14..].first_chunk::<ID_BYTES>().unwrap();
            assert!(!line.windows(ID_BYTES).any(|bytes| bytes == id), "the host's id is in {shown}");
        }
    }
}

#[test]
fn malformed_json_is_not_json_and_invalid_utf8_is_not_utf_8() {
    for line in CLEAN.into_iter().flat_map(all_of) {
        let is_json = serde_json::from_slice::<serde_json::Value>(&line.bytes).is_ok();
        let is_utf8 = std::str::from_utf8(&line.bytes).is_ok();
        let expected = match line.reason {
            "malformed_json" => (false, true),
            "invalid_utf8" => (false, false),
            // serde_json parses numbers as f64, which cannot represent 1e400.
            "out_of_range" => (is_json, true),
            _ => (true, true),
        };
        assert_eq!((is_json, is_utf8), expected, "{}: {}", line.reason, String::from_utf8_lossy(&line.bytes));
    }
}

#[test]
fn a_line_of_an_unknown_type_differs_in_its_type_alone() {
    for clean in CLEAN {
        for (ordinal, (domain, event_type)) in (0..).zip(UNKNOWN_EVENTS) {
            let UnknownEventLine { bytes, name } = unknown_event_line(clean.as_bytes(), ID, ordinal);
            let found: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
            let mut expected: serde_json::Value = serde_json::from_str(clean).unwrap();
            expected["event_id"] = str::from_utf8(ID).unwrap().into();
            (expected["domain"], expected["event_type"]) = (domain.into(), event_type.into());
            assert_eq!((found, name), (expected, format!("{domain}/{event_type}")));
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_one_byte_too_long() {
    for clean in CLEAN {
        let mut line = Vec::new();
        write_too_long_line(clean.as_bytes(), ID, &mut line).unwrap();
        assert_eq!(line.len(), 16 * 1024 * 1024 + 1);
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["event_id"].as_str().map(str::as_bytes), Some(ID.as_slice()));
    }
}

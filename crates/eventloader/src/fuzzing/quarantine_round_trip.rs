//! A text → the quarantine's records of its bad lines → the bad lines again, byte for byte.
//!
//! Invariant: see [`quarantine_round_trip`].

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use super::lines::{Case, Outcome, blocks_of, line_of, pieces_of};
use crate::{
    error::Error,
    quarantine::record::{Record, RecordReader, merge},
};

/// The identity of the source, as odd as a path can be.
const SOURCE: &str = "/in/\"odd\"\\\n\u{2028}.json";

/// The first byte chooses how to read the rest (see [`super::line_to_row`]), and how much of it the source
/// had before.
///
/// - Each line that the model calls bad can be rebuilt from the records alone: source, position, reason and
///   bytes.
/// - Merged with the records of an earlier content of the source, the result has both, each once, in the
///   order of positions.
/// - Merging again, or with nothing, changes nothing.
/// - A quarantine of arbitrary bytes is reported as damaged, or none of its records is lost.
pub fn quarantine_round_trip(bytes: &[u8]) {
    let Some((&options, text)) = bytes.split_first() else { return };
    let case = Case::of(options);
    let Some((new, expected)) = quarantine_of(text, &case) else { return };
    assert_eq!(rebuilt(&new), expected, "from the records (left), the model (right)");
    let nothing = merged(b"", &new).unwrap();
    assert_eq!(nothing, new, "merged with nothing");
    assert_eq!(merged(&new, &new).unwrap(), new, "merged with itself");
    // The source grew, so its last line may have been different.
    let earlier_length = text.len() * usize::from(options >> 4) / 16;
    if let Some((old, before)) = quarantine_of(&text[..earlier_length], &case) {
        let both = merged(&old, &new).unwrap();
        let mut lines = rebuilt(&both);
        lines.sort();
        assert_eq!(lines, union(before, &expected), "merged with an earlier content (left)");
        assert_eq!(merged(&both, &new).unwrap(), both, "merged once more");
    }
    if let Ok(both) = merged(text, &new) {
        keeps_all(text, &new, &both);
    }
}

/// A bad line: line, offset, bytes, reason.
type Bad = (u64, u64, Vec<u8>, String);

/// The records of a text's bad lines, and the bad lines according to the model; `None` if it is cut off.
fn quarantine_of(text: &[u8], case: &Case) -> Option<(Vec<u8>, Vec<Bad>)> {
    let (blocks, pieces) = (blocks_of(text, case.block_bytes).ok()?, pieces_of(text)?);
    let (mut records, mut newlines) = (Vec::new(), 0);
    for parsed in case.read(&blocks) {
        for bad in &parsed.bad {
            Record::new(SOURCE, line_of(bad, newlines), bad).write_to(&mut records).unwrap();
        }
        newlines += u64::from(parsed.newlines);
    }
    let bad = |outcome| match outcome {
        Outcome::Bad { line, offset, raw, reason, .. } => Some((line, offset, raw, reason.to_owned())),
        _ => None,
    };
    Some((records, case.expected(&pieces).outcomes.into_values().filter_map(bad).collect()))
}

fn merged(old: &[u8], new: &[u8]) -> Result<Vec<u8>, Error> {
    let mut both = Vec::new();
    merge(Some(RecordReader::new("old".into(), old)), RecordReader::new("new".into(), new), &mut both)?;
    Ok(both)
}

/// The bad lines in the records, which must be in the order of positions.
fn rebuilt(records: &[u8]) -> Vec<Bad> {
    let text = std::str::from_utf8(records).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    let lines: Vec<_> = text.lines().map(bad_of).collect();
    assert!(lines.is_sorted_by_key(|(line, offset, ..)| (*line, *offset)), "{text}");
    lines
}

fn bad_of(record: &str) -> Bad {
    let record: Value = serde_json::from_str(record).unwrap();
    assert_eq!((record["source"].as_str(), record.get("fragment")), (Some(SOURCE), None), "{record}");
    let raw = match (record["raw"].as_str(), record["raw_base64"].as_str()) {
        (Some(raw), None) => raw.as_bytes().to_vec(),
        (None, Some(encoded)) => BASE64_STANDARD.decode(encoded).unwrap(),
        _ => panic!("one of raw and raw_base64: {record}"),
    };
    for key in ["expected", "found"] {
        assert!(record["detail"][key].as_str().is_some_and(|text| text.len() < 1500), "{record}");
    }
    let number = |key: &str| record[key].as_u64().unwrap();
    (number("line"), number("offset"), raw, record["reason"].as_str().unwrap().to_owned())
}

/// Both; a line that is in both has the later reason.
fn union(old: Vec<Bad>, new: &[Bad]) -> Vec<Bad> {
    let all = old.into_iter().chain(new.iter().cloned());
    let union: BTreeMap<_, _> =
        all.map(|(line, offset, raw, reason)| ((line, offset, raw), reason)).collect();
    union.into_iter().map(|((line, offset, raw), reason)| (line, offset, raw, reason)).collect()
}

/// Each old record still exists, or a new one of the same line and bytes does.
fn keeps_all(old: &[u8], new: &[u8], both: &[u8]) {
    let text = |records| std::str::from_utf8(records).unwrap();
    let both: Vec<_> = text(both).lines().collect();
    let key = |record: &str| {
        let record: Value = serde_json::from_str(record).unwrap();
        ["line", "offset", "fragment", "raw", "raw_base64"].map(|name| record[name].clone())
    };
    for record in text(new).lines() {
        assert!(both.contains(&record), "new, and lost: {record}");
    }
    for record in text(old).lines() {
        let is_renewed = || text(new).lines().any(|new| key(new) == key(record));
        assert!(both.contains(&record) || is_renewed(), "there before, and lost: {record}");
    }
}

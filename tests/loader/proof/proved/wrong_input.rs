//! The text of a file → what a wrong loader makes of it: text from which the right loader leaves the wrong
//! one's target.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
};

use serde_json::Value;

use crate::support::events::file_of;

/// Keeps one version of each event: the first in the wrong order.
fn only_first<K: Ord>(text: &str, order: fn(&str, usize) -> K) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut chosen = HashMap::<String, (K, usize)>::new();
    for (index, line) in lines.iter().enumerate() {
        let event: Value = serde_json::from_str(line).unwrap();
        let candidate = (order(event["timestamp"].as_str().unwrap(), index), index);
        match chosen.entry(format!("{} {}", event["event_type"], event["event_id"])) {
            Entry::Vacant(entry) => drop(entry.insert(candidate)),
            Entry::Occupied(mut entry) if candidate < *entry.get() => drop(entry.insert(candidate)),
            Entry::Occupied(_) => {}
        }
    }
    let mut chosen: Vec<usize> = chosen.into_values().map(|(_, index)| index).collect();
    chosen.sort_unstable();
    file_of(chosen.iter().map(|index| lines[*index]))
}

/// Timestamps all have one form here, so their texts compare as they do.
pub(super) fn ties_to_first(text: &str) -> String {
    only_first(text, |timestamp, index| (Reverse(timestamp.to_owned()), index))
}

pub(super) fn oldest_wins(text: &str) -> String {
    only_first(text, |timestamp, index| (timestamp.to_owned(), Reverse(index)))
}

pub(super) fn last_line_wins(text: &str) -> String {
    only_first(text, |_, index| Reverse(index))
}

/// A timestamp ends before its offset.
pub(super) fn offsets_ignored(text: &str) -> String {
    let without_offset = |line: &str| {
        let event: Value = serde_json::from_str(line).unwrap();
        let timestamp = event["timestamp"].as_str().unwrap();
        let (date_time, rest) = timestamp.split_at("2024-10-10T00:00:00".len());
        let fraction = rest.trim_end_matches(['Z', 'z']).split(['+', '-']).next().unwrap();
        line.replacen(timestamp, &format!("{date_time}{fraction}"), 1)
    };
    file_of(text.lines().map(without_offset))
}

pub(super) fn unended_line_lost(text: &str) -> String {
    text[..=text.rfind('\n').unwrap()].to_owned()
}

/// The block that a loader with `--memory 64MiB` reads at once.
const BLOCK_BYTES: usize = 1 << 20;

/// What follows a block's last newline is lost; the rest of that line begins the next block.
pub(super) fn block_edge_lost(text: &str) -> String {
    assert!(text.len() > BLOCK_BYTES, "the events fit into one block");
    let blocks = text.as_bytes().chunks(BLOCK_BYTES);
    let kept = blocks.map(|block| {
        let is_last = block.len() < BLOCK_BYTES;
        let end =
            if is_last { block.len() } else { 1 + block.iter().rposition(|byte| *byte == b'\n').unwrap() };
        std::str::from_utf8(&block[..end]).unwrap()
    });
    kept.collect()
}

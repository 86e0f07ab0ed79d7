//! The events of the simple world.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDateTime;
use datagen::payload::{AccountPayload, PaymentPayload};
use events_core::event::Event;
use serde::de::DeserializeOwned;

use crate::support::stdout;

type Loose = Event<serde_json::Value>;

const STATUSES: [&str; 4] = ["OPEN", "CLOSED", "PENDING", "SUSPENDED"];

fn events(seed: &str, count: usize) -> Vec<Loose> {
    let lines = stdout(&["-s", seed, "-n", &count.to_string()]);
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The payloads of an event type, as structs that refuse unknown fields.
fn payloads<P: DeserializeOwned>(events: &[Loose], event_types: &[&str]) -> Vec<P> {
    let of_type = events.iter().filter(|event| event_types.contains(&&*event.event_type));
    of_type.map(|event| serde_json::from_value(event.data.clone()).unwrap()).collect()
}

#[track_caller]
fn assert_share(count: usize, total: usize, parts: usize) {
    // Far beyond chance for the 24,000 events of these tests, and far below a wrong share.
    let (expected, tolerance) = (total / parts, total / parts / 12);
    assert!(count.abs_diff(expected) < tolerance, "{count} of {total} is not one in {parts}");
}

#[test]
fn domains_are_even_and_types_are_even_within_them() {
    let events = events("3", 24_000);
    let mut counts = BTreeMap::new();
    for event in &events {
        *counts.entry((&*event.domain, &*event.event_type)).or_insert(0) += 1;
    }
    let expected = [
        (("account", "account-close"), 6),
        (("account", "account-open"), 6),
        (("account", "status-change"), 6),
        (("transaction", "payment-from"), 4),
        (("transaction", "payment-to"), 4),
    ];
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), expected.map(|(kind, _)| kind));
    for (kind, parts) in expected {
        assert_share(counts[&kind], events.len(), parts);
    }
}

#[test]
fn accounts_open_close_and_change_between_different_statuses() {
    let events = events("4", 24_000);
    for (event_type, new_status) in [("account-open", "PENDING"), ("account-close", "CLOSED")] {
        for payload in payloads::<AccountPayload>(&events, &[event_type]) {
            assert_eq!((payload.old_status, &*payload.new_status), (None, new_status));
        }
    }
    let changes = payloads::<AccountPayload>(&events, &["status-change"]);
    let mut pairs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for change in &changes {
        let old = change.old_status.clone().unwrap();
        assert_ne!(old, change.new_status);
        assert!(STATUSES.contains(&&*old) && STATUSES.contains(&&*change.new_status));
        *pairs.entry((old, change.new_status.clone())).or_default() += 1;
    }
    assert_eq!(pairs.len(), 12);
    let (rarest, commonest) = (pairs.values().min().unwrap(), pairs.values().max().unwrap());
    assert!(rarest * 4 > commonest * 3, "{pairs:?}");
}

#[test]
fn reasons_are_sentences() {
    let events = events("5", 12_000);
    let accounts = payloads::<AccountPayload>(&events, &["account-open", "account-close", "status-change"]);
    let mut lengths = [0; 9];
    for AccountPayload { reason, .. } in &accounts {
        let words: Vec<&str> = reason.strip_suffix('.').unwrap().split(' ').collect();
        lengths[words.len()] += 1;
        assert!(reason.starts_with(|first: char| first.is_ascii_uppercase()), "{reason}");
        assert!(reason[1..reason.len() - 1].bytes().all(|byte| byte == b' ' || byte.is_ascii_lowercase()));
    }
    assert_eq!(lengths[..4], [0; 4]);
    for count in &lengths[4..] {
        assert_share(*count, accounts.len(), 5);
    }
    // Nearly all differ, as in real life, so a dictionary does not help to compress a column of them.
    let distinct: HashSet<_> = accounts.iter().map(|account| &account.reason).collect();
    assert!(distinct.len() * 100 > accounts.len() * 99);
}

#[test]
fn payments_are_between_two_and_of_any_amount() {
    let lines = stdout(&["-s", "1", "-n", "300000"]);
    let mut amounts = HashSet::new();
    for line in lines.lines() {
        let Some((_, amount)) = line.strip_suffix("}}").unwrap().split_once(r#", "amount": "#) else {
            continue;
        };
        let (_, decimals) = amount.split_once('.').unwrap();
        assert!(decimals.len() == 1 || (decimals.len() == 2 && !decimals.ends_with('0')), "{amount}");
        amounts.insert(amount);
    }
    for amount in ["0.0", "999.99", "12.0", "505.7", "0.01"] {
        assert!(amounts.contains(amount), "{amount}");
    }
    for line in lines.lines().take(50_000) {
        let event: Loose = serde_json::from_str(line).unwrap();
        if event.domain == "transaction" {
            let payment: PaymentPayload = serde_json::from_value(event.data).unwrap();
            assert_ne!(payment.to, payment.from);
            assert!([payment.id, payment.to, payment.from].iter().all(|id| (1..=999_999).contains(id)));
            assert!((0.0..=999.99).contains(&payment.amount));
        }
    }
}

#[test]
fn ids_of_entities_span_their_range() {
    let ids: Vec<u64> = events("7", 24_000).iter().map(|event| event.data["id"].as_u64().unwrap()).collect();
    assert!(ids.iter().all(|id| (1..=999_999).contains(id)));
    assert!(ids.iter().any(|id| *id < 1000) && ids.iter().any(|id| *id > 999_000));
    assert_share(ids.iter().filter(|id| **id <= 500_000).count(), ids.len(), 2);
}

#[test]
fn timestamps_begin_at_midnight_and_step_by_1_to_120_seconds() {
    let times: Vec<NaiveDateTime> = events("8", 24_000)
        .iter()
        .map(|event| NaiveDateTime::parse_from_str(&event.timestamp, "%Y-%m-%dT%H:%M:%S").unwrap())
        .collect();
    assert_eq!(times[0].to_string(), "2024-10-10 00:00:00");
    let mut counts = [0; 121];
    for step in times.windows(2) {
        counts[usize::try_from((step[1] - step[0]).num_seconds()).unwrap()] += 1;
    }
    assert_eq!(counts[0], 0);
    // About 200 of each.
    assert!(counts[1..].iter().all(|count| (130..=270).contains(count)), "{counts:?}");
}

#[test]
fn event_ids_are_unique_version_4_uuids() {
    let lines = stdout(&["-s", "9", "-n", "120000"]);
    let ids: HashSet<&str> = lines.lines().map(|line| &line[14..50]).collect();
    assert_eq!(ids.len(), 120_000);
    for id in ids.iter().take(20_000) {
        let uuid = uuid::Uuid::parse_str(id).unwrap();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (4, uuid::Variant::RFC4122));
        assert_eq!(uuid.to_string(), **id);
    }
}

//! The events of the ledger: a few accounts do most, activity varies by day and hour, all kinds occur.
//! `check` proves that they are consistent.

use std::collections::{BTreeMap, BTreeSet};

use events_core::catalog::{BUILT_IN, LEDGER};
use serde_json::Value;

use crate::support::{run, stdout};

fn events(arguments: &[&str]) -> Vec<Value> {
    let lines = stdout(&[&["--world", "ledger"], arguments].concat());
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count<'e, K: Ord>(events: &'e [Value], key: impl Fn(&'e Value) -> Option<K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    for key in events.iter().filter_map(key) {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn few_accounts_do_most() {
    let events = events(&["-n", "100000", "-s", "1"]);
    let payments = count(&events, |event| {
        (event["event_type"] == "payment-from").then(|| event["data"]["from"].as_u64().unwrap())
    });
    let mut by_activity: Vec<_> = payments.values().copied().collect();
    by_activity.sort_unstable_by(|one, other| other.cmp(one));
    let (all, accounts): (usize, _) = (by_activity.iter().sum(), by_activity.len());
    assert!(accounts > 1_500, "{accounts}");
    let most_active: usize = by_activity[..accounts / 20].iter().sum();
    assert!(most_active * 3 > all, "a twentieth of the accounts makes {most_active} of {all} payments");
    let least_active: usize = by_activity[accounts / 2..].iter().sum();
    assert!(least_active * 5 < all, "a half of the accounts makes {least_active} of {all} payments");
}

#[test]
fn days_and_hours_differ() {
    let events = events(&["-n", "100000", "-s", "2", "--events-per-day", "5000"]);
    let hours = count(&events, |event| Some(event["timestamp"].as_str().unwrap()[11..13].to_owned()));
    assert_eq!(hours.len(), 24);
    assert!(hours["18"] > 10 * hours["03"], "{hours:?}");
    let days = count(&events, |event| Some(event["timestamp"].as_str().unwrap()[..10].to_owned()));
    assert!((18..=22).contains(&days.len()), "100,000 events at 5,000 a day: {days:?}");
    // A Friday and the Sunday after it.
    assert!(days["2024-10-18"] * 10 > days["2024-10-20"] * 14, "{days:?}");
}

#[test]
fn everything_happens() {
    let events = events(&["-n", "60000", "-s", "3"]);
    let types = count(&events, |event| event["event_type"].as_str());
    assert_eq!(
        types.keys().copied().collect::<Vec<_>>(),
        ["account-close", "account-open", "payment-from", "payment-to", "status-change"]
    );
    let changes = count(&events, |event| {
        let data = &event["data"];
        data["new_status"].as_str().map(|new| (data["old_status"].as_str().unwrap_or("-"), new))
    });
    for change in [
        ("-", "PENDING"),
        ("PENDING", "OPEN"),
        ("OPEN", "SUSPENDED"),
        ("SUSPENDED", "OPEN"),
        ("OPEN", "CLOSED"),
        ("SUSPENDED", "CLOSED"),
        ("PENDING", "CLOSED"),
    ] {
        assert!(changes.contains_key(&change), "{change:?} is none of {changes:?}");
    }
    let currencies = count(&events, |event| event["data"]["currency"].as_str());
    assert_eq!(
        currencies.keys().copied().collect::<Vec<_>>(),
        ["BRL", "CHF", "EUR", "GBP", "JPY", "KWD", "USD"]
    );
    let channels = count(&events, |event| {
        let merchant = event["data"].get("merchant")?;
        Some((event["data"]["channel"].as_str().unwrap(), merchant.is_object()))
    });
    assert_eq!(
        channels.into_keys().collect::<Vec<_>>(),
        [("card", true), ("debit", false), ("mobile", true), ("online", true), ("transfer", false)]
    );
}

/// The buffer that a line is written into is larger than any line.
#[test]
fn lines_have_room_to_spare() {
    let lines = stdout(&["--world", "ledger", "-n", "200000", "-s", "4"]);
    let longest = lines.lines().map(str::len).max().unwrap();
    assert!(longest < 520, "{longest} bytes; the buffer of a line takes 640");
    assert!(lines.lines().any(|line| !line.is_ascii()), "some cities have other letters");
}

#[test]
fn its_catalog_has_every_field_of_its_events() {
    let output = run(&["catalog"]);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), LEDGER);
    let catalog = BUILT_IN.extended(&[("ledger.toml", LEDGER)]).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for event in events(&["-n", "5000"]) {
        let fields = event["data"].as_object().unwrap().keys().cloned();
        found.entry(event["event_type"].as_str().unwrap().to_owned()).or_default().extend(fields);
    }
    for event_type in catalog.event_types() {
        let fields: BTreeSet<_> = event_type.fields.iter().map(|field| field.name.clone()).collect();
        assert_eq!(found[&event_type.name], fields, "{event_type}");
    }
}

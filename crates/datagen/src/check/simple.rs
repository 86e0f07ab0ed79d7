//! An event of the simple world → the rule of its payload that it breaks.
//!
//! Invariant: apart from ids and times, events are checked independently of each other.

use super::{
    event::{Event, EventType},
    finding::Violation,
    payload::{Account, Data, Payment, is_status},
    text::{decimal, whole},
};

pub(super) fn check(event: &Event<'_>) -> Option<Violation> {
    match &event.data {
        Data::Account(account) => check_account(event.event_type, account),
        Data::Payment(payment) => check_payment(payment),
    }
}

fn check_account(event_type: EventType, account: &Account<'_>) -> Option<Violation> {
    let Account { id, old, new, reason, .. } = *account;
    let (expected, is_right) = match event_type {
        EventType::Open => ("null, then PENDING", (old, new) == (None, Some("PENDING"))),
        EventType::Close => ("null, then CLOSED", (old, new) == (None, Some("CLOSED"))),
        _ => {
            ("two different statuses", old != new && old.is_some_and(is_status) && new.is_some_and(is_status))
        }
    };
    let found = || format!("{}, then {}", old.unwrap_or("null"), new.unwrap_or("null"));
    check_entity("id", id)
        .or_else(|| (!is_right).then(|| Violation::new("status", expected, found())))
        .or_else(|| check_reason(reason))
}

fn check_payment(payment: &Payment<'_>) -> Option<Violation> {
    let Payment { id, to, from, amount, .. } = *payment;
    let is_amount = decimal(amount).is_some_and(|(value, digits)| {
        let is_short = digits == 1 || digits == 2 && value % 10 != 0;
        is_short && (0..1_000 * 10_i128.pow(u32::try_from(digits).unwrap_or_default())).contains(&value)
    });
    check_entity("id", id)
        .or_else(|| check_entity("to", to))
        .or_else(|| check_entity("from", from))
        .or_else(|| (to == from).then(|| Violation::new("parties", "another account than the payer's", to)))
        .or_else(|| {
            (!is_amount)
                .then(|| Violation::new("amount", "0.0 to 999.99, in as few digits as it takes", amount))
        })
}

fn check_entity(name: &str, id: &str) -> Option<Violation> {
    let is_right = whole(id).is_some_and(|id| (1..=999_999).contains(&id));
    (!is_right).then(|| Violation::new("entity-id", format!("{name} from 1 to 999999"), id))
}

/// Checks that a reason is a sentence of some words.
pub(super) fn check_reason(reason: &str) -> Option<Violation> {
    let is_sentence = reason.strip_suffix('.').is_some_and(|words| {
        let mut words = words.split(' ');
        let is_first = |word: &str| word.starts_with(|c: char| c.is_ascii_uppercase()) && is_word(&word[1..]);
        words.next().is_some_and(is_first) && words.all(|word| !word.is_empty() && is_word(word))
    });
    (!is_sentence).then(|| Violation::new("reason", "a sentence of lower case words", reason.escape_debug()))
}

fn is_word(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_lowercase())
}

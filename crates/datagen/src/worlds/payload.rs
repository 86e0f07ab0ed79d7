//! The payloads of the simple world as `serde` structs: what a consumer parses from `data`.
//!
//! The generator does not use them (`simple/lines.rs` writes bytes). They say in one place what it writes,
//! and the tests prove that both agree.
//!
//! Invariant: the order of the fields is their order in the line.

use serde::{Deserialize, Serialize};

/// Any event of the simple world.
pub type SimpleEvent = events_core::event::Event<Payload>;

/// `data` of `account-open`, `account-close` and `status-change`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPayload {
    /// The account, 1 to 999,999.
    pub id: u32,
    /// The previous status; null when the account opens or closes.
    pub old_status: Option<String>,
    /// The new status.
    pub new_status: String,
    /// The reason, a sentence.
    pub reason: String,
}

/// `data` of `payment-to` and `payment-from`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentPayload {
    /// The transaction, 1 to 999,999.
    pub id: u32,
    /// The account that receives the money, 1 to 999,999.
    pub to: u32,
    /// The account that pays, never the same.
    pub from: u32,
    /// 0.00 to 999.99. The generator counts in cents; the float is how a JSON number is usually parsed.
    pub amount: f64,
}

/// The payload of any event of the simple world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Payload {
    /// The payload of an event of the domain `account`.
    Account(AccountPayload),
    /// The payload of an event of the domain `transaction`.
    Payment(PaymentPayload),
}

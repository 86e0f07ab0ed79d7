//! The payloads of the simple world as `serde` structs: what a consumer reads out of `data`.
//!
//! The generator does not write through them (`simple/lines.rs` writes bytes); they say in one place what it writes, and
//! the tests prove that both agree. Field order is the order in the line.

use serde::{Deserialize, Serialize};

/// Any event of the simple world.
pub type SimpleEvent = events_core::event::Event<Payload>;

/// `data` of `account-open`, `account-close` and `status-change`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AccountPayload {
    /// The account, 1 to 999,999.
    pub id: u32,
    /// The status before; null when the account opens or closes.
    pub old_status: Option<String>,
    /// The status after.
    pub new_status: String,
    /// Why: a sentence.
    pub reason: String,
}

/// `data` of `payment-to` and `payment-from`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PaymentPayload {
    /// The transaction, 1 to 999,999.
    pub id: u32,
    /// Who gets the money, 1 to 999,999.
    pub to: u32,
    /// Who pays; somebody else.
    pub from: u32,
    /// 0.00 to 999.99. The generator counts in cents; the float is what a JSON number reads as.
    pub amount: f64,
}

/// The payload of any event of the simple world.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Payload {
    /// Of an event of the domain `account`.
    Account(AccountPayload),
    /// Of an event of the domain `transaction`.
    Payment(PaymentPayload),
}

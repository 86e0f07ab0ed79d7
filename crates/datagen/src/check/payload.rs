//! The payload of a line → its fields, as they are written, and the event type that it has.
//!
//! Invariant: a payload has exactly the fields of its event type in its world, in their order.

use super::{
    event::EventType,
    text::{Mismatch, Text},
};
use crate::config::WorldName;

/// A payload, as it is written.
#[derive(Debug, Clone)]
pub(super) enum Data<'l> {
    Account(Account<'l>),
    Payment(Payment<'l>),
}

/// The payload of an account event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account<'l> {
    pub(super) id: &'l str,
    pub(super) old: Option<&'l str>,
    pub(super) new: Option<&'l str>,
    pub(super) reason: &'l str,
    /// `None` in the simple world.
    pub(super) channel: Option<&'l str>,
    /// Only in the ledger's account-open.
    pub(super) opening: Option<Opening<'l>>,
}

/// The fields that only the ledger's account-open has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening<'l> {
    pub(super) currency: &'l str,
    pub(super) holder: &'l str,
    pub(super) country: &'l str,
}

/// The payload of a payment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payment<'l> {
    pub(super) id: &'l str,
    pub(super) to: &'l str,
    pub(super) from: &'l str,
    pub(super) amount: &'l str,
    /// `None` in the simple world.
    pub(super) ledger: Option<LedgerPayment<'l>>,
}

/// The fields that only payments of the ledger have.
#[derive(Debug, Clone, Copy)]
pub(super) struct LedgerPayment<'l> {
    pub(super) currency: &'l str,
    pub(super) balance: &'l str,
    pub(super) channel: &'l str,
    pub(super) merchant: Option<Merchant<'l>>,
}

/// The merchant of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Merchant<'l> {
    pub(super) name: &'l str,
    pub(super) category: &'l str,
    pub(super) city: &'l str,
    pub(super) country: &'l str,
}

/// Parses a payload in the form of its event type or, failing that, in that of another type; returns it with
/// its type.
pub(super) fn parse<'l>(
    text: &mut Text<'l>,
    said: Option<EventType>,
    world: WorldName,
) -> Result<(Data<'l>, EventType), Mismatch> {
    let mut first = None;
    for of_type in said.into_iter().chain(EventType::ALL) {
        let mut attempt = *text;
        let data = match of_type {
            EventType::From | EventType::To => parse_payment(&mut attempt, world).map(Data::Payment),
            EventType::Open | EventType::Close | EventType::Change => {
                let is_opening = of_type == EventType::Open && world == WorldName::Ledger;
                parse_account(&mut attempt, world, is_opening).map(Data::Account)
            }
        };
        match data {
            Ok(data) => {
                *text = attempt;
                return Ok((data.clone(), data.type_of(said)));
            }
            Err(mismatch) => {
                first.get_or_insert(mismatch);
            }
        }
    }
    Err(first.unwrap_or(Mismatch { at: 0, expected: "a payload".to_owned() }))
}

impl Data<'_> {
    /// The event type of a payload if the line states `said`. Both sides of a payment look the same, and in
    /// the simple world so do all events of an account.
    fn type_of(&self, said: Option<EventType>) -> EventType {
        let account = match self {
            Self::Payment(_) => {
                return if said == Some(EventType::To) { EventType::To } else { EventType::From };
            }
            Self::Account(account) => account,
        };
        let said = said.filter(|said| said.domain() == EventType::Open.domain());
        match (said, account.opening, account.old, account.new) {
            (Some(said), ..) if account.channel.is_none() => said,
            (_, Some(_), ..) | (_, None, None, Some("PENDING")) => EventType::Open,
            (Some(EventType::Close), ..) | (None, None, _, Some("CLOSED")) => EventType::Close,
            _ => EventType::Change,
        }
    }
}

pub(super) fn is_status(status: &str) -> bool {
    matches!(status, "OPEN" | "CLOSED" | "PENDING" | "SUSPENDED")
}

fn parse_account<'l>(
    text: &mut Text<'l>,
    world: WorldName,
    is_opening: bool,
) -> Result<Account<'l>, Mismatch> {
    text.literal("{\"id\": ")?;
    let id = text.number()?;
    text.literal(", \"old_status\": ")?;
    let old = text.string_or_null()?;
    text.literal(", \"new_status\": ")?;
    let new = text.string_or_null()?;
    text.literal(", \"reason\": ")?;
    let reason = text.string()?;
    let (mut channel, mut opening) = (None, None);
    if world == WorldName::Ledger {
        text.literal(", \"channel\": ")?;
        channel = Some(text.string()?);
        if is_opening {
            text.literal(", \"currency\": ")?;
            let currency = text.string()?;
            text.literal(", \"holder\": {\"name\": ")?;
            let holder = text.string()?;
            text.literal(", \"country\": ")?;
            let country = text.string()?;
            text.literal("}")?;
            opening = Some(Opening { currency, holder, country });
        }
    }
    text.literal("}")?;
    Ok(Account { id, old, new, reason, channel, opening })
}

fn parse_payment<'l>(text: &mut Text<'l>, world: WorldName) -> Result<Payment<'l>, Mismatch> {
    text.literal("{\"id\": ")?;
    let id = if world == WorldName::Ledger { text.string()? } else { text.number()? };
    text.literal(", \"to\": ")?;
    let to = text.number()?;
    text.literal(", \"from\": ")?;
    let from = text.number()?;
    text.literal(", \"amount\": ")?;
    let amount = text.number()?;
    let mut ledger = None;
    if world == WorldName::Ledger {
        text.literal(", \"currency\": ")?;
        let currency = text.string()?;
        text.literal(", \"balance\": ")?;
        let balance = text.number()?;
        text.literal(", \"channel\": ")?;
        let channel = text.string()?;
        text.literal(", \"merchant\": ")?;
        let merchant = if text.has("null") { None } else { Some(parse_merchant(text)?) };
        ledger = Some(LedgerPayment { currency, balance, channel, merchant });
    }
    text.literal("}")?;
    Ok(Payment { id, to, from, amount, ledger })
}

fn parse_merchant<'l>(text: &mut Text<'l>) -> Result<Merchant<'l>, Mismatch> {
    text.literal("{\"name\": ")?;
    let name = text.string()?;
    text.literal(", \"category\": ")?;
    let category = text.number()?;
    text.literal(", \"city\": ")?;
    let city = text.string()?;
    text.literal(", \"country\": ")?;
    let country = text.string()?;
    text.literal("}")?;
    Ok(Merchant { name, category, city, country })
}

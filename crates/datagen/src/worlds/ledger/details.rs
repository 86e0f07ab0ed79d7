//! The number of an account, a payment or an event → its details: who, where, how and why.
//!
//! Each detail is a function of what it belongs to, never of the event that mentions it: both sides of a
//! payment agree on its channel and its merchant, and a merchant is the account that is paid, so its name
//! never changes.
//!
//! Invariant: nothing is drawn in order, so any event can be written without those before it.

use super::{
    currency::Currency,
    names::{CITIES, FIRST_NAMES, LAST_NAMES, MERCHANT_NAMES, TRADES},
    numbers::Numbers,
};
use crate::{
    lines::{line::Short, sentence::Sentence},
    stream::random::{Stream, StreamKey},
};

/// The details of one seed.
#[derive(Debug, Clone)]
pub(super) struct Details {
    pub(super) numbers: Numbers,
    holders: StreamKey,
    merchants: StreamKey,
    channels: StreamKey,
    reasons: StreamKey,
}

/// The holder of an account.
#[derive(Debug)]
pub(super) struct Holder {
    pub(super) first_name: &'static Short,
    pub(super) last_name: &'static Short,
    pub(super) country: &'static [u8; 2],
}

/// The merchant that is paid.
#[derive(Debug)]
pub(super) struct Merchant {
    pub(super) name: &'static Short,
    pub(super) trade: &'static Short,
    pub(super) category: u32,
    pub(super) city: &'static Short,
    pub(super) country: &'static [u8; 2],
}

static ACCOUNT_CHANNELS: [Short; 4] =
    [Short::new(b"branch"), Short::new(b"online"), Short::new(b"mobile"), Short::new(b"phone")];

/// The channels of sixteen payments; the first [`PURCHASES`] are purchases.
static PAYMENT_CHANNELS: [Short; 16] = [
    Short::new(b"card"),
    Short::new(b"card"),
    Short::new(b"card"),
    Short::new(b"card"),
    Short::new(b"card"),
    Short::new(b"mobile"),
    Short::new(b"mobile"),
    Short::new(b"mobile"),
    Short::new(b"online"),
    Short::new(b"online"),
    Short::new(b"transfer"),
    Short::new(b"transfer"),
    Short::new(b"transfer"),
    Short::new(b"transfer"),
    Short::new(b"debit"),
    Short::new(b"debit"),
];
const PURCHASES: usize = 10;

impl Details {
    pub(super) fn new(seed: u64) -> Self {
        let key = |stream| StreamKey::new(seed, stream);
        Self {
            numbers: Numbers::new(seed),
            holders: key(Stream::Holder),
            merchants: key(Stream::Merchant),
            channels: key(Stream::Channel),
            reasons: key(Stream::LedgerReason),
        }
    }

    /// The holder of an account.
    pub(super) fn holder(&self, account: u32, currency: Currency) -> Holder {
        let number = self.holders.number(u64::from(account));
        Holder {
            first_name: pick(&FIRST_NAMES, number, 0),
            last_name: pick(&LAST_NAMES, number, 1),
            country: &pick(&CITIES[currency.index()], number, 2).1,
        }
    }

    /// The channel of a payment and, if it is a purchase, the merchant.
    #[inline]
    pub(super) fn purchase(
        &self,
        payment: u64,
        to: u32,
        currency: Currency,
    ) -> (&'static Short, Option<Merchant>) {
        let channel = index(self.channels.number(payment), 0, PAYMENT_CHANNELS.len());
        let merchant = (channel < PURCHASES).then(|| {
            let number = self.merchants.number(u64::from(to));
            let (trade, category) = pick(&TRADES, number, 1);
            let (city, country) = pick(&CITIES[currency.index()], number, 2);
            Merchant { name: pick(&MERCHANT_NAMES, number, 0), trade, category: *category, city, country }
        });
        (&PAYMENT_CHANNELS[channel], merchant)
    }

    /// The reason of the account event at position `event`.
    #[inline]
    pub(super) fn reason(&self, event: u64) -> Sentence {
        Sentence::from_number(self.reasons.number(event))
    }

    /// The channel of the account event at position `event`.
    #[inline]
    pub(super) fn account_channel(&self, event: u64) -> &'static Short {
        pick(&ACCOUNT_CHANNELS, self.channels.number(event), 1)
    }
}

#[inline]
fn pick<T, const N: usize>(table: &'static [T; N], number: u64, part: u32) -> &'static T {
    &table[index(number, part, N)]
}

/// An index below `length`, from the `part`-th 16 bits of a random number.
#[inline]
fn index(number: u64, part: u32, length: usize) -> usize {
    let bits = (number >> (16 * part)) & 0xffff;
    usize::try_from((bits * length as u64) >> 16).unwrap_or_default()
}

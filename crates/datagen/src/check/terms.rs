//! A payload of the ledger → what is wrong with it by itself, without knowing earlier events.
//!
//! The tables of the generator are repeated here on purpose; see `check/mod.rs`.
//!
//! Invariant: an amount is a whole number of minor units, never a float.

use super::{
    finding::Violation,
    payload::{LedgerPayment, Merchant, Opening, Payment},
    text::{decimal, whole},
};

/// Code, minor digits of ISO 4217, lowest balance in minor units.
pub(super) const CURRENCIES: [(&str, usize, i128); 7] = [
    ("EUR", 2, -100_000),
    ("USD", 2, -100_000),
    ("GBP", 2, -100_000),
    ("CHF", 2, -100_000),
    ("BRL", 2, -500_000),
    ("JPY", 0, -150_000),
    ("KWD", 3, -300_000),
];
pub(super) const ACCOUNT_CHANNELS: [&str; 4] = ["branch", "online", "mobile", "phone"];
const PURCHASE_CHANNELS: [&str; 3] = ["card", "mobile", "online"];
const OTHER_CHANNELS: [&str; 2] = ["transfer", "debit"];
pub(super) const ACCOUNT_IDS: std::ops::RangeInclusive<u64> = 1_000_000_000..=2_073_741_823;

pub(super) fn currency_of(code: &str) -> Option<usize> {
    CURRENCIES.iter().position(|(known, ..)| *known == code)
}

pub(super) fn one_of(rule: &'static str, known: &[&str], found: &str) -> Option<Violation> {
    (!known.contains(&found)).then(|| Violation::new(rule, known.join(", "), found.escape_debug()))
}

fn is_country(country: &str) -> bool {
    country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether a text is words of letters, of which the first does not begin with a lower case one.
fn is_name(name: &str) -> bool {
    let is_of_name = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'');
    !name.is_empty() && !name.starts_with(char::is_lowercase) && name.chars().all(is_of_name)
}

pub(super) fn check_opening(opening: &Opening<'_>) -> Option<Violation> {
    let Opening { currency, holder, country } = *opening;
    let is_holder = holder.split(' ').count() == 2 && holder.split(' ').all(is_name) && is_country(country);
    check_currency(currency).or_else(|| {
        let found = format!("{}, {}", holder.escape_debug(), country.escape_debug());
        (!is_holder)
            .then(|| Violation::new("holder", "first and last name, and a country of two letters", found))
    })
}

fn check_currency(currency: &str) -> Option<Violation> {
    one_of("currency", &CURRENCIES.map(|(code, ..)| code), currency)
}

/// Checks what a payment states by itself.
pub(super) fn check_payment(said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<Violation> {
    let is_id = said.id.len() == 16 && said.id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let is_account = |id: &&str| whole(id).is_some_and(|id| ACCOUNT_IDS.contains(&id));
    let channels = [&PURCHASE_CHANNELS[..], &OTHER_CHANNELS].concat();
    let wrong_account = [said.from, said.to].into_iter().find(|id| !is_account(id));
    if !is_id {
        return Some(Violation::new(
            "payment-id",
            "16 hexadecimal digits in lower case",
            said.id.escape_debug(),
        ));
    }
    if let Some(id) = wrong_account {
        return Some(Violation::new("account-id", "the number of an account", id));
    }
    check_currency(ledger.currency)
        .or_else(|| one_of("channel", &channels, ledger.channel))
        .or_else(|| check_merchant(ledger.channel, ledger.merchant.as_ref()))
        .or_else(|| {
            let digits = CURRENCIES[currency_of(ledger.currency)?].1;
            let expected = format!("more than zero, with {digits} decimals");
            amount_of(said, ledger).is_none().then(|| Violation::new("amount", expected, said.amount))
        })
}

fn check_merchant(channel: &str, merchant: Option<&Merchant<'_>>) -> Option<Violation> {
    match (PURCHASE_CHANNELS.contains(&channel), merchant) {
        (true, None) => Some(Violation::new("merchant", format!("one, for {channel} is a purchase"), "null")),
        (false, Some(_)) => {
            Some(Violation::new("merchant", format!("null, for {channel} is no purchase"), "one"))
        }
        (true, Some(Merchant { name, category, city, country })) => {
            let is_right = is_name(name)
                && is_name(city)
                && is_country(country)
                && category.len() == 4
                && whole(category).is_some();
            let expected = "a name, a category of four digits, a city and a country of two letters";
            let found = || format!("{name}, {category}, {city}, {country}").escape_debug().to_string();
            (!is_right).then(|| Violation::new("merchant", expected, found()))
        }
        (false, None) => None,
    }
}

pub(super) fn amount_of(said: &Payment<'_>, ledger: &LedgerPayment<'_>) -> Option<i128> {
    let digits = CURRENCIES[currency_of(ledger.currency)?].1;
    minor_units(said.amount, digits).filter(|amount| *amount > 0)
}

/// A number with exactly this many decimals, in minor units.
pub(super) fn minor_units(text: &str, digits: usize) -> Option<i128> {
    decimal(text).filter(|(_, found)| *found == digits).map(|(value, _)| value)
}

pub(super) fn decimal_text(minor_units: i128, digits: usize) -> String {
    if digits == 0 {
        return minor_units.to_string();
    }
    let sign = if minor_units < 0 { "-" } else { "" };
    let text = format!("{:0>width$}", minor_units.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    format!("{sign}{whole}.{fraction}")
}

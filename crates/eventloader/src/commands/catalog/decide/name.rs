//! The name of a field → what it says about values that could mean two things.
//!
//! Invariant: a name never makes a type that does not load the values. It only decides between two that do.

use super::super::words::words;

/// What a field is called after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A version: it is compared and shown, and never added up.
    Version,
    /// An id, or a number that counts on: larger ones will come.
    Id,
    /// An instant.
    Time,
    /// An amount, in whatever unit.
    Amount,
}

const VERSIONS: [&str; 2] = ["version", "versions"];
/// Other words that end like these.
const NO_VERSIONS: [&str; 4] = ["conversion", "diversion", "inversion", "reversion"];
const IDS: [&str; 11] =
    ["id", "ids", "uid", "key", "number", "no", "nr", "seq", "sequence", "serial", "offset"];
const TIMES: [&str; 30] = [
    "at",
    "birthday",
    "canceled",
    "created",
    "date",
    "deadline",
    "deleted",
    "due",
    "end",
    "ended",
    "epoch",
    "exp",
    "expires",
    "expiry",
    "finished",
    "iat",
    "modified",
    "nbf",
    "occurred",
    "on",
    "published",
    "received",
    "since",
    "start",
    "started",
    "time",
    "timestamp",
    "ts",
    "until",
    "updated",
];
/// Words behind them, which say how the time is written.
const UNITS: [&str; 16] = [
    "epoch",
    "micros",
    "microseconds",
    "millis",
    "milliseconds",
    "ms",
    "nano",
    "nanos",
    "nanoseconds",
    "ns",
    "s",
    "sec",
    "seconds",
    "unix",
    "us",
    "utc",
];
/// With one of these, it is a span of time, or one since something else than 1970.
const SPANS: [&str; 7] = ["duration", "elapsed", "latency", "monotonic", "response", "timeout", "uptime"];
const AMOUNTS: [&str; 20] = [
    "amount", "amounts", "balance", "cost", "costs", "discount", "fee", "fees", "gross", "net", "paid",
    "price", "prices", "rate", "subtotal", "sum", "tax", "total", "value", "vat",
];

impl Meaning {
    /// Of a key of an object: `api_version`, `orderId`, `unit-price`.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let words = words(&String::from_utf8_lossy(name));
        let last = words.last()?;
        let is_other =
            |word: &str| NO_VERSIONS.iter().any(|other| word.trim_end_matches('s').ends_with(other));
        if VERSIONS.iter().any(|version| last.ends_with(version)) && !is_other(last) {
            Some(Self::Version)
        } else if IDS.contains(&last.as_str()) {
            Some(Self::Id)
        } else if is_time(&words) {
            Some(Self::Time)
        } else {
            words.iter().any(|word| AMOUNTS.contains(&word.as_str())).then_some(Self::Amount)
        }
    }
}

fn is_time(words: &[String]) -> bool {
    let among = |words: &[&str], word: &String| words.contains(&word.as_str());
    let said = words.iter().rposition(|word| !among(&UNITS, word)).unwrap_or(0);
    among(&TIMES, &words[said]) && !words.iter().any(|word| among(&SPANS, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_what_it_is_called_after() {
        for (name, expected) in [
            ("version", Some(Meaning::Version)),
            ("api_version", Some(Meaning::Version)),
            ("schemaVersion", Some(Meaning::Version)),
            ("appversion", Some(Meaning::Version)),
            ("SDK-VERSION", Some(Meaning::Version)),
            ("supported_versions", Some(Meaning::Version)),
            ("conversion", None),
            ("conversions", None),
            ("id", Some(Meaning::Id)),
            ("orderId", Some(Meaning::Id)),
            ("userID", Some(Meaning::Id)),
            ("account_ids", Some(Meaning::Id)),
            ("invoice-no", Some(Meaning::Id)),
            ("paid", Some(Meaning::Amount)),
            ("grid", None),
            ("created", Some(Meaning::Time)),
            ("current_period_end", Some(Meaning::Time)),
            ("updatedAt", Some(Meaning::Time)),
            ("ts_ms", Some(Meaning::Time)),
            ("timeUnixNano", Some(Meaning::Time)),
            ("__REALTIME_TIMESTAMP", Some(Meaning::Time)),
            ("epoch", Some(Meaning::Time)),
            ("__MONOTONIC_TIMESTAMP", None),
            ("elapsed_time", None),
            ("ms", None),
            ("expires_in", None),
            ("created_by_id", Some(Meaning::Id)),
            ("unitPrice", Some(Meaning::Amount)),
            ("total_eur", Some(Meaning::Amount)),
            ("value", Some(Meaning::Amount)),
            ("v", None),
            ("", None),
            ("東京", None),
        ] {
            assert_eq!(Meaning::of(name.as_bytes()), expected, "{name}");
        }
    }
}

//! The name of a field → what it says about values that could mean two things.
//!
//! Invariant: a name never makes a type that does not load the values. It only decides between two that do.

/// What a field is called after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A version: it is compared and shown, and never added up.
    Version,
    /// An id, or a number that counts on: larger ones will come.
    Id,
    /// An amount, in whatever unit.
    Amount,
}

const VERSIONS: [&str; 2] = ["version", "versions"];
/// Other words that end like these.
const NO_VERSIONS: [&str; 4] = ["conversion", "diversion", "inversion", "reversion"];
const IDS: [&str; 11] =
    ["id", "ids", "uid", "key", "number", "no", "nr", "seq", "sequence", "serial", "offset"];
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
        } else {
            words.iter().any(|word| AMOUNTS.contains(&word.as_str())).then_some(Self::Amount)
        }
    }
}

/// The words of a name in lower case: between characters that are no letters, and before a capital letter.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    for character in name.chars() {
        let begins = !before.is_alphabetic() || (character.is_uppercase() && !before.is_uppercase());
        if character.is_alphabetic() {
            if begins {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.extend(character.to_lowercase()));
        }
        before = character;
    }
    words
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

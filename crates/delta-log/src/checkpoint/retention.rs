//! A table's properties → how long files that were removed stay known.
//!
//! Invariant: a time that can't be read is taken for the longest, because a removed file that is forgotten is
//! never deleted.

use crate::{Metadata, support};

const PROPERTY: &str = "delta.deletedFileRetentionDuration";
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
const DEFAULT_MS: i64 = 7 * DAY_MS;

/// For how many milliseconds.
pub(super) fn removed_ms(metadata: &Metadata) -> i64 {
    support::property(metadata, PROPERTY).map_or(DEFAULT_MS, |text| interval_ms(text).unwrap_or(i64::MAX))
}

/// An interval as Spark writes it: `interval 1 week 2 days`.
fn interval_ms(text: &str) -> Option<i64> {
    let text = text.to_lowercase();
    let mut words: Vec<_> = text.split_whitespace().collect();
    if words.first() == Some(&"interval") {
        words.remove(0);
    }
    let (pairs, rest) = words.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let part = |[number, unit]: &[&str; 2]| number.parse::<i64>().ok()?.checked_mul(unit_ms(unit)?);
    pairs.iter().try_fold(0_i64, |sum, pair| sum.checked_add(part(pair)?))
}

fn unit_ms(unit: &str) -> Option<i64> {
    Some(match unit.strip_suffix('s').unwrap_or(unit) {
        "week" => 7 * DAY_MS,
        "day" => DAY_MS,
        "hour" => 60 * 60 * 1_000,
        "minute" => 60 * 1_000,
        "second" => 1_000,
        "millisecond" => 1,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_spark() {
        assert_eq!(interval_ms("interval 1 week"), Some(DEFAULT_MS));
        assert_eq!(interval_ms("INTERVAL 2 Days 3 hours"), Some(51 * 60 * 60 * 1_000));
        assert_eq!(interval_ms("0 seconds"), Some(0));
        for text in ["", "interval", "interval 7", "7 months", "a week", "interval 9223372036854775807 weeks"]
        {
            assert_eq!(interval_ms(text), None, "{text:?}");
        }
    }
}

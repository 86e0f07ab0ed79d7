//! How fast do texts become instants, dates, integers, decimals and floats? Each form of text has a bench.
//!
//! ```sh
//! cargo bench -p events-core                        # all
//! cargo bench -p events-core -- decimal             # those with "decimal" in their names
//! ```
//!
//! A time is that of 1,024 different values; below it are values and bytes per second.
//! `crates/eventloader/benches/reading.rs` says how to compare two commits.

use std::hint::black_box;

use chrono::DateTime;
use divan::{
    Bencher,
    counter::{BytesCount, ItemsCount},
};
use events_core::{
    number::{is_rounded_as_float, parse_decimal, parse_integer},
    timestamp::{parse_date, parse_timestamp},
};

const VALUES: u64 = 1_024;

fn main() {
    divan::main();
}

/// Measures `parse` over texts that `write` makes of numbers without any order; all of them must be accepted.
fn convert<T>(bencher: Bencher, write: impl Fn(u64) -> String, parse: impl Fn(&[u8]) -> Option<T> + Sync) {
    let texts: Vec<String> = (1..=VALUES).map(|value| write(scattered(value))).collect();
    for text in &texts {
        assert!(parse(text.as_bytes()).is_some(), "{text}");
    }
    let bytes: usize = texts.iter().map(String::len).sum();
    bencher.counter(ItemsCount::new(VALUES)).counter(BytesCount::new(bytes)).bench(|| {
        for text in &texts {
            black_box(parse(black_box(text.as_bytes())));
        }
    });
}

/// A number of up to 64 bits that has nothing to do with its neighbours' (the finalizer of `SplitMix64`).
fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// An instant of the years 1970 to 2033, in a format of chrono.
fn instant(number: u64, format: &str) -> String {
    let micros = (number % 2_000_000_000_000_000).cast_signed();
    DateTime::from_timestamp_micros(micros).unwrap_or_default().format(format).to_string()
}

mod timestamp {
    use super::{Bencher, convert, instant, parse_timestamp};

    /// `2024-10-10T00:00:07`, as datagen writes it.
    #[divan::bench]
    fn seconds(bencher: Bencher) {
        convert(bencher, |number| instant(number, "%Y-%m-%dT%H:%M:%S"), parse_timestamp);
    }

    /// `2024-10-10T00:00:07Z`
    #[divan::bench]
    fn seconds_utc(bencher: Bencher) {
        convert(bencher, |number| instant(number, "%Y-%m-%dT%H:%M:%SZ"), parse_timestamp);
    }

    /// `2024-10-10T00:00:07.123456Z`
    #[divan::bench]
    fn micros_utc(bencher: Bencher) {
        convert(bencher, |number| instant(number, "%Y-%m-%dT%H:%M:%S%.6fZ"), parse_timestamp);
    }

    /// `2024-10-10 00:00:07.123+02:00`
    #[divan::bench]
    fn millis_offset(bencher: Bencher) {
        convert(bencher, |number| instant(number, "%Y-%m-%d %H:%M:%S%.3f+02:00"), parse_timestamp);
    }
}

/// `2024-10-10`
#[divan::bench]
fn date(bencher: Bencher) {
    convert(bencher, |number| instant(number, "%Y-%m-%d"), parse_date);
}

mod integer {
    use super::{Bencher, convert};

    fn parse(token: &[u8]) -> Option<i64> {
        super::parse_integer(token).ok()
    }

    /// `257073`: datagen's ids.
    #[divan::bench]
    fn up_to_6_digits(bencher: Bencher) {
        convert(bencher, |number| (number % 1_000_000).to_string(), parse);
    }

    /// `1728518400123`: milliseconds since 1970.
    #[divan::bench]
    fn of_13_digits(bencher: Bencher) {
        convert(bencher, |number| (1_728_518_400_000 + number % 1_000_000_000).to_string(), parse);
    }

    /// `4611686018427387904`: too long for the short way.
    #[divan::bench]
    fn of_19_digits(bencher: Bencher) {
        convert(bencher, |number| (1_000_000_000_000_000_000 + number / 4).to_string(), parse);
    }

    /// `257073.0`: as programs write it that know floats only.
    #[divan::bench]
    fn with_a_point(bencher: Bencher) {
        convert(bencher, |number| format!("{}.0", number % 1_000_000), parse);
    }
}

mod decimal {
    use super::{Bencher, convert};

    fn parse<const PRECISION: u8, const SCALE: u8>(token: &[u8]) -> Option<i128> {
        super::parse_decimal(token, PRECISION, SCALE).ok().map(|decimal| decimal.unscaled)
    }

    /// `105.75` and `962.0` as decimal(10,2): datagen's amounts.
    #[divan::bench]
    fn amount(bencher: Bencher) {
        let amount = |number| format!("{}.{}", number % 1_000, number / 1_000 % 100);
        convert(bencher, amount, parse::<10, 2>);
    }

    /// `105.7512` as decimal(10,2), which rounds it.
    #[divan::bench]
    fn rounded(bencher: Bencher) {
        let amount = |number| format!("{}.{:04}", number % 1_000, number / 1_000 % 10_000);
        convert(bencher, amount, parse::<10, 2>);
    }

    /// Thirty digits as decimal(38,9).
    #[divan::bench]
    fn long(bencher: Bencher) {
        let long = |number| format!("12{:019}.{:09}", number / 2, number % 1_000_000_000);
        convert(bencher, long, parse::<38, 9>);
    }
}

mod float {
    use super::{Bencher, convert};

    /// The nearest double, and whether that is another number.
    fn parse(token: &[u8]) -> Option<(f64, bool)> {
        let float = std::str::from_utf8(token).ok()?.parse().ok()?;
        Some((float, super::is_rounded_as_float(token, float)))
    }

    /// `24.519456`: what people measure.
    #[divan::bench]
    fn measured(bencher: Bencher) {
        convert(bencher, |number| format!("{}.{:06}", number % 100, number / 100 % 1_000_000), parse);
    }

    /// `0.8444218515250481`: what programs calculate, and write as short as possible.
    #[divan::bench]
    fn calculated(bencher: Bencher) {
        #[expect(clippy::cast_precision_loss, reason = "any double will do")]
        convert(bencher, |number| (number as f64 / 18_446_744_073_709_551_616.0).to_string(), parse);
    }

    /// Thirty digits, which no double has.
    #[divan::bench]
    fn long(bencher: Bencher) {
        let long = |number| format!("12{:019}.{:09}", number / 2, number % 1_000_000_000);
        convert(bencher, long, parse);
    }
}

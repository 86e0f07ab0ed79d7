//! Evidence → the type that fits every value seen, and the reason for it.
//!
//! ```text
//! boolean    int32 → int64 → decimal(38,0)      date → timestamp      object      list
//!     │            ↘ decimal(p,s), float64            │                  │          │
//!     └────────────────────┴── string ────────────────┘                  └── json ──┘
//! ```
//!
//! Values of different types get the nearest type that loads them all: scalars meet in `string`, objects and
//! lists in `json`. Where a narrower type would lose only a few lines, it is named as an alternative.
//!
//! Invariant: a column of the type takes every value of the evidence exactly as written (except for the zone
//! of a timestamp, and zeros at the end of a float).

use events_core::catalog::ValueType;

use super::{
    evidence::{Evidence, Member, Objects},
    numbers::Numbers,
    texts::Texts,
};

/// The most digits of a decimal.
const DECIMAL_DIGITS_MAX: usize = 38;
/// The precisions to choose from: 10 is the usual one, 18 is the widest that Parquet stores in 64 bits.
const PRECISIONS: [usize; 3] = [10, 18, DECIMAL_DIGITS_MAX];
/// Digits before the point that a decimal keeps free for larger values.
const HEADROOM: usize = 2;
/// The digits after the point that mark numbers as money, a price or a rate rather than a measurement.
const MONEY_SCALES: std::ops::RangeInclusive<usize> = 2..=4;
/// The same for text, where all values have the same number of digits.
const TEXT_MONEY_SCALES: std::ops::RangeInclusive<usize> = 2..=18;
/// Half of the range of `int32`: larger integers get `int64`, because the next one may not fit.
const INT32_COMFORT: f64 = 1_073_741_823.0;
/// An alternative may lose at most one in this many lines.
const ALTERNATIVE_ONE_IN: u64 = 10;

/// The decided type of a field or element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DecidedKind {
    Value(ValueType),
    List(Box<DecidedKind>),
    /// An object with columns of its own; its fields are decided one by one.
    Object,
}

/// A type, and the comments on the choice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) kind: DecidedKind,
    /// The reason, where it is not obvious.
    pub(crate) because: Option<String>,
    /// A narrower type, and what it would cost.
    pub(crate) alternative: Option<String>,
}

impl Decision {
    fn of(kind: DecidedKind) -> Self {
        Self { kind, because: None, alternative: None }
    }

    fn value(value_type: ValueType) -> Self {
        Self::of(DecidedKind::Value(value_type))
    }

    fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }
}

/// Decides the type of one path.
pub(crate) fn decide(evidence: &Evidence) -> Decision {
    let values = evidence.values();
    let objects = evidence.objects.as_deref();
    let lists = evidence.lists.as_deref();
    if values == 0 {
        return Decision::value(ValueType::Json).because("always null: any type would do");
    }
    if evidence.too_deep > 0 {
        return Decision::value(ValueType::Json).because("nested too deep for columns");
    }
    match (objects, lists) {
        (Some(objects), None) if objects.count == values => decide_object(objects),
        (None, Some(lists)) if lists.count == values => decide_list(&lists.elements),
        (None, None) => decide_scalar(evidence, values),
        _ => Decision::value(ValueType::Json).because(mixture(evidence)),
    }
}

fn decide_object(objects: &Objects) -> Decision {
    let because = if objects.has_too_many_keys || is_map(objects) {
        "its keys vary like data: a map".to_owned()
    } else if objects.members.is_empty() {
        "always {}: its fields are not known".to_owned()
    } else {
        return Decision::of(DecidedKind::Object);
    };
    Decision::value(ValueType::Json).because(because)
}

/// Whether keys are data (ids, dates, numbers) rather than names.
fn is_map(objects: &Objects) -> bool {
    let keys = objects.members.len() as u64;
    let ids = objects.members.iter().filter(|member| is_id(&member.name)).count() as u64;
    let filled: u64 = objects.members.iter().map(|member| member.count).sum();
    (keys > 0 && ids == keys)
        || (keys >= 8 && 2 * ids >= keys)
        || (keys >= 32 && filled.saturating_mul(10) < objects.count.saturating_mul(keys))
}

/// Whether a key is a number, a date, a UUID, or another id: long, of hexadecimal digits, at least one of
/// them decimal.
fn is_id(name: &[u8]) -> bool {
    let digits = name.iter().filter(|byte| byte.is_ascii_digit()).count();
    let separators = name.iter().filter(|byte| matches!(byte, b'-' | b':' | b'.' | b'_')).count();
    let hexadecimal = name.iter().filter(|byte| byte.is_ascii_hexdigit()).count();
    digits > 0
        && (digits + separators == name.len() || (name.len() >= 8 && hexadecimal + separators == name.len()))
}

fn decide_list(elements: &Evidence) -> Decision {
    if elements.values() == 0 {
        let list = DecidedKind::List(Box::new(DecidedKind::Value(ValueType::Json)));
        return Decision::of(list).because("always empty: its elements are not known");
    }
    let Decision { kind, because, alternative } = decide(elements);
    let because = because.map(|because| format!("elements: {because}"));
    let alternative = alternative.map(|alternative| format!("elements: {alternative}"));
    Decision { kind: DecidedKind::List(Box::new(kind)), because, alternative }
}

fn decide_scalar(evidence: &Evidence, values: u64) -> Decision {
    let only = |count: u64| count == values;
    let mut decision = if only(evidence.booleans()) {
        Decision::value(ValueType::Boolean)
    } else if let Some(numbers) = evidence.numbers.as_deref().filter(|numbers| only(numbers.count)) {
        decide_numbers(numbers)
    } else if let Some(texts) = evidence.texts.as_deref().filter(|texts| only(texts.count)) {
        decide_texts(texts)
    } else {
        Decision::value(ValueType::String).because(mixture(evidence))
    };
    decision.alternative = alternative(evidence, values, &decision.kind);
    decision
}

fn decide_numbers(numbers: &Numbers) -> Decision {
    let all_integers = numbers.fractional == 0;
    let (_, scale) = numbers.scale.unwrap_or_default();
    if all_integers && numbers.int64 == numbers.count {
        return match () {
            () if numbers.int32 < numbers.count => Decision::value(ValueType::Int64),
            () if numbers.magnitude() > INT32_COMFORT => {
                Decision::value(ValueType::Int64).because("close to the limit of int32")
            }
            () => Decision::value(ValueType::Int32),
        };
    }
    let decimal = decimal(numbers);
    if let (Some(decimal), true) = (decimal, all_integers) {
        return Decision::value(decimal).because("too large for int64");
    }
    match decimal {
        Some(decimal) if MONEY_SCALES.contains(&scale) => Decision::value(decimal)
            .because(format!("at most {scale} digits after the point: exact; more would be rounded")),
        _ if numbers.inexact == 0 && numbers.finite == numbers.count => {
            let why = match scale {
                0 | 1 => None,
                _ if numbers.with_exponent > 0 => None,
                _ => Some(format!("up to {scale} digits after the point: measured, no money")),
            };
            Decision { because: why, ..Decision::value(ValueType::Float64) }
        }
        Some(decimal) => Decision::value(decimal).because("has more digits than float64 keeps"),
        None => Decision::value(ValueType::String).because("no number type holds all of its digits"),
    }
}

/// The decimal that fits all numbers, with room for larger ones.
fn decimal(numbers: &Numbers) -> Option<ValueType> {
    let (_, scale) = numbers.scale?;
    let digits = numbers.whole_digits + scale;
    if numbers.with_exponent > 0 || digits > DECIMAL_DIGITS_MAX {
        return None;
    }
    let roomy_digits = numbers.whole_digits.max(HEADROOM) + scale + HEADROOM;
    let roomy = PRECISIONS.into_iter().find(|precision| roomy_digits <= *precision);
    let precision = u8::try_from(roomy.unwrap_or(DECIMAL_DIGITS_MAX)).ok()?;
    Some(ValueType::Decimal { precision, scale: u8::try_from(scale).ok()? })
}

fn decide_texts(texts: &Texts) -> Decision {
    let numbers = &texts.numbers;
    let count = texts.count;
    if texts.dates == count {
        return Decision::value(ValueType::Date);
    }
    if texts.timestamps == count {
        return Decision::value(ValueType::Timestamp);
    }
    if let (true, Some((least, most))) = (numbers.count == count, numbers.scale)
        && least == most
        && TEXT_MONEY_SCALES.contains(&least)
        && let Some(decimal) = decimal(numbers)
    {
        return Decision::value(decimal)
            .because(format!("text, always with {least} digits after the point: exact"));
    }
    Decision::value(ValueType::String)
}

/// The different types that were seen: `text in 257, number in 3`.
fn mixture(evidence: &Evidence) -> String {
    let numbers = evidence.numbers.as_ref().map_or(0, |numbers| numbers.count);
    let texts = evidence.texts.as_ref().map_or(0, |texts| texts.count);
    let objects = evidence.objects.as_ref().map_or(0, |objects| objects.count);
    let lists = evidence.lists.as_ref().map_or(0, |lists| lists.count);
    let mut counts = [
        (evidence.booleans(), "a boolean"),
        (numbers, "a number"),
        (texts, "text"),
        (objects, "an object"),
        (lists, "a list"),
    ];
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let parts: Vec<_> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{what} in {count}"))
        .collect();
    parts.join(", ")
}

/// The first narrower type that would lose few values or none.
fn alternative(evidence: &Evidence, values: u64, chosen: &DecidedKind) -> Option<String> {
    let default = Numbers::default();
    let numbers = evidence.numbers.as_deref().unwrap_or(&default);
    let texts = evidence.texts.as_deref();
    let in_texts = texts.map_or(&default, |texts| &texts.numbers);
    let of_texts = |count: fn(&Texts) -> u64| texts.map_or(0, count);
    let all = [
        (ValueType::Boolean, evidence.booleans() + of_texts(|texts| texts.booleans)),
        (ValueType::Int32, numbers.int32 + in_texts.int32),
        (ValueType::Int64, numbers.int64 + in_texts.int64),
        (ValueType::Float64, numbers.finite + in_texts.finite),
        (ValueType::Date, of_texts(|texts| texts.dates)),
        (ValueType::Timestamp, of_texts(|texts| texts.timestamps)),
    ];
    let narrower = match chosen {
        DecidedKind::Value(ValueType::Int64) => &all[1..2],
        DecidedKind::Value(ValueType::Decimal { .. } | ValueType::Float64) => &all[1..3],
        DecidedKind::Value(ValueType::Timestamp) => &all[4..5],
        DecidedKind::Value(ValueType::String) => &all[..],
        _ => return None,
    };
    let (value_type, fits) =
        narrower.iter().find(|(_, fits)| (values - fits) * ALTERNATIVE_ONE_IN <= values)?;
    Some(match values - fits {
        // It was chosen for its range.
        0 if *chosen == DecidedKind::Value(ValueType::Int64) => return None,
        0 => format!("{value_type} holds all of them, too"),
        lost => format!("{value_type} would quarantine {lost} of {values}"),
    })
}

/// Whether `evidence`, which is part of `all`, can be a field of the kind decided for `all`: because it has
/// that kind by itself, or because nothing is known about it.
pub(crate) fn goes_with(evidence: &Evidence, all: &Evidence) -> bool {
    if evidence.values() == 0 {
        return true;
    }
    let (kind, of_all) = (decide(evidence).kind, decide(all).kind);
    match (&evidence.objects, &all.objects, &evidence.lists, &all.lists) {
        (Some(objects), Some(of_all_objects), ..)
            if kind == DecidedKind::Object && of_all == DecidedKind::Object =>
        {
            objects.members.len() == of_all_objects.members.len()
                && objects.members.iter().all(|member| {
                    let same = of_all_objects.members.iter().find(|other| other.name == member.name);
                    same.is_some_and(|Member { evidence: all, .. }| goes_with(&member.evidence, all))
                })
        }
        (_, _, Some(lists), Some(of_all_lists))
            if matches!((&kind, &of_all), (DecidedKind::List(_), DecidedKind::List(_))) =>
        {
            goes_with(&lists.elements, &of_all_lists.elements)
        }
        _ => kind == of_all,
    }
}

#[cfg(test)]
mod tests;

//! Evidence → the type that fits every value seen, and the reason for it.
//!
//! ```text
//! boolean    int32 → int64 → decimal(38,0)      date → timestamp      object      list
//!     │            ↘ decimal(p,s), float64            │                  │          │
//!     └────────────────────┴── string ────────────────┘                  └── json ──┘
//! ```
//!
//! An object whose keys are data is a map, if its values have one type (`map.rs`). Integers that are instants
//! by their name and their range are epochs. Values of different types get the nearest type that loads them
//! all: scalars meet in `string`, objects and lists in `json`. Where a narrower type would lose only a few
//! lines, it is named as an alternative (`alternative.rs`). Where values alone could mean two things, the
//! name of the field decides (`name.rs`).
//!
//! Invariant: a column of the type takes every value of the evidence exactly as written, except for the zone
//! of a timestamp, zeros at the end of a float, and digits beyond microseconds, of which the reason tells.

mod alternative;
mod map;
mod name;

use events_core::{
    catalog::ValueType,
    timestamp::{self, EpochUnit},
};

use self::{
    alternative::{of_containers, of_scalars},
    name::Meaning,
};
use super::{
    evidence::{Evidence, Member, Objects},
    numbers::Numbers,
    texts::Texts,
};
use crate::runtime::grouped;

/// The most digits of a decimal.
const DECIMAL_DIGITS_MAX: usize = 38;
/// The precisions to choose from: 10 is the usual one, 18 is the widest that Parquet stores in 64 bits.
const PRECISIONS: [usize; 3] = [10, 18, DECIMAL_DIGITS_MAX];
/// Digits before the point that a decimal keeps free for larger values.
pub(crate) const HEADROOM: usize = 2;
/// The digits after the point that mark numbers as money, a price or a rate rather than a measurement.
const MONEY_SCALES: std::ops::RangeInclusive<usize> = 2..=4;
/// The same for text, where all values have the same number of digits.
const TEXT_MONEY_SCALES: std::ops::RangeInclusive<usize> = 2..=18;
/// Half of the range of `int32`: larger integers get `int64`, because the next one may not fit.
pub(crate) const INT32_COMFORT: f64 = 1_073_741_823.0;
/// A version has at most this many digits before its point, and behind it.
const VERSION_DIGITS: (usize, usize) = (2, 3);

/// The decided type of a field or element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DecidedKind {
    Value(ValueType),
    List(Box<DecidedKind>),
    /// An object whose keys are data, with values of this type.
    Map(Box<DecidedKind>),
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

/// Decides the type of one path, whose last key is `name`.
pub(crate) fn decide(name: &[u8], evidence: &Evidence) -> Decision {
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
        (Some(objects), None) if objects.count == values => decide_object(name, objects),
        (None, Some(lists)) if lists.count == values => decide_list(name, &lists.elements),
        (None, None) => decide_scalar(name, evidence, values),
        _ => Decision {
            alternative: of_containers(name, evidence, values),
            ..Decision::value(ValueType::Json).because(mixture(evidence))
        },
    }
}

fn decide_object(name: &[u8], objects: &Objects) -> Decision {
    if let Some(decision) = map::decide_map(name, objects) {
        return decision;
    }
    if objects.members.is_empty() {
        return Decision::value(ValueType::Json).because("always {}: its fields are not known");
    }
    Decision::of(DecidedKind::Object)
}

fn decide_list(name: &[u8], elements: &Evidence) -> Decision {
    if elements.values() == 0 {
        let list = DecidedKind::List(Box::new(DecidedKind::Value(ValueType::Json)));
        return Decision::of(list).because("always empty: its elements are not known");
    }
    let Decision { kind, because, alternative } = decide(name, elements);
    let because = because.map(|because| format!("elements: {because}"));
    let alternative = alternative.map(|alternative| format!("elements: {alternative}"));
    Decision { kind: DecidedKind::List(Box::new(kind)), because, alternative }
}

fn decide_scalar(name: &[u8], evidence: &Evidence, values: u64) -> Decision {
    let only = |count: u64| count == values;
    let meaning = Meaning::of(name);
    let mut decision = if only(evidence.booleans()) {
        Decision::value(ValueType::Boolean)
    } else if let Some(numbers) = evidence.numbers.as_deref().filter(|numbers| only(numbers.count)) {
        decide_numbers(meaning, numbers)
    } else if let Some(texts) = evidence.texts.as_deref().filter(|texts| only(texts.count)) {
        decide_texts(meaning, texts)
    } else {
        Decision::value(ValueType::String).because(mixture(evidence))
    };
    decision.alternative = of_scalars(meaning, evidence, values, &decision.kind);
    decision
}

/// The decision for integers that are instants by their name and their range.
fn decide_epoch(meaning: Option<Meaning>, numbers: &Numbers) -> Option<Decision> {
    let unit = numbers.epoch_unit().filter(|_| meaning == Some(Meaning::Time))?;
    // What is more exact than microseconds would be cut.
    let is_exact = unit != EpochUnit::Nanoseconds || numbers.below_thousands == 0;
    let because = format!("{} by name and range", instants(numbers, unit)?);
    is_exact.then(|| Decision::value(ValueType::Epoch(unit)).because(because))
}

/// The instants that the least and the greatest number would be: `2024-10-10T… to …`.
fn instants(numbers: &Numbers, unit: EpochUnit) -> Option<String> {
    let (least, greatest) = numbers.range.as_ref()?;
    let text = |token: &str| {
        let epoch = timestamp::parse_epoch(token.as_bytes(), unit).ok()?;
        Some(timestamp::timestamp_text(epoch.micros))
    };
    let (from, to) = (text(&least.token)?, text(&greatest.token)?);
    Some(if from == to { from } else { format!("{from} to {to}") })
}

fn decide_numbers(meaning: Option<Meaning>, numbers: &Numbers) -> Decision {
    if let Some(decision) = decide_epoch(meaning, numbers) {
        return decision;
    }
    let all_integers = numbers.fractional == 0;
    let (_, scale) = numbers.scale.unwrap_or_default();
    if all_integers && numbers.int64 == numbers.count {
        return match () {
            () if numbers.int32 < numbers.count => Decision::value(ValueType::Int64),
            () if numbers.magnitude() > INT32_COMFORT => {
                Decision::value(ValueType::Int64).because("close to the limit of int32")
            }
            () if meaning == Some(Meaning::Id) => {
                Decision::value(ValueType::Int64).because("an id: room for larger ones")
            }
            () => Decision::value(ValueType::Int32),
        };
    }
    if meaning == Some(Meaning::Version) {
        return Decision::value(ValueType::String).because("a version: 1.10 is not 1.1");
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

fn decide_texts(meaning: Option<Meaning>, texts: &Texts) -> Decision {
    let count = texts.count;
    let narrow = if texts.dates == count {
        Decision::value(ValueType::Date)
    } else if texts.timestamps == count {
        let cut =
            format!("digits beyond microseconds, in {} of {}, are cut", grouped(texts.cut), grouped(count));
        let because = (texts.cut > 0).then_some(cut);
        Decision { because, ..Decision::value(ValueType::Timestamp) }
    } else if let Some(epoch) = Some(&texts.numbers).filter(|of| of.count == count)
        && let Some(epoch) = decide_epoch(meaning, epoch)
    {
        epoch
    } else if let Some((decimal, scale)) = money(texts) {
        if meaning.is_none() && looks_like_version(&texts.numbers) {
            return Decision::value(ValueType::String).because("looks like a version");
        }
        Decision::value(decimal).because(format!("text, always with {scale} digits after the point: exact"))
    } else {
        return Decision::value(ValueType::String);
    };
    match meaning {
        Some(Meaning::Version) => {
            Decision::value(ValueType::String).because("a version, whatever it looks like")
        }
        _ => narrow,
    }
}

/// The decimal of texts that all have the same number of digits after the point, and that number.
fn money(texts: &Texts) -> Option<(ValueType, usize)> {
    let (least, most) = texts.numbers.scale?;
    let is_money = texts.numbers.count == texts.count && least == most && TEXT_MONEY_SCALES.contains(&least);
    is_money.then(|| decimal(&texts.numbers))?.map(|decimal| (decimal, least))
}

/// Whether texts could be versions as well as amounts: `1.10`, `22.04`. The next one may be `1.10.1`, and
/// 1.10 is not 1.1, so a number would lose what a string keeps.
fn looks_like_version(numbers: &Numbers) -> bool {
    let (whole_digits, scale) = VERSION_DIGITS;
    numbers.whole_digits <= whole_digits
        && numbers.scale.is_some_and(|(_, most)| most <= scale)
        && !numbers.has_negative()
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

/// Whether the keys of objects are data, rather than names of fields.
pub(crate) fn are_keys_data(name: &[u8], objects: &Objects) -> bool {
    map::decide_map(name, objects).is_some()
}

/// Whether `evidence`, which is part of `all`, can be a field of the kind decided for `all`: because it has
/// that kind by itself, or because nothing is known about it.
pub(crate) fn goes_with(name: &[u8], evidence: &Evidence, all: &Evidence) -> bool {
    if evidence.values() == 0 {
        return true;
    }
    let (kind, of_all) = (decide(name, evidence).kind, decide(name, all).kind);
    match (&evidence.objects, &all.objects, &evidence.lists, &all.lists) {
        (Some(objects), Some(of_all_objects), ..)
            if kind == DecidedKind::Object && of_all == DecidedKind::Object =>
        {
            objects.members.len() == of_all_objects.members.len()
                && objects.members.iter().all(|member| {
                    let same = of_all_objects.members.iter().find(|other| other.name == member.name);
                    same.is_some_and(|Member { evidence: all, .. }| {
                        goes_with(&member.name, &member.evidence, all)
                    })
                })
        }
        (_, _, Some(lists), Some(of_all_lists))
            if matches!((&kind, &of_all), (DecidedKind::List(_), DecidedKind::List(_))) =>
        {
            goes_with(name, &lists.elements, &of_all_lists.elements)
        }
        _ => kind == of_all,
    }
}

#[cfg(test)]
mod tests;

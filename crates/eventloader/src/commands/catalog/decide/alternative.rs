//! Evidence and the chosen type → the narrower type that a draft names beside it, and what that would cost.
//!
//! Invariant: what is said of an alternative is so: which values it would refuse, and which of them it would
//! keep with other digits.

use events_core::{catalog::ValueType, timestamp::EpochUnit};

use super::{
    super::{
        evidence::{Evidence, Member, Objects},
        numbers::Numbers,
        texts::Texts,
        toml_text::quoted_key,
    },
    DecidedKind, Meaning, decide, decide_list, decide_object, instants, money,
};
use crate::runtime::{grouped, plural};

/// An alternative may refuse at most one in this many values.
const REFUSED_ONE_IN: u64 = 10;
/// The longest type that is spelt out.
const TYPE_CHARS_MAX: usize = 200;

/// A narrower type.
struct Narrower {
    value_type: ValueType,
    /// The values that it takes.
    fits: u64,
    /// Those of them whose digits it would change.
    changed: u64,
    /// What it does to these digits.
    verb: &'static str,
}

impl Narrower {
    fn new(value_type: ValueType, fits: u64) -> Self {
        Self { value_type, fits, changed: 0, verb: "" }
    }

    fn changing(self, verb: &'static str, changed: u64) -> Self {
        Self { changed, verb, ..self }
    }

    /// What choosing it would mean; `as_numbers` if texts are among the values.
    fn cost(&self, values: u64, as_numbers: bool) -> String {
        let value_type = self.value_type;
        let all = grouped(values);
        let changed = || format!("{} {} of {all}", self.verb, grouped(self.changed));
        match (values - self.fits, self.changed) {
            (0, 0) if as_numbers && is_number(value_type) => {
                format!("{value_type} holds all of them, as numbers")
            }
            (0, 0) => format!("{value_type} holds all of them, too"),
            (0, _) => format!("{value_type} would {}", changed()),
            (lost, 0) => format!("{value_type} would quarantine {} of {all}", grouped(lost)),
            (lost, _) => format!("{value_type} would quarantine {} and {}", grouped(lost), changed()),
        }
    }
}

fn is_number(value_type: ValueType) -> bool {
    !matches!(value_type, ValueType::Boolean | ValueType::Date | ValueType::Timestamp)
}

/// The first narrower type for scalars that would refuse few values or none.
pub(super) fn of_scalars(
    meaning: Option<Meaning>,
    evidence: &Evidence,
    values: u64,
    chosen: &DecidedKind,
) -> Option<String> {
    let DecidedKind::Value(chosen) = *chosen else { return None };
    if let Some(epoch) = of_epochs(meaning, evidence, values, chosen) {
        return Some(epoch);
    }
    let narrower = narrower(meaning, evidence, chosen).into_iter();
    let found = { narrower }.find(|narrower| (values - narrower.fits) * REFUSED_ONE_IN <= values)?;
    // It was chosen for its range.
    if chosen == ValueType::Int64 && found.fits == values {
        return None;
    }
    Some(found.cost(values, evidence.texts.is_some()))
}

/// Integers that could be instants: by their range alone, or by their name, too, but more exact ones.
fn of_epochs(
    meaning: Option<Meaning>,
    evidence: &Evidence,
    values: u64,
    chosen: ValueType,
) -> Option<String> {
    let numbers = evidence.numbers.as_deref().or(evidence.texts.as_deref().map(|texts| &texts.numbers))?;
    let could_be = matches!(chosen, ValueType::Int32 | ValueType::Int64 | ValueType::String)
        && matches!(meaning, None | Some(Meaning::Time))
        && numbers.count == values;
    let unit = numbers.epoch_unit().filter(|_| could_be)?;
    let narrower = Narrower::new(ValueType::Epoch(unit), values);
    let narrower = match unit {
        EpochUnit::Nanoseconds => narrower.changing("cut digits of", numbers.below_thousands),
        _ => narrower,
    };
    Some(format!("{}: {}", narrower.cost(values, false), instants(numbers, unit)?))
}

/// The types that are narrower than the chosen one, from the narrowest on.
fn narrower(meaning: Option<Meaning>, evidence: &Evidence, chosen: ValueType) -> Vec<Narrower> {
    let default = Numbers::default();
    let numbers = evidence.numbers.as_deref().unwrap_or(&default);
    let texts = evidence.texts.as_deref();
    let in_texts = texts.map_or(&default, |texts| &texts.numbers);
    let of_texts = |count: fn(&Texts) -> u64| texts.map_or(0, count);
    // An id has more room than int32.
    let int32 = Narrower::new(ValueType::Int32, numbers.int32 + in_texts.int32);
    let int32 = (meaning != Some(Meaning::Id)).then_some(int32);
    let int64 = Narrower::new(ValueType::Int64, numbers.int64 + in_texts.int64);
    let date = Narrower::new(ValueType::Date, of_texts(|texts| texts.dates));
    match chosen {
        // A version is none of these, whatever it looks like.
        _ if meaning == Some(Meaning::Version) => Vec::new(),
        ValueType::Int64 => int32.into_iter().collect(),
        ValueType::Decimal { .. } | ValueType::Float64 => int32.into_iter().chain([int64]).collect(),
        ValueType::Timestamp => vec![date],
        ValueType::String => {
            let boolean =
                Narrower::new(ValueType::Boolean, evidence.booleans() + of_texts(|texts| texts.booleans));
            let decimal = texts.and_then(money).filter(|_| evidence.numbers.is_none());
            let decimal = decimal.map(|(decimal, _)| Narrower::new(decimal, in_texts.count));
            let float64 = Narrower::new(ValueType::Float64, numbers.finite + in_texts.finite)
                .changing("round", numbers.inexact + in_texts.inexact);
            let timestamp = Narrower::new(ValueType::Timestamp, of_texts(|texts| texts.timestamps))
                .changing("cut digits of", of_texts(|texts| texts.cut));
            let exact = [Some(boolean), int32, Some(int64), decimal].into_iter().flatten();
            exact.chain([float64, date, timestamp]).collect()
        }
        _ => Vec::new(),
    }
}

/// For values of which most are objects, or most are lists: their type, and what it would refuse.
pub(super) fn of_containers(name: &[u8], evidence: &Evidence, values: u64) -> Option<String> {
    let objects = evidence.objects.as_deref();
    let lists = evidence.lists.as_deref();
    let (objects_count, lists_count) =
        (objects.map_or(0, |objects| objects.count), lists.map_or(0, |lists| lists.count));
    let of_objects = || {
        let objects = objects?;
        (decide_object(name, objects).kind == DecidedKind::Object).then(|| object_type(objects))
    };
    let of_lists = || {
        let lists = lists?;
        let element = decide_list(name, &lists.elements);
        Some(type_of(&element.kind, evidence))
    };
    let only_containers = objects_count + lists_count == values;
    let has_only_empty_lists = lists.is_some_and(|lists| lists.lengths == Some((0, 0)));
    let has_only_empty_objects =
        objects.is_some_and(|objects| objects.members.is_empty() && !objects.has_too_many_keys());
    let (narrower, fits, others) = match () {
        () if only_containers && has_only_empty_lists => {
            (of_objects()?, objects_count, ": empty lists, as PHP writes an object without members")
        }
        () if only_containers && has_only_empty_objects => {
            (of_lists()?, lists_count, ": empty objects, as some programs write a list without elements")
        }
        () if objects_count >= lists_count => (of_objects()?, objects_count, ""),
        () => (of_lists()?, lists_count, ""),
    };
    let refused = values - fits;
    let is_rare = refused * REFUSED_ONE_IN <= values;
    (is_rare || !others.is_empty())
        .then(|| format!("{narrower} would quarantine {} of {}{others}", grouped(refused), grouped(values)))
}

/// An object as a catalog has it on one line, or how large it is.
fn object_type(objects: &Objects) -> String {
    let members = objects.ordered().into_iter().map(|Member { name, evidence, .. }| {
        let kind = decide(name, evidence).kind;
        format!("{} = {}", quoted_key(&String::from_utf8_lossy(name)), type_of(&kind, evidence))
    });
    let text = format!("{{ fields = {{ {} }} }}", members.collect::<Vec<_>>().join(", "));
    if text.chars().count() <= TYPE_CHARS_MAX {
        return text;
    }
    format!("an object of {}", plural(objects.members.len() as u64, "field"))
}

fn type_of(kind: &DecidedKind, evidence: &Evidence) -> String {
    match (kind, &evidence.objects, &evidence.lists) {
        (DecidedKind::Value(value_type), ..) => format!("\"{value_type}\""),
        (DecidedKind::Object, Some(objects), _) => object_type(objects),
        (DecidedKind::List(element), _, Some(lists)) => within("list", &type_of(element, &lists.elements)),
        (DecidedKind::Map(value), Some(objects), _) => within("map", &type_of(value, &objects.values())),
        // The evidence has an object or a list if one was decided.
        (DecidedKind::Object | DecidedKind::List(_) | DecidedKind::Map(_), ..) => {
            format!("\"{}\"", ValueType::Json)
        }
    }
}

/// A list or a map of a type.
fn within(container: &str, inner: &str) -> String {
    if inner.starts_with('"') {
        return format!("\"{container}({})\"", inner.trim_matches('"'));
    }
    format!("{{ {container} = {inner} }}")
}

//! Evidence → the comment that a draft puts behind a field.
//!
//! Invariant: a comment is one line of bounded length, whatever is in the data.

use super::super::{
    decide::{DecidedKind, Decision},
    evidence::{Evidence, Lists, Member},
    texts::Texts,
    toml_text::quoted,
};
use crate::runtime::grouped;

/// The longest list of examples.
const EXAMPLES_CHARS: usize = 70;

/// The comment on a field that could occur in `of` events or objects.
pub(super) fn of(member: &Member, of: u64, decision: &Decision) -> String {
    let presence = presence(member.count, of, member.evidence.nulls);
    let facts = facts(&member.evidence, &decision.kind);
    let parts = [Some(presence), facts, decision.because.clone()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// How often the field is present.
fn presence(count: u64, of: u64, nulls: u64) -> String {
    match (count == of, nulls) {
        (true, 0) => "always".to_owned(),
        (true, nulls) => format!("null in {} of {}", grouped(nulls), grouped(of)),
        (false, 0) => format!("in {} of {}", grouped(count), grouped(of)),
        (false, nulls) => {
            format!("in {} of {}, null in {} of them", grouped(count), grouped(of), grouped(nulls))
        }
    }
}

/// What the values are like.
fn facts(evidence: &Evidence, kind: &DecidedKind) -> Option<String> {
    if let (Some(lists), DecidedKind::List(_)) = (&evidence.lists, kind) {
        return Some(of_lists(lists, kind));
    }
    if let (Some(objects), DecidedKind::Map(value)) = (&evidence.objects, kind) {
        return facts(&objects.values(), value);
    }
    let booleans = (evidence.booleans() > 0)
        .then(|| format!("true in {} of {}", grouped(evidence.trues), grouped(evidence.booleans())));
    let numbers = evidence.numbers.as_ref().and_then(|numbers| numbers.range.as_ref());
    let numbers = numbers.map(|(least, greatest)| range(&least.token, &greatest.token));
    let texts = evidence.texts.as_ref().map(|texts| of_texts(texts, kind));
    let facts: Vec<_> = [booleans, numbers, texts].into_iter().flatten().collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

fn range(least: &str, greatest: &str) -> String {
    if least == greatest { least.to_owned() } else { format!("{least} to {greatest}") }
}

fn of_texts(texts: &Texts, kind: &DecidedKind) -> String {
    use events_core::catalog::ValueType::{Date, Decimal, Timestamp};
    match (kind, &texts.times, &texts.numbers.range) {
        (DecidedKind::Value(Date | Timestamp), Some(((_, first), (_, last))), _) => {
            return range(first, last);
        }
        (DecidedKind::Value(Decimal { .. }), _, Some((least, greatest))) => {
            return range(&least.token, &greatest.token);
        }
        _ => {}
    }
    let (examples, is_all) = texts.examples();
    let examples: Vec<_> = examples.iter().map(|example| quoted(example)).collect();
    if let (true, [others @ .., last]) = (is_all, examples.as_slice())
        && examples.iter().map(|example| example.chars().count()).sum::<usize>() <= EXAMPLES_CHARS
    {
        return if others.is_empty() { last.clone() } else { format!("{} or {last}", others.join(", ")) };
    }
    let (least, most) = texts.chars.unwrap_or_default();
    let characters = if least == most {
        format!("{} characters", grouped(most as u64))
    } else {
        format!("{} to {} characters", grouped(least as u64), grouped(most as u64))
    };
    match examples.first() {
        Some(example) => format!("{characters}, like {example}"),
        None => characters,
    }
}

fn of_lists(lists: &Lists, kind: &DecidedKind) -> String {
    let (least, most) = lists.lengths.unwrap_or_default();
    let what = match kind {
        DecidedKind::List(element) if **element == DecidedKind::Object => "object",
        DecidedKind::List(element) if matches!(**element, DecidedKind::List(_)) => "list",
        DecidedKind::List(element) if matches!(**element, DecidedKind::Map(_)) => "map",
        _ => "element",
    };
    let plural = if most == 1 { "" } else { "s" };
    let lengths =
        if least == most { grouped(most) } else { format!("{} to {}", grouped(least), grouped(most)) };
    let mut text = format!("{lengths} {what}{plural}");
    if let DecidedKind::List(element) = kind
        && let Some(facts) = facts(&lists.elements, element)
    {
        text = format!("{text}: {facts}");
    }
    text
}
